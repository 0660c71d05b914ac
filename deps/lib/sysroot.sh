# sysroot.sh - compose finished builds into one folder with a compiler wrapper. The
# files are hard links into the cache, so a sysroot costs no space: never edit them in
# place. Sourced by deps/deps.
# shellcheck shell=bash

# A specs file of our own: the musl-gcc of some distributions makes a dynamically
# linked program of -static-pie without a word.
write_specs() { # SYSROOT
	cat <<SPECS
%rename cpp_options old_cpp_options

*cpp_options:
-nostdinc -isystem $1/include -isystem include%s %(old_cpp_options)

*cc1:
%(cc1_cpu) -nostdinc -isystem $1/include -isystem include%s -ffile-prefix-map=$1=/usr

*link_libgcc:
-L$1/lib -L .%s

*libgcc:
libgcc.a%s %:if-exists(libgcc_eh.a%s)

*startfile:
%{static-pie:$1/lib/rcrt1.o;:$1/lib/crt1.o} $1/lib/crti.o %{static-pie:crtbeginS.o%s;:crtbeginT.o%s}

*endfile:
%{static-pie:crtendS.o%s;:crtend.o%s} $1/lib/crtn.o

*link:
-nostdlib %{static-pie:-static -pie --no-dynamic-linker -z text -z pack-relative-relocs;:-static} --hash-style=gnu -z relro -z now -z noexecstack --build-id=none

*esp_link:


*esp_options:


*esp_cpp_options:


SPECS
}

# Debian's compiler makes PIE by default, which for a plain static program must be off.
write_wrapper() { # SYSROOT
	cat <<WRAPPER
#!/bin/sh
case " \$* " in
*" -static-pie "*) exec $HOST_CC "\$@" -specs "$1/lib/musl.specs" ;;
esac
exec $HOST_CC -no-pie "\$@" -specs "$1/lib/musl.specs"
WRAPPER
}

# Sets SYSROOT to the folder that holds the named builds, making it when it is not there.
# Composing goes to a folder of our own first; whoever renames first wins.
compose_sysroot() { # NAME...
	local name id dir tmp tool path packages=()
	for name; do
		package_dir "$name"
		packages+=("$PACKAGE")
	done
	id=$({
		declare -f write_specs write_wrapper
		printf '%s\n' "${packages[@]##*/}" | sort
	} | sha256sum)
	id=${id:0:16}
	dir=$CACHE/sysroot/$VARIANT-$id
	SYSROOT=$dir
	if [ -f "$dir/.complete" ]; then
		touch "$dir"
		return 0
	fi
	tmp=$CACHE/sysroot/.$VARIANT-$id.$$
	rm -rf "$tmp"
	mkdir -p "$tmp"/{include,lib}
	for path in "${packages[@]}"; do
		cp -al "$path/." "$tmp/"
	done
	if [ "$VARIANT" = musl ]; then
		mkdir -p "$tmp/bin"
		write_specs "$dir" >"$tmp/lib/musl.specs"
		write_wrapper "$dir" >"$tmp/bin/$TARGET-gcc"
		chmod +x "$tmp/bin/$TARGET-gcc"
		for tool in ar ranlib nm strip objcopy objdump ld as readelf size; do
			path=$(command -v "$tool") && ln -sf "$path" "$tmp/bin/$TARGET-$tool"
		done
	fi
	touch "$tmp/.complete"
	mv -T "$tmp" "$dir" 2>/dev/null || rm -rf "$tmp"
}

check_tools() {
	local tool missing=()
	for tool in "$HOST_CC" ld ar make patch tar xz bzip2 gzip sha256sum flock awk; do
		command -v "$tool" >/dev/null || missing+=("$tool")
	done
	[ ${#missing[@]} = 0 ] || die "missing commands: ${missing[*]} (deps/host-packages installs them)"
	[ "$VARIANT" = asan ] || [ -f /usr/include/linux/version.h ] ||
		die "missing the kernel's headers in /usr/include/linux (deps/host-packages installs linux-libc-dev)"
}

# Writes a makefile with one target per name, so that make orders the builds and
# shares its job slots with the makes inside them.
write_makefile() {
	local name
	echo ".PHONY: all ${NAMES[*]}"
	echo "all: ${NAMES[*]}"
	for name in "${NAMES[@]}"; do
		requires "$name"
		echo "$name: ${NEEDS[*]}"
		printf '\t+@%q build-one --variant %s %s\n' "$DEPS_HERE/deps" "$VARIANT" "$name"
	done
}

cmd_sysroot() {
	local name missing=() found=() makefile start
	load_recipes
	select_names
	mkdir -p "$CACHE" || die "cannot write the cache folder $CACHE; set CORACLE_CACHE"
	for name in "${NAMES[@]}"; do
		package_dir "$name"
		if [ -d "$PACKAGE" ]; then found+=("$PACKAGE"); else missing+=("$name"); fi
	done
	[ ${#found[@]} = 0 ] || touch "${found[@]}"
	if [ ${#missing[@]} -gt 0 ]; then
		check_tools
		start=$(now_ms)
		say "to build (${VARIANT}, once): ${missing[*]}"
		makefile=$CACHE/sysroot.$$.mk
		write_makefile >"$makefile"
		MAKEFLAGS='' make --no-print-directory -j"$JOBS" -f "$makefile" all >&2 ||
			{
				rm -f "$makefile"
				die "the sysroot is not complete"
			}
		rm -f "$makefile"
		say "built ${#missing[@]} in $(seconds_since "$start") s, kept in $CACHE"
	fi
	compose_sysroot "${NAMES[@]}"
	echo "$SYSROOT"
}
