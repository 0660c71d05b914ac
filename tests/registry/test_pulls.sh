#!/bin/bash
# test_pulls.sh: the engine's pulls: services whose image is missing, docker pull, coracle pull, kill -9 in the middle. TAP output.
# timeout: 600
set -euo pipefail
for tool in docker-registry skopeo docker; do
	command -v $tool >/dev/null || { echo "1..0 # SKIP needs $tool"; exit 0; }
done
((EUID == 0)) || { echo '1..0 # SKIP needs root'; exit 0; }
[[ -n ${REGISTRY_INSIDE:-} ]] || REGISTRY_INSIDE=yes exec unshare --net "$0" "$@"
ip link set lo up
# shellcheck source=tests/engine/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../engine/lib.sh"
servers=()
# shellcheck disable=SC2317
end() {
	local pid
	for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || true; done
	clean_up
}
trap end EXIT
mkdir -p "$work/proxy"
printf 'version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:5000"}\n' "$work/blobs" >"$work/registry.yml"
registry() {
	docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
	servers+=($!)
	eventually curl -s -o /dev/null http://127.0.0.1:5000/v2/
}
registry
for image in busybox nginx; do
	skopeo copy -q --dest-tls-verify=false "oci:$fixtures/$image" "docker://127.0.0.1:5000/test/$image:1"
done
kill "${servers[0]}"
wait "${servers[0]}" 2>/dev/null || true
servers=()
exec {out}< <(exec python3 "$top/tests/registry/proxy.py" 127.0.0.1:5001 127.0.0.1:5000 "$work/proxy")
servers+=($!)
read -r -t 60 -u "$out" _
echo pass >"$work/proxy/mode"
echo '{"registries":{"docker.io":{"blocked":true},"127.0.0.1:5000":{"plain_http":true},"127.0.0.1:5001":{"plain_http":true}}}' >"$work/registries.json"
images() { find "$work/root/images/blobs/sha256" -type f 2>/dev/null | wc -l; }
is() { [[ $(field "$1" '{{.State.Status}}') == "$2" ]]; }
running() { is "$1" running; }

# -- at boot, before the registry is there ---------------------------------------------
want "$(service web 'exec sleep 1000' 'image="127.0.0.1:5000/test/busybox:1"')" \
	"$(service after 'exec sleep 1000' 'image="127.0.0.1:5000/test/busybox:1"' 'depends_on=[{"name":"web","condition":"service_started","required":true}]')" \
	"$(service never true 'image="127.0.0.1:5000/test/nginx:1"' 'pull_policy="never"' line=7)" \
	"$(service blocked true 'image="docker.io/library/x:1"' line=8)"
engine_start
check 'the engine is ready though an image does not come' grep -q 'service web .*waits for its image: .*tried again' "$work/run/problems"
check 'policy never: told, not pulled' grep -q 'service never .*line 7.*pull_policy is never' "$work/run/problems"
check 'a registry that is blocked: told' grep -q 'service blocked .*line 8.*blocked' "$work/run/problems"
registry
check 'the registry comes: the service starts' eventually running web
check 'and what depends on it' eventually running after
check 'the one with policy never does not' is never created

# -- by clients --------------------------------------------------------------------------
check 'docker pull' contains "$(docker pull 127.0.0.1:5000/test/nginx:1)" 'Pull complete' 'Digest: sha256:' 'Status: Downloaded newer image for 127.0.0.1:5000/test/nginx:1'
check 'again: it is up to date' contains "$(docker pull 127.0.0.1:5000/test/nginx:1)" 'Already exists' 'Status: Image is up to date'
check 'what is not there is an error before the stream' contains "$(docker pull 127.0.0.1:5000/test/nginx:2 2>&1 || true)" 'Error response from daemon' 'manifest unknown'
check 'coracle pull' contains "$(CORACLE_SOCKET=$work/docker.sock "$build/bin/coracle" pull 127.0.0.1:5000/test/busybox:1)" 'Status: Image is up to date'
check 'credentials of the request reach the token server' contains "$(echo token >"$work/proxy/mode"
	curl -s --unix-socket "$work/docker.sock" -X POST -H "X-Registry-Auth: $(printf '{"username":"user","password":"secret"}' | base64 -w0)" \
	'http://x/images/create?fromImage=127.0.0.1:5001/test/busybox&tag=1')" 'Status: Downloaded newer image'
check 'and are not in the log' lacks "$(cat "$work/engine.log" "$work/run/problems")" secret

# -- killed in the middle ------------------------------------------------------------------
docker rmi -f 127.0.0.1:5000/test/nginx:1 >/dev/null 2>&1 || true
pid=$(field web '{{.State.Pid}}')
echo slow >"$work/proxy/mode"
: >"$work/proxy/requests"
docker pull 127.0.0.1:5001/test/nginx:1 >/dev/null 2>&1 &
client=$!
check 'a pull is under way' eventually grep -q /blobs/ "$work/proxy/requests"
before=$(wc -l <"$work/run/ready")
kill -9 "$(cat "$work/run/engine.pid")"
wait "$client" 2>/dev/null || true
check 'kill -9 of the engine in mid-pull: it comes back' ready_after "$before"
check 'the container has run on' same "$pid" "$(field web '{{.State.Pid}}')"
check 'nothing is half-made' same '' "$(ls "$work/root/tmp")"
echo pass >"$work/proxy/mode"
check 'and the pull can be had again' contains "$(docker pull 127.0.0.1:5001/test/nginx:1 2>&1)" 'Status: Downloaded newer image'
tap_end
