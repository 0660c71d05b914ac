#!/bin/bash
# tests/runtime/test_faults.sh: each system call of create, run, start, exec, delete, kill, pause, resume, state, ps, list, events and update fails in turn, for containers of
# six kinds; nothing may be left on the host (faults.py does it). Needs root.
# timeout: 1200
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
runtime=$build/tests/runtime/coracle-runtime-faults
((EUID == 0)) || skip_all "needs root"
[[ -x $runtime && -r $build/sysroot/target/busybox ]] || skip_all "coracle-runtime-faults or busybox is not built"
make_bundle
chmod 755 "$work"
trap 'umount "$work/bin" 2>/dev/null; rmdir /sys/fs/cgroup/*"${CGROUP%/c1}" 2>/dev/null; rm -rf "$work"' EXIT
# from a read-only file system it need not execute itself once more (protect.c), so that calls are counted from its beginning
mkdir "$work/bin"
mount --bind "${runtime%/*}" "$work/bin" && mount -o remount,ro,bind "$work/bin"
WRITABLE=$runtime python3 "$here/faults.py" "$work/bin/${runtime##*/}" "$work" "$bundle" "$@"
