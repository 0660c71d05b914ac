#!/bin/bash
# test_options.sh: what a service of containers.json may ask for beyond the plain, looked at from inside the container: limits, devices,
# security options, files, names. TAP output.
# timeout: 300
set -euo pipefail
# shellcheck source=tests/engine/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v docker >/dev/null || skip_all 'needs the docker command line (apt-get install docker.io)'

status() { field "$1" '{{.State.Status}}'; }
is() { [[ $(status "$1") == "$2" ]]; }
# one that could not be started has ended, too; its case fails then
ended() { is "$1" exited || [[ -n $(field "$1" '{{.State.Error}}') ]]; }

cp "$fixtures/busybox-zstd.oci.tar" "$work/run/media/0/"
echo 'a secret' >"$work/secret"
chmod 444 "$work/secret"
secret=$(printf '[{"type":"bind","source":"%s","target":"/run/secrets/token","read_only":true,"options":["nocreate"]}]' "$work/secret")
gone=$(printf '[{"type":"bind","source":"%s","target":"/x","read_only":true,"options":["nocreate"]}]' "$work/nothing")
# what the kernel says of the container's own group, in cgroup v2's names; v1 has no low memory nor weights
cgroup='v() { [ ! -e /sys/fs/cgroup/$2 ] || echo "$1 $(cat /sys/fs/cgroup/$2)"; }
for f in memory.max memory.low memory.swap.max cpu.max cpu.weight cpuset.cpus pids.max; do v $f $f; done
v memory.max memory/memory.limit_in_bytes; v memory.low memory/memory.soft_limit_in_bytes; v cpu.quota cpu/cpu.cfs_quota_us; v cpuset.cpus cpuset/cpuset.cpus; v pids.max pids/pids.max'
two=
[[ ! -e /sys/fs/cgroup/cgroup.controllers ]] || two=yes
want "$(service limits "$cgroup" mem_limit=67108864 mem_reservation=33554432 memswap_limit=100663296 cpu_quota=50000 cpu_period=100000 cpu_shares=512 'cpuset="0"' pids_limit=77)" \
	"$(service unlimited "$cgroup")" \
	"$(service doubled "$cgroup" mem_limit=67108864)" \
	"$(service ulimits 'ulimit -Sn; ulimit -Hn; ulimit -Hu; ulimit -Sc' 'ulimits=["nofile=333:444","nproc=55:55","core=-1:-1"]')" \
	"$(service score 'cat /proc/self/oom_score_adj' oom_score_adj=321)" \
	"$(service sysctls 'cat /proc/sys/kernel/shmmni /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ip_unprivileged_port_start' 'sysctls={"kernel.shmmni":"123","net.ipv4.ip_forward":"1"}')" \
	"$(service devices 'ls -l /dev/mine; head -c 4 /dev/mine | od -An -c; echo x >/dev/log' 'devices=["/dev/zero:/dev/mine:rwm","/dev/kmsg:/dev/log:r"]')" \
	"$(service noprivs 'grep NoNewPrivs /proc/self/status; grep Seccomp: /proc/self/status' 'security_opt=["no-new-privileges"]')" \
	"$(service unconfined 'grep NoNewPrivs /proc/self/status; grep Seccomp: /proc/self/status; ls /proc/acpi /proc/scsi; touch /proc/sys/kernel/domainname && echo writable' 'security_opt=["seccomp=unconfined","systempaths=unconfined"]')" \
	"$(service masks 'wc -c </etc/passwd; grep " /proc/sys " /proc/mounts || echo open' 'security_opt=["mask=/etc/passwd","unmask=/proc/sys"]')" \
	"$(service shm 'df -k /dev/shm | tail -1' shm_size=10485760)" \
	"$(service groups 'id -G' 'user="1000:1000"' 'group_add=["4343","4242"]')" \
	"$(service nogroup 'id -G' 'group_add=["nosuchgroup"]')" \
	"$(service hosts 'cat /etc/hosts' 'extra_hosts=["db=10.0.0.5","six=fd00::1"]')" \
	"$(service resolv 'cat /etc/resolv.conf' 'network_mode="host"' 'dns=["192.0.2.53","2001:db8::53"]' 'dns_search=["a.example","b.example"]' 'dns_opt=["ndots:3"]')" \
	"$(service secret 'cat /run/secrets/token; echo x >/run/secrets/token' "volumes=$secret")" \
	"$(service missing 'true' "volumes=$gone")" \
	"$(service hostpid 'for n in pid ipc uts; do readlink /proc/self/ns/$n; done; hostname' 'pid="host"' 'ipc="host"' 'uts="host"')" \
	"$(service domain 'cat /proc/sys/kernel/domainname' 'domainname="example.org"')" \
	"$(service stdin 'read line; echo end of input' stdin_open=true)" \
	"$(service nostdin 'read line; echo end of input')" \
	"$(service odd 'true' 'healthcheck={"test":["CMD","true"],"interval_ms":1000,"timeout_ms":1000,"retries":3,"start_period_ms":0,"start_interval_ms":5000}' 'pull_policy="never"' 'annotations={"a.b":"c"}')"
engine_start --boot-id first

eventually ended limits
check 'memory, processors and processes are limited' contains "$(logs limits)" 'memory.max 67108864' 'memory.low 33554432' 'pids.max 77' 'cpuset.cpus 0'
if [[ -n $two ]]; then
	check 'processor time is limited' contains "$(logs limits)" 'cpu.max 50000 100000'
	check 'swap is what the limit has above memory' contains "$(logs limits)" 'memory.swap.max 33554432'
	check 'cpu_shares become a weight' lacks "$(logs limits)" 'cpu.weight 100'
	eventually ended doubled
	check 'without a word, as much swap as memory' contains "$(logs doubled)" 'memory.swap.max 67108864'
else
	check 'processor time is limited' contains "$(logs limits)" 'cpu.quota 50000'
fi
eventually ended unlimited
check 'nothing is limited that was not asked for' lacks "$(logs unlimited)" 67108864 'pids.max 77' 50000
eventually ended ulimits
check 'ulimits' same $'333\n444\n55\nunlimited' "$(logs ulimits)"
eventually ended score
check 'oom_score_adj' same 321 "$(logs score)"
eventually ended sysctls
check 'sysctls, and the usual ones beside them' same $'123\n1\n0' "$(logs sysctls)"
eventually ended devices
check 'a device under another name, readable' contains "$(logs devices)" '/dev/mine' '\0  \0  \0  \0'
check 'one that may only be read is not written' contains "$(logs devices)" "can't create /dev/log: Operation not permitted"
eventually ended noprivs
check 'no-new-privileges' contains "$(logs noprivs)" $'NoNewPrivs:\t1' $'Seccomp:\t2'
eventually ended unconfined
check 'seccomp=unconfined' contains "$(logs unconfined)" $'Seccomp:\t0'
check 'systempaths=unconfined' contains "$(logs unconfined)" writable
eventually ended masks
check 'mask hides a file, unmask opens a path' same $'0\nopen' "$(logs masks)"
eventually ended shm
check 'shm_size' contains "$(logs shm)" ' 10240 '
eventually ended groups
check 'group_add' contains " $(logs groups) " ' 1000 ' ' 4343 ' ' 4242 '
check 'a group that the image does not have' contains "$(field nogroup '{{.State.Error}}')" 'unable to find group nosuchgroup'
eventually ended hosts
check 'extra_hosts' contains "$(logs hosts)" $'10.0.0.5\tdb' $'fd00::1\tsix' localhost
eventually ended resolv
check 'dns, dns_search, dns_opt' contains "$(logs resolv)" $'nameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch a.example b.example\noptions ndots:3'
check 'and no other name server' same 2 "$(logs resolv | grep -c nameserver)"
eventually ended secret
check 'a secret is read, and not written' contains "$(logs secret)" 'a secret' 'Read-only file system'
check 'a bind whose source is missing and not made' contains "$(field missing '{{.State.Error}}')" "bind source $work/nothing: No such file"
check 'it was not made' test ! -e "$work/nothing"
eventually ended hostpid
check 'namespaces of the machine' same "$(readlink /proc/self/ns/pid /proc/self/ns/ipc /proc/self/ns/uts; hostname)" "$(logs hostpid)"
eventually ended domain
check 'domainname' same example.org "$(logs domain)"
eventually ended nostdin
check 'input ends at once' same 'end of input' "$(logs nostdin)"
check 'with stdin_open it does not' is stdin running
eventually ended odd
check 'health checks, pull policies and annotations are carried' same 'exited 0' "$(field odd '{{.State.Status}} {{.State.ExitCode}}')"
check 'docker inspect tells the limits' same '67108864 33554432 100663296 50000 512 0 77' \
	"$(field limits '{{with .HostConfig}}{{.Memory}} {{.MemoryReservation}} {{.MemorySwap}} {{.CPUQuota}} {{.CPUShares}} {{.CpusetCpus}} {{.PidsLimit}}{{end}}')"
check 'and what else was asked for' same '[nofile=333:444 nproc=55:55 core=-1:-1] /dev/mine [192.0.2.53 2001:db8::53] host' \
	"$(field ulimits '{{.HostConfig.Ulimits}}') $(field devices '{{(index .HostConfig.Devices 0).PathInContainer}}') $(field resolv '{{.HostConfig.DNS}}') $(field hostpid '{{.HostConfig.PidMode}}')"
ids=$(docker ps -aq --no-trunc | sort)
engine_stop
engine_start --boot-id second
check 'a second boot has the same containers' same "$ids" "$(docker ps -aq --no-trunc | sort)"
engine_stop
want "$(service limits "$cgroup" mem_limit=33554432)"
engine_start --boot-id third
eventually ended limits
check 'another limit makes another container' contains "$(logs limits)" 'memory.max 33554432'
engine_stop
want "$(service bad 'true' 'devices=["/dev/nosuch:/dev/x:r"]')" "$(service worse 'true' 'ulimits=["nofile"]')"
engine_start --boot-id fourth
check 'a device that is not there is named' grep -q 'service bad .*device /dev/nosuch: No such file' "$work/run/problems"
check 'nonsense is named' grep -q 'service worse .*ulimits' "$work/run/problems"
engine_stop
tap_end
