#!/bin/bash
# tests/runtime/test_cgroup_v2_guest.sh: limits, update, events, ownership and little memory on a pure cgroup v2 with every
# controller that our kernel has: a small machine in QEMU runs v2_guest.sh.
# timeout: 240
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
trap 'rm -rf "$work"' EXIT
[[ -x $runtime && -r $build/sysroot/target/busybox ]] || skip_all "coracle-runtime or busybox is not built"
[[ -r $build/vmlinux ]] || skip_all "the kernel is not built"
command -v qemu-system-x86_64 >/dev/null && command -v cpio >/dev/null || skip_all "no qemu or cpio"
make_bundle
tree=$work/tree
mkdir -p "$tree"/{b,proc,sys,dev,run,tmp,new,bin}
mv "$bundle/rootfs" "$tree/rootfs"
cp -a "$tree/rootfs/bin/." "$tree/bin"
cp "$runtime" "$tree/bin/coracle-runtime"
cp "$here/v2_guest.sh" "$tree/guest"
export CGROUP=/t/c1
# b NAME STATEMENT...: a bundle that sleeps.
b() {
	mkdir -p "$tree/b/$1"
	python3 "$here/config.py" 'p["args"] = ["sleep", "1000"]' 'c["root"]["path"] = "/rootfs"' "${@:2}" >"$tree/b/$1/config.json"
}
# r NAME RESOURCES
r() { b "$1" "l['resources'].update($2)"; }
r memory '{"memory": {"limit": 67108864, "swap": 100663296, "reservation": 1048576}}'
r memory-free '{"memory": {"limit": -1}}'
r swap-alone '{"memory": {"swap": 1048576}}'
r swap-low '{"memory": {"limit": 67108864, "swap": 1048576}}'
r cpu '{"cpu": {"shares": 1024, "quota": 20000, "period": 50000, "burst": 10000, "cpus": "0", "mems": "0"}}'
r shares-2 '{"cpu": {"shares": 2}}'
r shares-512 '{"cpu": {"shares": 512}}'
r shares-max '{"cpu": {"shares": 262144}}'
r idle '{"cpu": {"idle": 1, "shares": 1024}}'
r rt '{"cpu": {"realtimeRuntime": 1000}}'
r pids '{"pids": {"limit": 30}}'
r pids-max '{"pids": {"limit": -1}}'
r pids-0 '{"pids": {"limit": 0}}'
d='"major": 99999, "minor": 88888'
r io "{\"blockIO\": {\"throttleReadBpsDevice\": [{$d, \"rate\": 1000000}], \"throttleWriteBpsDevice\": [{$d, \"rate\": 2000000}], \"throttleReadIOPSDevice\": [{$d, \"rate\": 300}], \"throttleWriteIOPSDevice\": [{$d, \"rate\": 400}]}}"
r weight '{"blockIO": {"weight": 500, "leafWeight": 10}}'
r weight-device "{\"blockIO\": {\"weightDevice\": [{$d, \"weight\": 500}]}}"
r hugetlb '{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}'
r network '{"network": {"classID": 5}}'
r rdma '{"rdma": {"mlx5_0": {"hcaHandles": 3}}}'
r unified '{"pids": {"limit": 30}, "unified": {"memory.high": "33554432", "pids.max": "7"}}'
r unified-controller '{"unified": {"rdma.max": "x hca_handle=1"}}'
r unified-file '{"unified": {"memory.nosuch": "1"}}'
kmsg='p["args"] = sh("mknod /tmp/kmsg c 1 11; (: < /tmp/kmsg) && echo opened; rm /tmp/kmsg; echo x > /dev/null && [ $0 = deny ] && echo null")'
b devices-deny "$syslog" "$kmsg" 'p["args"].append("deny")' 'l["resources"]["devices"] = [{"allow": True, "type": "c", "major": 1, "minor": 11, "access": "rwm"}, {"allow": False, "access": "rwm"}]'
b devices-allow "$syslog" "$kmsg" 'l["resources"]["devices"] = [{"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "rwm"}]'
rw='next(m for m in c["mounts"] if m["type"] == "cgroup")["options"] = ["rw"]'
b owner "$rw" 'p["user"] = {"uid": 1000, "gid": 1000}' 'p["args"] = sh("mkdir /sys/fs/cgroup/mine && echo made > /data/made; exec sleep 1000")'
b owner-ro 'p["user"] = {"uid": 1000, "gid": 1000}'
chmod 777 "$tree/rootfs/data"
for size in 8k:8192 128k:131072 256k:262144 1m:1048576; do
	b "small-${size%:*}" 'p["args"] = ["/bin/echo", "small"]' "l['resources']['memory'] = {'limit': ${size#*:}}"
done
b sleep
b relative 'l["cgroupsPath"] = "rel/c1"'
b oom 'p["args"] = sh("until [ -e /data/go ]; do sleep 0.05; done; a=x; while :; do a=$a$a; done")' 'l["resources"]["memory"] = {"limit": 33554432, "swap": 33554432}'
cat >"$tree/init" <<'END'
#!/bin/busybox sh
# the machine's first root is not one that pivot_root can leave: move to a tmpfs
/bin/busybox mount -t tmpfs -o mode=755 new /new
cd / && /bin/busybox cp -a b bin dev guest proc rootfs run sys tmp /new
cat=/new/second
/bin/busybox cat >$cat <<'SECOND'
#!/bin/busybox sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
# the end of the first process ends the machine (panic=-1)
sh /guest >/dev/console 2>&1 </dev/null
SECOND
/bin/busybox chmod 755 $cat
cd /new && /bin/busybox mount -o move . / && exec /bin/busybox chroot . /second
END
chmod 755 "$tree/init"
truncate -s 16M "$work/disk"
guest 256 panic=-1 --data "$work/disk"
tap_end
