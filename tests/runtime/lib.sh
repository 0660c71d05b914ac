# shellcheck shell=bash
# tests/runtime/lib.sh: a busybox bundle and short words for the runtime's tests. Sourced; expects $here.

top=$(readlink -f "$here/../..")
source "$top/tests/lib/tap.sh"
build=${CORACLE_BUILD:-$top/build}
runtime=${RUNTIME:-$build/bin/coracle-runtime}
work=$(mktemp -d)
state=$work/state
# two programs run at once: each has its own control group
export CGROUP=/coracle-test-$$/c1
bundle=$work/bundle

make_bundle() {
	local applet
	mkdir -p "$bundle"/rootfs/{bin,etc,tmp,home/user,data}
	cp "$build/sysroot/target/busybox" "$bundle/rootfs/bin/busybox"
	while read -r applet; do
		ln -sf busybox "$bundle/rootfs/bin/${applet##*/}"
	done <"$build/sysroot/target/busybox.links"
	printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n' >"$bundle/rootfs/etc/passwd"
}

# What nearly every test of these begins and ends with.
begin() {
	((EUID == 0)) || skip_all "needs root"
	[[ -x $runtime && -r $build/sysroot/target/busybox ]] || skip_all "coracle-runtime or busybox is not built"
	make_bundle
}
leave() {
	rt delete -f c1 >/dev/null 2>&1
	rmdir /sys/fs/cgroup/*"${CGROUP%/c1}" 2>/dev/null
	rm -rf "$work"
}

rt() { timeout 60 "$runtime" --root "$state" "$@"; }

# config STATEMENT...: writes the bundle's config.json (see config.py).
config() { python3 "$here/config.py" "$@" >"$bundle/config.json"; }

# in_container SCRIPT [STATEMENT]...: what a shell in a fresh container prints.
in_container() {
	local script=$1
	shift
	SCRIPT=$script config 'p["args"] = sh(os.environ["SCRIPT"])' "$@"
	rt run --bundle "$bundle" c1 2>&1
}

# fails TEXT COMMAND...: the command fails and says so.
fails() {
	local text=$1 out
	shift
	if out=$("$@" 2>&1); then
		echo "succeeded: $*"
		return 1
	fi
	contains "${out//\\/}" "$text"
}

# quiet COMMAND...: for what leaves a process behind: it must not hold our pipe.
quiet() { "$@" </dev/null >"$work/out" 2>&1 || { cat "$work/out"; return 1; }; }

# opening /dev/kmsg takes this too: what refuses it then is the device cgroup
syslog='for s in ("bounding", "effective", "permitted"): p["capabilities"][s].append("CAP_SYSLOG")'

# Everything of the host that a container touches.
host_state() {
	grep -F "$work" /proc/self/mountinfo
	find /sys/fs/cgroup -type d -path "*$CGROUP*" 2>/dev/null | sort
	ls -A "$state" 2>/dev/null
	pgrep -x coracle-runtime -P $$ || true
}

# why LINE: what the guest said about a case that failed.
why() {
	grep -A4 -F -m1 -- "$1" "$work/text" | grep '^#'
	return 1
}

# guest MIB WORDS [OPTION...]: boots $tree as the initramfs, with WORDS for the kernel and options of qemu/run; the cases that it
# prints on its console, `ok - NAME` or `not ok - NAME`, are ours. Its last line is `guest done`.
guest() {
	local line
	(cd "$tree" && find . | cpio -o -H newc --quiet) >"$work/initrd"
	timeout 200 "$top/qemu/run" --initrd "$work/initrd" --memory "$1" --net none --seed none --timeout 180 --no-reboot \
		--append "$2" "${@:3}" >"$work/console" 2>"$work/qemu" </dev/null
	tr -d '\r' <"$work/console" >"$work/text"
	while IFS= read -r line; do
		case $line in
		"ok - "*) check "${line#ok - }" true ;;
		"not ok - "*) check "${line#not ok - }" why "$line" ;;
		esac
	done <"$work/text"
	check "the machine came to the end" contains "$(cat "$work/text" "$work/qemu" | tail -40)" "guest done"
}
