#!/bin/bash
# test_exec.sh: exec, top, pause, rename, update, stats by Debian's docker command line. TAP output.
# timeout: 300
set -euo pipefail
# shellcheck source=tests/engine/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v docker >/dev/null || skip_all 'needs the docker command line (apt-get install docker.io)'

cp "$fixtures/busybox-zstd.oci.tar" "$work/run/media/0/"
want
engine_start
eventually bash -c 'docker images -q | grep -q .'
code() { local rc=0; "$@" >/dev/null 2>&1 || rc=$?; echo "$rc"; }
status() { field "$1" '{{.State.Status}}'; }
dexec() { timeout -s KILL 30 docker exec "$@" 2>&1; }
docker run -d --name c1 --network none -e A=b -w /tmp busybox sh -c 'trap "exit 0" TERM; while true; do sleep 0.1; done' >/dev/null

# -- exec --------------------------------------------------------------------------
check 'exec: output, environment, directory' same $'b\n/tmp' "$(dexec c1 sh -c 'echo $A; pwd')"
check 'exec: options' same $'c 1000 /etc' "$(dexec -e A=c -u 1000 -w /etc c1 sh -c 'echo $A $(id -u) $(pwd)')"
check 'exec: exit code' same 9 "$(code dexec c1 sh -c 'exit 9')"
check 'exec: a missing command: 127' same 127 "$(code dexec c1 nosuch)"
check 'and its reason' contains "$(dexec c1 nosuch || true)" 'executable file not found'
check 'exec: killed: 137' same 137 "$(code dexec c1 sh -c 'kill -9 $$')"
check 'exec -i: input, its end, output after it' same $'x\nlate' "$(echo x | dexec -i c1 sh -c 'cat; sleep 0.2; echo late')"
check 'exec: errors and output are apart' same err "$(timeout 30 docker exec c1 sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)"
head -c 3000000 /dev/urandom >"$work/bytes"
check '3 MB through an exec, byte by byte' same "$(sha256sum <"$work/bytes")" "$(timeout 60 docker exec -i c1 cat <"$work/bytes" | sha256sum)"
check 'exec -t: a terminal' contains "$(dexec -t c1 tty)" /dev/pts/
check 'exec --privileged has all capabilities' lacks "$(dexec --privileged c1 grep CapEff /proc/self/status)" 00000000a80425fb
check 'exec -d' eventually bash -c 'docker exec -d c1 touch /tmp/made; docker exec c1 test -e /tmp/made'
check 'exec in an unknown container' contains "$(dexec nosuch true || true)" 'No such container: nosuch'
check '20 at once' same 20 "$(for i in $(seq 20); do dexec c1 echo "line $i" & done | grep -c line; wait)"
cat >"$work/terminal.py" <<'PYTHON'
import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    os.execvp("docker", ["docker", "exec", "-it", "c1", "sh"])
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
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 99, 0, 0))
os.write(fd, b"while ! stty size | grep '^44 99$'; do sleep 0.1; done; echo res''ized\n")
until(b"resized")
os.write(fd, b"exit 5\n")
_, st = os.waitpid(pid, 0)
print("code", os.waitstatus_to_exitcode(st))
PYTHON
check 'exec -it: resize, typing, exit code' same 'code 5' "$(timeout -s KILL 60 python3 "$work/terminal.py")"
check 'events of an exec' contains "$(docker events --since 1 --until "$(date +%s.%N)" --filter container=c1)" 'exec_create: nosuch' 'exec_start: tty' exec_die

# -- top, pause, rename, update ------------------------------------------------------
check 'top' contains "$(docker top c1)" PID CMD 'sh -c trap'
check 'pause' same c1 "$(docker pause c1)"
check 'paused' same 'paused true' "$(field c1 '{{.State.Status}} {{.State.Paused}}')"
check 'ps says so' contains "$(docker ps)" '(Paused)'
check 'no exec meanwhile' contains "$(dexec c1 true || true)" 'is paused'
ready=$(wc -l <"$work/run/ready")
kill -9 "$(cat "$work/run/engine.pid")"
ready_after "$ready"
check 'another engine knows that it is paused' same paused "$(status c1)"
check 'unpause' same c1 "$(docker unpause c1)"
check 'runs on' same running "$(status c1)"
docker pause c1 >/dev/null
check 'stop of a paused one' same c1 "$(timeout 30 docker stop c1)"
check 'it heard the signal' same 'exited 0' "$(field c1 '{{.State.Status}} {{.State.ExitCode}}')"
check 'rename' same '' "$(docker rename c1 c2)"
check 'it has the new name' same /c2 "$(field c2 '{{.Name}}')"
check 'update of one that is down' same c2 "$(docker update -m 64m --memory-swap 128m --restart on-failure:2 c2)"
check 'is kept' same '67108864 on-failure' "$(field c2 '{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}')"
docker start c2 >/dev/null
check 'update of one that runs' same c2 "$(docker update --pids-limit 33 c2 2>&1)"
check 'the kernel has it' same 33 "$(cat /sys/fs/cgroup/pids/coracle/"$(field c2 '{{.Id}}')"/pids.max /sys/fs/cgroup/coracle/"$(field c2 '{{.Id}}')"/pids.max 2>/dev/null || true)"
docker exec -d c2 sh -c 'while true; do :; done'
check 'stats: a busy container' awk '{ sub("%", "", $1); exit !($1 > 1 && $2 ~ /iB/) }' <(eventually bash -c "docker stats --no-stream --format '{{.CPUPerc}} {{.MemUsage}}' c2 | grep -v '^0.00'"; docker stats --no-stream --format '{{.CPUPerc}} {{.MemUsage}}' c2)
check 'rm -f' same c2 "$(docker rm -f c2)"
docker create --name gone --network none busybox true >/dev/null
check 'container prune' contains "$(docker container prune -f)" "Deleted Containers"
check 'nothing is left' same '' "$(docker ps -aq)"
engine_stop
tap_end
