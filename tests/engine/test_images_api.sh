#!/bin/bash
# test_images_api.sh: Debian's docker command line and images: load, save, import, export, commit, tag, rmi, history, prune, df. TAP output.
# timeout: 600
set -euo pipefail
# shellcheck source=tests/engine/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v docker >/dev/null || skip_all 'needs the docker command line (apt-get install docker.io)'

raw() { curl -s --unix-socket "$work/docker.sock" "$@"; }
image_id() { docker image inspect --format '{{.Id}}' "$1"; }
blobs() { tar -tf "$1" | grep '^blobs/sha256/.' | sort; }
layers_left() { find "$work/root/layers" -mindepth 1 -maxdepth 1 | wc -l; }
staging_empty() { [[ -z $(ls -A "$work/root/tmp") ]]; }

cp "$fixtures/busybox.oci.tar" "$work/run/media/0/"
want "$(service web 'echo changed >/etc/motd; rm /bin/vi; mkdir /new; echo one >/new/a; ln /new/a /new/b; rm -rf /var/spool; mkdir /var/spool; echo x >/var/spool/x; chmod 4755 /new/a; mkfifo /new/p; dd if=/dev/null of=/new/sparse bs=1M seek=20 2>/dev/null; printf tail >>/new/sparse; ln -s a /new/l; exec sleep 1000')" \
	"$(service once 'exit 0')"
engine_start
eventually same exited "$(field once '{{.State.Status}}')"
eventually test -h "$work"/root/containers/"$(docker ps -q --no-trunc --filter name=web)"/upper/new/l
id=$(image_id busybox)

# -- inspect, history, tag ---------------------------------------------------------
check 'image inspect by name' same busybox:latest "$(docker image inspect --format '{{index .RepoTags 0}}' busybox)"
check 'image inspect by id' same "$id" "$(image_id "${id:7:12}")"
check 'image inspect: layers, system, size' contains "$(docker image inspect busybox)" '"Type": "layers"' '"Os": "linux"' '"Architecture"' '"Size"'
check 'image inspect of an unknown one' contains "$(docker image inspect nosuch 2>&1 || true)" 'No such image: nosuch:latest'
check 'history has a size and the id' contains "$(docker history --no-trunc busybox)" "$id"
check 'tag' docker tag busybox example.test:5000/team/bb:1
check 'a tag is another name of the same image' same "$id" "$(image_id example.test:5000/team/bb:1)"
check 'tag of an unknown image' contains "$(docker tag nosuch x 2>&1 || true)" 'No such image: nosuch:latest'
check 'images --filter reference' contains "$(docker images example.test:5000/team/bb)" example.test:5000/team/bb

# -- save and load ------------------------------------------------------------------
check 'save' docker save -o "$work/a.tar" busybox example.test:5000/team/bb:1
check 'an archive of both kinds' contains "$(tar -tf "$work/a.tar")" index.json manifest.json oci-layout blobs/sha256/
right_digests() {
	local f
	rm -rf "$work/x"
	mkdir "$work/x"
	tar -xf "$work/a.tar" -C "$work/x"
	for f in "$work"/x/blobs/sha256/*; do [[ $(sha256sum <"$f") == "$(basename "$f")  -" ]] || return 1; done
}
check 'every blob is what its name says' right_digests
check 'bit by bit those of the store' diff -r "$work/x/blobs" "$work/root/images/blobs"
check 'skopeo reads its index' skopeo inspect "oci-archive:$work/a.tar:latest"
check 'skopeo reads its manifest.json' skopeo inspect "docker-archive:$work/a.tar:docker.io/library/busybox:latest"
check 'save of an unknown image' contains "$(docker save nosuch 2>&1 >/dev/null || true)" 'No such image'
before=$(blobs "$work/a.tar")
check 'load of what is there' contains "$(docker load -i "$work/a.tar")" 'Loaded image: busybox:latest' 'Loaded image: example.test:5000/team/bb:1'
check 'is the same image' same "$id" "$(image_id busybox)"
round_trip() { docker save busybox | docker load; }
check 'save | load' contains "$(round_trip)" 'Loaded image: busybox:latest'
check 'gives the same archive again' same "$before" "$(docker save -o "$work/b.tar" busybox example.test:5000/team/bb:1 && blobs "$work/b.tar")"
check 'to the last bit' cmp "$work/a.tar" "$work/b.tar"
check 'save by id has no name' same null "$(docker save "$id" | tar -xO manifest.json | python3 -c 'import json,sys; print(json.dumps(json.load(sys.stdin)[0]["RepoTags"]))')"
head -c 700000 "$work/a.tar" >"$work/cut.tar"
check 'load of half an archive fails' bash -c "! docker load -i '$work/cut.tar' 2>$work/said"
check 'and says why' grep -Eq 'truncated|damaged|missing|archive' "$work/said"
echo nonsense >"$work/nonsense.tar"
check 'load of no archive fails' bash -c "! docker load -i '$work/nonsense.tar' 2>/dev/null"
check 'staging is empty' staging_empty
half() {
	local curl hold
	mkfifo "$work/half"
	exec {hold}<>"$work/half" # open for as long as it shall not end
	raw -T - -X POST -H 'Content-Type: application/x-tar' http://localhost/images/load <"$work/half" >/dev/null &
	curl=$!
	head -c 300000 "$work/a.tar" >"$work/half"
	eventually bash -c "[[ -n \$(ls '/proc/$(cat "$work/run/engine.pid")/task/'*/children 2>/dev/null) ]]"
	kill -9 $curl
	exec {hold}>&-
}
half 2>/dev/null || true
check 'a client that goes in the middle leaves nothing' eventually staging_empty
check 'and the engine answers' contains "$(docker images)" busybox

# -- commit ---------------------------------------------------------------------------
check 'commit' contains "$(docker commit -a me -m 'a message' -c 'ENV A="b c"' -c 'CMD ["sh","-c","cat /etc/motd"]' -c 'LABEL k=v' -c 'EXPOSE 80' web changed:1)" sha256:
check 'its configuration has the changes' same 'b c|v|map[80/tcp:{}]|[sh -c cat /etc/motd]' \
	"$(docker image inspect --format '{{range .Config.Env}}{{if eq (slice . 0 2) "A="}}{{slice . 2}}{{end}}{{end}}|{{.Config.Labels.k}}|{{.Config.ExposedPorts}}|{{.Config.Cmd}}' changed:1)"
check 'its author and comment' same me "$(docker image inspect --format '{{.Author}}' changed:1)"
check 'and a line of history' contains "$(docker history changed:1)" 'a message'
check 'a bad change' contains "$(docker commit -c 'FROM x' web bad:1 2>&1 || true)" 'is not a valid change command'
docker save -o "$work/changed.tar" changed:1
tree_of() { # ARCHIVE: its tree by umoci
	rm -rf "$work/layout" "$work/bundle"
	mkdir "$work/layout"
	tar -xf "$1" -C "$work/layout"
	umoci unpack --image "$work/layout:$2" "$work/bundle" >/dev/null 2>&1
}
if command -v umoci >/dev/null; then
	check 'umoci unpacks the committed image' tree_of "$work/changed.tar" 1
	got=$work/bundle/rootfs
	check 'a changed file' same changed "$(cat "$got/etc/motd")"
	check 'a removed one is gone' test ! -e "$got/bin/vi"
	check 'an opaque directory hides what was below' same x "$(ls "$got/var/spool")"
	check 'two names of one file' test "$got/new/a" -ef "$got/new/b"
	check 'set-id bits, fifos, links' bash -c "[[ -u $got/new/a && -p $got/new/p && \$(readlink $got/new/l) == a ]]"
	check 'a sparse file has its length and end' same "$((20 * 1024 * 1024 + 4)) tail" "$(stat -c %s "$got/new/sparse") $(tail -c 4 "$got/new/sparse")"
fi
check 'holes are not in the layer' test "$(stat -c %s "$work/changed.tar")" -lt 10000000
check 'the layer in the store keeps the holes' test "$(du -k "$work"/root/layers/*/diff/new/sparse | cut -f1)" -lt 100
check 'commit of one that never wrote' contains "$(docker commit once)" sha256:
check 'commit of an unknown container' contains "$(docker commit nosuch 2>&1 || true)" 'No such container: nosuch'

# -- export and import ------------------------------------------------------------------
check 'export of a running container' docker export -o "$work/web.tar" web
check 'has the merged tree' contains "$(tar -tf "$work/web.tar")" etc/motd new/a bin/sh
check 'without what was removed' lacks "$(tar -tf "$work/web.tar")" bin/vi$'\n'
check 'export of a stopped one' docker export -o "$work/once.tar" once
check 'is whole' contains "$(tar -tf "$work/once.tar")" bin/vi bin/sh
check 'import' contains "$(docker import -c 'CMD ["/bin/sh"]' -m 'from a tar' "$work/web.tar" flat:1)" sha256:
check 'one layer, with the change' same '1 [/bin/sh]' "$(docker image inspect --format '{{len .RootFS.Layers}} {{.Config.Cmd}}' flat:1)"
check 'import from standard input, compressed' contains "$(gzip -1 <"$work/once.tar" | docker import - flat:gz)" sha256:
check 'import of nonsense fails' bash -c "! docker import '$work/nonsense.tar' bad:1 2>/dev/null"
check 'and leaves nothing' bash -c "[[ -z \$(ls -A '$work/root/tmp') ]] && ! docker image inspect bad:1 2>/dev/null"

# -- rmi and prune ----------------------------------------------------------------------
check 'rmi of a name that is not the last' same 'Untagged: example.test:5000/team/bb:1' "$(docker rmi example.test:5000/team/bb:1)"
check 'rmi of an image in use, by name' contains "$(docker rmi busybox 2>&1 || true)" \
	'conflict: unable to remove repository reference "busybox" (must force) - container' 'is using its referenced image'
check 'rmi of an image in use, by id' contains "$(docker rmi "${id:7:12}" 2>&1 || true)" \
	"conflict: unable to delete ${id:7:12} (cannot be forced) - image is being used by running container"
check 'is 409' same 409 "$(raw -o /dev/null -w '%{http_code}' -X DELETE http://localhost/images/busybox)"
check 'rmi of an unknown image' contains "$(docker rmi nosuch 2>&1 || true)" 'No such image: nosuch:latest'
n=$(layers_left)
check 'rmi' contains "$(docker rmi flat:1)" 'Untagged: flat:1' 'Deleted: sha256:'
check 'its layer is gone, no other' same $((n - 1)) "$(layers_left)"
check 'those that stay are whole' bash -c "set -o pipefail; docker save busybox changed:1 flat:gz | cat >/dev/null"
docker tag flat:gz other:1
check 'rmi by id with several names' contains "$(docker rmi "$(docker images -q flat:gz)" 2>&1 || true)" 'must be forced' 'multiple repositories'
check 'rmi -f by id takes all names' contains "$(docker rmi -f "$(docker images -q flat:gz)")" 'Untagged: flat:gz' 'Untagged: other:1' 'Deleted:'
check 'the untagged commit is dangling' same 1 "$(docker images -q --filter dangling=true | wc -l)"
check 'image prune takes it' contains "$(docker image prune -f)" 'deleted: sha256:' 'Total reclaimed space'
check 'and nothing else' same 2 "$(docker images -q | wc -l)"
check 'image prune --filter until keeps what is newer' contains "$(docker image prune -af --filter until=24h)" 'Total reclaimed space: 0B'
check 'image prune -a takes what no container has' contains "$(docker image prune -af)" 'untagged: changed:1'
check 'but not images in use' contains "$(docker images)" busybox
check 'system df' contains "$(docker system df)" Images Containers 'Local Volumes' 'Build Cache'
check 'system df -v' contains "$(docker system df -v)" busybox web
check 'image by image' same '1 1' "$(docker system df --format '{{if eq .Type "Images"}}{{.TotalCount}} {{.Active}}{{end}}' | grep .)"
coracle() { CORACLE_SOCKET=$work/docker.sock CORACLE_RUN=$work/run "$build/bin/coracle" "$@"; }
check 'coracle df' contains "$(coracle df)" 'COULD GO' images containers volumes
docker commit once >/dev/null
check 'coracle prune' contains "$(coracle prune)" 'deleted sha256:' freed
check 'build prune says nothing' contains "$(docker builder prune -f 2>&1)" 'Total'
check 'rmi -f of an image that runs takes its name' same 'Untagged: busybox:latest' "$(docker rmi -f busybox)"
check 'the container runs on' same running "$(field web '{{.State.Status}}')"
check 'and its image stays' contains "$(docker images)" '<none>' "${id:7:12}"
[[ $(raw -o /dev/null -w '%{http_code}' -X POST http://localhost/networks/prune) == 501 ]] || check 'system prune leaves it' docker system prune -af
check 'restart of it works' docker restart -t 0 web
check 'runs again' same running "$(field web '{{.State.Status}}')"
check 'staging is empty at the end' staging_empty
rss=$(awk '/VmRSS/ { print $2 }' "/proc/$(cat "$work/run/engine.pid")/status")
check "resident: $rss KiB, at most 6144" test "$rss" -le 6144
tap_end
