#!/bin/bash
# test_health.sh: healthchecks and their order at boot, OOM, init: true, on this host. TAP output.
# timeout: 300
set -euo pipefail
# shellcheck source=tests/engine/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v docker >/dev/null || skip_all 'needs the docker command line (apt-get install docker.io)'

cp "$fixtures/busybox-zstd.oci.tar" "$work/run/media/0/"
mkdir "$work/shared"
bind=$(printf 'volumes=[{"type":"bind","source":"%s","target":"/shared","read_only":false,"options":[]}]' "$work/shared")
need() { printf '{"name":"%s","condition":"%s","required":%s}' "$1" "$2" "${3:-true}"; }
check_of() { printf 'healthcheck={"test":["CMD-SHELL","%s"],"interval_ms":100,"timeout_ms":5000,"retries":3%s}' "$1" "${2:-}"; }
health() { field "$1" '{{.State.Health.Status}}'; }
is_health() { [[ $(health "$1") == "$2" ]]; }
status() { field "$1" '{{.State.Status}}'; }
is() { [[ $(status "$1") == "$2" ]]; }

# -- the boot's order -----------------------------------------------------------------
want "$(service slow 'sleep 1; echo slow >>/shared/order; touch /ready; exec sleep 1000' "$bind" "$(check_of 'test -e /ready')")" \
	"$(service after 'echo after >>/shared/order; exec sleep 1000' "$bind" "depends_on=[$(need slow service_healthy)]")" \
	"$(service sick 'exec sleep 1000' "$(check_of 'echo it is bad; exit 1')")" \
	"$(service waits 'exec sleep 1000' "depends_on=[$(need sick service_healthy)]")"
engine_command
"$build/tools/engine-fdstore" "$work/run" "${engine[@]}" >>"$work/engine.log" 2>&1 &
supervisor=$!
eventually is_health slow healthy
eventually is after running
check 'service_healthy: the dependent starts after the check succeeded' same $'slow\nafter' "$(eventually grep -q after "$work/shared/order"; cat "$work/shared/order")"
check 'three failures: unhealthy' eventually is_health sick unhealthy
check 'its dependent is not started' same '' "$(docker ps -aq --filter name=waits)"
check 'and that is reported' eventually grep -q 'service waits waits for sick, which is unhealthy' "$work/run/problems"
check 'ps shows it' contains "$(docker ps)" '(healthy)' '(unhealthy)'
check 'ps --filter health' same sick "$(docker ps --filter health=unhealthy --format '{{.Names}}')"
check 'the log of probes' contains "$(field sick '{{json .State.Health.Log}}')" '"ExitCode":1' 'it is bad'
check 'of five at most' same 5 "$(eventually bash -c "[[ \$(docker inspect -f '{{len .State.Health.Log}}' sick) == 5 ]]"; field sick '{{len .State.Health.Log}}')"
docker exec slow rm /ready
check 'healthy becomes unhealthy' eventually is_health slow unhealthy
docker exec slow touch /ready
check 'and healthy again' eventually is_health slow healthy
check 'events' contains "$(docker events --since 1 --until "$(date +%s.%N)" --filter container=slow)" 'health_status: healthy' 'health_status: unhealthy'
ready=$(docker inspect -f '{{.State.Pid}}' slow)
kill -9 "$(cat "$work/run/engine.pid")"
check 'another engine goes on checking' eventually is_health slow healthy
check 'the same process' same "$ready" "$(field slow '{{.State.Pid}}')"
docker stop -t 0 slow >/dev/null
check 'stopped is not healthy' same unhealthy "$(health slow)"

# -- over the API -----------------------------------------------------------------------
docker run -d --name tt --network none --health-cmd 'sleep 100' --health-interval 0.1s --health-timeout 0.3s --health-retries 1 busybox sleep 1000 >/dev/null
check 'a probe that takes too long fails' eventually is_health tt unhealthy
check 'and says why' contains "$(field tt '{{json .State.Health.Log}}')" 'exceeded timeout' '"ExitCode":-1'
check 'killed probes do not pile up' test "$(docker top tt | grep -c 'sleep 100$' || true)" -le 1
docker run -d --name pp --network none --health-cmd false --health-interval 0.1s --health-start-period 1h --health-start-interval 0.1s --health-retries 1 busybox sleep 1000 >/dev/null
probed() { [[ $(docker inspect -f '{{len .State.Health.Log}}' pp) == 5 ]]; }
eventually probed
check 'failures in the start period do not count' same 'starting 0' "$(field pp '{{.State.Health.Status}} {{.State.Health.FailingStreak}}')"
docker run -d --name nn --network none --no-healthcheck busybox sleep 1000 >/dev/null
check 'no healthcheck: no health' same '<nil>' "$(field nn '{{.State.Health}}' | sed 's/^$/<nil>/')"
docker rm -f tt pp nn >/dev/null

# -- init ----------------------------------------------------------------------------------
check '--init: the first process is ours' contains "$(docker run --rm --init --network none busybox ps -o pid,args)" '1 /sbin/docker-init -- ps'
check 'the code of the program' same 7 "$(docker run --rm --init --network none busybox sh -c 'exit 7' >/dev/null; echo $?)"
check 'a missing program: 127' same 127 "$(docker run --rm --init --network none busybox nosuch >/dev/null 2>&1; echo $?)"
docker run -d --name ii --init --network none busybox sh -c 'trap "echo heard; exit 3" TERM; sh -c "sleep 0.1 & exit 0"; while true; do sleep 0.05; done' >/dev/null
zombies() { docker exec ii ps -o stat,args | grep -c '^Z' || true; }
check 'orphans are reaped' same 0 "$(docker exec ii sleep 0.5; zombies)"
docker stop ii >/dev/null
check 'signals are passed on' same 'heard 3' "$(logs ii) $(field ii '{{.State.ExitCode}}')"
docker rm ii >/dev/null

# -- memory ------------------------------------------------------------------------------------
docker run --name oom --network none -m 16m --memory-swap 16m busybox sh -c 'tail /dev/zero' >/dev/null 2>&1 || true
check 'OOM: noticed' same 'true 137' "$(field oom '{{.State.OOMKilled}} {{.State.ExitCode}}')"
check 'and told' contains "$(docker events --since 1 --until "$(date +%s.%N)" --filter container=oom)" ' container oom '
docker start oom >/dev/null
check 'it can be started again' same oom "$(docker rm -f oom)"
engine_stop
tap_end
