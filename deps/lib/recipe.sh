# recipe.sh - read the recipes and give every build a key. The key covers all that can
# change the result: source and patch hashes, the recipe's own text, flags, compiler
# and linker, and the keys of what it is built upon. Sourced by deps/deps.
# shellcheck shell=bash

declare -A R_LICENCE R_PURPOSE R_REQUIRES R_VARIANTS R_DEBIAN_PATCHES R_CONFIG R_TEXT KEY
ALL_NAMES=()

# Reads deps/recipes/*.sh. Each sets the variables below and a function build().
load_recipes() {
	local file name LICENCE PURPOSE REQUIRES VARIANTS DEBIAN_PATCHES CONFIG
	[ ${#ALL_NAMES[@]} = 0 ] || return 0
	for file in "$RECIPE_DIR"/*.sh; do
		name=${file##*/}
		name=${name%.sh}
		LICENCE= PURPOSE= REQUIRES= VARIANTS= DEBIAN_PATCHES= CONFIG=
		unset -f build
		# shellcheck source=/dev/null
		. "$file"
		[ -n "$LICENCE" ] && [ -n "$VARIANTS" ] && declare -F build >/dev/null ||
			die "$file: a recipe sets LICENCE and VARIANTS and has a function build"
		ALL_NAMES+=("$name")
		R_LICENCE[$name]=$LICENCE R_PURPOSE[$name]=$PURPOSE R_REQUIRES[$name]=$REQUIRES
		R_VARIANTS[$name]=$VARIANTS R_DEBIAN_PATCHES[$name]=$DEBIAN_PATCHES
		R_CONFIG[$name]=$CONFIG R_TEXT[$name]=$(declare -f build)
	done
	unset -f build
}

# What NAME is built upon in this variant: asan uses the host's C library and headers.
requires() {
	local name
	for name in ${R_REQUIRES[$1]}; do
		case " ${R_VARIANTS[$name]:-} " in *" $VARIANT "*) echo "$name" ;; esac
	done
}

check_names() {
	local name known=" ${ALL_NAMES[*]} "
	for name in "${NAMES[@]}"; do
		case $known in *" $name "*) ;; *) die "unknown dependency '$name'; there are:$known" ;; esac
	done
}

# Fills NAMES with every recipe of the variant when none was named, and
# adds what they are built upon, prerequisites first.
select_names() {
	local name
	check_names
	if [ ${#NAMES[@]} = 0 ]; then
		for name in "${ALL_NAMES[@]}"; do
			case " ${R_VARIANTS[$name]} " in *" $VARIANT "*) NAMES+=("$name") ;; esac
		done
	fi
	for name in "${NAMES[@]}"; do
		case " ${R_VARIANTS[$name]} " in
		*" $VARIANT "*) ;;
		*) die "'$name' is not built in the variant $VARIANT" ;;
		esac
	done
	mapfile -t NAMES < <(in_order "${NAMES[@]}" | awk '!seen[$0]++')
}

in_order() {
	local name
	for name; do
		# shellcheck disable=SC2046
		in_order $(requires "$name")
		echo "$name"
	done
}

# Compiler and linker, asked once. `-v` names the distributor's build as well.
tool_id() {
	[ -n "${TOOL_ID:-}" ] || TOOL_ID="$("$HOST_CC" -v 2>&1 | tail -n 1) $("$HOST_CC" -dumpmachine) $(ld --version | head -n 1)"
	echo "$TOOL_ID"
}

# Version of the kernel headers on this machine.
headers_version() {
	dpkg-query -W -f '${Version}' linux-libc-dev 2>/dev/null ||
		awk '/LINUX_VERSION_CODE/ { print "code-" $3 }' /usr/include/linux/version.h 2>/dev/null || echo none
}

# Sets KEY[NAME].
make_key() {
	local name=$1 need text=
	[ -z "${KEY[$name]:-}" ] || return 0
	for need in $(requires "$name"); do
		make_key "$need"
		text+=${KEY[$need]}
	done
	[ "$name" != headers ] || text+=$(headers_version)
	text+=$(grep -E "^$name(\.deb)? " "$LOCK_FILE" || true)
	text+=$(cat "$PATCH_DIR/$name"-*.patch 2>/dev/null || true)
	[ -z "${R_CONFIG[$name]}" ] || text+=$(cat "$CONFIG_DIR/${R_CONFIG[$name]}")
	TOOL_ID=$(tool_id)
	HELPER_TEXT=${HELPER_TEXT:-$(helper_text)}
	KEY[$name]=$(printf '%s\n' "$VARIANT" "$TOOL_ID" "$HELPER_TEXT" "${R_TEXT[$name]}" \
		"${R_DEBIAN_PATCHES[$name]}" "$text" | sha256sum | cut -c1-16)
}

# Folder of a finished build. Call make_key first, in the same shell, to keep the keys.
package_dir() { echo "$CACHE/pkg/$1-${KEY[$1]}"; }

cmd_key() {
	local name asked
	load_recipes
	asked=("${NAMES[@]}")
	select_names
	[ ${#asked[@]} -gt 0 ] || asked=("${NAMES[@]}")
	for name in "${asked[@]}"; do
		make_key "$name"
		package_dir "$name"
	done
}
