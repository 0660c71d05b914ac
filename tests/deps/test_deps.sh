#!/bin/bash
# test_deps.sh - tests of deps/deps and deps/host-packages, as TAP lines on stdout.
# Uses toy dependencies, a lock file and a cache of its own below a temporary folder,
# so it takes seconds and never touches the network or the real cache. The last tests
# look at the real sysroot, and only when it has been built already.
set -uo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
DEPS=$ROOT/deps/deps
TMP=$(mktemp -d "${TMPDIR:-/tmp}/test-deps.XXXXXX")
trap 'rm -rf "$TMP"' EXIT
COUNT=0
FAILED=0

ok() {
	COUNT=$((COUNT + 1))
	echo "ok $COUNT - $1"
}

not_ok() { # NAME [FILE with details]
	COUNT=$((COUNT + 1))
	FAILED=1
	echo "not ok $COUNT - $1"
	[ -z "${2:-}" ] || sed 's/^/# /' "$2"
}

skip() {
	COUNT=$((COUNT + 1))
	echo "ok $COUNT - $1 # SKIP $2"
}

# check NAME COMMAND...: the command must succeed.
check() {
	local name=$1
	shift
	if "$@" >"$TMP/check.out" 2>&1; then ok "$name"; else not_ok "$name" "$TMP/check.out"; fi
}

nothing() {
	echo "$1"
	[ -z "$1" ]
}

# Runs deps in the toy world; output in $TMP/out and $TMP/err, status returned.
toy() {
	env -u DEPS_URIS CORACLE_CACHE="$TMP/cache" DEPS_LOCK="$TMP/lock" DEPS_RECIPES="$TMP/recipes" \
		DEPS_DIST="$TMP/dist" DEPS_OFFLINE=1 DEPS_JOBS=2 "$DEPS" "$@" >"$TMP/out" 2>"$TMP/err"
}

says() { grep -q -- "$1" "$TMP/err"; }

lock_toy() { # NAME FILE
	echo "$1 ${1%.deb} $2 $(sha256sum "$TMP/dist/$2" | cut -d' ' -f1) $(stat -c %s "$TMP/dist/$2")"
}

# A library "toy" with a distributor's patch, and a library "top" that needs it.
make_toys() {
	mkdir -p "$TMP"/{recipes,dist,src/toy-1,deb/debian/patches}
	echo 'int toy(void) { return 1; }' >"$TMP/src/toy-1/toy.c"
	touch "$TMP/src/toy-1/CVE-notes" # must not stand in for a pattern in DEBIAN_PATCHES
	tar -C "$TMP/src" -czf "$TMP/dist/toy_1.orig.tar.gz" toy-1
	printf '%s\n' '--- a/toy.c' '+++ b/toy.c' '@@ -1 +1 @@' '-int toy(void) { return 1; }' \
		'+int toy(void) { return 42; }' >"$TMP/deb/debian/patches/CVE-1.patch"
	printf 'not a patch\n' >"$TMP/deb/debian/patches/docs.patch"
	printf 'docs.patch\n# a remark\nCVE-1.patch\n' >"$TMP/deb/debian/patches/series"
	tar -C "$TMP/deb" -cJf "$TMP/dist/toy_1-1.debian.tar.xz" debian
	{
		lock_toy toy toy_1.orig.tar.gz
		lock_toy toy.deb toy_1-1.debian.tar.xz
		echo "top top toy_1.orig.tar.gz $(lock_toy toy toy_1.orig.tar.gz | cut -d' ' -f4-)"
	} >"$TMP/lock"
	cat >"$TMP/recipes/toy.sh" <<-'RECIPE'
		# toy - a library for the tests
		LICENCE=MIT
		VARIANTS="asan"
		DEBIAN_PATCHES="CVE-*"
		build() {
			$CC $CFLAGS -c toy.c -o toy.o
			make_archive toy toy.o
		}
	RECIPE
	cat >"$TMP/recipes/top.sh" <<-'RECIPE'
		LICENCE=MIT
		VARIANTS="asan"
		REQUIRES="toy"
		build() {
			test -f "$S/lib/libtoy.a"
			mkdir -p "$D/include"
			touch "$D/include/top.h"
		}
	RECIPE
}

test_arguments() {
	if toy nonsense || ! says "unknown command 'nonsense'"; then not_ok "unknown command is an error" "$TMP/err"; else ok "unknown command is an error"; fi
	if toy fetch nothere || ! says "unknown dependency 'nothere'; there are: top toy"; then
		not_ok "unknown name is an error that lists the names" "$TMP/err"
	else ok "unknown name is an error that lists the names"; fi
	if toy sysroot --variant glibc || ! says "unknown variant 'glibc'"; then not_ok "unknown variant is an error" "$TMP/err"; else ok "unknown variant is an error"; fi
	if toy help && grep -q DEPS_DIST "$TMP/out"; then ok "help teaches offline builds"; else not_ok "help teaches offline builds" "$TMP/out"; fi
}

test_wrong_hash() {
	mv "$TMP/dist/toy_1.orig.tar.gz" "$TMP/good"
	echo changed >"$TMP/dist/toy_1.orig.tar.gz"
	if toy fetch toy || ! says "its SHA-256 is not the pinned one" || ! says "Three ways out" || [ -n "$(ls -A "$TMP/cache/dl")" ]; then
		not_ok "a file with a wrong hash is rejected, with three ways out" "$TMP/err"
	else ok "a file with a wrong hash is rejected, with three ways out"; fi
	mv "$TMP/good" "$TMP/dist/toy_1.orig.tar.gz"
}

link_and_run() {
	echo 'int toy(void); int main(void) { return toy(); }' >"$TMP/main.c"
	gcc -fsanitize=address,undefined "$TMP/main.c" -L"$1/lib" -ltoy -o "$TMP/main" || return 1
	"$TMP/main"
	[ $? = 42 ]
}

test_build() {
	local first
	if toy sysroot --variant asan && [ -f "$(cat "$TMP/out")/include/top.h" ]; then
		ok "an offline folder is enough to build, prerequisites first"
	else
		not_ok "an offline folder is enough to build, prerequisites first" "$TMP/err"
		return
	fi
	first=$(cat "$TMP/out")
	check "the distributor's chosen patch is in the result" link_and_run "$first"
	if toy sysroot --variant asan && [ "$(cat "$TMP/out")" = "$first" ] && [ ! -s "$TMP/err" ]; then
		ok "a second run builds nothing and says nothing"
	else not_ok "a second run builds nothing and says nothing" "$TMP/err"; fi
	rm -rf "$TMP/dist.saved" "$TMP/cache2"
	cp "$first/lib/libtoy.a" "$TMP/libtoy.first"
	mv "$TMP/cache" "$TMP/cache2"
	mkdir -p "$TMP/cache"
	mv "$TMP/cache2/dl" "$TMP/cache/dl"
	mv "$TMP/dist" "$TMP/dist.saved"
	toy sysroot --variant asan toy & # two at once: one builds, the other waits
	CORACLE_CACHE=$TMP/cache DEPS_LOCK=$TMP/lock DEPS_RECIPES=$TMP/recipes DEPS_OFFLINE=1 \
		"$DEPS" sysroot --variant asan toy >"$TMP/out2" 2>"$TMP/err2"
	wait
	if [ -s "$TMP/out" ] && cmp -s "$TMP/out" "$TMP/out2" && [ "$(cat "$TMP/err" "$TMP/err2" | grep -c 'built    toy')" = 1 ]; then
		ok "two runs at once build once and agree"
	else not_ok "two runs at once build once and agree" "$TMP/err2"; fi
	check "the same source gives the same bytes" cmp "$TMP/libtoy.first" "$(cat "$TMP/out")/lib/libtoy.a"
	mv "$TMP/dist.saved" "$TMP/dist"
}

key_of() {
	toy key --variant asan "$1" && cat "$TMP/out"
}

test_keys() {
	local toy_key top_key
	toy_key=$(key_of toy)
	top_key=$(key_of top)
	sed -i 's/for the tests/for tests/' "$TMP/recipes/toy.sh"
	check "a changed comment keeps the key" test "$(key_of toy)" = "$toy_key"
	sed -i 's/-c toy.c/-DX -c toy.c/' "$TMP/recipes/toy.sh"
	check "a changed recipe changes the key" test "$(key_of toy)" != "$toy_key"
	check "and the key of what is built upon it" test "$(key_of top)" != "$top_key"
	sed -i 's/-DX //' "$TMP/recipes/toy.sh"
	check "the old recipe has the old key again" test "$(key_of toy)" = "$toy_key"
	cp "$TMP/lock" "$TMP/lock.saved"
	sed -i 's/^toy.deb .*/toy.deb toy toy_1-2.debian.tar.xz 00 1/' "$TMP/lock"
	check "another version of the patches changes the key" test "$(key_of toy)" != "$toy_key"
	mv "$TMP/lock.saved" "$TMP/lock"
}

test_failure() {
	sed -i 's/^\t*\$CC.*/false; &/' "$TMP/recipes/toy.sh"
	if toy sysroot --variant asan toy || ! says "building toy failed; the log is" || [ -d "$(key_of toy)" ]; then
		not_ok "a build stops at its first failing command and leaves nothing" "$TMP/err"
	else ok "a build stops at its first failing command and leaves nothing"; fi
	sed -i 's/false; //' "$TMP/recipes/toy.sh"
	sed -i 's/CVE-\*/CVE-* CVE-2-*/' "$TMP/recipes/toy.sh"
	if toy sysroot --variant asan toy || ! says "no patch is named CVE-2-"; then
		not_ok "a wanted patch that the distributor does not have is an error" "$TMP/err"
	else ok "a wanted patch that the distributor does not have is an error"; fi
	toy gc
	check "gc keeps what is young" test -n "$(ls -A "$TMP/cache/dl")"
}

# The project's own lock file and recipes.
test_lock_file() {
	local lock=$ROOT/deps/deps.lock bad
	bad=$(grep -v '^#' "$lock" | awk 'NF != 5 || length($4) != 64 || $5 !~ /^[0-9]+$/ { print $1 }')
	check "lock lines have five fields, a hash and a size" nothing "$bad"
	bad=$(grep -v '^#' "$lock" | awk '{ sub(/\.deb$/, "", $1); print $1 }' | sort -u | while read -r name; do
		[ -f "$ROOT/deps/recipes/$name.sh" ] || echo "$name"
	done)
	check "every lock line has a recipe" nothing "$bad"
	bad=$(for file in "$ROOT"/deps/recipes/*.sh; do
		name=${file##*/}
		name=${name%.sh}
		[ "$name" = headers ] || grep -q "^$name " "$lock" || echo "$name"
	done)
	check "every recipe has a lock line" nothing "$bad"
	bad=$(for file in "$ROOT"/deps/recipes/*.sh; do
		name=${file##*/}
		name=${name%.sh}
		if grep -q '^DEBIAN_PATCHES=' "$file"; then
			grep -q "^$name\.deb " "$lock" || echo "$name"
		else
			! grep -q "^$name\.deb " "$lock" || echo "$name"
		fi
	done)
	check "patches are locked exactly where a recipe wants them" nothing "$bad"
	check "no host name in deps/" nothing "$(grep -rIlE '(https?|ftp)://' "$ROOT/deps")"
	check "every dependency is in docs/dependencies.md" names_documented
}

names_documented() {
	local file name
	for file in "$ROOT"/deps/recipes/*.sh; do
		name=${file##*/}
		name=${name%.sh}
		grep -q "^| $name " "$ROOT/docs/dependencies.md" || { echo "$name is missing"; return 1; }
	done
}

test_host_packages() {
	local list=$TMP/packages
	printf 'bash build bash the shell\n' >"$list"
	if HOST_PACKAGES_LIST=$list "$ROOT/deps/host-packages" >"$TMP/out" 2>&1 && [ ! -s "$TMP/out" ]; then
		ok "host-packages is silent when nothing is missing"
	else not_ok "host-packages is silent when nothing is missing" "$TMP/out"; fi
	printf 'toy-tools build no-such-command-here plays with toys\n' >>"$list"
	printf 'ID=other\nVERSION_ID=1\n' >"$TMP/os-release"
	if HOST_OS_RELEASE=$TMP/os-release HOST_PACKAGES_LIST=$list "$ROOT/deps/host-packages" >"$TMP/out" 2>&1 ||
		! grep -q 'no-such-command-here.*plays with toys' "$TMP/out"; then
		not_ok "host-packages elsewhere names the missing command and fails" "$TMP/out"
	else ok "host-packages elsewhere names the missing command and fails"; fi
	printf 'toy-tools bench no-such-command-here plays with toys\n' >"$list"
	check "host-packages looks only at the groups asked for" env HOST_PACKAGES_LIST="$list" "$ROOT/deps/host-packages" --test
	toy_apt
	check "two host-packages at once take turns at apt" two_at_once "$list"
	check "host-packages.list has a group, a sign and a reason everywhere" \
		awk '!/^#/ && (NF < 4 || $2 !~ /^(build|run|test|bench|fuzz)$/) { print; bad = 1 } END { exit bad }' "$ROOT/deps/host-packages.list"
}

# An apt-get that fails while another one works, as the real one does, and installs a command.
toy_apt() {
	mkdir -p "$TMP/apt"
	cat >"$TMP/apt/apt-get" <<-'TOY'
		#!/bin/bash
		here=${0%/*}
		mkdir "$here/lock" || { echo "E: Could not get lock"; exit 100; }
		sleep 0.3
		case "$*" in *install*) ln -sf /bin/true "$here/no-such-command-here" ;; esac
		rmdir "$here/lock"
	TOY
	printf '#!/bin/sh\n' >"$TMP/apt/apt-cache"
	printf '#!/bin/sh\nexec "$@"\n' >"$TMP/apt/sudo"
	chmod +x "$TMP/apt"/*
	printf 'ID=debian\nVERSION_ID=12\n' >"$TMP/debian"
}

two_at_once() { # LIST
	local first
	printf 'toy-tools build no-such-command-here plays with toys\n' >"$1"
	env PATH="$TMP/apt:$PATH" HOST_OS_RELEASE="$TMP/debian" HOST_PACKAGES_LIST="$1" "$ROOT/deps/host-packages" &
	first=$!
	env PATH="$TMP/apt:$PATH" HOST_OS_RELEASE="$TMP/debian" HOST_PACKAGES_LIST="$1" "$ROOT/deps/host-packages" || return 1
	wait "$first"
}

# Static, position independent, without a program interpreter, and it runs.
static_pie_works() {
	printf '#include <archive.h>\n#include <stdio.h>\nint main(void) { return puts(archive_version_string()) < 0; }\n' >"$TMP/hello.c"
	"$1/bin/x86_64-linux-musl-gcc" -Os -static-pie -fPIE -o "$TMP/hello" "$TMP/hello.c" -larchive -lzstd -lz || return 1
	readelf -h "$TMP/hello" | grep -q 'Type:.*DYN' || return 1
	! readelf -l "$TMP/hello" | grep -q INTERP || return 1
	"$TMP/hello" | grep -q '^libarchive 3\.7\.4'
}

test_real_sysroot() {
	local dir missing=0 sysroot
	while read -r dir; do [ -d "$dir" ] || missing=1; done < <("$DEPS" key)
	if [ $missing = 1 ]; then
		skip "the compiler makes static-pie programs that run" "the sysroot is not built yet"
		skip "no build folder is recorded in the libraries" "the sysroot is not built yet"
		skip "busybox has what boot needs and not what init owns" "the sysroot is not built yet"
		return
	fi
	sysroot=$("$DEPS" sysroot)
	check "the compiler makes static-pie programs that run" static_pie_works "$sysroot"
	check "no build folder is recorded in the libraries" \
		nothing "$(grep -lF -e "$(dirname "$(dirname "$sysroot")")/tmp" "$sysroot"/lib/*.a "$sysroot"/target/*)"
	"$sysroot/target/busybox" --list >"$TMP/applets"
	check "busybox has what boot needs and not what init owns" \
		awk '/^(ash|sh|mount|udhcpc|ntpd|ip|vi)$/ { n++ } /^(init|halt|reboot|poweroff|getty|login|su|tc)$/ { bad = 1 }
			END { exit n != 7 || bad }' "$TMP/applets"
}

make_toys
test_arguments
test_wrong_hash
test_build
test_keys
test_failure
test_lock_file
test_host_packages
test_real_sysroot
echo "1..$COUNT"
exit $FAILED
