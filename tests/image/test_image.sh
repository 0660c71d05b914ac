#!/bin/bash
# test_image.sh: imports by coracle-import of sound, odd, hostile and damaged images, compared with umoci, and under
# a full disk and kill -9. Needs root. The images are written by mkimage.py.
# timeout: 300
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

build=${CORACLE_BUILD:-build}
import=$(realpath "$build/tools/coracle-import")
fetch=$(realpath "$build/bin/coracle-fetch")
here=$PWD/tests/image
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$here/mkimage.py" "$work/images"
cd "$work"

tree() { python3 "$here/listtree.py" "$@"; }

# the store holds no image, layer, blob or staging
untouched() { # STORE
	local left
	left=$(find "$1" -mindepth 1 -not -type d -not -name lock -not -name oci-layout; find "$1/layers" "$1/tmp" -mindepth 1)
	[[ -z $left ]] || { printf 'left behind:\n%s\n' "$left"; return 1; }
}

# the lower directories of an image, topmost first, as overlayfs wants them
lowers() { # STORE MANIFEST-NUMBER
	python3 - "$1" "$2" <<-'END'
	import hashlib, json, sys
	store, number = sys.argv[1], int(sys.argv[2])
	blob = lambda d: json.load(open(f"{store}/images/blobs/sha256/" + d.split(":")[1]))
	index = json.load(open(f"{store}/images/index.json"))
	config = blob(blob(index["manifests"][number]["digest"])["config"]["digest"])
	chain, dirs = "", []
	for diff in config["rootfs"]["diff_ids"]:
	    chain = "sha256:" + hashlib.sha256(f"{chain} {diff}".encode()).hexdigest() if chain else diff
	    dirs.insert(0, f"{store}/layers/{chain.split(':')[1]}/diff")
	print(":".join(dirs))
	END
}

merged() { # STORE: the tree as a container sees it
	mkdir -p empty merged
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t overlay overlay -o "lowerdir=$1:empty" merged && python3 "$2/listtree.py" merged --no-root' \
		sh "$(lowers "$1" 0)" "$here"
}

# -- the same tree as umoci's, from every kind of archive --

as_umoci() { # LAYOUT STORE: everything but the times of directories that have no entry, which umoci sets to now
	umoci unpack --image "images/$1:latest" "umoci-$1" > /dev/null 2>&1
	tree "umoci-$1/rootfs" --no-root > "$1.expected"
	"$import" --root "$1.store" "images/$1"
	merged "$1.store" > "$1.got"
	python3 - "$1.expected" "$1.got" <<-'END'
	import sys
	want, got = ([line.split(" ") for line in open(name)] for name in sys.argv[1:])
	implicit = ("dev", "long", "ümläut")
	bad = len(want) != len(got)
	for a, b in zip(want, got):
	    if a[0].startswith(implicit) and a[1] == "dir":
	        a[4] = b[4] = "any"
	    if a != b:
	        bad = 1
	        print("umoci:  ", *a, "coracle:", *b)
	sys.exit(bad)
	END
}
check "one of everything unpacks as umoci does it" as_umoci rich-layout
check "whiteouts and opaque directories through overlayfs give umoci's tree" as_umoci merge-layout
sparse() { # FORMAT: GNU tar's sparse members, old and new
	rm -rf one
	"$import" --root one "images/sparse-$1.tar" && cmp images/sparse.file one/layers/*/diff/sparse.file &&
		[[ $(du -k one/layers/*/diff/sparse.file | cut -f1) -le 64 ]]
}
check "a sparse file keeps its holes (GNU format)" sparse gnu
check "a sparse file keeps its holes (pax format)" sparse pax
check "a second name is the same file" sh -c 'cd rich-layout.store/layers/*/diff && [ bin/su -ef bin/su2 ] && [ -u bin/su ]'

all_alike() {
	local archive
	tree rich-layout.store/layers/*/diff > rich.tree
	for archive in rich.tar rich-zstd.tar rich-plain.tar rich-members.tar rich-frames.tar rich.tar.gz rich.tar.zst \
		rich-docker.tar rich-docker25.tar rich-docker-gzip.tar; do
		rm -rf one
		"$import" --root one "images/$archive" > out || return
		tree one/layers/*/diff | diff rich.tree - || { echo "$archive differs"; return 1; }
		grep -q '^docker.io/library/rich:' out || { cat out; return 1; }
		[[ -z $(ls one/tmp) ]] || { echo "staging of $archive is left"; return 1; }
	done
}
check "gzip, zstd, plain, members, frames, compressed archives, docker-archives give one tree" all_alike

names() { # ARCHIVE EXPECTED...
	local archive=$1 got
	shift
	rm -rf one
	got=$("$import" --root one "images/$archive" 2>&1 | cut -d' ' -f1 | sort | tr '\n' ' ')
	same "$* " "$got"
}
check "an image without a name gets the file's" names "My Image_1.0.tar" docker.io/library/my-image_1.0:latest
check "a docker-archive's tags become names" names rich-docker.tar docker.io/library/other:tag docker.io/library/rich:docker
check "a tar that ends without padding is taken" names nopad.tar docker.io/library/nopad:1
check "an image without layers is taken" names no-layers.tar docker.io/library/no-layers:1
check "links in a docker-archive are followed" names repeat-docker.tar docker.io/library/repeat:1
from_pipe() { rm -rf one && "$import" --root one - < <(cat images/rich-docker.tar) && tree one/layers/*/diff | diff rich.tree -; }
check "an archive from a pipe" from_pipe
check "kept blobs make an OCI layout that skopeo reads" sh -c \
	'"$0" --root keep images/merge.tar && skopeo copy -q oci:keep/images:docker.io/library/merge:1 oci:copied:x && umoci ls --layout copied' "$import"
no_blobs() { rm -rf one && "$import" --root one --keep-blobs no images/merge.tar && same 2 "$(find one/images/blobs -type f | wc -l)"; }
check "without --keep-blobs only the documents stay" no_blobs

platform() { # PLATFORM FILE ARCHIVE
	rm -rf one && "$import" --root one --platform "$1" "images/$3" && [ -e one/layers/*/diff/"$2" ]
}
check "this machine's image of an index" platform linux/amd64 arch-amd64 nested1.tar
check "another machine's image of an index in an index" platform linux/arm64 arch-arm64 nested2.tar
no_platform() { local m; rm -rf one; m=$("$import" --root one --platform linux/riscv64 images/nested1.tar 2>&1) && return 1; contains "$m" "no image for linux/riscv64" linux/s390x; }
check "a platform that is not there: the message says which are" no_platform

overlay_attributes() {
	local m
	rm -rf one
	m=$("$import" --root one images/xattrs.tar 2>&1)
	contains "$m" "entry 'odd': extended attribute trusted.overlay.opaque left away" &&
		python3 -c 'import os, sys; sys.exit(len(os.listxattr(sys.argv[1])))' one/layers/*/diff/odd
}
check "attributes that speak to overlayfs are left away, with a warning" overlay_attributes

# -- what must be refused --

refused() { # ARCHIVE-WITHOUT-ENDING
	local m word
	m=$("$import" --root refused "$1.tar" 2>&1) && { echo "taken: $m"; return 1; }
	while read -r word; do contains "$m" "$word" || return; done < "$1.why"
	contains "$m" "import $(basename "$1").tar: " && untouched refused && [[ ! -e /tmp/escaped ]]
}
for why in images/bad/*.why; do
	check "refused: $(basename "$why" .why)" refused "${why%.why}"
done

# -- the store --

again() {
	local m
	rm -rf one
	"$import" --root one images/rich.tar > /dev/null
	m=$(strace -f -e trace=execve "$import" --root one images/rich.tar 2>&1)
	contains "$m" "(known)" && lacks "$m" coracle-fetch || return
	rm -rf one/layers/*
	m=$("$import" --root one images/rich.tar) && [ -e one/layers/*/diff/bin/su ]
}
if command -v strace > /dev/null; then check "a known archive is not read again, unless its layers are gone" again; fi

one_owner() {
	rm -rf one
	"$import" --root one images/rich.tar > /dev/null
	local m
	m=$(flock one/lock "$import" --root one images/merge.tar 2>&1) && return 1
	contains "$m" "used by another process"
}
check "a store has one owner at a time" one_owner

moved_name() {
	rm -rf one
	"$import" --root one --name app:1 images/rich.tar && "$import" --root one --name app:1 images/merge.tar &&
		same 2 "$(grep -c '"digest"' one/images/index.json)" && same 1 "$(grep -c 'app:1' one/images/index.json)"
}
check "a name moves to the new image, the old one stays without" moved_name

full_disk() { # SIZE ARCHIVE OPTION...: on a file system of SIZE
	mkdir -p small
	# shellcheck disable=SC2016
	unshare -m bash -c 'mount -t tmpfs -o "size=$1" none small && shift
		m=$("$@" 2>&1) && { echo "taken: $m"; exit 1; }
		echo "$m"
		find small/store -mindepth 1 -not -type d -not -name lock -not -name oci-layout
		find small/store/tmp small/store/layers -mindepth 1' bash "$1" "$import" --root small/store "${@:3}" "images/$2"
}
full_early() { local m; m=$(full_disk 2m rich.tar) || return; same 1 "$(wc -l <<< "$m")" && contains "$m" "small/store is too small" "MB are needed" "MB are free"; }
check "a full disk is found before the first byte" full_early
# a zstd layer does not say how large it becomes
full_late() { local m; m=$(full_disk 1m rich-zstd.tar) || return; same 1 "$(wc -l <<< "$m")" && contains "$m" "too small" "entry 'big': write: No space left"; }
check "a disk that fills up in the middle: the message says what is needed, nothing stays" full_late
full_blob() { local m; m=$(full_disk 4m rich-plain.tar --keep-blobs yes) || return; same 1 "$(wc -l <<< "$m")" && contains "$m" "too small"; }
check "a disk too small for the blob" full_blob

# -- the confined process --

# starts coracle-fetch on a pipe that stays open: confined, and waiting
hold_fetch() {
	mkfifo hold
	mkdir -p jail
	"$fetch" unpack --digest - --diff-id - < hold > held.out 3< jail &
	held=$!
	exec 9> hold
	until [[ $(awk '/^Seccomp:/ { print $2 }' "/proc/$held/status") == 2 ]]; do :; done
}
hold_fetch
status=$(cat "/proc/$held/status")
check "it has six capabilities and cannot get more" contains "$status" $'CapEff:\t000000008800001b' $'CapBnd:\t000000008800001b' \
	$'NoNewPrivs:\t1' $'CapInh:\t0000000000000000' $'CapAmb:\t0000000000000000'
check "its root is the layer" same "$work/jail" "$(readlink "/proc/$held/root")"
other_namespaces() { local n; for n in mnt net ipc uts; do [[ $(readlink "/proc/$held/ns/$n") != $(readlink "/proc/self/ns/$n") ]] || return; done; }
check "its namespaces are its own" other_namespaces
check "it holds no other descriptors" same "0 1 2 3" "$(ls "/proc/$held/fd" | tr '\n' ' ' | sed 's/ $//')"
exec 9>&-
wait "$held" || true
check "an empty stream is an empty layer" grep -q '^done sha256:e3b0c442' held.out

# -- kill -9 in the middle --

killed() {
	local pid children child
	rm -rf one slow
	mkfifo slow
	# the archive comes through a pipe that stops in its middle
	"$import" --root one --keep-blobs yes - < slow > /dev/null 2>&1 &
	pid=$!
	exec 9> slow
	head -c 3000000 images/rich-plain.tar >&9
	until compgen -G "one/tmp/import-*/members/*" > /dev/null; do :; done
	children=$(cat "/proc/$pid/task/$pid/children")
	[[ -n $children ]] || return 1
	kill -9 "$pid"
	wait "$pid" || true
	for child in $children; do while [[ -d /proc/$child ]]; do :; done; done
	exec 9>&-
	[[ -n $(ls one/tmp) && -z $(ls one/layers) ]] || { echo "nothing was staged"; return 1; }
	"$import" --root one images/merge.tar && [[ -z $(ls one/tmp) ]]
}
check "kill -9 while reading: the children go too, and the next start cleans up" killed

# stops the import at its Nth sync, rename or fsync by strace's fault injection, kill -9 there
at_every_step() {
	local n=1 m
	while :; do
		rm -rf one
		# strace ends with the signal that it injected: that is no failure of this test
		strace -o trace -f -e trace=syncfs,renameat2,renameat,rename,fsync -e inject=syncfs,renameat2,renameat,rename,fsync:signal=KILL:when=$n \
			"$import" --root one images/merge.tar > out 2>&1 && break
		m=$("$import" --root one images/merge.tar 2>&1) || { echo "after a kill at step $n: $m"; return 1; }
		diff <(merged one) merge-layout.got || { echo "after a kill at step $n"; return 1; }
		[[ -z $(ls one/tmp) ]] || return 1
		n=$((n + 1))
	done
	((n > 8)) || { echo "only $n steps"; return 1; }
}
if command -v strace > /dev/null; then check "kill -9 at every sync and rename: the next import gives the whole image" at_every_step; fi

# -- others --

as_nobody() {
	mkdir -p nobody && chown 65534:65534 nobody && chmod 755 . && chmod -R a+rX images
	setpriv --reuid 65534 --regid 65534 --clear-groups "$import" --root nobody/store images/rich.tar &&
		[[ -e $(echo nobody/store/layers/*/diff/bin/su) ]]
}
check "without root: the files come, owners and devices do not" as_nobody

peak() { # PID: most KiB that were resident so far
	awk '/^VmHWM:/ { print $2 }' "/proc/$1/status"
}
memory() {
	local pid fetch_peak import_peak
	rm -rf one slow
	mkfifo slow
	"$import" --root one - < slow > /dev/null 2>&1 &
	pid=$!
	exec 9> slow
	# all but the end: when it has been written, it has been read and unpacked but for a pipe full
	head -c 5500000 images/rich-docker.tar >&9 || true
	import_peak=$(peak "$pid")
	fetch_peak=$(peak "$(tr -d " " < "/proc/$pid/task/$pid/children")")
	exec 9>&-
	wait "$pid" || true
	echo "# peak resident: coracle-fetch $fetch_peak KiB, importer $import_peak KiB"
	((fetch_peak > 1000 && fetch_peak < 6144 && import_peak > 50 && import_peak < 4096))
}
check "an archive of any size is read in 6 MiB" memory

tap_end
