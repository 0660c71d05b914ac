#!/bin/bash
# tests/runtime/test_commands.sh: the command line that engines use: global options, messages, statuses, lifecycle errors. Needs root.
# timeout: 300
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
begin
trap leave EXIT
before=$(host_state)
status_of() { "${@:2}" >/dev/null 2>&1; same "$1" $?; }
json() { python3 -c 'import json,sys; d = json.load(sys.stdin); print(eval(sys.argv[1], {"d": d}))' "$1"; }
running() { config 'p["args"] = sh("trap \"exit 9\" USR1; trap \"exit 7\" TERM; echo up >/data/up; while :; do sleep 0.05; done")' "$@"; rm -f "$bundle/rootfs/data/up"; quiet rt create --pid-file "$work/pid" -b "$bundle" c1 && rt start c1; until [[ -s $bundle/rootfs/data/up ]]; do sleep 0.01; done; }
stopped() { until [[ $(rt state c1) == *'"stopped"'* ]]; do sleep 0.01; done; }

## Global options

check "--version: name, version, spec" contains "$("$runtime" --version)" "coracle-runtime version " $'\nspec: 1.3.0'
check "-v" same "$("$runtime" --version)" "$("$runtime" -v)"
check "--log-format: unknown" fails "invalid log-format: xml" "$runtime" --log-format xml list
log_line() { rm -f "$work/log"; rt "$@" state nosuch >/dev/null 2>&1; cat "$work/log"; }
for form in "--log-format=json" "--log-format json"; do
	# shellcheck disable=SC2086
	check "$form: one line with level, msg, time" same "error container does not exist True" "$(log_line --log "$work/log" $form | json 'd["level"] + " " + d["msg"] + " " + str("T" in d["time"])')"
done
check "--log-format text" contains "$(log_line --log "$work/log")" 'level=error msg="container does not exist"'
check "--log: standard error has the bare text then" same "container does not exist" "$(rt --log "$work/log" state nosuch 2>&1)"
check "--log-format json without --log: on standard error" same error "$(rt --log-format json state nosuch 2>&1 | json 'd["level"]')"
check "--debug" contains "$(log_line --debug --log "$work/log" --log-format json)" '"level":"debug"' '"level":"error"'
for value in true false auto; do check "--rootless $value" same "" "$(rt --rootless "$value" list -q)"; done
check "--rootless: neither" fails '--rootless: "maybe" is neither true, false nor auto' rt --rootless maybe list
check "an unknown option" fails "flag provided but not defined: --nosuch" rt --nosuch list
check "an unknown command" fails "no such command: launch" rt launch c1
for command in create run start exec state kill delete list ps pause resume update events spec features; do
	check "$command --help" contains "$(rt $command --help)" "usage: coracle-runtime [OPTION]... $command"
done
check "--help names them all" contains "$(rt --help)" create start state kill delete exec update events features spec
for command in checkpoint restore; do
	check "$command is refused clearly" fails "$command is not supported by coracle-runtime" rt $command --image-path /x c1
done

## Create, run: forms of options, ids

config
for form in "-b $bundle" "-b=$bundle" "--bundle $bundle" "--bundle=$bundle"; do
	# shellcheck disable=SC2086
	check "run ${form/$bundle/DIR}" rt run $form c1
done
check "run: without --bundle the working directory" bash -c "cd '$bundle' && '$runtime' --root '$state' run c1"
check "run --no-subreaper" rt run --no-subreaper -b "$bundle" c1
check "run --keep" rt run --keep -b "$bundle" c1
check "run --keep: stopped, not removed" contains "$(rt state c1)" '"status": "stopped"' '"pid": 0'
rt delete c1
config 'p["args"] = sh("exit 3")'
check "run: ends with the program's status" status_of 3 rt run -b "$bundle" c1
config 'p["args"] = sh("kill -9 $$")' 'l["namespaces"] = [n for n in l["namespaces"] if n["type"] != "pid"]'
check "run: 128 and the signal" status_of 137 rt run -b "$bundle" c1
config
for id in . .. a/b "a b" "" ä; do check "id \"$id\" is refused" fails "container" rt create -b "$bundle" "$id"; done
check "id with all letters that are allowed" rt run -b "$bundle" aZ09_+-.
check "create: without an id" fails "usage: coracle-runtime create" rt create -b "$bundle"
check "--pidfd-socket: a descriptor of the first process" bash -c '
	python3 - "$1/pidfd.sock" >"$1/pidfd.out" <<"END" &
import array, os, signal, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()
c, _ = s.accept(); text, anc, _, _ = c.recvmsg(100, 100); fd = array.array("i", anc[0][2][:4])[0]
print(text.decode(), [l.split()[1] for l in open("/proc/self/fdinfo/%d" % fd) if l.startswith("Pid:")][0], flush=True)
END
	until [[ -S $1/pidfd.sock ]]; do sleep 0.01; done
	"$2" --root "$1/state" create --pidfd-socket "$1/pidfd.sock" --pid-file "$1/pid" -b "$3" c1 </dev/null >/dev/null 2>&1 && wait && [[ $(cat "$1/pidfd.out") == "standard $(cat "$1/pid")" ]]' - "$work" "$runtime" "$bundle"
rt delete -f c1

## process absent, lifecycle

config 'del c["process"]'
check "process absent: create succeeds" quiet rt create -b "$bundle" c1
check "process absent: start is an error" fails "process: missing in config.json" rt start c1
check "process absent: and changes nothing" contains "$(rt state c1)" '"status": "created"'
rt delete c1
check "process absent: run is an error" fails "process: missing in config.json" rt run -b "$bundle" c1
config 'del p["args"]'
quiet rt create -b "$bundle" c1
check "process.args absent: start is an error" fails "process.args: missing in config.json" rt start c1
rt delete -f c1

for command in state start kill delete ps pause resume "exec"; do
	check "$command: container does not exist" fails "container does not exist" rt $command nosuch $([[ $command == exec ]] && echo true)
done
check "exec: a failure of ours ends with 255" status_of 255 rt exec nosuch true
check "delete --force of none is no error" rt delete --force nosuch
config 'p["args"] = sh("exit 0")' 'c["annotations"].update({"org.opencontainers.image.os": "linux", "x": "y"})'
quiet rt create -b "$bundle" c1
config 'p["args"] = sh("exit 5")'
check "config.json changed after create: the state is of before" same y "$(rt state c1 | json 'd["annotations"]["x"]')"
check "annotations: org.opencontainers.image.* and unknown keys are carried" same linux "$(rt state c1 | json 'd["annotations"]["org.opencontainers.image.os"]')"
check "state: the members" same "annotations bundle created id ociVersion owner pid rootfs status" "$(rt state c1 | json '" ".join(sorted(d))')"
check "exec in a created container" same hello "$(rt exec c1 echo hello)"
check "kill of a created container" rt kill c1 KILL
stopped
check "start of a stopped container" fails "cannot start a container that has stopped" rt start c1
check "kill of a stopped container" fails "container not running" rt kill c1 KILL
check "exec in a stopped container" fails "cannot exec in a stopped container" rt exec c1 true
check "pause of a stopped container" fails "container not running" rt pause c1
check "resume of a stopped container" fails "container not paused" rt resume c1
check "ps of a stopped container" fails "container not running" rt ps c1
check "list: a stopped one has pid 0" same "0 stopped" "$(rt list --format json | json 'str(d[0]["pid"]) + " " + d[0]["status"]')"
check "delete" rt delete c1
check "list --format json: none" same null "$(rt list -f json)"
check "list: unknown format" fails "invalid format option" rt list --format yaml

running
check "start of a running container" fails "cannot start an already running container" rt start c1
check "delete of a running container" fails "that is not stopped: running" rt delete c1
check "create of an id that is there" fails "container with given ID already exists" rt create -b "$bundle" c1
check "list -q" same c1 "$(rt list -q)"
check "list --quiet --format json: only ids" same c1 "$(rt list --quiet --format json)"
check "list: the table" contains "$(rt list)" "ID " "PID " "STATUS " "BUNDLE " "CREATED " "OWNER" "running" "$bundle"
check "ps --format json" contains "$(rt ps --format json c1)" "$(cat "$work/pid")"
check "ps: the host's ps" contains "$(rt ps c1)" UID PID CMD "$(cat "$work/pid")"
check "ps: with its options" contains "$(rt ps c1 -o pid,comm)" PID COMMAND sh
check "ps: columns without PID" fails "couldn't find PID field" rt ps c1 -o comm
check "ps: unknown format" fails "invalid format option" rt ps --format xml c1
check "kill: unknown signal" fails 'unknown signal "NOSUCH"' rt kill c1 NOSUCH
for s in 0 URG SIGURG urg 23; do check "kill: signal as $s" rt kill c1 $s; done
check "kill ID SIGNAL --all" rt kill c1 USR1 --all
stopped
rt delete c1
running 'c["annotations"]["org.opencontainers.image.stopSignal"] = "SIGUSR1"' 'p["args"][2] = "trap \"echo usr1 >/data/end; exit\" USR1; trap \"echo term >/data/end; exit\" TERM; echo up >/data/up; while :; do sleep 0.05; done"'
rt kill c1; stopped
check "kill: org.opencontainers.image.stopSignal without a signal of the caller's" same usr1 "$(cat "$bundle/rootfs/data/end")"
rt delete c1
running 'p["args"][2] = "trap \"echo usr1 >/data/end; exit\" USR1; trap \"echo term >/data/end; exit\" TERM; echo up >/data/up; while :; do sleep 0.05; done"'
rt kill c1; stopped
check "kill: SIGTERM otherwise" same term "$(cat "$bundle/rootfs/data/end")"
rt delete c1

## ociVersion

for v in 1.0.0 1.0.2-dev 1.2.1+x 1.3.0 1.99.0 1.3.0-rc.1; do
	config 'c["ociVersion"] = "'$v'"; c["fromTheFuture"] = 1; p["alsoNew"] = {}; l["andThis"] = []'
	check "ociVersion $v, with unknown properties" rt run -b "$bundle" c1
done
for v in 0.9.0 2.0.0; do config 'c["ociVersion"] = "'$v'"'; check "ociVersion $v is refused" fails "is not a version 1.x" rt run -b "$bundle" c1; done
for v in 1 1.0 1.x.0 v1.0.0 ""; do config 'c["ociVersion"] = "'$v'"'; check "ociVersion \"$v\" is not SemVer" fails "is not a version as SemVer writes it" rt run -b "$bundle" c1; done
config 'c["annotations"] = {"": "x"}'
check "annotations: an empty key" fails "annotations: empty key" rt run -b "$bundle" c1
config 'c["annotations"] = {"a": 1}'
check "annotations: not a string" fails "annotations.a: expected a string" rt run -b "$bundle" c1
config; mv "$bundle/config.json" "$work/elsewhere"
check "bundle: no config.json" fails "open config.json: No such file" rt run -b "$bundle" c1

## spec

mkdir "$work/new"
check "spec --bundle" rt spec --bundle "$work/new"
check "spec: an existing file stays" fails "file config.json exists. Remove it first" rt spec -b "$work/new"
ln -s "$bundle/rootfs" "$work/new/real"
runs() { python3 - "$work/new/config.json" "$bundle/rootfs" <<'END' && rt run -b "$work/new" c1; }
import json, sys
c = json.load(open(sys.argv[1])); c["process"]["terminal"] = False; c["root"]["path"] = sys.argv[2]; c["process"]["args"] = ["sh", "-c", "id -u; cat /proc/self/uid_map"]
json.dump(c, open(sys.argv[1], "w"))
END
check "spec: what it writes runs" same "0 0 0 4294967295" "$(echo $(runs))"
rm "$work/new/config.json"
check "spec --rootless" rt spec --rootless --bundle "$work/new"
check "spec --rootless: a user namespace, no network namespace, no limits" same "True False False" "$(json '"%s %s %s" % ("user" in str(d["linux"]["namespaces"]), "network" in str(d["linux"]["namespaces"]), "resources" in d["linux"])' <"$work/new/config.json")"
chmod 755 "$work" "$work/new"
check "spec --rootless: what it writes runs" same "0 0 0 1" "$(echo $(runs))"
check "nothing is left" same "$before" "$(host_state)"

tap_end
