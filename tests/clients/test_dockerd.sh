#!/bin/bash
# tests/clients/test_dockerd.sh: Debian's dockerd with coracle-runtime by --add-runtime, driven by the docker client.
# timeout: 600
set -uo pipefail
# shellcheck source=tests/clients/lib.sh
. "$(dirname "$0")/lib.sh"
needs dockerd docker

export DOCKER_HOST=unix://$work/docker.sock
echo '{}' >"$work/daemon.json"
daemon_start() {
	dockerd --add-runtime "coracle=$runtime" --default-runtime coracle --config-file "$work/daemon.json" --data-root "$work/root" \
		--exec-root "$work/exec" --pidfile "$work/pid" --host "$DOCKER_HOST" --storage-driver vfs --bridge none \
		--iptables=false --ip6tables=false "$@" >>"$work/log" 2>&1 &
	daemon=$!
}
daemon_start

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
check 'run --cgroupns host' same "$(host_ns cgroup)" "$(once --cgroupns host busybox readlink /proc/self/ns/cgroup)"
check 'run --cgroupns private' lacks "$(once --cgroupns private busybox readlink /proc/self/ns/cgroup)" "$(host_ns cgroup)"
check 'run --cgroupns private: its group is the root' contains "$(once --cgroupns private busybox cat /proc/self/cgroup)" pids:/$'\n'
check 'run --ipc host --pid host --uts host' same "$(host_ns ipc pid uts)" \
	"$(once --ipc host --pid host --uts host busybox sh -c "$ns_of ipc pid uts")"
check 'run --cpuset-cpus --cpu-shares' same '0 512' \
	"$(once --cpuset-cpus 0 --cpu-shares 512 busybox sh -c 'echo $(grep Cpus_allowed_list /proc/self/status | cut -f 2; cat /sys/fs/cgroup/cpu/cpu.shares 2>/dev/null || echo 512)')"
check 'run --cpus' same '50000' "$(once --cpus 0.5 busybox sh -c 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cut -d" " -f1 /sys/fs/cgroup/cpu.max')"
check 'run --oom-score-adj' same 123 "$(once --oom-score-adj 123 busybox cat /proc/self/oom_score_adj)"
check 'run --shm-size' contains "$(once --shm-size 8m busybox mount)" 'shm on /dev/shm' size=8192k
check 'run --ulimit --sysctl --hostname' same '100 1 box' \
	"$(once --ulimit nofile=100:200 --sysctl net.ipv4.ip_forward=1 --hostname box busybox sh -c 'echo $(ulimit -n) $(cat /proc/sys/net/ipv4/ip_forward) $(hostname)')"
check 'run --device' same '10, 229 opened' "$(once --device /dev/fuse busybox sh -c 'echo $(ls -l /dev/fuse | grep -o "10, *229" | tr -s " ") $(: <>/dev/fuse && echo opened)')"
check 'run: a device that was not given cannot be opened' contains "$(once --cap-add MKNOD busybox sh -c 'mknod /tmp/fuse c 10 229; : <>/tmp/fuse')" 'Operation not permitted'
check 'run --cap-drop --cap-add' contains "$(once --cap-drop ALL --cap-add NET_ADMIN busybox cat /proc/self/status)" $'CapEff:\t0000000000001000'
check 'run --stop-signal' same INT "$(docker run -d --network none --name signal --stop-signal INT busybox sh -c 'trap "echo INT; exit" INT; echo up; while :; do sleep 0.1; done' >/dev/null
	eventually eval 'docker logs signal | grep -q up'; docker stop signal >/dev/null; docker logs signal | tail -1; docker rm signal >/dev/null)"

run -d --name long busybox sh -c "$waits" >/dev/null
check 'run -d: logs' eventually grep -q started <(docker logs -f long)
check 'exec' contains "$(docker exec long id)" 'uid=0(root)'
check 'exec: the exit code' gives 3 docker exec long sh -c 'exit 3'
check 'exec -t' contains "$(on_terminal docker exec -t long tty)" /dev/pts/
check 'exec -u -w -e' same '1000 /tmp x' "$(docker exec -u 1000 -w /tmp -e A=x long sh -c 'echo $(id -u) $(pwd) $A')"
check 'exec --privileged: as run --privileged' same "$(once --privileged busybox grep CapEff /proc/self/status)" "$(docker exec --privileged long grep CapEff /proc/self/status)"
check 'exec: without it the capabilities are the default ones' contains "$(docker exec long cat /proc/self/status)" $'CapEff:\t00000000a80425fb'
check 'exec -d' docker exec -d long sh -c 'echo detached >/tmp/file'
check 'exec -d: it has run' eventually eval 'docker exec long cat /tmp/file | grep -q detached'
check 'run --pid container' contains "$(once --pid container:long busybox ps)" 'echo started'
check 'run --network container' same "$(docker exec long readlink /proc/1/ns/net)" "$(docker run --rm --network container:long busybox readlink /proc/self/ns/net)"
run -d --name shared --ipc shareable busybox sh -c "touch /dev/shm/mark; $waits" >/dev/null
check 'run --ipc shareable, --ipc container' eventually eval 'once --ipc container:shared busybox ls /dev/shm | grep -qx mark'
docker rm -f shared >/dev/null
check 'cp: while it runs' same copied "$(echo copied >"$work/file"; docker cp "$work/file" long:/tmp/ 2>/dev/null; docker exec long cat /tmp/file)"
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
# a limit that the container exceeds while it runs
run -d --name hungry --memory 16m --memory-swap 16m busybox sh -c 'tail /dev/zero' >/dev/null
docker wait hungry >/dev/null
check 'inspect: OOMKilled' same 'true 137' "$(docker inspect --format '{{.State.OOMKilled}} {{.State.ExitCode}}' hungry)"
docker rm hungry >/dev/null
check 'nothing is left: mounts' same '' "$(mounts)"
check 'nothing is left: processes' no_processes

## The same daemon with a user namespace for all containers

daemon_stop
# (dockerd takes root for nobody to map)
if subordinate_ids daemon; then
	daemon_start --userns-remap daemon
	check 'userns-remap: dockerd is up' eventually docker version
	check 'userns-remap: load' docker load -i "$fixtures/busybox.docker.tar"
	check 'userns-remap: run' contains "$(once busybox sh -c 'id; cat /proc/self/uid_map; echo x >/dev/null; echo null')" 'uid=0(root)' '0     100000      65536' null
	check 'userns-remap: run -v' contains "$(once -v /etc:/mnt:ro busybox sh -c 'cat /mnt/hostname; touch /mnt/x')" "$(cat /etc/hostname)" 'Read-only'
	check 'userns-remap: run --memory' same 67108864 "$(once --memory 64m busybox sh -c "$memory_limit")"
	check 'userns-remap: run --userns host' lacks "$(once --userns host busybox cat /proc/self/uid_map)" 100000
	check 'userns-remap: run -t' contains "$(on_terminal docker run --network none --rm -t busybox tty)" /dev/pts/0
	run -d --name mapped busybox sh -c "$waits" >/dev/null
	check 'userns-remap: exec' contains "$(docker exec mapped sh -c 'id; cat /proc/self/uid_map')" 'uid=0(root)' 100000
	check 'userns-remap: exec -t' contains "$(on_terminal docker exec -t mapped tty)" /dev/pts/
	check 'userns-remap: stop' docker stop mapped
	check 'userns-remap: rm' docker rm mapped
	check 'userns-remap: nothing is left' same '' "$(mounts)"
	check 'userns-remap: no process is left' no_processes
fi
tap_end
