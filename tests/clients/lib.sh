# shellcheck shell=bash
# tests/clients/lib.sh: an engine of Debian's, with coracle-runtime as its runtime and nothing of ours between. Source it
# first: it starts the test again in mount and network namespaces of its own, so that the engine reaches nobody.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$(realpath "${CORACLE_BUILD:-$top/build}")
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

((EUID == 0)) || skip_all 'needs root'

if [[ ${CORACLE_APART-} != "$$" ]]; then
	exec unshare -mn bash -c 'mount --make-rprivate / && ip link set lo up && export CORACLE_APART=$$ && exec bash "$0"' "$0"
fi

fixtures=$(realpath "${FIXTURES:-$(cat "$build/fixtures.path" 2>/dev/null || "$top/tests/fixtures/make")}")
runtime=$(realpath "${RUNTIME:-$build/bin/coracle-runtime}")
work=$(mktemp -d /tmp/coracle-client.XXXXXX)
# conmon leaves an empty file `oom` where it was started when a container ran out of memory
mkdir "$work/here" && cd "$work/here" || exit 1
# containers of another test that runs now, or of the machine, are not ours: containerd's shims keep them here by name
mkdir -p /run/containerd && mount -t tmpfs containerd /run/containerd
# the root of a user namespace is a stranger on its way to the rootfs
chmod 711 "$work"
daemon=

needs() {
	local program
	for program in "$@"; do
		type -P "$program" >/dev/null || skip_all "$program is not installed"
	done
}

# gives CODE COMMAND...: it ends with this exit code.
gives() {
	local code=$1 out got=0
	shift
	out=$("$@" 2>&1) || got=$?
	((got == code)) || { printf 'exit code %s, not %s: %s\n%s\n' "$got" "$code" "$*" "$out"; return 1; }
}

# on_terminal COMMAND...: what it shows on a terminal. script(1) has $SHELL read the command, else sh, which does not
# understand bash's quoting of lines.
on_terminal() { SHELL=$BASH script -qec "$(printf '%q ' "$@")" /dev/null </dev/null 2>&1; }

# In a container: its memory limit, on hosts of both cgroup versions; its own cgroup need not be the mount's root.
memory_limit='cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max'
pids_limit='cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max'
# ns NAME...: the namespaces of the process in a container (busybox's readlink takes one name).
ns_of='ns() { for n; do readlink /proc/self/ns/$n; done; }; ns'
host_ns() { local n; for n; do readlink "/proc/self/ns/$n"; done; }
# subordinate_ids NAME: NAME may use 65536 ids from 100000, in this mount namespace.
subordinate_ids() {
	local file
	for file in subuid subgid; do
		[[ -e /etc/$file ]] || return 1
		echo "$1:100000:65536" >"$work/$file"
		mount --bind "$work/$file" "/etc/$file"
	done
}
# Waits for SIGTERM and says so by its exit code.
waits='trap "exit 5" TERM; echo started; while :; do sleep 0.1; done'

# The runtime's own, and the shims and monitors that stand beside containers.
left_processes() { pgrep -af -- "^$runtime |shim.*$work|^[^ ]*conmon .*$work" || true; }
# conmon and the shims end a little after the command that removed their container; whoever stays is told.
no_processes() { eventually eval '[[ -z $(left_processes) ]]' || { left_processes; return 1; }; }
mounts() { grep -F "$work" /proc/self/mountinfo | grep -F rootfs || true; }

# Called at the end of each test file. The daemon is ended by its id; what it started goes with it.
daemon_stop() {
	[[ -n $daemon ]] || return 0
	kill "$daemon" 2>/dev/null
	wait "$daemon" 2>/dev/null
	daemon=
}

# shellcheck disable=SC2317
clean_up() {
	daemon_stop
	awk -v "below=$work/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | tac | xargs -r umount -l
	[[ -n ${KEEP:-} ]] || rm -rf "$work"
}
trap clean_up EXIT
