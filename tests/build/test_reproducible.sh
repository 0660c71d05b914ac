#!/bin/bash
# The same sources, built in another directory, give the same bytes: programs, root, initramfs, UKI, disk.
# The dependency cache is shared: its recipes and the kernel fix their own clocks and paths.
# timeout: 1200
set -uo pipefail
cd "$(dirname "$0")/../.."
top=$PWD
build=${CORACLE_BUILD:-$top/build}
plain=$(mktemp -d "${TMPDIR:-/tmp}/coracle-elsewhere.XXXXXX")
trap 'rm -rf "$plain"' EXIT

git ls-files -z | tar --null --no-recursion -T - -cf - | tar -xf - -C "$plain"
n=0
result() { # ok|not-ok NAME
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

make -s -C "$plain" all build/coracle.img > "$plain/make.log" 2>&1
rc=$?
[ $rc = 0 ] || tail -20 "$plain/make.log" | sed 's/^/# /'
result $rc "a copy of the sources builds in another directory"
for f in root.erofs initramfs.cpio.zst coracle.efi coracle.img; do
	cmp "$build/$f" "$plain/build/$f" > "$plain/cmp.log" 2>&1
	rc=$?
	[ $rc = 0 ] || sed 's/^/# /' "$plain/cmp.log"
	result $rc "$f is bit-identical"
done
for f in "$build"/bin/*; do
	cmp -s "$f" "$plain/build/bin/${f##*/}" || echo "# differs: bin/${f##*/}"
done
echo "1..$n"
