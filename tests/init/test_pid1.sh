#!/bin/bash
# test_pid1.sh: init as PID 1 of namespaces on this machine, with tests/init/probe.c standing in for the engine. TAP output.
# Seconds instead of a machine: supervision, control socket, fd store, reaping, shutdown. What needs a kernel of its own
# (controllers, OOM scores, power) is tried by tests/boot/test_init.py. Needs root; touches nothing outside its namespaces and folder.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${CORACLE_BUILD:-$root/build}
if ((EUID != 0)) || ! unshare -m -p -n -i -u -C --fork true 2>/dev/null; then
	echo '1..0 # SKIP needs root and namespaces'
	exit 0
fi
work=$(mktemp -d)
cgroup=
# shellcheck disable=SC2317
clean_up() {
	[[ -z $cgroup ]] || find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
	umount "$work/cgroup" 2>/dev/null || true
	rm -rf "$work"
}
trap clean_up EXIT

mkdir -p "$work/cgroup" "$work"/root/{dev,proc,sys,run,tmp,var,etc,usr/bin,usr/lib/coracle}
ln -s usr/bin "$work/root/bin"
ln -s usr/bin "$work/root/sbin"
cp "$build/bin/init" "$work/root/usr/bin/init"
cp "$build/sysroot/target/busybox" "$work/root/usr/bin/busybox"
ln -s busybox "$work/root/usr/bin/sh"
cp -r "$root/rootfs/skel/usr/lib/coracle/units" "$work/root/usr/lib/coracle/"
for name in engine config data; do cp "$build/tools/init-probe" "$work/root/usr/lib/coracle/coracle-$name"; done
mount -t cgroup2 none "$work/cgroup"
cgroup=$work/cgroup/coracle-test-$$
mkdir "$cgroup"

# The kernel log is shared with this machine: what is ours comes after our mark.
mark="test_pid1 $$ $RANDOM"
echo "$mark" >/dev/kmsg
code=0
CGROUP=$cgroup ROOT=$work/root timeout 120 unshare -m bash -c '
	mount --make-rprivate /
	echo $$ >"$CGROUP/cgroup.procs"
	mount --bind "$ROOT" "$ROOT"
	exec unshare -p -n -C -i -u --fork bash -c "cd \"\$ROOT\"; mount --move . /; exec chroot . /sbin/init"' || code=$?
log=$(dmesg | sed "0,/$mark/d")

count=0 failed=0
while read -r verdict name; do
	# these two need a kernel that is ours
	case $name in 'controllers for containers'* | oom_score_adj*) continue ;; esac
	count=$((count + 1))
	if [[ $verdict == ok ]]; then
		echo "ok $count - $name"
	else
		failed=$((failed + 1))
		echo "not ok $count - $name"
	fi
done < <(sed -n 's/^\[[^]]*\] probe: \(ok\|FAILED\) /\1 /p' <<<"$log")
for text in 'engine exited with code 3; started again at once' 'engine: a line on standard output' 'probe: all done' \
	'poweroff: asked by coracle-engine (pid ' 'probe: third run ends'; do
	count=$((count + 1))
	if [[ $log == *"$text"* ]]; then
		echo "ok $count - says \"$text\""
	else
		failed=$((failed + 1))
		echo "not ok $count - says \"$text\""
	fi
done
# power-off ends the namespace: its PID 1 dies of SIGINT, as reboot(2) documents
count=$((count + 1))
if ((code == 130 && count >= 35)); then
	echo "ok $count - powers off"
else
	failed=$((failed + 1))
	echo "not ok $count - powers off (code $code, $count cases)"
fi
echo "1..$count"
if ((failed)); then sed 's/^/# /' <<<"$log"; fi
((failed == 0))
