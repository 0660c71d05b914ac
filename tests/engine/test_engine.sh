#!/bin/bash
# test_engine.sh: coracle-engine on this host: order of start, restarts, its own death, logs, stop, bad neighbours. TAP output.
# timeout: 400
set -euo pipefail
# shellcheck source=tests/engine/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v docker >/dev/null || skip_all 'needs the docker command line (apt-get install docker.io)'

logfile() { echo "$work/root/containers/$(docker ps -aq --no-trunc --filter "name=^/$1\$")"/*-json.log; }
status() { field "$1" '{{.State.Status}}'; }
is() { [[ $(status "$1") == "$2" ]]; }
engine_pid() { cat "$work/run/engine.pid"; }
says() { grep -q "$2" "$(logfile "$1")"; }

# -- order ---------------------------------------------------------------------
cp "$fixtures/busybox-zstd.oci.tar" "$work/run/media/0/"
mkdir "$work/shared"
bind=$(printf 'volumes=[{"type":"bind","source":"%s","target":"/shared","read_only":false,"options":[]}]' "$work/shared")
need() { printf '{"name":"%s","condition":"%s","required":%s}' "$1" "$2" "${3:-true}"; }
want "$(service last 'echo last >>/shared/order; exec sleep 1000' "$bind" "depends_on=[$(need middle service_completed_successfully)]")" \
	"$(service middle 'sleep 0.3; echo middle >>/shared/order' "$bind" "depends_on=[$(need first service_started)]")" \
	"$(service first 'echo first >>/shared/order; exec sleep 1000' "$bind")" \
	"$(service fails 'exit 3')" \
	"$(service never 'echo never >>/shared/order' "$bind" "depends_on=[$(need fails service_completed_successfully)]")" \
	"$(service anyway 'exec sleep 1000' "$bind" "depends_on=[$(need fails service_completed_successfully false)]")" \
	"$(service noimage 'true' 'image="docker.io/library/nosuch:1"' 'line=42')" \
	"$(service flappy 'echo run; exit 1' 'restart={"policy":"on-failure","max_retries":3}')" \
	"$(service talker 'i=0; while true; do i=$((i+1)); echo line $i; sleep 0.02; done' 'restart={"policy":"always","max_retries":0}')" \
	"$(service graceful 'trap "echo got usr1; exit 5" USR1; while true; do sleep 0.05; done' 'stop_signal="SIGUSR1"' 'restart={"policy":"unless-stopped","max_retries":0}')"
engine_start --boot-id first
check 'dependencies start before their dependents' same $'first\nmiddle\nlast' "$(eventually grep -q last "$work/shared/order"; cat "$work/shared/order")"
check 'a failed dependency holds up its dependent' lacks "$(cat "$work/shared/order")" never
check 'and is reported' grep -q 'service never .*depends on fails, which did not complete' "$work/run/problems"
check 'one that is not required does not' is anyway running
check 'a missing image is reported with service, line and way out' grep -Eq 'service noimage .*nosuch:1, line 42.*CORACLE_IMAGES' "$work/run/problems"
check 'good neighbours run' is talker running

# -- restarts --------------------------------------------------------------------
eventually is flappy exited
check 'on-failure:3 runs four times' same 4 "$(grep -c run "$(logfile flappy)")"
check 'and counts three restarts' same 3 "$(field flappy '{{.RestartCount}}')"
gaps() {
	python3 - "$(logfile flappy)" <<-'PYTHON'
		import json, sys, datetime
		times = [datetime.datetime.fromisoformat(json.loads(l)["time"][:26].rstrip("Z")) for l in open(sys.argv[1])]
		gaps = [(b - a).total_seconds() for a, b in zip(times, times[1:])]
		print("rising" if gaps[0] >= 0.1 and gaps[1] >= 0.2 and gaps[2] >= 0.4 else gaps)
	PYTHON
}
check 'back-off of 100, 200, 400 ms' same rising "$(gaps)"
old=$(field talker '{{.State.Pid}}')
kill -9 "$old"
restarted() { is talker running && [[ $(field talker '{{.State.Pid}}') != "$old" ]]; }
check 'kill -9 of a container: it comes back' eventually restarted

# -- the engine dies -----------------------------------------------------------------
pid=$(field talker '{{.State.Pid}}')
engine=$(engine_pid)
ready=$(wc -l <"$work/run/ready")
kill -9 "$engine"
ready_after "$ready"
check 'another engine' lacks " $(engine_pid) " " $engine "
check 'the container is the same process' same "running $pid" "$(field talker '{{.State.Status}} {{.State.Pid}}')"
count() { grep -c . "$(logfile talker)"; }
before=$(count)
more() { (($(count) > before + 10)); }
check 'its log goes on' eventually more
unbroken() {
	python3 - "$(logfile talker)" <<-'PYTHON'
		import json, sys
		numbers = [int(json.loads(l)["log"].split()[1]) for l in open(sys.argv[1])]
		start = max(i for i, n in enumerate(numbers) if n == 1)
		run = numbers[start:]
		print("unbroken" if run == list(range(1, len(run) + 1)) else run)
	PYTHON
}
check 'without gap or repetition' same unbroken "$(unbroken)"
check 'one-shots are not run again' same 1 "$(grep -c middle "$work/shared/order")"
engine=$(engine_pid)
kill -STOP "$engine"
kill -9 "$pid"
ready=$(wc -l <"$work/run/ready")
kill -9 "$engine"
ready_after "$ready"
check 'an end while no engine ran is not lost' eventually restarted

# -- stop ---------------------------------------------------------------------------
docker stop graceful >/dev/null
check 'the stop signal is the one configured' says graceful 'got usr1'
check 'and the code that of the program' same 'exited 5' "$(field graceful '{{.State.Status}} {{.State.ExitCode}}')"
ready=$(wc -l <"$work/run/ready")
kill -9 "$(engine_pid)"
ready_after "$ready"
check 'unless-stopped stays down after an engine restart' is graceful exited

# -- second boot ---------------------------------------------------------------------
ids=$(docker ps -aq --no-trunc | sort)
running=$(field talker '{{.State.Pid}}')
engine_stop
check 'shutdown leaves no root mounted' lacks "$(cat /proc/mounts)" "$work/root/containers"
check 'and no container running' bash -c "! kill -0 $running 2>/dev/null"
rm -f "$work/shared/order"
engine_start --boot-id second
check 'a second boot has the same containers' same "$ids" "$(docker ps -aq --no-trunc | sort)"
check 'starts them in order' same $'first\nmiddle\nlast' "$(eventually grep -q last "$work/shared/order"; cat "$work/shared/order")"
check 'but not what was stopped by hand' is graceful exited
id=$(docker ps -q --no-trunc --filter name=talker)
engine_stop
want "$(service talker 'echo other; exec sleep 1000')"
engine_start --boot-id third
check 'another configuration makes another container' lacks "$(docker ps -q --no-trunc --filter name=talker)x" "${id}x"
check 'with that configuration' eventually says talker other
engine_stop

# -- logs ----------------------------------------------------------------------------
# Enough for three files also when a busy engine takes a full pipe of it at once.
want "$(service big 'i=0; while [ $i -lt 15000 ]; do i=$((i+1)); echo "a line of some length, number $i"; done; exec sleep 1000')" \
	"$(service long 'head -c 40000 /dev/zero | tr "\\0" x; echo; exec sleep 1000')" \
	"$(service odd "printf 'tab\\tquote\"<&>\\377end\\n'; printf 'no newline'")"
engine_start --boot-id fourth --log-max-size 65536 --log-max-files 3
eventually is odd exited
eventually grep -q 'number 15000' <(docker logs --tail 1 big)
eventually bash -c '[[ $(docker logs --tail 1 big) == *"number 15000" ]]'
files() { local f; f=$(logfile big); echo "$(ls "$f"*)" | wc -l; }
check 'rotation keeps three files' same 3 "$(files)"
check 'none much larger than the limit' test "$(stat -c %s "$(logfile big).1")" -le 600000
tail_numbers() { docker logs --tail 500 big | sed 's/.*number //' | paste -sd' '; }
check 'tail reads over the files' same "$(seq -s' ' 14501 15000)" "$(tail_numbers)"
eventually bash -c "[[ \$(grep -c . '$(logfile long)') == 3 ]]"
check 'a long line is split at 16 KiB' same '16384 16384 7233' "$(python3 -c 'import json,sys; print(*[len(json.loads(l)["log"]) for l in open(sys.argv[1])])' "$(logfile long)")"
check 'docker puts it together again' same 40001 "$(docker logs long | wc -c)"
check 'escapes are those of Docker' contains "$(cat "$(logfile odd)")" 'tab\u0009quote\"\u003c\u0026\u003e\ufffdend\n' '"log":"no newline"'
check 'the console shows NAME | line' grep -q '^odd | no newline$' "$work/console"

# -- looked at from inside -------------------------------------------------------------
engine_stop
want "$(service inside 'id -u; id -g; pwd; echo "$A $HOSTNAME"; hostname; grep Cap /proc/self/status; grep Seccomp: /proc/self/status; touch /x 2>&1; echo "tmp: $(stat -f -c %T /tmp)"; cat /vol/kept 2>/dev/null; echo data >/vol/kept; ls /sys/class/net' \
	'user="1000:1001"' 'working_dir="/tmp"' 'environment=["A=b c"]' 'hostname="inner"' 'read_only=true' 'cap_drop=["ALL"]' 'cap_add=["CHOWN"]' \
	'tmpfs=[{"target":"/tmp","options":["size=1m"]}]' 'volumes=[{"type":"tmpfs","source":null,"target":"/vol","read_only":false,"options":["mode=1777"]}]')" \
	"$(service filled 'ls -ld /bin/sh >/dev/null && echo works; exec sleep 1000' 'volumes=[{"type":"volume","source":"bin","target":"/bin","read_only":false,"options":[]}]')" \
	"$(service lord 'grep CapEff /proc/self/status; ls /dev; exec sleep 1000' 'privileged=true')" \
	"$(service volume 'echo data >/vol/kept; exit 4' 'volumes=[{"type":"volume","source":"kept","target":"/vol","read_only":false,"options":[]}]')"
engine_start --boot-id fifth
eventually is inside exited
check 'user, group, directory, environment, host name' contains "$(logs inside)" $'1000\n1001\n/tmp\nb c inner\ninner'
check 'capabilities: none, and one may be had' contains "$(logs inside)" $'CapEff:\t0000000000000000' $'CapBnd:\t0000000000000001'
check 'the seccomp filter is on' contains "$(logs inside)" $'Seccomp:\t2'
check 'a read-only root' contains "$(logs inside)" 'Read-only file system'
check 'a tmpfs' contains "$(logs inside)" 'tmp: tmpfs'
check 'no network but lo' same lo "$(logs inside | tail -1)"
eventually is volume exited
check 'a named volume is kept on the host' same data "$(cat "$work/root/volumes/kept/_data/kept")"
check 'an empty volume gets what the image has there' eventually says filled works
check 'links as links' test -L "$work/root/volumes/bin/_data/sh"
check 'a privileged container has all capabilities' eventually says lord "CapEff.*$(awk '/CapEff/ { print $2 }' /proc/self/status)"
check 'and the devices of the machine' eventually says lord '"log":"kmsg'

# -- bad input -----------------------------------------------------------------------
engine_stop
echo '{"version":1,"services":[{"name":"x","nonsense":1}],"volumes":[]}' >"$work/run/containers.json"
head -c 300000 "$fixtures/busybox.oci.tar" >"$work/run/media/0/broken.oci.tar"
engine_start --boot-id sixth
check 'an unknown key is an error that names it' grep -q 'unknown key \\"nonsense\\"' "$work/run/problems"
check 'a truncated archive is reported' eventually grep -q 'import .*broken.oci.tar' "$work/run/problems"
check 'the engine answers all the same' contains "$(docker version)" 'Server: Coracle'

# -- a runtime that is killed -----------------------------------------------------------
engine_stop
rm -f "$work/run/media/0/broken.oci.tar" "$work/run/problems"
real=${CORACLE_RUNTIME:-$build/bin/coracle-runtime}
cat >"$work/fragile" <<-FRAGILE
	#!/bin/bash
	# is killed by its first create, which is done then, by its second start, and by each of the container "hopeless"
	for word; do
		case \$word in
		create | start)
			echo "\$word" >>"$work/fragile.calls"
			[[ -e $work/hopeless ]] && kill -9 \$\$
			n=\$(grep -c "\$word" "$work/fragile.calls")
			[[ \$word\$n == start2 ]] && kill -9 \$\$
			if [[ \$word\$n == create1 ]]; then "$real" "\$@"; kill -9 \$\$; fi
			;;
		esac
	done
	exec "$real" "\$@"
FRAGILE
chmod +x "$work/fragile"
want "$(service tough 'echo up; exec sleep 1000')"
CORACLE_RUNTIME=$work/fragile engine_start --boot-id killed
check 'create killed: what it left is cleaned up, and the container starts' eventually is tough running
docker restart -t 0 tough >/dev/null
check 'start killed: made again for who waits for it' same 'running 3' "$(status tough) $(grep -c start "$work/fragile.calls")"
touch "$work/hopeless"
check 'killed again and again: an error that says so' contains "$(docker restart -t 0 tough 2>&1)" 'coracle-runtime create was killed by signal 9'
rm "$work/hopeless"
check 'and a later start works' docker start tough

# -- full disk -------------------------------------------------------------------------
engine_stop
rm -f "$work/run/media/0/broken.oci.tar" "$work/run/problems"
mount -t tmpfs -o size=1200k none "$work/root"
want "$(service talker 'i=0; while true; do i=$((i+1)); echo line $i; sleep 0.02; done')"
engine_start --boot-id seventh
check 'an import that does not fit is reported with its reason' eventually grep -q 'import .*No space left' "$work/run/problems"
check 'and its service too' grep -q 'service talker' "$work/run/problems"
check 'nothing of it is left' same 0 "$(find "$work/root/layers" "$work/root/tmp" -mindepth 1 | wc -l)"
engine_stop
mount -o remount,size=8m "$work/root"
engine_start --boot-id eighth
check 'with room it is imported and started' eventually is talker running
engine_stop
head -c 9000000 /dev/zero >"$work/root/filler" 2>/dev/null || true
want "$(service talker 'i=0; while true; do i=$((i+1)); echo line $i; sleep 0.02; done')" "$(service another 'exec sleep 1000')"
rm -f "$work/run/problems"
engine_start --boot-id ninth
check 'a container that cannot be made is reported' grep -q 'service another .*No space left' "$work/run/problems"
check 'the engine answers on a full disk' contains "$(docker ps -a)" talker
rm "$work/root/filler"
engine_stop
umount "$work/root"
tap_end
