#!/bin/bash
# test_compose_oracle.sh: the verdict on small Compose documents, beside that of docker-compose (Debian's, version 1.29, which knows the keys of its time).
# A document is good when Coracle leaves no service out, and docker-compose says nothing against it. TAP output.
# timeout: 600
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${CORACLE_BUILD:-$top/build}
# shellcheck source=tests/lib/tap.sh
source "$top/tests/lib/tap.sh"
command -v docker-compose >/dev/null || skip_all 'needs docker-compose (apt-get install docker-compose)'
[[ $(docker-compose version --short 2>/dev/null) == 1.* ]] || skip_all 'needs docker-compose 1'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ours() { "$build/bin/coracle-config" schema -c "$work/ours.yaml" >"$work/out" 2>&1 && echo good || echo bad; }
theirs() { (cd "$work" && docker-compose -f theirs.yaml config -q >"$work/out2" 2>&1) && echo good || echo bad; }

# same_verdict VERDICT KEYS: both say so of a service with these keys (flow style).
same_verdict() {
	printf '#cloud-config\ncontainers:\n  services:\n    s: {image: i, %s}\n    t: {image: i}\n  volumes: {v: {}}\n' "$2" >"$work/ours.yaml"
	printf 'version: "2.4"\nservices:\n  s: {image: i, %s}\n  t: {image: i}\nvolumes: {v: {}}\n' "$2" >"$work/theirs.yaml"
	[[ $(ours) == "$1" ]] || { echo "Coracle does not say $1:"; cat "$work/out"; return 1; }
	[[ $(theirs) == "$1" ]] || { echo "docker-compose does not say $1:"; cat "$work/out2"; return 1; }
}
while IFS='|' read -r verdict keys; do
	[[ -z $verdict ]] || check "$verdict: $keys" same_verdict "$verdict" "$keys"
done <<'TABLE'
good|command: sh -c 'a b', entrypoint: [a]
good|environment: {A: 1, B: "no"}, labels: [a=b, c]
good|volumes: ["v:/a:ro", "/x:/y"]
good|volumes: [{type: volume, source: v, target: /a, volume: {nocopy: true}}]
good|mem_limit: 64m, memswap_limit: 128m, mem_reservation: 32m
good|cpus: 0.5, cpuset: "0-1", pids_limit: 9
good|ulimits: {nofile: {soft: 1, hard: 2}, nproc: 5}
good|sysctls: {kernel.shmmax: 1000}
good|devices: ["/dev/null:/dev/x:rw"], device_cgroup_rules: ["c 1:3 rwm"]
good|security_opt: ["no-new-privileges:true", "seccomp:unconfined"]
good|cap_add: [NET_ADMIN], cap_drop: [ALL], privileged: false
good|dns: 1.1.1.1, dns_search: [a.example], dns_opt: ["ndots:3"]
good|extra_hosts: ["db:10.0.0.1"], hostname: h, domainname: example.org
good|restart: on-failure:5, stop_signal: SIGQUIT, stop_grace_period: 1m30s
good|depends_on: [t]
good|depends_on: {t: {condition: service_started}}
good|network_mode: host, pid: host, ipc: host
good|shm_size: 64m, tmpfs: /run, read_only: true, group_add: [audio, 5]
good|tty: true, stdin_open: true, oom_score_adj: -500
good|healthcheck: {disable: true}
bad|comand: x
bad|environment: [[a]]
bad|mem_limit: {a: b}
bad|ulimits: {nofile: {soft: 1}}
bad|depends_on: [nosuch]
bad|depends_on: {t: {condition: maybe}}
bad|volumes: ["nosuch:/a"]
bad|healthcheck: {tset: x}
bad|healthcheck: {interval: 5}
bad|restart: [always]
bad|ports: ["80-81:80-83"]
bad|ports: ["a:b"]
bad|tty: 17
bad|cap_add: NET_ADMIN
bad|devices: {a: b}
bad|dns: {a: b}
bad|privileged: [x]
TABLE
tap_end
