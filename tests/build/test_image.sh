#!/bin/bash
# The image builder: what it makes is read back by other people's tools.
set -uo pipefail
cd "$(dirname "$0")/../.."
tool=${CORACLE_BUILD:-build}/tools/coracle-image
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
check() { # NAME COMMAND...
	local name=$1
	shift
	n=$((n + 1))
	if "$@" > "$work/out" 2>&1; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' "$work/out" | head -20
	fi
}

head -c 100000 /dev/urandom > "$work/a"
echo hello > "$work/b"

listing() { (cd "$work" && mkdir -p x && cd x && cpio -idm --quiet < ../i.cpio && cmp init ../a && cmp etc/deep/b ../b && [ "$(stat -c %a init)" = 755 ] && [ "$(stat -c %Y etc/deep/b)" = 0 ]); }
"$tool" cpio "$work/i.cpio" "init=$work/a,755" "etc/deep/b=$work/b"
check "cpio(1) reads the initramfs: bytes, modes, time 0" listing
again() { cp -p "$work/a" "$work/copy" && touch "$work/copy" && "$tool" cpio "$work/j.cpio" "init=$work/copy,755" "etc/deep/b=$work/b" && cmp "$work/i.cpio" "$work/j.cpio"; }
check "the archive depends on bytes alone" again
refuse() { ! "$tool" "$@" 2> "$work/err" && [ -s "$work/err" ]; }
check "a missing file is named" eval 'refuse cpio "$work/k" "init=$work/none" && grep -q "open $work/none: No such file" "$work/err"'
check "a mode that is not octal is refused" refuse cpio "$work/k" "init=$work/a,9x"

truncate -s 3M "$work/esp"
truncate -s 5M "$work/data"
"$tool" gpt "$work/disk" esp:CORACLE-ESP:"$work/esp" data:CORACLE-DATA:"$work/data"
if command -v sgdisk > /dev/null; then
	check "sgdisk finds no problem in the disk" eval 'sgdisk -v "$work/disk" | grep -q "No problems found"'
	check "sgdisk reads type and name" eval 'sgdisk -i 1 "$work/disk" | grep -q "C12A7328-F81F-11D2-BA4B-00A0C93EC93B" && sgdisk -i 2 "$work/disk" | grep -q "CORACLE-DATA"'
else
	n=$((n + 1)); echo "ok $n - sgdisk reads the disk # SKIP sgdisk is not installed"
fi

stub=${EFI_STUB:-/usr/lib/systemd/boot/efi/linuxx64.efi.stub}
if [ -f "$stub" ]; then
	printf 'console=ttyS0' > "$work/cmdline"
	"$tool" uki "$work/uki" --stub "$stub" --linux "$work/a" --initrd "$work/a" --cmdline "$work/cmdline" --osrel "$work/b"
	section() { objcopy -O binary --only-section="$1" "$work/uki" "$work/section" && cmp "$work/section" "$2"; }
	check "objcopy reads back .cmdline" section .cmdline "$work/cmdline"
	check "objcopy reads back .linux" section .linux "$work/a"
	check "objcopy reads back .initrd" section .initrd "$work/a"
	overlaps() {
		local end=0 name size va
		while read -r name size va; do
			[ $((16#$va)) -ge $end ] || { echo "$name begins before the one in front of it ends"; return 1; }
			end=$((16#$va + 16#$size))
		done < <(objdump -h "$work/uki" | awk '$2 ~ /^\./ { print $2, $3, $4 }')
		[ $end -gt 0 ]
	}
	check "no two sections overlap" overlaps
	head -c 300 "$stub" > "$work/short"
	check "a stub that is cut short is refused" refuse uki "$work/k" --stub "$work/short" --linux "$work/a" --initrd "$work/a" --cmdline "$work/cmdline" --osrel "$work/b"
else
	n=$((n + 1)); echo "ok $n - UKI # SKIP no EFI stub at $stub"
fi
echo "1..$n"
