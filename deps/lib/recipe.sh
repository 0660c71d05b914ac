# recipe.sh - read the recipes and give every build a key. The key covers all that can
# change the result: source and patch hashes, the recipe's own text, flags, compiler
# and linker, and the keys of what it is built upon. Sourced by deps/deps.
# shellcheck shell=bash

declare -A R_LICENCE R_PURPOSE R_REQUIRES R_VARIANTS R_DEBIAN_PATCHES R_CONFIG R_TEXT KEY LOCK
ALL_NAMES=()

# Reads deps.lock and deps/recipes/*.sh. Each recipe sets the variables below and a function build().
load_recipes() {
	local file name line LICENCE PURPOSE REQUIRES VARIANTS DEBIAN_PATCHES CONFIG
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
	while read -r name line; do
		[[ -z $name || $name = \#* ]] || LOCK[$name]=$line
	done <"$LOCK_FILE"
}

# Sets NEEDS to what NAME is built upon in this variant: asan uses the host's C library
# and headers. Here and below results go into variables and not through $(...): a run
# that finds everything built should not fork hundreds of times.
requires() {
	local name
	NEEDS=()
	for name in ${R_REQUIRES[$1]}; do
		case " ${R_VARIANTS[$name]:-} " in *" $VARIANT "*) NEEDS+=("$name") ;; esac
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
	ORDERED=()
	put_in_order "${NAMES[@]}"
	NAMES=("${ORDERED[@]}")
}

# Appends to ORDERED, each name once and after what it needs.
put_in_order() {
	local name
	for name; do
		case " ${ORDERED[*]} " in *" $name "*) continue ;; esac
		requires "$name"
		put_in_order "${NEEDS[@]}"
		ORDERED+=("$name")
	done
}

# Compiler and linker. `-v` names the machine and the distributor's build as well.
tool_id() {
	"$HOST_CC" -v 2>&1 | grep -E '^(gcc version|Target)'
	ld --version | head -n 1
}

# Version of the kernel headers on this machine.
headers_version() {
	dpkg-query -W -f '${Version}' linux-libc-dev 2>/dev/null ||
		awk '/LINUX_VERSION_CODE/ { print "code-" $3 }' /usr/include/linux/version.h 2>/dev/null || echo none
}

# Sets KEY[NAME].
make_key() {
	local name=$1 need text='' file sum
	[ -z "${KEY[$name]:-}" ] || return 0
	requires "$name"
	for need in "${NEEDS[@]}"; do
		make_key "$need"
		text+=${KEY[$need]}
	done
	[ "$name" != headers ] || text+=$(headers_version)
	text+=${LOCK[$name]:-}${LOCK[$name.deb]:-}
	for file in "$PATCH_DIR/$name"-*.patch "$CONFIG_DIR/${R_CONFIG[$name]:-none}"; do
		[ ! -f "$file" ] || text+=$(<"$file")
	done
	[ -n "${TOOL_ID:-}" ] || TOOL_ID=$(tool_id)
	[ -n "${HELPER_TEXT:-}" ] || HELPER_TEXT=$(helper_text)
	sum=$(printf '%s\n' "$VARIANT" "$TOOL_ID" "$HELPER_TEXT" "${R_TEXT[$name]}" \
		"${R_DEBIAN_PATCHES[$name]}" "$text" | sha256sum)
	KEY[$name]=${sum:0:16}
}

# Sets PACKAGE to the folder of NAME's finished build.
package_dir() {
	make_key "$1"
	PACKAGE=$CACHE/pkg/$1-${KEY[$1]}
}

cmd_key() {
	local name asked
	load_recipes
	asked=("${NAMES[@]}")
	select_names
	[ ${#asked[@]} -gt 0 ] || asked=("${NAMES[@]}")
	for name in "${asked[@]}"; do
		package_dir "$name"
		echo "$PACKAGE"
	done
}
