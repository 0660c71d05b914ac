#!/bin/bash
# test_registry.sh: pulls from Debian's docker-registry on a loopback of its own: plain, TLS, passwords, tokens, one that misbehaves. TAP output.
# timeout: 900
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${CORACLE_BUILD:-$top/build}
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
((EUID == 0)) || skip_all 'needs root'
for tool in docker-registry skopeo htpasswd openssl; do
	command -v $tool >/dev/null || skip_all "needs $tool (docker-registry, skopeo, apache2-utils, openssl)"
done
[[ -n ${REGISTRY_INSIDE:-} ]] || REGISTRY_INSIDE=yes exec unshare --net "$0" "$@"
ip link set lo up
fixtures=${FIXTURES:-$(cat "$build/fixtures.path" 2>/dev/null || "$top/tests/fixtures/make")}
work=$(mktemp -d)
servers=()
# shellcheck disable=SC2317
clean_up() {
	local pid
	for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || true; done
	[[ -n ${KEEP:-} ]] || rm -rf "$work"
}
trap clean_up EXIT

# serve NAME PORT [YAML]: a registry, on the same blobs as the others.
serve() {
	printf 'version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:%s"%s}\n%s\n' \
		"$work/blobs" "$2" "${4:-}" "${3:-}" >"$work/$1.yml"
	docker-registry serve "$work/$1.yml" >"$work/$1.log" 2>&1 &
	servers+=($!)
	eventually curl -sk -o /dev/null "http://127.0.0.1:$2/v2/"
}
proxy() { # ADDRESS:PORT
	local out
	mkdir -p "$work/proxy"
	exec {out}< <(exec python3 "$top/tests/registry/proxy.py" "$1" 127.0.0.1:5000 "$work/proxy")
	servers+=($!)
	read -r -t 60 -u "$out" _ || { echo 'Bail out! proxy.py does not listen'; exit 1; }
}
mode() { echo "$*" >"$work/proxy/mode"; : >"$work/proxy/requests"; }
config() { printf '{"registries":{%s},"stall_seconds":4,"tries":3}\n' "$1" >"$work/registries.json"; }
pull() { "$build/bin/coracle-engine" pull --quiet --root "$work/$1" --registries "$work/registries.json" --docker-config "$work/config.json" "${@:2}" 2>&1; }
pulled() { pull "$1" "${@:2}" >"$work/out" || { cat "$work/out"; return 1; }; }
# refused STORE NAME WORD...: it fails, with these words, and nothing is left of it.
refused() {
	local out store=$1 name=$2
	if out=$(pull "$store" "$name"); then echo "was pulled: $out"; return 1; fi
	contains "$out" "${@:3}" && empty "$store"
}
empty() {
	local left
	left=$(find "$work/$1/layers" "$work/$1/images/blobs/sha256" "$work/$1/tmp" -mindepth 1 | head -3)
	[[ -z $left && ! -s $work/$1/images/index.json || $left == '' ]] || { echo "left: $left"; return 1; }
}
requests() { grep -c "$1" "$work/proxy/requests" || true; }
list() { (cd "$work/$1/layers" && find . -printf '%P %y %m %U:%G %l\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum); }
same_tree() { diff <(list "$1") <(list "$2"); }

# -- plain ------------------------------------------------------------------------
serve plain 5000
for image in busybox nginx; do
	skopeo copy -q --dest-tls-verify=false "oci:$fixtures/$image" "docker://127.0.0.1:5000/test/$image:1"
done
config ''
check 'plain HTTP where nothing says so is refused' refused none 127.0.0.1:5000/test/busybox:1 'plain HTTP' plain_http
config '"127.0.0.1:5000":{"plain_http":true},"127.0.0.1:5001":{"plain_http":true}'
check 'plain HTTP where it is configured' pulled one 127.0.0.1:5000/test/nginx:1
"$build/tools/coracle-import" --quiet --root "$work/file" --fetch "$build/bin/coracle-fetch" "$fixtures/nginx.oci.tar" >/dev/null
check 'the layers are those that the archive gives' same_tree one file
check 'a tag that is not there' refused none 127.0.0.1:5000/test/busybox:2 'manifest for test/busybox:2 not found' 'manifest unknown'
check 'a server that is not there' refused none 127.0.0.1:5999/test/busybox:1 'connect'
digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' docker://127.0.0.1:5000/test/busybox:1)
check 'by digest' pulled digest "127.0.0.1:5000/test/busybox@$digest"
check 'the name is the digest then, and no tag' contains "$(cat "$work/out")" "127.0.0.1:5000/test/busybox@$digest sha256:"
check 'another architecture is refused by name' contains "$(pull none --platform linux/arm64 127.0.0.1:5000/test/busybox:1 || true)" 'linux/amd64' 'linux/arm64'
check 'a mistake in registries.json is told' contains "$(echo '{"registries":{"x":{"plain":true}}}' >"$work/bad.json"; "$build/bin/coracle-engine" pull --root "$work/none" --registries "$work/bad.json" x/y 2>&1 || true)" 'unknown key "plain"'

# -- through a proxy that misbehaves ------------------------------------------------
proxy 127.0.0.1:5001
mode pass
check 'the second pull of shared layers takes none again' pulled one 127.0.0.1:5001/test/nginx:1
check 'no layer was asked for' same 1 "$(requests /blobs/)"
name=127.0.0.1:5001/test/nginx:1
mode cut
check 'cut in mid-blob: it goes on' pulled cut $name
check 'from the byte where it was' same yes "$(grep -q 'bytes=[1-9]' "$work/proxy/requests" && echo yes)"
check 'and is whole' same_tree one cut
mode norange
check 'a server that does not know Range' pulled norange $name
check 'is read from the start' same_tree one norange
mode busy
check 'status 429 with Retry-After is waited for' pulled busy $name
mode cut-always
check 'cut again and again: an end, with the reason' refused none $name 'tried 3 times' 'layer sha256'
mode digest
check 'a lie about the digest' refused none 127.0.0.1:5001/test/busybox:1 'digest is sha256' 'damaged or altered'
mode manifest
check 'a manifest that was changed' refused none $name 'manifest' 'damaged or altered'
mode short
check 'a blob that is shorter' refused none $name 'the manifest says' 'truncated or altered'
mode long
check 'a blob that is longer' refused none $name 'more than'
mode lies
check 'a lie about the media type' refused none $name 'application/vnd.oci.image.index.v1+json, and the content of a manifest'
mode type
check 'a page instead of a manifest' refused none $name 'text/html'
mode endless
check 'an endless manifest' refused none $name 'manifest'
mode endless-blob
check 'an endless blob' refused none $name 'more than'
mode slow
check 'a blob that trickles' refused none $name 'layer sha256'
mode dead
check 'a server in trouble' refused none $name 'status 503'

# -- other hosts --------------------------------------------------------------------
printf '{"auths":{"127.0.0.1:5001":{"auth":"%s"}}}\n' "$(printf user:secret | base64)" >"$work/config.json"
mode token
check 'tokens, and new ones when they are used up' pulled token 127.0.0.1:5001/test/busybox:1
check 'the password went to the token server only' same 0 "$(grep -v /token "$work/proxy/requests" | grep -c Basic || true)"
mkdir "$work/other"
exec {other}< <(exec python3 "$top/tests/registry/proxy.py" 127.0.0.2:5002 127.0.0.1:5000 "$work/other")
servers+=($!)
read -r -t 60 -u "$other" _
echo pass >"$work/other/mode"
config '"127.0.0.1:5001":{"plain_http":true,"username":"user","password":"secret"}'
mode elsewhere http://127.0.0.2:5002
check 'a redirect to another host is followed' pulled elsewhere 127.0.0.1:5001/test/busybox:1
check 'and gets no credentials' same '-' "$(cut -d' ' -f4 "$work/other/requests" | sort -u)"
mode token
check 'a wrong password is told, and is not shown' refused none "$(config '"127.0.0.1:5001":{"plain_http":true,"username":"user","password":"geheim"}'; echo 127.0.0.1:5001/test/busybox:1)" unauthorized 'user name and password'
check 'not in the message' lacks "$(pull none 127.0.0.1:5001/test/busybox:1 || true)" geheim
rm "$work/config.json"
mode dead
config '"example.test":{"mirrors":["http://127.0.0.1:5001","http://127.0.0.1:5000"]}'
check 'a mirror that is in trouble: the next one' pulled mirror example.test/test/busybox:1
check 'the name is the registry'\''s' contains "$(cat "$work/out")" example.test/test/busybox:1
config '"example.test":{"blocked":true}'
check 'a registry that is blocked' refused none example.test/test/busybox:1 blocked

# -- TLS and passwords ----------------------------------------------------------------
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key" -out "$work/crt" -days 2 -subj /CN=test \
	-addext 'subjectAltName=IP:127.0.0.1' 2>/dev/null
htpasswd -Bbn user secret >"$work/htpasswd"
serve tls 5443 "auth: {htpasswd: {realm: test, path: $work/htpasswd}}" ", tls: {certificate: $work/crt, key: $work/key}"
config ''
check 'a certificate of an unknown authority' refused none 127.0.0.1:5443/test/busybox:1 certificate
config "\"127.0.0.1:5443\":{\"ca\":\"$work/crt\"}"
check 'its authority is known: no password' refused none 127.0.0.1:5443/test/busybox:1 'unauthorized: authentication required'
config "\"127.0.0.1:5443\":{\"ca\":\"$work/crt\",\"username\":\"user\",\"password\":\"wrong\"}"
check 'a wrong one' refused none 127.0.0.1:5443/test/busybox:1 'refuses user name and password'
config "\"127.0.0.1:5443\":{\"ca\":\"$work/crt\",\"username\":\"user\",\"password\":\"secret\"}"
check 'the right one' pulled tls 127.0.0.1:5443/test/busybox:1

# -- killed ---------------------------------------------------------------------------
config '"127.0.0.1:5000":{"plain_http":true},"127.0.0.1:5001":{"plain_http":true}'
mode slow
sed -i 's/"stall_seconds":4/"stall_seconds":60/' "$work/registries.json"
"$build/bin/coracle-engine" pull --quiet --root "$work/none" --registries "$work/registries.json" $name >"$work/killed" 2>&1 &
pid=$!
eventually grep -q /blobs/ "$work/proxy/requests"
programs() { pgrep -P "$pid" -a | grep -Eo 'coracle-[a-z]+' | sort -u | tr '\n' ' '; }
all_there() { same 'coracle-fetch coracle-http coracle-registry ' "$(programs)"; }
check 'who takes part' eventually all_there
mapfile -t helpers < <(pgrep -P "$pid")
check 'the protocol runs as nobody who owns anything' same 65533 "$(awk '/^Uid/ { print $2 }' "/proc/$(pgrep -P "$pid" -f coracle-registry)/status")"
check 'behind a filter, without capabilities' same '2 0000000000000000' "$(awk '/^Seccomp:/ { s = $2 } /^CapEff/ { c = $2 } END { print s, c }' "/proc/$(pgrep -P "$pid" -f coracle-registry)/status")"
kill -9 "$pid"
wait "$pid" 2>/dev/null || true
gone() { local p; for p in "${helpers[@]}"; do [[ ! -d /proc/$p || $(cut -d' ' -f3 "/proc/$p/stat") == Z ]] || return 1; done; }
check 'kill -9 in mid-blob: its helpers go too' eventually gone
mode pass
check 'and the next pull finds a whole store' pulled none $name
check 'with nothing left over' same '' "$(ls "$work/none/tmp")"
tap_end
