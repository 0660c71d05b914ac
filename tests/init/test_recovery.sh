#!/bin/bash
# test_recovery.sh: PID 1 of namespaces faults and is executed again, with tests/init/recovery.c standing in for the engine. TAP output.
# PID 1 rules 4, 5, 15 and 16. Machines of their own are in tests/boot/test_recovery.py. Needs root; touches nothing outside its
# namespaces and folder.
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
cp "$build/tools/init-fault" "$build/tools/recovery-probe" "$work/root/usr/bin/"
cp "$build/sysroot/target/busybox" "$work/root/usr/bin/busybox"
ln -s busybox "$work/root/usr/bin/sh"
ln -s busybox "$work/root/usr/bin/true"
echo root:x:0:0:root:/root:/bin/sh >"$work/root/etc/passwd"
for name in engine config data; do cp "$build/tools/recovery-probe" "$work/root/usr/lib/coracle/coracle-$name"; done
cp -r "$root/rootfs/skel/usr/lib/coracle/units" "$work/root/usr/lib/coracle/"
mount -t cgroup2 none "$work/cgroup"

count=0 failed=0
case_is() { # GOOD NAME
	count=$((count + 1))
	if (($1)); then
		echo "ok $count - $2"
	else
		failed=$((failed + 1))
		echo "not ok $count - $2"
	fi
}

# What init and the probe say to the kernel's log goes to a pipe of ours. Sets log and code.
mkfifo "$work/kmsg"
exec 7<>"$work/kmsg"
run_init() { # SCENARIO [FAULT-AT-BOOT]
	local reader
	cgroup=$work/cgroup/coracle-recovery-$$
	mkdir "$cgroup"
	echo "$1" >"$work/root/scenario"
	cat <&7 >"$work/log" &
	reader=$!
	code=0
	# a shell between, that says nothing of the signal which ends the namespace
	CGROUP=$cgroup ROOT=$work/root AT=${2-} bash -c '"$@"; exit' sh timeout 60 unshare -m bash -c '
		mount --make-rprivate /
		echo $$ >"$CGROUP/cgroup.procs"
		mount --bind "$ROOT" "$ROOT"
		mount -t devtmpfs dev "$ROOT/dev"
		mount --bind "$ROOT/../kmsg" "$ROOT/dev/kmsg"
		exec unshare -p -n -C -i -u --fork --kill-child bash -c "
			cd \"\$ROOT\"; mount --move . /
			exec chroot . /bin/sh -c \"
				/bin/busybox mount -t proc proc /proc
				if [ -n \\\"\\\$AT\\\" ]; then init-fault -p 1 -a \\\"\\\$AT\\\" null >/dev/null & while ! /bin/busybox grep -q \\\"TracerPid:.[1-9]\\\" /proc/1/status; do :; done; fi
				exec /sbin/init\""' 2>/dev/null || code=$?
	# the last lines are in the pipe until the reader has taken them
	echo "end of $1" >&7
	until grep -aq "^end of $1" "$work/log"; do sleep 0.01; done
	kill "$reader"
	wait "$reader" 2>/dev/null || true
	log=$(sed 's/^<[0-9]*>//' "$work/log")
	find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
	cgroup=
}

# Every line of the probe, and that it came to its end.
probe_cases() { # SCENARIO HOW-MANY
	local verdict name n=0
	while read -r verdict name; do
		n=$((n + 1))
		case_is $((verdict == 1)) "$1: $name"
	done < <(sed -n 's/^probe: \(ok\|FAILED\) /\1 /p' <<<"$log" | sed 's/^ok /1 /; s/^FAILED /0 /')
	# power-off ends the namespace: its PID 1 dies of SIGINT, as reboot(2) documents
	case_is $((code == 130 && n == $2)) "$1: powers off after $2 cases (code $code, $n cases)"
	((n == $2 && code == 130 && ! failed)) || sed 's/^/# /' <<<"$log"
}

says() { # TEXT NAME
	[[ $log == *"$1"* ]] && case_is 1 "$2" || { case_is 0 "$2"; sed 's/^/# /' <<<"$log"; }
}

for faults in 'null jump ud2' 'division stack bus' 'abort trap null'; do
	run_init "$faults"
	probe_cases "$faults" 16
	for f in $faults; do says "engine: before $f, after it" "$f: a line that was half written"; done
	says 'engine exited with code 3; started again at once' "$faults: the exit code of a service that ended meanwhile"
	n=$(grep -c 'and was executed again' <<<"$log" || true)
	case_is $((n == 4)) "$faults: every crash is reported ($n of 4)"
done

run_init journal
probe_cases journal 8
run_init more
probe_cases more 6
run_init load
probe_cases load 2
missing=
for ((i = 0; i < 60; i++)); do [[ $(grep -c "engine: line $i of 60$" <<<"$log") == 1 ]] || missing+=" $i"; done
case_is $((${#missing} == 0)) "load: every line once${missing:+, but for$missing}"

cp "$build/bin/init" "$work/root/usr/bin/other-init"
run_init reload
probe_cases reload 10
run_init five
says 'init crashed (5 within 60 s): signal 6 (Aborted) at 0x' 'rule 4: five crashes within 60 s are a reboot'
n=$(grep -c 'probe: ok alive' <<<"$log" || true)
case_is $((n == 4)) "four are none ($n)"
# a reboot ends the namespace with SIGHUP
case_is $((code == 129)) "rule 4: the machine reboots in order (code $code)"

says 'reason: init-crash: init crashed (5 within 60 s): signal 6 (Aborted)' 'the reason is recorded, with signal and count'
run_init eight
n=$(grep -c 'init crashed ([1-7] within 60 s).*and was executed again' <<<"$log" || true)
case_is $((n == 7)) "eight: it goes down in order, and comes back to that twice more ($n of 7)"
says 'reason: init-crash: init crashed, and could not go on' 'the eighth is sync and reboot alone, and not without a word'
case_is $((code == 129)) "and a reboot (code $code)"

run_init gone
chmod 755 "$work/root/usr/bin/init"
says 'reason: init-crash: init crashed, and could not go on' 'a program that cannot be executed again: the kernel log has the reason'
case_is $((code == 129)) "it is a reboot and no panic (code $code)"
n=$(grep -cxE '<2>coracle: init: reason: init-crash: .*|id=[0-9a-f-]{36}' "$work/root/kept" || true)
case_is $((${n:-0} == 2)) "the disk has it, too"

run_init child
probe_cases child 15
n=$(grep -c 'final was ended by signal 11' <<<"$log" || true)
case_is $((n == 5)) "child: it is said how each ended ($n of 5)"
n=$(grep -c 'and was executed again' <<<"$log" || true)
case_is $((n == 1)) "child: init itself crashed once ($n)"

# its child is in a session of its own and ignores what it can
cat >"$work/root/usr/lib/coracle/units/family.unit" <<'UNIT'
[Service]
ExecStart=/bin/sh -c "busybox setsid busybox sh -c 'trap : HUP INT TERM; : >/run/child; while :; do busybox sleep 1; done' & exec busybox sleep 1000"
TimeoutStopSec=1s
UNIT
run_init family
rm "$work/root/usr/lib/coracle/units/family.unit"
probe_cases family 2

run_init late mlockall
probe_cases late 24

# before there is a state
run_init journal memfd_create
says 'there is no state that it could go on with: rebooting' 'a crash before the first commit is a reboot'
says 'reason: init-crash: init crashed, and there is no state' 'and the reason is recorded'
case_is $((code == 129)) "and no panic (code $code)"

echo "1..$count"
((failed == 0))
