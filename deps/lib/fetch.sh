# fetch.sh - get a pinned source file: from the cache, from a folder, or through this
# machine's own apt configuration. The pinned SHA-256 is the only thing trusted, so it
# does not matter which mirror answers; nothing here knows a host name.
# Sourced by deps/deps.
# shellcheck shell=bash

APT_HELPER=/usr/lib/apt/apt-helper

has_hash() { [ -f "$1" ] && echo "$2  $1" | sha256sum -c --status 2>/dev/null; }

# Archives that apt knows here, Debian's first; then DEPS_URIS. indextargets is empty
# when the package lists were cleared (usual in container images), but the second
# form still works then, and for any user.
archive_uris() {
	# shellcheck disable=SC2016 # apt expands these
	{
		apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 2>/dev/null || true
		apt-get update --print-uris 2>/dev/null | sed -n "s#^'\(.*\)/dists/.*#- \1/#p" || true
	} | awk '$NF ~ /^[a-z+]+:/ && !seen[$NF]++ { print ($1 == "Debian" ? 0 : 1), $NF }' |
		sort -sn -k1,1 | cut -d' ' -f2
	local uri
	for uri in ${DEPS_URIS:-}; do
		echo "${uri%/}/"
	done
}

# Places, relative to an archive, where FILE of source package SRC may lie.
archive_paths() { # URI SRC
	local prefix=${2:0:1}
	[ "${2:0:3}" != lib ] || prefix=${2:0:4}
	case " ${DEPS_URIS:-} " in *" ${1%/} "* | *" $1 "*) echo . ;; esac
	case $1 in
	*security*) echo "pool/updates/main/$prefix/$2" ;;
	*ubuntu*) echo "pool/main/$prefix/$2 pool/universe/$prefix/$2" ;;
	*) echo "pool/main/$prefix/$2" ;;
	esac
}

# Downloads URI to FILE through apt's methods and proxy settings; apt checks the hash
# as well. Machines without apt fall back on curl or wget.
download() { # URI FILE SHA256
	rm -f "$2"
	if [ -x "$APT_HELPER" ]; then
		"$APT_HELPER" -o APT::Sandbox::User=root -o Acquire::Retries=2 \
			download-file "$1" "$2" "SHA256:$3" >/dev/null 2>&1 || true
	elif command -v curl >/dev/null; then
		curl -fsSL --retry 2 -o "$2" "$1" || true
	elif command -v wget >/dev/null; then
		wget -q -O "$2" "$1" || true
	fi
	has_hash "$2" "$3"
}

# A private apt state that knows newer suites, at the address this machine's own apt
# uses. Needed only to re-pin, or when a file is not at its usual place.
private_index() {
	local dir=$CACHE/apt suites=${DEPS_SUITES:-trixie trixie-updates} key= k main security
	[ -z "$(find "$dir/stamp" -mmin -720 2>/dev/null)" ] || return 0
	[ -x "$APT_HELPER" ] || return 1
	main=$(archive_uris | grep -E '/debian/?$' | head -n 1) || return 1
	security=$(archive_uris | grep -E '/debian-security/?$' | head -n 1) || true
	for k in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		[ ! -f "$k" ] || key="Signed-By: $k"
	done
	mkdir -p "$dir"/{parts,lists/partial,cache/archives/partial}
	{
		printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\n%s\n' "$main" "$suites" "$key"
		[ -z "$security" ] || printf '\nTypes: deb-src\nURIs: %s\nSuites: %s\nComponents: main\n%s\n' \
			"$security" "${suites%% *}-security" "$key"
	} >"$dir/parts/deps.sources"
	cat >"$dir/conf" <<-CONF
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$dir/parts";
		Dir::State::lists "$dir/lists";
		Dir::Cache "$dir/cache";
		APT::Sandbox::User "root";
	CONF
	APT_CONFIG=$dir/conf apt-get -qq update >/dev/null 2>&1 && touch "$dir/stamp"
}

show_source() { APT_CONFIG=$CACHE/apt/conf apt-cache showsrc "$1" 2>/dev/null; }

# Path, relative to an archive, under which some suite lists this very hash.
indexed_path() { # SRC FILE SHA256
	private_index || return 1
	show_source "$1" | awk -v f="$2" -v h="$3" '
		/^Directory:/ { dir = $2 }
		/^Checksums-Sha256/ { sums = 1; next }
		/^[^ ]/ { sums = 0 }
		sums && $1 == h && $3 == f { hit = 1 }
		/^$/ { if (hit) print dir "/" f; hit = 0 }
		END { if (hit) print dir "/" f }' | head -n 1
}

# Looks for FILE in the folders of DEPS_DIST (and deps/dist), under its own name or
# the name it has in the cache.
from_folder() { # FILE SHA256 DEST
	local IFS=: dir candidate
	for dir in ${DEPS_DIST:-} "$DEPS_HERE/dist"; do
		for candidate in "$dir/$1" "$dir/$2-$1"; do
			if has_hash "$candidate" "$2"; then
				cp -L "$candidate" "$3.$$"
				mv "$3.$$" "$3"
				return 0
			fi
			[ ! -f "$candidate" ] || say "ignored $candidate: its SHA-256 is not the pinned one"
		done
	done
	return 1
}

from_archives() { # SRC FILE SHA256 DEST
	local uri path part=$4.$$ quoted=${2//+/%2b}
	[ -z "${DEPS_OFFLINE:-}" ] || return 1
	for uri in $(archive_uris); do
		for path in $(archive_paths "$uri" "$1"); do
			if download "${uri%/}/$path/$quoted" "$part" "$3"; then
				mv "$part" "$4"
				return 0
			fi
		done
	done
	path=$(indexed_path "$1" "$2" "$3") || path=
	if [ -n "$path" ]; then
		for uri in $(archive_uris); do
			if download "${uri%/}/${path//+/%2b}" "$part" "$3"; then
				mv "$part" "$4"
				return 0
			fi
		done
	fi
	rm -f "$part" "$part".*
	return 1
}

# Prints the path of the verified file of lock entry NAME, fetching it when needed.
fetch_entry() {
	local src file sha size path start
	[ -n "${LOCK[$1]:-}" ] || die "no line for '$1' in $LOCK_FILE"
	read -r src file sha size <<<"${LOCK[$1]}"
	path=$CACHE/dl/$sha-$file
	mkdir -p "$CACHE/dl"
	if has_hash "$path" "$sha"; then
		echo "$path"
		return 0
	fi
	start=$(now_ms)
	if from_folder "$file" "$sha" "$path"; then
		say "copied   $file"
	elif from_archives "$src" "$file" "$sha" "$path"; then
		say "fetched  $file, $(human_size "$size"), $(seconds_since "$start") s"
	else
		cannot_get "$src" "$file" "$sha"
	fi
	echo "$path"
}

cannot_get() { # SRC FILE SHA256
	die "cannot get $2 (SHA-256 $3).
  Either there is no network, or this version has left the mirrors. Three ways out:
  1. put the file into a folder and name it:   DEPS_DIST=/folder deps/deps sysroot
  2. name an archive that keeps old versions:  DEPS_URIS='ADDRESS' deps/deps sysroot
  3. pin the version the mirrors have now:     deps/deps lock $1"
}

cmd_fetch() {
	local name entry
	load_recipes
	check_names
	[ ${#NAMES[@]} -gt 0 ] || NAMES=("${ALL_NAMES[@]}")
	for name in "${NAMES[@]}"; do
		for entry in "$name" "$name.deb"; do
			[ -z "${LOCK[$entry]:-}" ] || fetch_entry "$entry" >/dev/null
		done
	done
}

# Newest files of source package SRC, as lock lines.
newest_lines() { # SRC
	show_source "$1" | awk -v s="$1" '
		/^Package:/ { package = $2 }
		/^Checksums-Sha256/ { sums = 1; next }
		/^[^ ]/ { sums = 0 }
		package == s && sums && $3 ~ /\.orig\.tar\.(gz|xz|bz2)$/ { print s, s, $3, $1, $2 }
		package == s && sums && $3 ~ /\.debian\.tar\.xz$/ { print s ".deb", s, $3, $1, $2 }' |
		sort -u -V | awk '{ line[$1] = $0 } END { for (k in line) print line[k] }' | sort
}

# Replaces the lines of the named sources. A line for the distributor's patches is
# written only where the recipe asks for them.
cmd_lock() {
	local name lines tmp
	[ ${#NAMES[@]} -gt 0 ] || die "lock: name the sources to pin, for example: deps/deps lock zlib"
	load_recipes
	private_index || die "lock: cannot read the index of ${DEPS_SUITES:-trixie} through apt"
	for name in "${NAMES[@]}"; do
		[ -n "${R_LICENCE[$name]:-}" ] || die "lock: there is no recipe $RECIPE_DIR/$name.sh"
		lines=$(newest_lines "$name")
		[ -n "$lines" ] || die "lock: the archive has no source package '$name'"
		[ -n "${R_DEBIAN_PATCHES[$name]}" ] || lines=$(grep -v '^[^ ]*\.deb ' <<<"$lines")
		tmp=$LOCK_FILE.$$
		{
			grep '^#' "$LOCK_FILE"
			{
				awk -v n="$name" '!/^#/ && $1 != n && $1 != n ".deb"' "$LOCK_FILE"
				echo "$lines"
			} | sort
		} >"$tmp"
		mv "$tmp" "$LOCK_FILE"
		echo "$lines" >&2
	done
	say "written to $LOCK_FILE; build and test before you commit it"
}
