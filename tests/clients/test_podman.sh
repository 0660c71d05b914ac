#!/bin/bash
# tests/clients/test_podman.sh: Debian's podman and conmon with coracle-runtime.
# timeout: 600
set -uo pipefail
# shellcheck source=tests/clients/lib.sh
. "$(dirname "$0")/lib.sh"
needs podman conmon

cat >"$work/containers.conf" <<-'CONF'
	[engine]
	runtime_supports_json = ["coracle-runtime"]
	[containers]
	default_ulimits = []
CONF
export CONTAINERS_CONF=$work/containers.conf

podman() {
	command podman --root "$work/root" --runroot "$work/run" --tmpdir "$work/tmp" --runtime "$runtime" \
		--cgroup-manager cgroupfs --events-backend file --storage-driver vfs "$@"
}
# As root podman otherwise asks for more files than a machine without CAP_SYS_RESOURCE can give.
run() { podman run --ulimit host --network none "$@"; }
once() { run --rm "$@" 2>&1; }
box=busybox:latest

check 'load' podman load -i "$fixtures/busybox.docker.tar"
check 'run' same hello "$(once $box echo hello)"
check 'run: the exit code' gives 7 once $box sh -c 'exit 7'
check 'run: a program that is not there is 127' gives 127 once $box nosuch
check 'run: what cannot be executed is 126' gives 126 once $box /etc
check 'run: the reason of a failure, from the runtime' contains "$(once $box nosuch)" 'executable file not found in $PATH'
check 'run -t: a terminal' contains "$(on_terminal env bash -c "$(declare -f podman run once); work=$work runtime=$runtime; once -t $box tty")" /dev/pts/0
check 'run -i: standard input' same given "$(echo given | once -i $box cat)"
check 'run --read-only' contains "$(once --read-only $box touch /x)" 'Read-only file system'
check 'run --memory --pids-limit' same $'67108864\n50' "$(once --memory 64m --pids-limit 50 $box sh -c "$memory_limit; $pids_limit")"
check 'run --uidmap: a user namespace' contains "$(once --uidmap 0:100000:65536 $box cat /proc/self/uid_map)" '0     100000      65536'
check 'run: seccomp and no-new-privileges' contains "$(once --security-opt no-new-privileges $box cat /proc/self/status)" $'Seccomp:\t2' $'NoNewPrivs:\t1'
check 'run --privileged' contains "$(once --privileged --pid host --ipc host $box cat /proc/self/status)" $'Seccomp:\t0'
check 'run --ulimit --sysctl --hostname' same $'100\n1\nbox' \
	"$(podman run --rm --network none --ulimit nofile=100:200 --ulimit nproc=1000:1000 --sysctl net.ipv4.ip_forward=1 --hostname box $box sh -c 'ulimit -n; cat /proc/sys/net/ipv4/ip_forward; hostname')"
check 'run -v --tmpfs' contains "$(once -v /etc:/mnt:ro --tmpfs /scratch $box mount)" ' /mnt ' 'tmpfs on /scratch'
check 'run --network host' gives 0 podman run --rm --ulimit host --network host $box true

run -d --name long $box sh -c "$waits" >/dev/null
check 'run -d: logs' eventually grep -q started <(podman logs long)
check 'exec' contains "$(podman exec long id)" 'uid=0(root)'
check 'exec: the exit code' gives 3 podman exec long sh -c 'exit 3'
check 'exec -t' contains "$(podman exec -t long tty)" /dev/pts/
check 'exec --user --workdir --env' same '1000 /tmp x' "$(podman exec --user 1000 --workdir /tmp --env A=x long sh -c 'echo $(id -u) $(pwd) $A')"
check 'top' contains "$(podman top long)" COMMAND 'sh -c'
check 'stats' contains "$(podman stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' long)" 'long ' 'B / '
check 'pause' podman pause long
check 'ps: paused' contains "$(podman ps -a --format '{{.Names}} {{.Status}}')" 'long Paused'
check 'exec in a paused container is refused' gives 255 podman exec long true
check 'unpause' podman unpause long
check 'stop' podman stop long
check 'stop: the exit code of the program' same 5 "$(podman inspect --format '{{.State.ExitCode}}' long)"
check 'start again' podman start long
check 'kill' podman kill long
check 'rm' podman rm -f long
check 'nothing is left: mounts' same '' "$(mounts)"
check 'nothing is left: processes' no_processes
tap_end
