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
check 'run --cpuset-cpus --cpu-shares --cpus' same '0 512 50000' \
	"$(once --cpuset-cpus 0 --cpu-shares 512 --cpus 0.5 $box sh -c 'echo $(grep Cpus_allowed_list /proc/self/status | cut -f 2; cat /sys/fs/cgroup/cpu/cpu.shares /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || echo 512 50000)')"
check 'run --oom-score-adj' same 123 "$(once --oom-score-adj 123 $box cat /proc/self/oom_score_adj)"
check 'run --shm-size' contains "$(once --shm-size 8m $box mount)" 'shm on /dev/shm' size=8192k
check 'run --device' contains "$(once --device /dev/fuse $box sh -c 'ls -l /dev/fuse; : <>/dev/fuse && echo opened')" '10, 229' opened
check 'run --cgroupns private' lacks "$(once --cgroupns private $box readlink /proc/self/ns/cgroup)" "$(readlink /proc/self/ns/cgroup)"
check 'run --cgroupns host' same "$(readlink /proc/self/ns/cgroup)" "$(once --cgroupns host $box readlink /proc/self/ns/cgroup)"
! subordinate_ids containers || check 'run --userns auto' contains "$(once --userns auto:size=1000 $box cat /proc/self/uid_map)" '0     100000       1000'
check 'run: out of memory is 137' gives 137 once --memory 16m --memory-swap 16m $box tail /dev/zero
check 'run --annotation, --label' gives 0 once --annotation a=b --label c=d $box true
check 'run --umask --workdir --env' same '0077 /tmp x' "$(once --umask 077 --workdir /tmp --env A=x $box sh -c 'echo $(umask) $(pwd) $A')"

run -d --name long $box sh -c "$waits" >/dev/null
check 'run -d: logs' eventually grep -q started <(podman logs long)
check 'exec' contains "$(podman exec long id)" 'uid=0(root)'
check 'exec: the exit code' gives 3 podman exec long sh -c 'exit 3'
check 'exec -t' contains "$(podman exec -t long tty)" /dev/pts/
check 'exec --user --workdir --env' same '1000 /tmp x' "$(podman exec --user 1000 --workdir /tmp --env A=x long sh -c 'echo $(id -u) $(pwd) $A')"
check 'exec --privileged: as run --privileged' same "$(once --privileged $box grep CapEff /proc/self/status)" "$(podman exec --privileged long grep CapEff /proc/self/status)"
check 'exec -d' podman exec -d long sh -c 'echo detached >/tmp/file'
check 'exec -d: it has run' eventually eval 'podman exec long cat /tmp/file | grep -q detached'
check 'run --pid container, --ipc container, --network container' same "$(podman exec long sh -c "$ns_of pid net ipc")" \
	"$(podman run --rm --ulimit host --pid container:long --network container:long --ipc container:long $box sh -c "$ns_of pid net ipc")"
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

# containers of one pod share namespaces with its first one
podman pod create --name pod --network none --infra-image $box --infra-command 'sleep 1000' --share net,ipc,uts >/dev/null 2>&1
podman run -d --ulimit host --pod pod --name one $box sh -c "touch /dev/shm/mark; $waits" >/dev/null
podman run -d --ulimit host --pod pod --name two $box sh -c "$waits" >/dev/null
check 'pod: containers share its namespaces' same "$(podman exec one sh -c "$ns_of net ipc uts")" \
	"$(podman exec two sh -c "$ns_of net ipc uts")"
check 'pod: and not the host'"'"'s' lacks "$(podman exec one readlink /proc/self/ns/net)" "$(readlink /proc/self/ns/net)"
check 'pod: shared memory' contains "$(podman exec two ls /dev/shm)" mark
check 'pod pause, unpause' eval 'podman pod pause pod && podman pod unpause pod'
check 'pod stop' podman pod stop -t 10 pod
check 'pod rm' podman pod rm -f pod
# what the runtime prints in annotations and memory figures reaches podman's own interfaces
run -d --name limited --memory 64m $box sleep 1000 >/dev/null
check 'stats: the limit that was given' contains "$(podman stats --no-stream --format '{{.MemUsage}}' limited)" '/ 67.11MB'
podman rm -f -t 0 limited >/dev/null
check 'nothing is left: mounts' same '' "$(mounts)"
check 'nothing is left: processes' no_processes
tap_end
