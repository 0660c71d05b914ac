#!/bin/bash
# test_images_gc.sh: a disk that is full or nearly so, and an engine that is killed while images come and go. TAP output.
# timeout: 600
set -euo pipefail
# shellcheck source=tests/engine/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v docker >/dev/null || skip_all 'needs the docker command line (apt-get install docker.io)'
command -v mkfs.ext4 >/dev/null || skip_all 'needs mkfs.ext4'

# a disk of its own, 64 MB
truncate -s 64M "$work/disk"
mkfs.ext4 -q -m 0 "$work/disk"
mount -o loop "$work/disk" "$work/root" 2>/dev/null || skip_all 'cannot mount a loop device here'

# An archive with one file of MB that does not compress.
archive() { # NAME MB
	python3 - "$1" "$2" "$work" <<-'PYTHON'
		import hashlib, io, json, os, sys, tarfile
		name, size, work = sys.argv[1], int(float(sys.argv[2]) * 1e6), sys.argv[3]
		layer = io.BytesIO()
		with tarfile.open(fileobj=layer, mode="w") as t:
		    for n, data in (("data-" + name, os.urandom(size)),):
		        i = tarfile.TarInfo(n); i.size = len(data); t.addfile(i, io.BytesIO(data))
		layer = layer.getvalue()
		config = json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers",
		    "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}).encode()
		with tarfile.open(f"{work}/{name}.tar", "w") as t:
		    for n, data in (("layer.tar", layer), ("config.json", config), ("manifest.json", json.dumps(
		        [{"Config": "config.json", "RepoTags": [name + ":1"], "Layers": ["layer.tar"]}]).encode())):
		        i = tarfile.TarInfo(n); i.size = len(data); t.addfile(i, io.BytesIO(data))
	PYTHON
}
has() { docker image inspect "$1" >/dev/null 2>&1; }
lacks_image() { ! has "$1"; }
staging_empty() { [[ -z $(ls -A "$work/root/tmp") ]]; }
whole() { # every image of the store can be saved, with right digests
	local name
	for name in $(docker images -aq); do
		rm -rf "$work/x"
		mkdir "$work/x"
		docker save "$name" | tar -x -C "$work/x" || return 1
		(cd "$work/x/blobs/sha256" && for f in *; do [[ $(sha256sum <"$f") == "$f  -" ]] || exit 1; done) || return 1
	done
}
engine_pid() { cat "$work/run/engine.pid"; }

cp "$fixtures/busybox.oci.tar" "$work/run/media/0/"
want "$(service web 'exec sleep 1000')" "$(service fails 'exit 3')" "$(service later 'true' 'image="docker.io/library/kept:1"' 'depends_on=[{"name":"fails","condition":"service_completed_successfully","required":true}]')"
engine_start --gc-free 0

# -- full ------------------------------------------------------------------------------
eventually same running "$(field web '{{.State.Status}}')"
before=$(find "$work/root/images" "$work/root/layers" -mindepth 1 -maxdepth 3 | sort)
archive huge 70
check 'load of what is larger than the disk fails' bash -c "! docker load -i '$work/huge.tar' 2>'$work/said'"
check 'and says so' grep -Eq 'No space left|too small' "$work/said"
archive large 25
check 'load of what fits, but not unpacked, fails' bash -c "! docker load -i '$work/large.tar' 2>'$work/said'"
check 'and says so, too' grep -Eq 'No space left|too small' "$work/said"
check 'import onto the full disk fails' bash -c "! docker import '$work/huge.tar' huge:1 2>'$work/said'"
check 'with the reason' grep -Eq 'No space left|too small' "$work/said"
check 'nothing of all that is left' same "$before" "$(find "$work/root/images" "$work/root/layers" -mindepth 1 -maxdepth 3 | sort)"
check 'staging is empty' staging_empty
docker restart -t 0 web >/dev/null
head -c 40000000 /dev/urandom >"$work/root/ballast"
pid=$(field web '{{.State.Pid}}')
head -c 12000000 /dev/urandom >"/proc/$pid/root/data"
check 'commit onto the full disk fails' bash -c "! docker commit web full:1 2>'$work/said'"
check 'and says why' grep -Eq 'No space left|too small' "$work/said"
check 'tag onto the full disk: whole before or after' bash -c "docker tag busybox other:1 2>/dev/null; docker image inspect busybox >/dev/null"
docker rmi other:1 >/dev/null 2>&1 || true
rm -f "$work/root/ballast" "/proc/$pid/root/data"
check 'all images are whole' whole
check 'and the container runs' same running "$(field web '{{.State.Status}}')"

# -- nearly full -------------------------------------------------------------------------
engine_leave
for n in one two three; do archive $n 3; done
archive kept 1
engine_start --gc-free 40
for n in kept one two; do
	docker load -i "$work/$n.tar" >/dev/null
	touch -d "2020-01-0$((${#n}))" "$work/root"/images/blobs/sha256/"$(docker image inspect --format '{{index .RepoDigests 0}}' $n:1 | cut -d: -f3)"
done
check 'with enough room all stay' bash -c 'docker image inspect kept:1 one:1 two:1 >/dev/null'
head -c 28000000 /dev/urandom >"$work/root/ballast"
docker load -i "$work/three.tar" >/dev/null
check 'a disk that is nearly full: unused images go' eventually lacks_image one:1
check 'each is reported' eventually grep -q 'nearly full .* removed image docker.io/library/one:1' "$work/run/problems"
check 'that of a running container stays' has busybox
check 'and that of a service that has not started yet' has kept:1
check 'the room is there' eventually bash -c "(( \$(find '$work/root/layers' -mindepth 1 -maxdepth 1 | wc -l) < 5 ))"
check 'what stays is whole' whole
check 'when nothing more can go it is said once' eventually grep -q 'no image left that no container uses' "$work/run/problems"
rm -f "$work/root/ballast"

# -- killed ----------------------------------------------------------------------------
engine_leave
engine_start --gc-free 0
kills=${KILLS:-12}
pid=$(field web '{{.State.Pid}}')
for i in $(seq "$kills"); do
	ready=$(wc -l <"$work/run/ready")
	case $((i % 4)) in
	0) docker load -i "$work/two.tar" ;;
	1) docker commit web "killed:$i" ;;
	2) docker rmi -f two:1 "killed:$((i - 1))" ;;
	3) docker image prune -af ;;
	esac >/dev/null 2>&1 &
	client=$!
	# a moment that differs each time
	python3 -c "import time; time.sleep(0.0${RANDOM:0:3})"
	kill -9 "$(engine_pid)"
	wait $client || true
	ready_after "$ready" || break
	whole || break
done
check "killed $kills times: every image is whole each time" same "$kills" "$i"
check 'the container is the same process' same "running $pid" "$(field web '{{.State.Status}} {{.State.Pid}}')"
check 'staging is empty after all' eventually staging_empty
docker image prune -af >/dev/null
unneeded() { (($(find "$work/root/layers" -mindepth 1 -maxdepth 1 | wc -l) == $(docker images -q | sort -u | wc -l))); }
check 'and after a prune there is no layer that no image has' eventually unneeded
tap_end
