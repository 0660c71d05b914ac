#!/bin/bash
# test_killed.sh: what was killed is made again by the engine, who waits is told, and what a power cut left half-done is put in order. TAP output.
# timeout: 300
set -euo pipefail
# shellcheck source=tests/engine/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v docker >/dev/null || skip_all 'needs the docker command line (apt-get install docker.io)'

status() { field "$1" '{{.State.Status}}'; }
is() { [[ $(status "$1") == "$2" ]]; }
folder() { echo "$work/root/containers/$(docker ps -aq --no-trunc --filter "name=^/$1\$")"; }
runtime=${CORACLE_RUNTIME:-$build/bin/coracle-runtime}

# -- the import ---------------------------------------------------------------------------
cp "$fixtures/busybox-zstd.oci.tar" "$work/run/media/0/"
# fragile NAME PROGRAM: a wrapper of it that is killed as often as NAME.kills says, with the process above it when NAME.above exists
fragile() {
	cat >"$work/$1" <<-FRAGILE
		#!/bin/bash
		# without a second program: the confined one gets descriptors and no PATH
		read -r left <"$work/$1.kills" || true
		if ((left > 0)); then
			echo \$((left - 1)) >"$work/$1.kills"
			[[ ! -e $work/$1.above ]] || kill -9 \$PPID
			kill -9 \$\$
		fi
		exec "$2" "\$@"
	FRAGILE
	chmod +x "$work/$1"
	echo "${3:-0}" >"$work/$1.kills"
}
fragile fetch "$build/bin/coracle-fetch" 2
want "$(service plain 'echo up; exec sleep 1000')"
engine_start --boot-id killed-fetch --fetch "$work/fetch"
check 'coracle-fetch killed twice: the import is made again' eventually is plain running
check 'and nothing is reported as a problem' lacks "$(cat "$work/run/problems" 2>/dev/null)" import
engine_stop
rm -rf "$work/root"
mkdir "$work/root"
echo 2 >"$work/fetch.kills"
touch "$work/fetch.above"
engine_start --boot-id killed-importer --fetch "$work/fetch"
check 'the importing process killed twice: the import is made again' eventually is plain running
engine_stop
rm -rf "$work/root"
mkdir "$work/root"
echo 9 >"$work/fetch.kills"
rm "$work/fetch.above"
engine_start --boot-id killed-always --fetch "$work/fetch"
check 'killed always: the import fails by name' eventually grep -q 'import .*coracle-fetch was killed by signal 9' "$work/run/problems"
check 'and its service too' eventually grep -q 'service plain .*its image is not in the store' "$work/run/problems"
engine_stop
rm -f "$work/run/problems"

# -- the runtime --------------------------------------------------------------------------
# killed while $work/VERB exists: once, or always when it says so; with "hold" a delete says so there and waits for "release"
cat >"$work/runtime" <<-RUNTIME
	#!/bin/bash
	for word; do
		case \$word in
		create | start)
			if [[ -e $work/hold-\$word ]]; then echo held >"$work/hold-\$word"; read -r <"$work/release"; rm -f "$work/hold-\$word"; fi
			if [[ -e $work/kill-\$word ]]; then
				grep -q always "$work/kill-\$word" || rm "$work/kill-\$word"
				kill -9 \$\$
			fi
			;;
		delete) [[ ! -e $work/hold ]] || { echo held >"$work/hold"; read -r <"$work/release"; rm -f "$work/hold"; } ;;
		esac
	done
	exec "$runtime" "\$@"
RUNTIME
chmod +x "$work/runtime"
CORACLE_RUNTIME=$work/runtime engine_start --boot-id killed-runtime
eventually is plain running
docker stop -t 0 plain >/dev/null
echo always >"$work/kill-create"
check 'killed always: the start fails by name' contains "$(docker start plain 2>&1)" 'coracle-runtime create was killed by signal 9'
: >"$work/kill-create"
check 'the next start has its second try again' docker start plain
docker stop -t 0 plain >/dev/null

# A stop while what a killed start left is cleaned up.
mkfifo "$work/hold" "$work/release"
: >"$work/kill-start"
timeout 60 docker start plain >"$work/started" 2>&1 &
starter=$!
read -r <"$work/hold"	# comes back when the delete is held
docker stop -t 0 plain >/dev/null 2>&1 &
stopper=$!
code=0
wait "$starter" || code=$?
check 'a stop while a killed start is cleaned up: who waits for the start is told' same 1 "$code"
check 'and why' contains "$(cat "$work/started")" 'it was stopped before it was started'
echo >"$work/release"
wait "$stopper"
check 'it is down' eventually is plain exited
check 'and can be started' docker start plain

# A restart while it is being started: the engine has read it when it answers what came after it.
docker stop -t 0 plain >/dev/null
mkfifo "$work/hold-create"
docker start plain >"$work/started" 2>&1 &
starter=$!
read -r <"$work/hold-create"
restarted=$(python3 - "$work/docker.sock" "$work/release" <<-'PYTHON'
	import socket, sys
	def ask(line):
	    link = socket.socket(socket.AF_UNIX)
	    link.connect(sys.argv[1])
	    link.sendall(f"{line} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
	    return link.makefile("rb")
	restart = ask("POST /containers/plain/restart?t=0")
	ask("GET /_ping").readline()
	with open(sys.argv[2], "w") as release:
	    release.write("\n")
	print(restart.readline().decode().split()[1])
PYTHON
)
wait "$starter"
check 'a restart while it is being started: it is done' same 204 "$restarted"
check 'and the container runs' same running "$(status plain)"
check 'for the second time' eventually bash -c "[[ \$(docker logs plain 2>&1 | tail -n 2) == \$'up\nup' ]]"

# -- what a power cut leaves ---------------------------------------------------------------
check 'stopped by hand is on the disk before the answer' bash -c "docker stop -t 0 plain && grep -q '\"stopped_by_hand\":true' '$(folder plain)/state.json'"
docker start plain >/dev/null
# calls_of COMMAND...: the engine's calls while the command runs, which matter for what is on the disk
calls_of() {
	local tracer
	strace -qq -e trace=fsync,rename,renameat2 -p "$(cat "$work/run/engine.pid")" -o "$work/trace" &
	tracer=$!
	eventually grep -q "TracerPid:[[:space:]]*$tracer" "/proc/$(cat "$work/run/engine.pid")/status"
	"$@" >/dev/null
	kill "$tracer"
	wait "$tracer" || true
	cat "$work/trace"
}
if command -v strace >/dev/null; then
	check 'a stop is synced' contains "$(calls_of docker stop -t 0 plain)" 'fsync(' 'state.json'
	check 'and a start after it' contains "$(calls_of docker start plain)" 'fsync(' 'state.json'
	calls=$(calls_of docker restart -t 0 plain)
	check 'a restart is written' contains "$calls" 'state.json'
	check 'and not synced: it changes nothing that outlives the boot' lacks "$calls" 'fsync('
	check 'a kill is synced' contains "$(calls_of docker kill plain)" 'fsync(' 'state.json'
else
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - what is synced # SKIP needs strace"
fi
name=$(basename "$(folder plain)")
engine_stop
log=$work/root/containers/$name/$name-json.log
truncate -s -9 "$log"
half=$(printf '%064d' 1)
kept=$(printf '%064d' 2)
mkdir -p "$work/root/containers/"{"$half","$kept/upper","$half.removed/upper/deep"}
echo '{"version":' >"$work/root/containers/$half/config.json.new"
echo data >"$work/root/containers/$kept/upper/file"
rm -f "$work/run/problems"
engine_start --boot-id after-cut
eventually is plain running
check 'half a record at the end of a log takes no line with it' eventually bash -c "docker logs -n 1 plain 2>&1 | grep -x up"
check 'the record that was whole before it is kept, the torn one is left out' \
	bash -c "[[ \$(docker logs plain 2>&1 | wc -l) == \$((\$(grep -c '\"time\":\"[^\"]*\"}\$' '$log'))) ]]"
check 'a container that was half made is gone' test ! -e "$work/root/containers/$half"
check 'the rest of one that was removed too' test ! -e "$work/root/containers/$half.removed"
check 'what has lost its configuration in some other way is left alone' test -e "$work/root/containers/$kept/upper/file"
check 'and reported' eventually grep -q "container ${kept:0:12} is left alone" "$work/run/problems"
docker rm -f plain >/dev/null
check 'docker rm leaves nothing' test ! -e "$work/root/containers/$name" -a ! -e "$work/root/containers/$name.removed"
tap_end
