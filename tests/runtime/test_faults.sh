#!/bin/bash
# tests/runtime/test_faults.sh: each system call of `create` fails in turn; nothing may be left on the host. Needs root.
# timeout: 1200
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
runtime=$build/tests/runtime/coracle-runtime-faults
((EUID == 0)) || skip_all "needs root"
[[ -x $runtime && -r $build/sysroot/target/busybox ]] || skip_all "coracle-runtime-faults or busybox is not built"
make_bundle
trap 'rt delete -f c1 >/dev/null 2>&1; rmdir /sys/fs/cgroup/*"${CGROUP%/c1}" 2>/dev/null; rm -rf "$work"' EXIT
# the copy of itself is made once, before: its calls would count
config 'c["mounts"].append(mount("/mnt", "bind", "rootfs/etc", "bind", "ro"))' 'l["sysctl"] = {"net.ipv4.ip_forward": "1"}' 'c["root"]["readonly"] = True'
quiet rt create -b "$bundle" c1 && rt delete -f c1
before=$(host_state)

failed=0 survived=0 streak=0
# 25 calls in a row that do not matter: the end is reached
for ((n = 1; streak < 25 && n < 600; n++)); do
	if CORACLE_FAULT=$n:5 quiet rt create -b "$bundle" c1; then
		survived=$((survived + 1)) streak=$((streak + 1))
		rt delete -f c1
	else
		failed=$((failed + 1)) streak=0
		grep -q 'level=error msg=".' "$work/out" || { check "call $n: says why" cat "$work/out" && false; break; }
	fi
	if [[ $(host_state) != "$before" ]]; then
		check "call $n: nothing is left" same "$before" "$(host_state)"
		break
	fi
done
check "$failed failures of $((n - 1)) calls left nothing behind" test "$failed" -gt 100 -a "$streak" -ge 25
tap_end
