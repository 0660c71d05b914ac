# build.sh - run one recipe in a fresh source tree and move the result into the cache.
# A build sees: $D (empty folder to install into), $S (sysroot of its prerequisites),
# CC, CFLAGS, LDFLAGS, PREFIX_MAP (hides the build folder) and the helpers below. The helpers and flags are part of every
# key, so a change here rebuilds everything. Sourced by deps/deps.
# shellcheck shell=bash

# -fPIE: daemons are static-pie, so that their addresses are random.
# Sections: the linker drops what a program does not call.
MUSL_CFLAGS="-Os -pipe -ffunction-sections -fdata-sections -fPIE -fstack-protector-strong
	-fno-asynchronous-unwind-tables -fno-unwind-tables -fcf-protection=none -D_FORTIFY_SOURCE=0"
MUSL_LDFLAGS="-static -Wl,--gc-sections"
ASAN_CFLAGS="-g -O1 -pipe -fsanitize=address,undefined -fno-omit-frame-pointer -fPIE"
ASAN_LDFLAGS="-fsanitize=address,undefined"

# ---- helpers for recipes; run inside the build's subshell, in the source tree

# The usual configure script, for a static library in an empty prefix.
run_configure() {
	if [ "$VARIANT" = musl ]; then
		set -- --host=$TARGET "--build=$("$HOST_CC" -dumpmachine)" "$@"
	fi
	./configure --prefix= --disable-shared --enable-static --disable-dependency-tracking "$@"
}

make_archive() { # NAME OBJECT...
	mkdir -p "$D/lib"
	"$AR" rcs "$D/lib/lib$1.a" "${@:2}"
}

install_headers() {
	mkdir -p "$D/include"
	cp "$@" "$D/include/"
}

# ---- end of helpers

helper_text() {
	declare -f run_configure make_archive install_headers build_environment \
		unpack_source apply_patches run_recipe
	echo "$MUSL_CFLAGS $MUSL_LDFLAGS $ASAN_CFLAGS $ASAN_LDFLAGS"
}

# The distributor's fixes first, as far as the recipe wants them, then our own.
apply_patches() { # [DEBIAN.TAR]
	local name file pattern patterns
	read -ra patterns <<<"$DEBIAN_PATCHES"
	if [ -n "${1:-}" ]; then
		tar xf "$1" --no-same-owner
		for pattern in "${patterns[@]}"; do
			grep -q "^${pattern//\*/.*}" debian/patches/series || die "$N: no patch is named $pattern"
		done
		while read -r name _; do
			for pattern in "${patterns[@]}"; do
				# shellcheck disable=SC2053 # a pattern on purpose
				if [[ -n $name && $name != \#* && $name == $pattern ]]; then
					echo "patch: $name"
					patch -p1 -s -f <"debian/patches/$name"
					break
				fi
			done
		done <debian/patches/series
	fi
	for file in "$PATCH_DIR/$N"-*.patch; do
		[ ! -f "$file" ] || patch -p1 -s -f <"$file"
	done
}

# One time stamp for all files: otherwise a patched configure.ac would look newer than
# configure, and make would want autoconf.
unpack_source() { # [TARBALL [DEBIAN.TAR]]
	[ -n "${1:-}" ] || return 0
	tar xf "$1" --strip-components=1 --no-same-owner
	apply_patches "${2:-}"
	find . -exec touch -h -d @1000000000 {} +
}

build_environment() {
	export PREFIX_MAP=-ffile-prefix-map=$WORK/src=/usr/src/$N
	export D=$WORK/out S N LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH=1000000000
	export AR=ar RANLIB=ranlib PKG_CONFIG=false ASAN_OPTIONS=detect_leaks=0
	unset CPPFLAGS CXXFLAGS LIBS CONFIG_SITE DESTDIR CROSS_COMPILE ARCH KBUILD_OUTPUT MAKEOVERRIDES
	if [ "$VARIANT" = asan ]; then
		export CC=$HOST_CC CFLAGS="$ASAN_CFLAGS $PREFIX_MAP" LDFLAGS=$ASAN_LDFLAGS
	else
		export CC=$TARGET-gcc CFLAGS="$MUSL_CFLAGS $PREFIX_MAP" LDFLAGS=$MUSL_LDFLAGS
		[ -z "$S" ] || export PATH=$S/bin:$PATH
	fi
	# The lists above are broken over lines for reading; make wants one line.
	CFLAGS=$(echo $CFLAGS)
	if [ -n "$S" ]; then
		export CPPFLAGS=-I$S/include LDFLAGS="$LDFLAGS -L$S/lib"
	fi
}

# Runs the recipe. `set -e` is off inside if, || and &&, so this is called as a plain
# subshell and its status is read afterwards.
run_recipe() { # TARBALL DEBIAN.TAR
	local DEBIAN_PATCHES=${R_DEBIAN_PATCHES[$N]}
	build_environment
	mkdir -p "$WORK/src" "$D"
	cd "$WORK/src"
	unpack_source "$@"
	eval "${R_TEXT[$N]}"
	set -x
	build
	set +x
	rm -rf "$D"/{share,etc,sbin,lib/pkgconfig}
	[ "$N" = musl ] || rm -rf "$D/bin"
	find "$D" -name '*.la' -delete
	# No dates and owners inside archives: the same source gives the same bytes.
	find "$D" -name '*.a' -size +8c -exec objcopy -D {} \;
}

cmd_build_one() {
	local package log start tarball='' patches='' status=0
	load_recipes
	N=${NAMES[0]}
	package_dir "$N"
	package=$PACKAGE
	[ ! -d "$package" ] || return 0
	mkdir -p "$CACHE"/{pkg,log,lock,tmp}
	exec 9>"$CACHE/lock/$N-$VARIANT"
	flock 9
	[ ! -d "$package" ] || return 0
	[ -z "${LOCK[$N]:-}" ] || tarball=$(fetch_entry "$N")
	[ -z "${LOCK[$N.deb]:-}" ] || patches=$(fetch_entry "$N.deb")
	S=''
	requires "$N"
	if [ ${#NEEDS[@]} -gt 0 ]; then
		ORDERED=()
		put_in_order "${NEEDS[@]}"
		compose_sysroot "${ORDERED[@]}"
		S=$SYSROOT
	fi
	WORK=$CACHE/tmp/$N-${KEY[$N]}
	log=$CACHE/log/$N-$VARIANT.log
	rm -rf "$WORK"
	start=$(now_ms)
	set +e
	(
		set -e
		run_recipe "$tarball" "$patches"
	) >"$log" 2>&1 9>&-
	status=$?
	set -e
	if [ $status != 0 ]; then
		tail -n 20 "$log" >&2
		die "building $N failed; the log is $log, the tree is $WORK"
	fi
	mv -T "$WORK/out" "$package"
	rm -rf "$WORK"
	say "built    $N ($VARIANT), $(human_size "$(du -sb "$package" | cut -f1)"), $(seconds_since "$start") s"
}
