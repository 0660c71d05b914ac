# shellcheck shell=bash
# tests/engine/lib.sh: an engine on this host with folders of its own. Source it; the caller has set -euo pipefail.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
build=${CORACLE_BUILD:-$top/build}
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

((EUID == 0)) || skip_all 'needs root'

fixtures=${FIXTURES:-$(cat "$build/fixtures.path" 2>/dev/null || "$top/tests/fixtures/make")}
work=$(mktemp -d)
supervisor=
export DOCKER_HOST=unix://$work/docker.sock

engine_command() {
	engine=("$build/bin/coracle-engine" --root "$work/root" --run "$work/run" --socket "$work/docker.sock"
		--runtime "${CORACLE_RUNTIME:-$build/bin/coracle-runtime}" --fetch "$build/bin/coracle-fetch"
		--console-logs "$work/console" "$@")
}

# engine_start [OPTION...]: under tests/engine/fdstore.c, and returns when it is ready.
engine_start() {
	local before=0
	engine_command "$@"
	[[ ! -e $work/run/ready ]] || before=$(wc -l <"$work/run/ready")
	"$build/tools/engine-fdstore" "$work/run" "${engine[@]}" >>"$work/engine.log" 2>&1 &
	supervisor=$!
	ready_after "$before"
}
is_ready_after() { [[ -e $work/run/ready && $(wc -l <"$work/run/ready") -gt $1 ]]; }
ready_after() { eventually is_ready_after "$1"; }

# engine_stop: with the containers, as at shutdown.
engine_stop() {
	touch "$work/run/shutdown"
	engine_leave
	rm -f "$work/run/shutdown"
}
# engine_leave: without them.
engine_leave() {
	[[ -n $supervisor ]] || return 0
	kill -TERM "$supervisor"
	wait "$supervisor" || true
	supervisor=
}

# shellcheck disable=SC2317
clean_up() {
	local id
	engine_stop 2>/dev/null || true
	for id in "$work"/root/containers/*/; do
		id=$(basename "$id")
		"${CORACLE_RUNTIME:-$build/bin/coracle-runtime}" --root "$work/run/runtime" delete --force "$id" 2>/dev/null || true
		umount "$work/root/containers/$id/rootfs" 2>/dev/null || true
	done
	umount "$work/root" 2>/dev/null || true
	[[ -n ${KEEP:-} ]] || rm -rf "$work"
}
trap clean_up EXIT

mkdir -p "$work/root" "$work/run/media/0"

# service NAME COMMAND [KEY=JSON...]: one service of containers.json, the rest as coracle-config would write it.
service() {
	python3 - "$@" <<-'PYTHON'
		import json, sys
		name, command = sys.argv[1:3]
		service = {
		    "name": name, "container_name": name, "image": "docker.io/library/busybox:latest",
		    "command": ["sh", "-c", command], "entrypoint": None, "environment": [], "working_dir": None, "user": None,
		    "hostname": None, "volumes": [], "tmpfs": [], "read_only": False, "restart": {"policy": "no", "max_retries": 0},
		    "depends_on": [], "network_mode": "none", "privileged": False, "cap_add": [], "cap_drop": [], "labels": {},
		    "stop_signal": None, "stop_grace_period_ms": 2000, "tty": False, "line": 1}
		for pair in sys.argv[3:]:
		    key, value = pair.split("=", 1)
		    service[key] = json.loads(value)
		print(json.dumps(service))
	PYTHON
}

# want SERVICE...: writes containers.json.
want() {
	local IFS=,
	printf '{"version":1,"project":"coracle","services":[%s],"volumes":[]}\n' "$*" >"$work/run/containers.json"
}

logs() { docker logs "$@" 2>&1; }
field() { docker inspect --format "$2" "$1"; }
