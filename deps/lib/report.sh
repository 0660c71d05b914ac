# report.sh - commands that show or tidy: list and gc. Sourced by deps/deps.
# shellcheck shell=bash

# Upstream version out of a Debian source file's name.
version_of() { # FILE
	local v=${1#*_}
	v=${v%.orig.tar.*}
	v=${v%%+dfsg*}
	v=${v%%+ds*}
	echo "${v##*really}"
}

cmd_list() {
	local name src file size patches from
	load_recipes
	printf '%-14s %-10s %-26s %9s  %s\n' NAME VERSION LICENCE SIZE FROM
	for name in "${ALL_NAMES[@]}"; do
		if [ -n "${LOCK[$name]:-}" ]; then
			read -r src file _ size <<<"${LOCK[$name]}"
			from="Debian source $src: $file"
			read -r _ patches _ <<<"${LOCK[$name.deb]:-}"
			[ -z "$patches" ] || from+=" + $patches"
			printf '%-14s %-10s %-26s %9s  %s\n' "$name" "$(version_of "$file")" \
				"${R_LICENCE[$name]}" "$(human_size "$size")" "$from"
		else
			printf '%-14s %-10s %-26s %9s  %s\n' "$name" "$(headers_version)" "${R_LICENCE[$name]}" - \
				"this machine's package linux-libc-dev"
		fi
	done
}

# A build or sysroot that was asked for has its time stamp renewed, so age is disuse.
# Sources stay: they may be gone from the mirrors.
cmd_gc() {
	local dir count=0
	for dir in "$CACHE"/pkg "$CACHE"/sysroot; do
		[ -d "$dir" ] || continue
		while IFS= read -r -d '' path; do
			rm -rf "$path"
			count=$((count + 1))
		done < <(find "$dir" -mindepth 1 -maxdepth 1 -mtime +30 -print0)
	done
	if [ -d "$CACHE/tmp" ]; then
		while IFS= read -r -d '' path; do
			rm -rf "$path"
			count=$((count + 1))
		done < <(find "$CACHE/tmp" -mindepth 1 -maxdepth 1 -mmin +120 -print0)
	fi
	say "removed $count folders from $CACHE"
}
