#!/bin/bash
# tests/runtime/test_hooks.sh: the six kinds of hooks: order, namespaces, what they are told, and what their failure does. Needs root.
# timeout: 180
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
begin
trap leave EXIT
before=$(host_state)
# each hook writes a line: its name, status, namespaces, root
mkdir -p "$bundle/rootfs/hooks"
cat >"$bundle/rootfs/hooks/note" <<END
#!/bin/sh
read -r state
ns=\$(readlink /proc/self/ns/mnt)
[ -e /etc/shadow ] || [ -d /usr ] && root=host || root=container
echo "\$1 \$state" >>"\${LOG:-$bundle/rootfs/hooks/log}"
echo "\$1 \$(readlink /proc/self/ns/mnt) \$(readlink /proc/self/ns/net) \$root" >>"\${LOG:-$bundle/rootfs/hooks/log}.ns"
END
chmod 755 "$bundle/rootfs/hooks/note"
kinds='("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")'
note='note = lambda kind, name: {"path": "/bin/sh", "args": ["sh", ("/hooks/note" if kind == "startContainer" else "'$bundle'/rootfs/hooks/note"), name]} | ({"env": ["LOG=/hooks/log", "PATH=/bin"]} if kind == "startContainer" else {})'
all="$note"'; c["hooks"] = {k: [note(k, k + "1"), note(k, k + "2")] for k in '$kinds'}'
log=$bundle/rootfs/hooks/log
names() { cut -d' ' -f1 "$log" | tr '\n' ' '; }
field() { sed -n "s/^$1 {/{/p" "$log" | python3 -c 'import json,sys; print(json.load(sys.stdin).get(sys.argv[1]))' "$2"; }
ns_of() { sed -n "s/^$1 //p" "$log.ns"; }
six="prestart1 prestart2 createRuntime1 createRuntime2 createContainer1 createContainer2"
# or a zombie that waits for its new parent
gone() { [[ ! -e /proc/$1 || $(cut -d" " -f3 "/proc/$1/stat" 2>/dev/null) != [RSDT] ]]; }
fresh() { rm -f "$log" "$log.ns" "$work/hook-log"; }

## A whole life

config "$all" 'c["annotations"]["key"] = "value"; p["args"] = sh("echo program >> /hooks/log; sleep 1000")'
quiet rt create --pid-file "$work/pid" -b "$bundle" c1
check "hooks: at create prestart, createRuntime, createContainer in their order" same "$six " "$(names)"
quiet rt start c1
until grep -q program "$log"; do sleep 0.01; done
check "hooks: startContainer before the program" contains "$(names)" "$six startContainer1 startContainer2 "
check "hooks: poststart before start returns" contains "$(names)" "poststart1 poststart2"
check "hooks: poststop not before delete" lacks "$(names)" poststop
container_ns=$(rt exec c1 readlink /proc/self/ns/mnt)
container_net=$(rt exec c1 readlink /proc/self/ns/net)
rt kill c1 KILL
until [[ $(rt state c1) == *stopped* ]]; do sleep 0.01; done
check "hooks: poststop not when it has only stopped" lacks "$(names)" poststop
rt delete c1
check "hooks: poststop at delete" contains "$(names)" "poststop1 poststop2"
for pair in prestart1:creating createRuntime1:creating createContainer2:creating startContainer1:created poststart1:running poststop2:stopped; do
	check "hooks: ${pair%:*}: status ${pair#*:} on standard input" same "${pair#*:}" "$(field "${pair%:*}" status)"
done
check "hooks: state has id, bundle and ociVersion" same "c1 $bundle 1.0.2" "$(field createRuntime1 id) $(field createRuntime1 bundle) $(field createRuntime1 ociVersion)"
check "hooks: state has the annotations" contains "$(field poststart1 annotations)" "'key': 'value'"
check "hooks: state has the pid as the runtime sees it" same "$(cat "$work/pid") $(cat "$work/pid")" "$(field prestart1 pid) $(field poststart1 pid)"
check "hooks: no pid once it is stopped" same None "$(field poststop1 pid)"
host="$(readlink /proc/self/ns/mnt) $(readlink /proc/self/ns/net) host"
for name in prestart1 createRuntime1 poststart1 poststop1; do
	check "hooks: $name in the runtime's namespaces" same "$host" "$(ns_of $name)"
done
check "hooks: createContainer in the container's namespaces, path in the runtime's" same "$container_ns $container_net host" "$(ns_of createContainer1)"
check "hooks: startContainer in the container's namespaces and root" same "$container_ns $container_net container" "$(ns_of startContainer1)"

## What a hook is given

config 'c["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["name", "-c", "echo $0 $1 $A $B >'$work'/hook-log", "zero", "one"], "env": ["A=x", "B=y"]}]}'
quiet rt run -b "$bundle" c1
check "hooks: args and env" same "zero one x y" "$(cat "$work/hook-log")"
config 'c["hooks"] = {"createRuntime": [{"path": "'$work'/hook"}]}'
printf '#!/bin/sh\necho "$0 $# $FROM_OUTSIDE" >%s/hook-log\n' "$work" >"$work/hook"; chmod 755 "$work/hook"
FROM_OUTSIDE=inherited quiet rt run -b "$bundle" c1
check "hooks: without args its path, without env the runtime's, as runc" same "$work/hook 0 inherited" "$(cat "$work/hook-log")"
config 'c["hooks"] = {"createRuntime": [{"path": "/bin/true"}], "poststop": [{"path": "/bin/true"}]}; c["annotations"]["big"] = "x" * 300000'
check "hooks: one that never reads its state does not block" rt run -b "$bundle" c1
config 'c["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", "ls /proc/self/fd | wc -l >'$work'/hook-log; grep SigBlk /proc/self/status >>'$work'/hook-log"]}]}'
quiet rt run -b "$bundle" c1
check "hooks: no descriptors and blocked signals of ours" same $'4\nSigBlk:\t0000000000000000' "$(cat "$work/hook-log")"
config 'c["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", "'"$runtime --root $state"' state c1 >'$work'/hook-log"]}]}'
quiet rt create -b "$bundle" c1
check "state: creating while the hooks of create run" contains "$(cat "$work/hook-log")" '"status": "creating"'
check "state: created afterwards" contains "$(rt state c1)" '"status": "created"'
rt delete -f c1
bad() { config "${@:3}"; check "$1" fails "$2" rt create -b "$bundle" c1; }
bad "hooks: a relative path" 'hooks.poststart[].path: "x" is not an absolute path' 'c["hooks"] = {"poststart": [{"path": "x"}]}'
bad "hooks: a timeout of 0" "timeout: expected an integer from 1" 'c["hooks"] = {"poststart": [{"path": "/x", "timeout": 0}]}'
bad "hooks: a path that is not there" "error running prestart hook #0: /no/hook: exit status 127" 'c["hooks"] = {"prestart": [{"path": "/no/hook"}]}'

## Failure: an error, the container stopped, on to destroy

for kind in prestart createRuntime createContainer; do
	fresh
	config "$note"'; c["hooks"] = {"'$kind'": [note("x", "first"), {"path": "/bin/false"}, note("x", "third")], "poststop": [note("poststop", "stop1"), {"path": "/bin/false"}, note("poststop", "stop2")]}'
	check "hooks: $kind fails: create fails and says which" fails "error running $kind hook #1: /bin/false: exit status 1" rt create -b "$bundle" c1
	check "hooks: $kind fails: no further ones, then poststop" same "first stop1 stop2 " "$(names)"
	check "hooks: $kind fails: nothing is left" same "$before" "$(host_state)"
done
fresh
config "$note"'; c["hooks"] = {"startContainer": [{"path": "/bin/false"}], "poststop": [note("poststop", "stop1")]}; p["args"] = sh("echo program >> /hooks/log")'
quiet rt create -b "$bundle" c1
check "hooks: startContainer fails: start fails and says which" fails "error running startContainer hook #0: /bin/false: exit status 1" rt start c1
check "hooks: startContainer fails: no program, then poststop" same "stop1 " "$(names)"
check "hooks: startContainer fails: destroyed" fails "container does not exist" rt state c1
fresh
check "hooks: startContainer fails: so does run" fails "error running startContainer hook #0" rt run -b "$bundle" c1
check "hooks: startContainer fails: poststop of run" same "stop1 " "$(names)"
fresh
config "$note"'; c["hooks"] = {"poststart": [{"path": "/bin/false"}], "poststop": [note("poststop", "stop1")]}; p["args"] = sh("sleep 1000")'
quiet rt create --pid-file "$work/pid" -b "$bundle" c1
check "hooks: poststart fails: start fails and says which" fails "error running poststart hook #0: /bin/false: exit status 1" rt start c1
check "hooks: poststart fails: stopped, destroyed, then poststop" same "stop1 $before" "$(names)$(host_state)"
check "hooks: poststart fails: the program is gone" gone "$(cat "$work/pid")"
fresh
check "hooks: poststart fails: so does run -d" fails "error running poststart hook #0" rt run -d -b "$bundle" c1
check "hooks: poststart fails: nothing of run is left" same "stop1 $before" "$(names)$(host_state)"
fresh
config "$note"'; c["hooks"] = {"poststop": [{"path": "/bin/false"}, note("poststop", "stop2")]}'
quiet rt create -b "$bundle" c1
out=$(rt --log "$work/log" --log-format json delete -f c1 2>&1; echo "status $?")
check "hooks: poststop fails: delete succeeds, the rest runs" same "status 0stop2 $before" "$out$(names)$(host_state)"
check "hooks: poststop fails: a warning in the log" contains "$(cat "$work/log")" '"level":"warning"' "error running poststop hook #0: /bin/false: exit status 1"

## Timeouts

config 'c["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", "echo $$ >'$work'/hook-log; exec sleep 1000"], "timeout": 1}]}'
check "hooks: beyond its timeout" fails "error running createRuntime hook #0: /bin/sh: timed out after 1 s and was killed" rt create -b "$bundle" c1
check "hooks: it is killed" test ! -e "/proc/$(cat "$work/hook-log")"
config 'c["hooks"] = {"createContainer": [{"path": "/bin/sleep", "args": ["sleep", "1000"], "timeout": 1}]}'
check "hooks: beyond its timeout in the container's namespaces" fails "error running createContainer hook #0: /bin/sleep: timed out" rt create -b "$bundle" c1
config 'c["hooks"] = {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "0.05"], "timeout": 50}]}'
check "hooks: within its timeout" rt run -b "$bundle" c1
check "nothing is left" same "$before" "$(host_state)"

tap_end
