#!/bin/bash
# tests/clients/test_dockerd.sh: Debian's dockerd with coracle-runtime by --add-runtime, driven by the docker client.
# timeout: 600
set -uo pipefail
# shellcheck source=tests/clients/lib.sh
. "$(dirname "$0")/lib.sh"
needs dockerd docker

export DOCKER_HOST=unix://$work/docker.sock
echo '{}' >"$work/daemon.json"
dockerd --add-runtime "coracle=$runtime" --default-runtime coracle --config-file "$work/daemon.json" --data-root "$work/root" \
	--exec-root "$work/exec" --pidfile "$work/pid" --host "$DOCKER_HOST" --storage-driver vfs --bridge none \
	--iptables=false --ip6tables=false >"$work/log" 2>&1 &
daemon=$!

run() { docker run --network none "$@"; }
once() { run --rm "$@" 2>&1; }

check 'dockerd is up' eventually docker version
check 'info: the runtime' contains "$(docker info 2>/dev/null)" 'Default Runtime: coracle'
check 'load' docker load -i "$fixtures/busybox.docker.tar"
check 'run' same hello "$(once busybox echo hello)"
check 'run: the exit code' gives 7 once busybox sh -c 'exit 7'
check 'run: a program that is not there is 127' gives 127 once busybox nosuch
check 'run: what cannot be executed is 126' gives 126 once busybox /etc
check 'run: the reason of a failure, from the runtime' contains "$(once busybox nosuch)" 'executable file not found in $PATH'
check 'run -t: a terminal' contains "$(on_terminal docker run --network none --rm -t busybox tty)" /dev/pts/0
check 'run -i: standard input' same given "$(echo given | once -i busybox cat)"
check 'run --read-only' contains "$(once --read-only busybox touch /x)" 'Read-only file system'
check 'run --memory --pids-limit' same $'67108864\n50' "$(once --memory 64m --pids-limit 50 busybox sh -c "$memory_limit; $pids_limit")"
check 'run: out of memory is 137' gives 137 once --memory 16m --memory-swap 16m busybox tail /dev/zero
check 'run: seccomp, no-new-privileges, a user' contains \
	"$(once --security-opt no-new-privileges -u 1000:1000 busybox sh -c 'id; cat /proc/self/status')" uid=1000 $'Seccomp:\t2' $'NoNewPrivs:\t1'
check 'run --privileged' contains "$(once --privileged busybox cat /proc/self/status)" $'Seccomp:\t0'
check 'run --init' contains "$(once --init busybox ps)" docker-init
check 'run -v --tmpfs' contains "$(once -v /etc:/mnt:ro --tmpfs /scratch busybox mount)" ' /mnt ' 'tmpfs on /scratch'
check 'run --network host' gives 0 docker run --rm --network host busybox true

run -d --name long busybox sh -c "$waits" >/dev/null
check 'run -d: logs' eventually grep -q started <(docker logs -f long)
check 'exec' contains "$(docker exec long id)" 'uid=0(root)'
check 'exec: the exit code' gives 3 docker exec long sh -c 'exit 3'
check 'exec -t' contains "$(on_terminal docker exec -t long tty)" /dev/pts/
check 'exec -u -w -e' same '1000 /tmp x' "$(docker exec -u 1000 -w /tmp -e A=x long sh -c 'echo $(id -u) $(pwd) $A')"
check 'top' contains "$(docker top long)" CMD 'sh -c'
check 'stats' contains "$(docker stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' long)" 'long ' 'B / '
check 'update --memory' docker update --memory 64m --memory-swap 64m --cpus 0.5 long
check 'update: the limit is there' same 67108864 "$(docker exec long sh -c "$memory_limit")"
check 'pause' docker pause long
check 'ps: paused' contains "$(docker ps --format '{{.Names}} {{.Status}}')" 'long ' '(Paused)'
check 'unpause' docker unpause long
check 'stop' docker stop long
check 'stop: the exit code of the program' same 5 "$(docker inspect --format '{{.State.ExitCode}}' long)"
check 'start again' docker start long
check 'restart' docker restart -t 10 long
check 'kill' docker kill long
check 'rm' docker rm long
check 'nothing is left: mounts' same '' "$(mounts)"
check 'nothing is left: processes' no_processes
tap_end
