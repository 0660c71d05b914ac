#!/bin/bash
# test_check.sh: the kernel configuration's check finds what kconfig dropped, and says which feature breaks. TAP output.
# Makes configurations out of the real table of features; builds nothing and touches nothing outside a temporary folder.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
check=$root/kernel-config/check
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0 failed=0

ok() {
	number=$((number + 1))
	printf 'ok %d - %s\n' "$number" "$1"
}

not_ok() {
	number=$((number + 1))
	failed=$((failed + 1))
	printf 'not ok %d - %s\n' "$number" "$1"
	sed 's/^/# /' "$work/output"
}

# run EXPECTED-CODE NAME TEXT... -- ARGUMENT...: runs the check; every TEXT must be in its output.
run() {
	local expected=$1 name=$2 code=0 text texts=()
	shift 2
	while [[ $1 != -- ]]; do
		texts+=("$1")
		shift
	done
	shift
	"$check" "$@" >"$work/output" 2>&1 || code=$?
	if [[ $code != "$expected" ]]; then
		printf 'exit code %d, not %d\n' "$code" "$expected" >>"$work/output"
		not_ok "$name"
		return
	fi
	for text in "${texts[@]}"; do
		if ! grep -qF -- "$text" "$work/output"; then
			printf 'not in the output: %s\n' "$text" >>"$work/output"
			not_ok "$name"
			return
		fi
	done
	ok "$name"
}

# A configuration that satisfies the table for a profile: what the table names, set as it says.
make_config() {
	local profile=$1
	sed 's/#.*//' "$root/kernel-config/features" | awk -v profile="$profile" '
		!/:/ { next }
		/\[[a-z]*\].*:/ && index($0, "[" profile "]") == 0 { next }
		{ sub(/^[^:]*:/, ""); for (i = 1; i <= NF; i++) {
			if ($i ~ /^!/) print "# CONFIG_" substr($i, 2) " is not set"
			else if ($i ~ /=/) print "CONFIG_" $i
			else print "CONFIG_" $i "=y" } }' | sort -u
}

# without OPTION: the virt configuration with one option switched off, as olddefconfig leaves it.
without() {
	sed "s/^CONFIG_$1=.*/# CONFIG_$1 is not set/" "$work/virt" >"$work/without-$1"
	printf '%s' "$work/without-$1"
}

make_config virt >"$work/virt"
make_config metal >"$work/metal"

run 0 'a complete virt configuration passes' 'all there' -- "$work/virt"
run 0 'a complete metal configuration passes' 'all there' -- --profile metal "$work/metal"
run 1 'a missing option is named with its feature' \
	'CONFIG_OVERLAY_FS is n: needed by container file systems (overlay)' '1 problems' -- "$(without OVERLAY_FS)"
run 1 'EROFS from a file is watched' 'EROFS_FS_BACKED_BY_FILE' 'root file system (EROFS from a file)' -- "$(without EROFS_FS_BACKED_BY_FILE)"
run 1 'dm-verity without SHA-256 is found' 'CONFIG_CRYPTO_SHA256 is n: needed by verified root (dm-verity)' -- "$(without CRYPTO_SHA256)"
run 1 'the device filter of containers is watched' 'cgroup v2 device access by BPF' -- "$(without CGROUP_BPF)"

sed 's/^# CONFIG_DEVMEM is not set/CONFIG_DEVMEM=y/' "$work/virt" >"$work/devmem"
run 1 'an option that must be off is found' 'CONFIG_DEVMEM is y but must be off: closed doors' -- "$work/devmem"
sed 's/^CONFIG_FAT_DEFAULT_CODEPAGE=437/CONFIG_FAT_DEFAULT_CODEPAGE=850/' "$work/virt" >"$work/codepage"
run 1 'a wrong value is found' 'CONFIG_FAT_DEFAULT_CODEPAGE is 850, not 437' -- "$work/codepage"
sed 's/^CONFIG_VETH=y/CONFIG_VETH=m/' "$work/virt" >"$work/module"
run 1 'a module is not good enough' 'CONFIG_VETH is m' -- "$work/module"

run 1 'the virt profile refuses metal drivers' 'CONFIG_E1000E is y but must be off' -- "$work/metal"
run 1 'the metal profile asks for them' 'CONFIG_E1000E is n: needed by network cards [metal]' -- --profile metal "$work/virt"

printf 'CONFIG_VETH=y\nCONFIG_VMGENID_OLD=y\n# CONFIG_NET is not set\n' >"$work/fragment"
run 1 'a fragment line that did not survive is named' 'CONFIG_VMGENID_OLD: a fragment asks for y' \
	'CONFIG_NET: a fragment switches it off' -- --wanted "$work/fragment" "$work/virt"
printf 'CONFIG_VETH=y\n' >"$work/fragment-good"
run 0 'a fragment that survived passes' 'all there' -- --wanted "$work/fragment-good" "$work/virt"

: >"$work/empty"
run 2 'an empty configuration is an error' 'no kernel configuration' -- "$work/empty"
run 2 'a missing file is an error' 'cannot be read' -- "$work/absent"
printf 'no colon here\n' >"$work/table"
run 2 'a broken table is an error with its line' "$work/table:1:" -- --features "$work/table" "$work/virt"

# The fragments themselves: every option that the table needs in a profile is asked for by name or selected by
# kconfig; the build proves that. Here: no fragment asks for a module, none names an option twice with two values.
if grep -n '=m$' "$root"/kernel-config/*.config >"$work/output"; then
	not_ok 'no fragment asks for a module'
else
	ok 'no fragment asks for a module'
fi
cat "$root"/kernel-config/{base,virt,container,net,hardening,metal}.config | grep -o '^CONFIG_[A-Za-z0-9_]*=' |
	sort | uniq -d >"$work/output"
if [[ -s $work/output ]]; then not_ok 'no option is set by two fragments'; else ok 'no option is set by two fragments'; fi

printf '1..%d\n' "$number"
[[ $failed == 0 ]]
