#!/bin/bash
# test_containers.sh: coracle-config with containers in each form that it reads, applied into a directory: what containers.json holds then. TAP output.
# The keys one by one, and each mistake with its place, are tried by the units (tests/unit/test_config_{options,containers}.c).
set -euo pipefail

# shellcheck source=tests/config/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# apply NAME: standard input as user-data, into a fresh directory; its problems are in $work/NAME.out.
apply() {
	mkdir -p "$work/$1/seed" "$work/$1/root/etc" "$work/$1/root/run/coracle"
	printf 'root:x:0:0::/:/bin/sh\n' >"$work/$1/root/etc/passwd"
	cat >"$work/$1/seed/user-data"
	printf 'instance-id: i-1\n' >"$work/$1/seed/meta-data"
	"$config" apply --root "$work/$1/root" --seed "$work/$1/seed" >"$work/$1.out" 2>&1
}
# picks NAME EXPRESSION: of containers.json, services by their names in s.
picks() { python3 -c 'import json, sys; v = json.load(open(sys.argv[1])); print(eval(sys.argv[2], {"v": v, "s": {e["name"]: e for e in v["services"]}}))' \
	"$work/$1/root/run/coracle/containers.json" "$2"; }

check 'Compose: limits, a secret, an env_file: valid' apply compose <<'YAML'
#cloud-config
write_files: [{path: /etc/web.env, content: "A=from the file\nB='2 3'\n"}]
x-common: &common {restart: always, mem_limit: 64m, cpus: 0.5}
services:
  web:
    <<: *common
    image: nginx
    env_file: /etc/web.env
    environment: {A: own}
    secrets: [token, {source: token, target: second, mode: 0400, uid: "33"}]
    ulimits: {nofile: {soft: 20000, hard: 40000}}
secrets: {token: {content: hush}}
YAML
check 'env_file below environment' same "['A=own', 'B=2 3']" "$(picks compose 's["web"]["environment"]')"
check 'limits through a merge key' same "67108864 50000 100000 ['nofile=20000:40000']" "$(picks compose '" ".join(str(s["web"][k]) for k in ("mem_limit", "cpu_quota", "cpu_period", "ulimits"))')"
check 'a secret is a file that others on the machine cannot reach' same '700 444 hush' \
	"$(stat -c %a "$work/compose/root/run/coracle/secrets") $(stat -c %a "$work/compose/root/run/coracle/secrets/web.0") $(<"$work/compose/root/run/coracle/secrets/web.0")"
((EUID != 0)) || check 'with the owner and mode that were asked for' same '400 33' "$(stat -c '%a %u' "$work/compose/root/run/coracle/secrets/web.1")"
check 'bound where it is looked for' same "['/run/secrets/token', '/run/secrets/second']" "$(picks compose '[m["target"] for m in s["web"]["volumes"]]')"
check 'and in no log' bash -c "! grep -r hush '$work/compose/root/var/log'"

apply noenv <<'YAML' || true
#cloud-config
services: {a: {image: i, env_file: /etc/nosuch}, b: {image: i, env_file: [{path: /etc/nosuch, required: false}]}, c: {image: i, depends_on: [a]}}
YAML
check 'an env_file that is not there: its place' contains "$(<"$work/noenv.out")" 'user-data:2:36: error: the env_file /etc/nosuch cannot be read'
check 'the service and who needs it are left out, the rest stays' same "['b']" "$(picks noenv 'list(s)')"

check 'compose.d, Quadlet and Pod files of write_files: valid' apply files <<'YAML'
#cloud-config
write_files:
  - {path: /etc/compose.d/a.yaml, content: "services: {composed: {image: redis}}"}
  - {path: /etc/containers/systemd/quad.container, content: "[Container]\nImage=busybox\nVolume=data.volume:/data\n[Install]\nWantedBy=default.target\n"}
  - {path: /etc/containers/systemd/data.volume, content: "[Volume]\nVolumeName=stuff\n"}
  - {path: /etc/kubernetes/manifests/p.yaml, content: "apiVersion: v1\nkind: Pod\nmetadata: {name: pod}\nspec: {containers: [{name: pod, image: busybox, args: [x]}]}\n"}
YAML
check 'all of them are services' same "['composed', 'pod', 'quad']" "$(picks files 'sorted(s)')"
check 'the volume of a Quadlet file has its name' same "stuff [{'name': 'stuff'}]" "$(picks files 's["quad"]["volumes"][0]["source"] + " " + str(v["volumes"])')"
check 'the files are written all the same' test -s "$work/files/root/etc/compose.d/a.yaml" -a -s "$work/files/root/etc/containers/systemd/quad.container"

check 'a Pod as user-data: valid' apply pod <<<$'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: a, image: nginx, ports: [{containerPort: 80, hostPort: 80}]}, {name: b, image: redis}]}'
check 'its containers are services' same "['web-a', 'web-b']" "$(picks pod 'list(s)')"

check 'Ignition: valid' apply ignition <<'JSON'
{"ignition": {"version": "3.4.0"},
 "storage": {"directories": [{"path": "/etc/app", "mode": 448}], "links": [{"path": "/etc/alias", "target": "app/conf"}],
  "files": [{"path": "/etc/app/conf", "mode": 384, "contents": {"source": "data:,hello%20there%0A"}},
   {"path": "/etc/app/log", "contents": {"source": "data:,a%0A"}, "append": [{"source": "data:;base64,Ygo="}]}]},
 "systemd": {"units": [{"name": "web.service", "enabled": true,
  "contents": "[Service]\nExecStart=/usr/bin/podman run --rm -p 80:80 -m 64m nginx\nRestart=always\n[Install]\nWantedBy=multi-user.target\n"}]}}
JSON
tree=$work/ignition/root/etc
check 'a directory, a file, a link, what is appended' same '700 600 hello there app/conf a b' \
	"$(stat -c %a "$tree/app") $(stat -c %a "$tree/app/conf") $(<"$tree/app/conf") $(readlink "$tree/alias") $(paste -sd' ' "$tree/app/log")"
check 'a unit that runs a container is a service' same 'docker.io/library/nginx:latest always 67108864' \
	"$(picks ignition '" ".join(map(str, (s["web"]["image"], s["web"]["restart"]["policy"], s["web"]["mem_limit"])))')"
check 'applied once more it is the same' "$config" apply --root "$work/ignition/root" --seed "$work/ignition/seed"
check 'nothing is appended twice' same 'a b' "$(paste -sd' ' "$tree/app/log")"

check 'RancherOS: valid' apply rancher <<'YAML'
#cloud-config
rancher: {services: {web: {image: nginx, net: host, labels: {io.rancher.os.after: db}}, db: {image: redis}}}
YAML
check 'order by labels' same "['db']" "$(picks rancher '[d["name"] for d in s["web"]["depends_on"]]')"
tap_end
