#!/bin/bash
# test_create.sh: containers made over the API by Debian's docker command line: create, run, attach, wait, volumes, events. TAP output.
# timeout: 400
set -euo pipefail
# shellcheck source=tests/engine/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v docker >/dev/null || skip_all 'needs the docker command line (apt-get install docker.io)'

cp "$fixtures/busybox-zstd.oci.tar" "$work/run/media/0/"
want
engine_start
eventually bash -c 'docker images -q | grep -q .'
run() { timeout -s KILL 60 docker run --network none "$@" 2>&1; }
status() { field "$1" '{{.State.Status}}'; }
code() { local rc=0; "$@" >/dev/null 2>&1 || rc=$?; echo "$rc"; }

# -- run -------------------------------------------------------------------------
check 'run: the output is complete' same hello "$(run --rm busybox echo hello)"
check 'run: exit code of the program' same 7 "$(code run --rm busybox sh -c 'exit 7')"
check 'run: a command that is missing gives 127' same 127 "$(code run --rm busybox nosuch)"
check 'and says so' contains "$(run --rm busybox nosuch || true)" 'executable file not found'
check 'one that may not be executed gives 126' same 126 "$(code run --rm busybox /etc)"
check '--rm leaves nothing, also after a failure' same '' "$(docker ps -aq)"
check 'run: standard input, its end, and output after it' same $'abc\nlate' "$(echo abc | run -i --rm busybox sh -c 'cat; sleep 0.2; echo late')"
check 'errors and output are apart' same err "$(timeout 60 docker run --network none --rm busybox sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)"
head -c 3000000 /dev/urandom >"$work/bytes"
check '3 MB through the container, byte by byte' same "$(sha256sum <"$work/bytes")" "$(timeout 60 docker run --network none --rm -i busybox cat <"$work/bytes" | sha256sum)"
check 'early output of 40 starts' same 40 "$(for i in $(seq 40); do run --rm busybox echo "line $i"; done | grep -c line)"
check 'run -d gives an id of 64 digits' grep -Eqx '[0-9a-f]{64}' <(run -d --name d1 busybox sleep 1000)
check 'and it runs' same running "$(status d1)"
check 'its name is taken' contains "$(run -d --name d1 busybox true || true)" 'Conflict. The container name "/d1" is already in use by container'
check 'a missing image' contains "$(docker create --pull never nosuch:1 2>&1 || true)" 'No such image: nosuch:1'
check 'an invalid name' contains "$(docker create --name 'a b' busybox 2>&1 || true)" 'Invalid container name'
docker rm -f d1 >/dev/null

# -- terminals -------------------------------------------------------------------
check 'run -t: a terminal' contains "$(run -t --rm busybox tty)" /dev/pts/0
cat >"$work/terminal.py" <<'PYTHON'
import fcntl, os, pty, struct, sys, termios
# a shell on a terminal of 33 lines and 77 columns, typed at, resized, left with the detach keys
pid, fd = pty.fork()
if pid == 0:
    os.execvp("docker", ["docker", "run", "-it", "--network", "none", "--name", "tty", "busybox", "sh"])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
seen = b""
def until(what):
    global seen
    while what not in seen:
        try:
            chunk = os.read(fd, 4096)
        except OSError:
            chunk = b""
        if not chunk:
            sys.exit(f"ended before {what}: {seen}")
        seen += chunk
until(b"# ")
os.write(fd, b"stty size\n")
until(b"33 77")
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 99, 0, 0))
os.write(fd, b"while ! stty size | grep '^44 99$'; do sleep 0.1; done; echo res''ized\n")
until(b"resized")
os.write(fd, b"\x10\x11")
_, st = os.waitpid(pid, 0)
print("detached", os.waitstatus_to_exitcode(st))
PYTHON
check 'run -it: size, resize, typing, detach keys' same 'detached 0' "$(timeout -s KILL 60 python3 "$work/terminal.py")"
check 'a detached container goes on' same running "$(status tty)"
docker rm -f tty >/dev/null

# -- attach ------------------------------------------------------------------------
docker create --name later -i --network none busybox sh -c 'echo early; cat; echo end' >/dev/null
check 'start -ai: attached before it starts' same $'early\ntyped\nend' "$(echo typed | timeout -s KILL 60 docker start -ai later 2>&1)"
check 'the log has it too' same $'early\ntyped\nend' "$(logs later)"
docker rm later >/dev/null
run -d --name talker busybox sh -c 'i=0; while true; do i=$((i+1)); echo $i; sleep 0.05; done' >/dev/null
check 'attach to one that runs' grep -q '[0-9]' <(timeout -s KILL 2 docker attach --no-stdin talker || true)
docker rm -f talker >/dev/null

# -- options -----------------------------------------------------------------------
check 'environment, user, directory, host name' same $'b 1000 /tmp inner' \
	"$(run --rm -e A=b -u 1000 -w /tmp -h inner busybox sh -c 'echo $A $(id -u) $(pwd) $(hostname)')"
check '--entrypoint' same 'hi there' "$(run --rm --entrypoint echo busybox hi there)"
check '--read-only' contains "$(run --rm --read-only busybox touch /x || true)" 'Read-only file system'
check '--tmpfs' contains "$(run --rm --tmpfs /t:size=1m busybox df -k /t)" tmpfs 1024
check '--cap-drop' same 'CapEff: 0000000000000000' "$(run --rm --cap-drop ALL busybox grep CapEff /proc/self/status | tr '\t' ' ')"
check '--ulimit' same 77 "$(run --rm --ulimit nofile=77:88 busybox sh -c 'ulimit -n')"
check '--add-host' contains "$(run --rm --add-host there:192.0.2.9 busybox cat /etc/hosts)" 192.0.2.9
check '--sysctl' same 123 "$(run --rm --sysctl kernel.msgmni=123 busybox cat /proc/sys/kernel/msgmni)"
check '--shm-size' contains "$(run --rm --shm-size 2m busybox df -k /dev/shm)" 2048
check '-v of a directory that is not there makes it' same x "$(run --rm -v "$work/made:/m" busybox sh -c 'echo x >/m/f'; cat "$work/made/f")"
check '--mount of one that is not there fails' contains "$(run --rm --mount "type=bind,source=$work/nosuch,target=/m" busybox true || true)" 'bind source'
check 'a memory limit that is too small' contains "$(run --rm -m 1m busybox true || true)" 'Minimum memory limit allowed is 6MB'
check '--rm with a restart policy' contains "$(docker create --rm --restart always busybox 2>&1 || true)" 'onflicting options'
check 'a log driver that is not there' contains "$(run --rm --log-driver syslog busybox true || true)" "no log driver named 'syslog'"
check 'what is not done is said by its name' contains "$(docker create --cgroup-parent /x busybox 2>&1 || true)" CgroupParent

# -- inspect goes back into create -------------------------------------------------
docker create --name first -i -e A=b -l k=v -v data:/d -v "$work/made:/m:ro" --tmpfs /t:size=1m --mount type=tmpfs,target=/u,tmpfs-size=4096 -m 32m --cpus 0.5 \
	--pids-limit 9 --ulimit nofile=77:88 --cap-add SYS_TIME --restart on-failure:3 --init --shm-size 2m --add-host a:192.0.2.1 --dns 192.0.2.2 \
	--log-opt max-size=1m --stop-signal USR1 --stop-timeout 3 --security-opt no-new-privileges --health-cmd true --health-interval 3s --health-retries 4 \
	--network none --expose 80 -h inner -u 5 -w /w --blkio-weight 100 busybox sh -c 'echo x' >/dev/null
python3 "$here/recreate.py" "$work/docker.sock" first second
check 'a container made of the inspect output of another is the same' same "$(python3 "$here/recreate.py" "$work/docker.sock" first)" \
	"$(python3 "$here/recreate.py" "$work/docker.sock" second)"
docker rm first second >/dev/null

# -- volumes -----------------------------------------------------------------------
check 'volume create' same kept "$(docker volume create --label a=b kept)"
check 'volume inspect' same 'local b' "$(docker volume inspect -f '{{.Driver}} {{.Labels.a}}' kept)"
check 'volume ls --filter' same kept "$(docker volume ls -q --filter label=a=b)"
run --rm -v kept:/k busybox sh -c 'echo there >/k/f'
check 'what is in a volume stays' same there "$(run --rm -v kept:/k busybox cat /k/f)"
docker create --name holds -v kept:/k -v /anonymous busybox true >/dev/null 2>&1
check 'a volume in use is not removed' contains "$(docker volume rm kept 2>&1 || true)" 'volume is in use'
check 'an anonymous volume' grep -Eqx '[0-9a-f]{64}' <(docker inspect -f '{{range .Mounts}}{{if ne .Name "kept"}}{{.Name}}{{end}}{{end}}' holds)
docker start holds >/dev/null
check 'rm -v removes the anonymous one only' same $'data\nkept' "$(eventually docker rm -v holds >/dev/null; docker volume ls -q | sort)"
docker volume create -o type=tmpfs -o device=tmpfs -o o=size=1m small >/dev/null
check 'a volume with options is mounted' contains "$(run --rm -v small:/s busybox df -k /s)" tmpfs 1024
check 'and unmounted after' lacks "$(cat /proc/mounts)" "volumes/small/_data"
docker volume create -o type=none -o o=bind -o "device=$work/made" bound >/dev/null
check 'a volume that is a bind' same x "$(run --rm -v bound:/s busybox cat /s/f)"
check 'an unknown option' contains "$(docker volume create -o x=y 2>&1 || true)" 'invalid option'
check 'volume rm' same kept "$(docker volume rm kept)"
check 'no such volume' contains "$(docker volume rm kept 2>&1 || true)" 'no such volume'
check 'volume prune -a' contains "$(docker volume prune -af)" small bound

# -- events ------------------------------------------------------------------------
since=$(date +%s.%N)
docker events --since "$since" --until 2100-01-01 --format '{{.Type}} {{.Action}} {{index .Actor.Attributes "exitCode"}}' >"$work/events" &
events=$!
run --rm --name evented busybox sh -c 'exit 5' || true
eventually grep -q 'destroy' "$work/events"
check 'events of a run, in order, with the exit code' same 'container create|container attach|container start|container die 5|container destroy' \
	"$(sed 's/ $//' "$work/events" | grep -v resize | paste -sd'|')"
kill "$events"
check 'events of the past end by themselves' contains "$(timeout 10 docker events --since "$since" --until "$(date +%s.%N)" --filter event=die)" exitCode=5

# -- the traps, over raw HTTP ----------------------------------------------------------
while read -r line; do
	name=${line#*- }
	check "raw: $name" test "${line%% -*}" = ok
	[[ $line == ok* ]] || echo "# $line"
done < <(timeout -s KILL 120 python3 "$here/raw.py" "$work/docker.sock" || echo "no - raw.py ended early")

# -- another engine ----------------------------------------------------------------
run -d --name always --restart always busybox sleep 1000 >/dev/null
run -d --name never busybox sleep 1000 >/dev/null
pid=$(field always '{{.State.Pid}}')
ready=$(wc -l <"$work/run/ready")
kill -9 "$(cat "$work/run/engine.pid")"
ready_after "$ready"
check 'kill -9 of the engine: the same process' same "running $pid" "$(field always '{{.State.Status}} {{.State.Pid}}')"
engine_stop
engine_start --boot-id another
check 'another boot: restart always starts' same running "$(status always)"
check 'no policy: stays down' same exited "$(status never)"
engine_stop
tap_end
