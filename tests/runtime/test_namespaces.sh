#!/bin/bash
# tests/runtime/test_namespaces.sh: namespaces that are joined, missing or wrong; sysctl, time offsets, names, containers
# without a mount namespace. Needs root.
# timeout: 300
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
begin
trap 'rt delete -f c1 >/dev/null 2>&1; kill -9 ${holder-} ${first-} ${pid_holder-} 2>/dev/null; rmdir /sys/fs/cgroup/*"${CGROUP%/c1}" 2>/dev/null; rm -rf "$work"' EXIT
before=$(host_state)
bad() { config "${@:3}"; check "$1" fails "$2" rt create -b "$bundle" c1; }
without() { echo "l['namespaces'] = [n for n in l['namespaces'] if n['type'] not in ($(printf "'%s'," "$@"))]"; }
with() { echo "$(without "$1"); l['namespaces'].append({'type': '$1', 'path': '$2'})"; }

## Joined by path

unshare -n -i -u -C -T sleep 1000 & holder=$!
until [[ $(readlink /proc/$holder/ns/time_for_children) != "$(readlink /proc/self/ns/time)" && $(cat /proc/$holder/comm) == sleep ]]; do sleep 0.01; done
for kind in network:net ipc:ipc uts:uts cgroup:cgroup; do
	type=${kind%:*} file=${kind#*:}
	check "linux.namespaces: $type joined by path" same "$(readlink "/proc/$holder/ns/$file")" \
		"$(in_container "readlink /proc/self/ns/$file" "$(with "$type" "/proc/$holder/ns/$file")" 'c.pop("hostname")')"
done
check "linux.namespaces: time joined by path" same "$(readlink /proc/$holder/ns/time_for_children)" \
	"$(in_container 'readlink /proc/self/ns/time' "$(with time "/proc/$holder/ns/time_for_children")")"
unshare -p -f sleep 1000 & pid_holder=$!
until [[ $(pgrep -P $pid_holder) ]] && [[ $(cat "/proc/$(pgrep -P $pid_holder)/comm" 2>/dev/null) == sleep ]]; do sleep 0.01; done
first=$(pgrep -P $pid_holder)
check "linux.namespaces: pid joined by path" same "$(readlink "/proc/$first/ns/pid")" "$(in_container 'readlink /proc/self/ns/pid' "$(with pid "/proc/$first/ns/pid")")"
unshare -m --propagation private sh -c "mount -t tmpfs marker /mnt; exec sleep 1000" & mnt_holder=$!
until [[ $(cat /proc/$mnt_holder/comm 2>/dev/null) == sleep ]]; do sleep 0.01; done
check "linux.namespaces: mount joined by path" same "$(readlink /proc/$mnt_holder/ns/mnt)" "$(in_container 'readlink /proc/self/ns/mnt' "$(with mount "/proc/$mnt_holder/ns/mnt")")"
kill $mnt_holder; wait $mnt_holder 2>/dev/null
config "$(with uts "/proc/$holder/ns/uts")" 'p["args"] = sh("sleep 1000")'
quiet rt run -d -b "$bundle" c1
check "linux.namespaces: exec is in the joined ones too" same "$(readlink /proc/$holder/ns/uts) box" "$(echo $(rt exec c1 sh -c 'readlink /proc/self/ns/uts; hostname'))"
rt delete -f c1

for kind in pid network ipc uts cgroup time mount; do
	bad "linux.namespaces: $kind by the path of another kind" "is not a" "$(with "$kind" "/proc/self/ns/user")"
done
bad "linux.namespaces: a relative path" 'path "ns/net" of network is not absolute' "$(with network ns/net)"
bad "linux.namespaces: a path that is not there" "open the net namespace /no/such/ns: No such file" "$(with network /no/such/ns)"
bad "linux.namespaces: a path that is no namespace" "is not a net namespace" "$(with network /etc/passwd)"
bad "linux.namespaces: a type twice" "linux.namespaces: uts is there twice" 'l["namespaces"].append({"type": "uts"})'
bad "linux.namespaces: unknown type" 'linux.namespaces: unknown type "clock"' 'l["namespaces"].append({"type": "clock"})'
bad "linux.namespaces: without a type" 'unknown type ""' 'l["namespaces"].append({})'
for kind in network:net ipc:ipc cgroup:cgroup uts:uts pid:pid; do
	check "linux.namespaces: ${kind%:*} is inherited when it is missing" same "$(readlink "/proc/self/ns/${kind#*:}")" \
		"$(in_container "readlink /proc/self/ns/${kind#*:}" "$(without "${kind%:*}")" 'c.pop("hostname")' 'c["mounts"] = [m for m in c["mounts"] if m["type"] not in ("sysfs", "mqueue")]')"
done

## Names, time

check "domainname" same "box example.org" "$(in_container 'echo $(hostname) $(cat /proc/sys/kernel/domainname)' 'c["domainname"] = "example.org"')"
bad "hostname: needs a uts namespace" "hostname: needs a uts namespace of its own" "$(without uts)"
bad "domainname: needs a uts namespace" "domainname: needs a uts namespace of its own" "$(without uts)" 'del c["hostname"]; c["domainname"] = "x"'
new_time='l["namespaces"].append({"type": "time"})'
clocks='import time; print(int(time.clock_gettime(time.CLOCK_BOOTTIME)) // 1000000, int(time.clock_gettime(time.CLOCK_MONOTONIC)) // 1000000)'
if [[ -x /usr/bin/python3 ]]; then
	tools='c["mounts"] += [mount(d, "bind", d, "rbind", "ro") for d in ("/usr", "/lib", "/lib64") if os.path.exists(d)]'
	check "linux.timeOffsets: boottime and monotonic" same "200 100" "$(CLOCKS=$clocks in_container true "$tools" "$new_time" 'l["timeOffsets"] = {"boottime": {"secs": 200000000, "nanosecs": 5}, "monotonic": {"secs": 100000000}}' \
		'p["args"] = ["/usr/bin/python3", "-c", os.environ["CLOCKS"]]')"
fi
config "$new_time" 'l["timeOffsets"] = {"boottime": {"secs": 300000000}}; p["args"] = sh("sleep 1000")'
quiet rt run -d -b "$bundle" c1
later() { (($(rt exec c1 cut -d. -f1 /proc/uptime) > 299999999)); }
check "linux.timeOffsets: for exec too" later
rt delete -f c1
bad "linux.timeOffsets: too many nanoseconds" "nanosecs: expected an integer from 0 to 999999999" "$new_time" 'l["timeOffsets"] = {"boottime": {"nanosecs": 1000000000}}'
bad "linux.timeOffsets: before the machine's start" "set linux.timeOffsets" "$new_time" 'l["timeOffsets"] = {"boottime": {"secs": -100000000000}}'
bad "linux.timeOffsets: without a time namespace" "linux.timeOffsets: needs a new time namespace" 'l["timeOffsets"] = {"boottime": {"secs": 1}}'
bad "linux.timeOffsets: of a joined time namespace" "linux.timeOffsets: needs a new time namespace" "$(with time "/proc/$holder/ns/time_for_children")" 'l["timeOffsets"] = {"boottime": {"secs": 1}}'

## sysctl

check "linux.sysctl: of the ipc, uts and network namespaces" same "1000 dom 1 1" "$(in_container 'cd /proc/sys; echo $(cat kernel/shmmni kernel/domainname net/ipv4/ip_forward net/ipv4/conf/lo/forwarding)' \
	'l["sysctl"] = {"kernel.shmmni": "1000", "kernel.domainname": "dom", "net.ipv4.ip_forward": "1", "net/ipv4/conf/lo/forwarding": "1"}')"
check "linux.sysctl: fs.mqueue" same 77 "$(in_container 'cat /proc/sys/fs/mqueue/queues_max' 'l["sysctl"] = {"fs.mqueue.queues_max": "77"}')"
check "linux.sysctl: the host's is as before" lacks "$(cat /proc/sys/fs/mqueue/queues_max)" 77
bad "linux.sysctl: not of a namespace" 'sysctl "kernel.panic" is not in a separate kernel namespace' 'l["sysctl"] = {"kernel.panic": "1"}'
bad "linux.sysctl: not of a namespace, with slashes" 'sysctl "vm.swappiness" is not in a separate kernel namespace' 'l["sysctl"] = {"vm/swappiness": "1"}'
bad "linux.sysctl: ipc of the host" 'sysctl "kernel.shmmax" is not allowed in the hosts ipc namespace' "$(without ipc)" 'l["sysctl"] = {"kernel.shmmax": "1"}'
bad "linux.sysctl: network of the host" 'sysctl "net.ipv4.ip_forward" not allowed in host network namespace' "$(without network)" 'l["sysctl"] = {"net.ipv4.ip_forward": "1"}'
bad "linux.sysctl: network of the host, joined by its path" 'not allowed in host network namespace' "$(with network /proc/self/ns/net)" 'l["sysctl"] = {"net.ipv4.ip_forward": "1"}'
check "linux.sysctl: a joined network" same 1 "$(in_container 'cat /proc/sys/net/ipv4/ip_forward' "$(with network "/proc/$holder/ns/net")" 'l["sysctl"] = {"net.ipv4.ip_forward": "1"}')"
bad "linux.sysctl: kernel.hostname has a property of its own" 'conflicts with the OCI "hostname" field' 'l["sysctl"] = {"kernel.hostname": "x"}'
bad "linux.sysctl: climbing" "is not a name" 'l["sysctl"] = {"net/../kernel/panic": "1"}'
bad "linux.sysctl: no such file" "set linux.sysctl net.no.such to" 'l["sysctl"] = {"net.no.such": "1"}'

## Without pivot_root, without a mount namespace

check "--no-pivot" same "bin data ok" "$(config 'p["args"] = sh("echo $(cd / && ls -d bin data) ok")'; rt run --no-pivot -b "$bundle" c1)"
config 'p["args"] = sh("sleep 1000")'
quiet rt run -d --no-pivot -b "$bundle" c1
check "--no-pivot: exec finds the same root" same "bin data" "$(rt exec c1 sh -c 'echo $(ls -d /bin /data | cut -c 2-)')"
rt delete -f c1
bare="$(without mount cgroup); c['mounts'] = []; l['maskedPaths'] = l['readonlyPaths'] = []"
check "no mount namespace: the program is in the rootfs" same "bin data" "$(in_container 'echo $(cd / && ls -d bin data)' "$bare")"
check "no mount namespace: default devices are there" contains "$(in_container 'ls -l /dev/null /dev/tty' "$bare")" "1,   3" "5,   0"
check "no mount namespace: the host's mounts are as before" same "$before" "$(host_state)"
check "no mount namespace: in the host's own tree" same "$(stat -c %i /dev/ptmx /etc | tr '\n' ' ')" "$(in_container 'stat -c %i /dev/ptmx /etc | tr "\n" " "' "$bare" 'c["root"]["path"] = "/"')"
bad "no mount namespace: mounts are refused" "mounts: unable to mount without a mount namespace" "$(without mount)" 'l["maskedPaths"] = l["readonlyPaths"] = []'
bad "no mount namespace: masks are refused" "unable to restrict sys entries without a private MNT namespace" "$(without mount)" 'c["mounts"] = []'
bad "no mount namespace: root.readonly is refused" "root.readonly: needs a mount namespace" "$bare" 'c["root"]["readonly"] = True'
bad "no mount namespace: rootfsPropagation is refused" "linux.rootfsPropagation: needs a mount namespace" "$bare" 'l["rootfsPropagation"] = "shared"'
config "$bare" 'p["args"] = sh("sleep 1000")'
quiet rt run -d -b "$bundle" c1
check "no mount namespace: exec" same "bin data" "$(rt exec c1 sh -c 'echo $(cd / && ls -d bin data)')"
rt delete -f c1
config "$bare" 'c["root"]["path"] = "nowhere"'
check "root.path: not there" fails "open the rootfs" rt create -b "$bundle" c1
config 'c["root"]["path"] = "/"' 'c["mounts"] = []; l["maskedPaths"] = l["readonlyPaths"] = []' 'c["root"]["readonly"] = True'
rt run -b "$bundle" c1 >"$work/out" 2>&1
check "root.path: / with a mount namespace changes nothing on the host" same "$before" "$(host_state)"
kill -9 $holder $first; wait $holder $pid_holder 2>/dev/null; holder= pid_holder=
rm -rf "$bundle/rootfs/dev"
check "nothing is left" same "$before" "$(host_state)"

tap_end
