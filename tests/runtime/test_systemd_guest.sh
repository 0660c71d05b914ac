#!/bin/bash
# tests/runtime/test_systemd_guest.sh: --systemd-cgroup with a real systemd: a machine in QEMU with our kernel (pure cgroup
# v2), whose first process is the host's own systemd with the libraries that it loads, runs systemd_guest.sh as a service.
# timeout: 240
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
trap 'rm -rf "$work"' EXIT
[[ -x $runtime && -r $build/sysroot/target/busybox ]] || skip_all "coracle-runtime or busybox is not built"
[[ -r $build/vmlinux ]] || skip_all "the kernel is not built"
command -v qemu-system-x86_64 >/dev/null && command -v cpio >/dev/null || skip_all "no qemu or cpio"
[[ -x /lib/systemd/systemd ]] && command -v systemctl >/dev/null && command -v dbus-daemon >/dev/null ||
	skip_all "systemd and dbus-daemon are not installed on this host (apt install systemd dbus)"
make_bundle
tree=$work/tree
mkdir -p "$tree"/{b,proc,sys,dev,run,tmp,new,bin,etc/systemd/system,usr/lib/systemd/system,usr/bin,usr/sbin,var,lib64}
ln -s usr/lib "$tree/lib"
mv "$bundle/rootfs" "$tree/rootfs"
cp -a "$tree/rootfs/bin/." "$tree/bin"
cp "$runtime" "$tree/bin/coracle-runtime"
cp "$here/systemd_guest.sh" "$tree/guest"
# program FILE: it and every library that it loads, at the host's paths.
program() {
	local file
	for file in "$1" $(ldd "$1" | grep -o '/[^ ]*'); do
		mkdir -p "$tree$(dirname "$file")"
		[[ -e $tree$file ]] || cp -L "$file" "$tree$file"
	done
}
program /lib/systemd/systemd
[[ ! -e /lib/systemd/systemd-executor ]] || program /lib/systemd/systemd-executor
program "$(command -v systemctl)"
program "$(command -v dbus-daemon)"
echo 'root:x:0:0:root:/root:/bin/sh' >"$tree/etc/passwd"
echo 'root:x:0:' >"$tree/etc/group"
printf 'ID=guest\n' >"$tree/etc/os-release"
# fixed, so that systemd need not make one
printf '%032d\n' 1 >"$tree/etc/machine-id"
cat >"$tree/etc/dbus.conf" <<'END'
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_type="signal"/>
<allow send_requested_reply="true" send_type="method_return"/><allow send_requested_reply="true" send_type="error"/>
<allow receive_type="method_call"/><allow receive_type="signal"/><allow receive_type="method_return"/><allow receive_type="error"/></policy></busconfig>
END
cat >"$tree/etc/systemd/system/dbus.socket" <<'END'
[Unit]
DefaultDependencies=no
[Socket]
ListenStream=/run/dbus/system_bus_socket
END
cat >"$tree/etc/systemd/system/dbus.service" <<'END'
[Unit]
DefaultDependencies=no
Requires=dbus.socket
[Service]
Type=notify
ExecStart=@/usr/bin/dbus-daemon dbus-daemon --config-file=/etc/dbus.conf --address=systemd: --nofork --nopidfile --systemd-activation
END
cat >"$tree/etc/systemd/system/guest.target" <<'END'
[Unit]
DefaultDependencies=no
Wants=guest.service
END
# its end ends the machine (panic=-1 restarts it, --no-reboot leaves)
cat >"$tree/etc/systemd/system/guest.service" <<'END'
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
Environment=PATH=/bin:/usr/bin
ExecStart=/bin/sh /guest
ExecStopPost=@SYSTEMCTL@ --force --force reboot
StandardOutput=file:/dev/console
StandardError=file:/dev/console
TimeoutStartSec=170
END
sed -i "s|@SYSTEMCTL@|$(command -v systemctl)|" "$tree/etc/systemd/system/guest.service"
export CGROUP=test-sub.slice:pre:c1
# b NAME STATEMENT...: a bundle that sleeps.
b() {
	mkdir -p "$tree/b/$1"
	python3 "$here/config.py" 'p["args"] = ["sleep", "1000"]' 'c["root"]["path"] = "/rootfs"' "${@:2}" >"$tree/b/$1/config.json"
}
fuse='{"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rw"}'
limits='l["resources"].update({"memory": {"limit": 67108864, "swap": 100663296, "reservation": 1048576}, "cpu": {"shares": 512, "quota": 25000, "period": 50000, "burst": 5000, "cpus": "0", "mems": "0"}, "pids": {"limit": 30}, "blockIO": {"weight": 500}, "hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}], "unified": {"memory.high": "32M", "memory.min": "4096"}})'
b all "$limits" "l['resources']['devices'].append($fuse)"
b sleep
b shell 'p["args"] = sh("cat /proc/self/cgroup")' 'l["namespaces"] = [n for n in l["namespaces"] if n["type"] != "cgroup"]'
# a later deny: what systemd cannot say
b deny 'l["resources"]["devices"] = [{"allow": True, "access": "rwm"}, {"allow": False, "type": "c", "major": 10, "minor": 229, "access": "rw"}]'
b properties 'c["annotations"].update({"org.systemd.property." + k: v for k, v in {"TimeoutStopSec": "7", "TimeoutStopUSec": "uint64 8000000", "CollectMode": "\x27inactive-or-failed\x27", "Documentation": "[\x27man:a\x27, \"man:b\"]", "CPUWeight": "uint64 33", "SendSIGHUP": "true", "OOMScoreAdjust": "5"}.items() if k != "OOMScoreAdjust"})'
b unknown 'c["annotations"]["org.systemd.property.NoSuchThing"] = "5"'
b wrong 'c["annotations"]["org.systemd.property.CPUWeight"] = "uint64 -1"'
b short-name 'c["annotations"]["org.systemd.property.X1"] = "5"'
b bad-hook 'c["hooks"] = {"createRuntime": [{"path": "/bin/false"}]}'
b short-life 'c["annotations"].update({"org.systemd.property.RuntimeMaxSec": "1", "org.systemd.property.TimeoutStopSec": "0.5"})'
cat >"$tree/init" <<'END'
#!/bin/busybox sh
# the machine's first root is not one that pivot_root can leave: move to a tmpfs
/bin/busybox mount -t tmpfs -o mode=755 new /new
cd / && for d in *; do [ $d = new ] || /bin/busybox cp -a $d /new; done
cd /new && /bin/busybox mount -o move . / && exec /bin/busybox chroot . /lib/systemd/systemd --unit=guest.target
END
chmod 755 "$tree/init"
guest 384 "panic=-1 systemd.log_target=console systemd.log_level=notice systemd.show_status=no"
tap_end
