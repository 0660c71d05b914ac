#!/bin/bash
# test_clouds.sh: the metadata services of clouds, from detection to files, on this machine. TAP output.
# timeout: 1200
# The whole test runs in a network namespace of its own, in which the well-known addresses belong to small servers (clouds.py); DMI and the
# rest come from a tree (`coracle-config apply --detect`). Nothing leaves the namespace.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${CORACLE_BUILD:-$top/build}
config=$build/bin/coracle-config
# shellcheck source=tests/lib/tap.sh
source "$top/tests/lib/tap.sh"
((EUID == 0)) || skip_all 'needs root: a network namespace'
if [[ -z ${CLOUDS_INSIDE:-} ]]; then
	CLOUDS_INSIDE=yes exec unshare --net --mount "$0"
fi
work=$(mktemp -d)
servers=()
stop_servers() {
	local pid
	for pid in "${servers[@]}"; do kill "$pid" && wait "$pid" || true; done 2>/dev/null
	servers=()
}
trap 'stop_servers; rm -rf "$work"' EXIT
ip link set lo up
for address in 169.254.169.254/32 168.63.129.16/32; do ip addr add "$address" dev lo; done
ip -6 addr add fd00:ec2::254/128 dev lo

# serve KIND@ADDRESS:PORT...: returns when all of them listen.
serve() {
	local out
	: >"$work/log"
	exec {out}< <(exec python3 "$top/tests/config/clouds.py" --log "$work/log" "$@")
	servers+=($!)
	read -r -t 200 -u "$out" _ || { echo "clouds.py does not listen" >&2; exit 1; }
}
tree() { rm -rf "$work/tree" "$work/root"; mkdir -p "$work/tree/sys/class/dmi/id" "$work/tree/proc" "$work/tree/run/coracle" "$work/root/etc" "$work/root/run/coracle"
	: >"$work/tree/run/coracle/devices"; : >"$work/tree/proc/cmdline"; printf 'root:x:0:0::/:/bin/sh\n' >"$work/root/etc/passwd"; printf 'root:x:0:\n' >"$work/root/etc/group"; }
dmi() { printf '%s\n' "$2" >"$work/tree/sys/class/dmi/id/$1"; }
cmdline() { printf '%s\n' "$*" >"$work/tree/proc/cmdline"; }
detect() { code=0; "$config" apply --root "$work/root" --detect "$work/tree" >"$work/out" 2>&1 || code=$?; }
source_is() { same "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["v1"]["datasource"])' "$work/root/run/cloud-init/status.json")" "$1"; }
result() { cat "$work/root/$1" 2>/dev/null || echo "(no $1)"; }
asked() { grep -c -- "$1" "$work/log" || true; }
exit_is() { [[ $code == "$1" ]] || { echo "exit status $code, not $1"; cat "$work/out"; return 1; }; }
no_error() { ((code == 0 || code == 2)) && lacks "$(<"$work/out")" error:; }
says() { contains "$(<"$work/out")" "$@"; }

# cloud NAME DATASOURCE CLOUD-ID INSTANCE-ID HOST: what every source has to deliver
cloud() {
	check "$1: found, and read without an error" no_error
	check "$1: the name of the source" source_is "$2"
	check "$1: cloud-id" same "$(result run/cloud-init/cloud-id)" "$3"
	check "$1: the instance-id" same "$(result var/lib/cloud/data/instance-id)" "$4"
	check "$1: its user-data is applied" same "$(result etc/hostname) $(result etc/from-cloud)" "from-user-data yes"
}

serve imds@169.254.169.254:80 wireserver@168.63.129.16:80
tree; dmi product_uuid EC2E1916-9099-7CAF-FD21-012345ABCDEF; detect
cloud ec2 DataSourceEc2Local aws i-0abc
check 'ec2: a token first, then nothing without it' same "$(sed -n 1p "$work/log") $(asked ' 401')" 'PUT /latest/api/token 200 0'
check 'ec2: the keys of roles are not asked for' same "$(asked security-credentials)" 0
tree; dmi product_uuid 45E12AEC-DCD1-B213-94ED-01234ABCDEF0; detect
check 'ec2: the UUID in the other byte order' source_is DataSourceEc2Local
tree; dmi product_name 'OpenStack Nova'; detect
cloud openstack 'DataSourceOpenStackLocal [net,ver=2]' openstack d8e02d56-2648-49a3-bf97-6be8f1204f38
check 'openstack: an injected file, its mode' same "$(result etc/injected) $(stat -c %a "$work/root/etc/injected")" 'injected by nova 660'
tree; dmi product_name 'Google Compute Engine'; detect
cloud gce DataSourceGCELocal gce 7684572792595385000
tree; dmi sys_vendor DigitalOcean; detect
cloud digitalocean DataSourceDigitalOcean digitalocean 2756294
tree; dmi sys_vendor Hetzner; detect
cloud hetzner DataSourceHetzner hetzner 12345678
tree; dmi chassis_asset_tag 7783-7084-3265-9085-8269-3286-77; detect
cloud azure 'DataSourceAzure [seed=IMDS]' azure 02aab8a4-74ef-476e-8182-f6d2ba4166a6
check 'azure: it is told that the machine is ready' same "$(asked 'POST /machine?comp=health 200')" 1
tree; cmdline 'quiet ds=gce'; detect
check 'ds= on the command line: asked whatever the hardware says' source_is DataSourceGCELocal
check 'what it was found by is in the log' contains "$(result var/log/cloud-init.log)" 'DataSourceGCELocal: ds=gce on the kernel command line'
stop_servers

serve 'ec2@[fd00:ec2::254]:80'
tree; dmi product_uuid ec2e1916-9099-7caf-fd21-012345abcdef; detect
cloud 'ec2 by IPv6 alone' DataSourceEc2Local aws i-0abc
stop_servers

serve hetzner@169.254.169.254:80
tree; dmi product_uuid ec2e1916-9099-7caf-fd21-012345abcdef; detect
check 'ec2: a service that gives no token is an error, no older protocol is tried' eval "exit_is 1 && says 'no token' 'IMDSv2' && same \"\$(asked GET)\" 0"
check 'ec2: the machine goes on without' source_is DataSourceNone
stop_servers

seed=$work/seed
mkdir "$seed"
printf '#cloud-config\nwrite_files: [{path: /etc/from-cloud, content: seed}]\n' >"$seed/user-data"
printf 'instance-id: by-http\nlocal-hostname: web\npublic-keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUm one]\n' >"$seed/meta-data"
serve "files=$seed@127.0.0.1:8000" broken@127.0.0.1:8001 broken@127.0.0.2:8001
from() { tree; cmdline "ds=nocloud;s=$1"; SECONDS=0; detect; }
from http://127.0.0.1:8000/
check 'seedfrom: http' eval "exit_is 0 && same '$(result etc/from-cloud) $(result var/lib/cloud/data/instance-id) $(result etc/hostname)' 'seed by-http web'"
check 'seedfrom: the optional files are asked for once' same "$(asked 'vendor-data 404') $(asked 'network-config 404')" '1 1'
from http://127.0.0.1:8000
check 'seedfrom: a slash is added' eval "exit_is 0 && same '$(result etc/from-cloud)' seed"
from 'http://127.0.0.1:8000/?f=%s'
check 'seedfrom: %s' eval "exit_is 0 && same '$(result etc/from-cloud)' seed"
mkdir "$seed/AB-12"; cp "$seed/user-data" "$seed/meta-data" "$seed/AB-12/"
tree; dmi chassis_serial AB-12; cmdline 'ds=nocloud;s=http://127.0.0.1:8000/__dmi.chassis-serial-number__/'; detect
check 'seedfrom: __dmi.chassis-serial-number__' eval "exit_is 0 && same '$(result etc/from-cloud) $(asked 'GET /AB-12/user-data 200')' 'seed 1'"
tree; dmi product_serial 'ds=nocloud;s=http://127.0.0.1:8000/;i=by-serial'; detect
check 'seedfrom in the SMBIOS serial; its own instance-id wins' eval "exit_is 0 && same '$(result etc/from-cloud) $(result var/lib/cloud/data/instance-id)' 'seed by-serial'"
from file://"$seed"
check 'seedfrom: file' eval "exit_is 0 && same '$(result etc/from-cloud)' seed"
from ftp://127.0.0.1/
check 'seedfrom: ftp is refused' eval "exit_is 1 && says 'not fetched by ftp'"
from http://127.0.0.1:8000/nowhere/
check 'seedfrom: nothing there' eval "exit_is 1 && says 'http://127.0.0.1:8000/nowhere/meta-data: the server answers 404' && ((SECONDS < 5))"

# broken WHAT EXIT WORDS...: a server that misbehaves ends in an error with words, and soon
broken() {
	local what=$1 words=("${@:2}")
	from "http://user:secret@127.0.0.1:8001/$what/?token=secret&f=%s"
	check "$what: an error with words" eval 'exit_is 1 && says "${words[@]}"'
	check "$what: no secret of the URL in it" lacks "$(<"$work/out")" secret
	check "$what: in bounded time" eval "((SECONDS < 75)) || { echo \"$SECONDS s\"; false; }"
}
broken loop 'too many redirects'
broken ftp 'redirected to something that is not http'
broken big 'larger than allowed'
broken huge 'larger than allowed'
check 'a service that fails twice is asked again' eval 'from "http://127.0.0.1:8001/twice500/x?f=%s"; says "meta-data" || true; same "$(asked "twice500/x.f=meta-data 200")" 1'
stop_servers
tree; dmi product_uuid ec2e1916-9099-7caf-fd21-012345abcdef; SECONDS=0; detect
check 'ec2: nobody answers: an error in bounded time' eval "exit_is 1 && says 'EC2 metadata service: no token: http://169.254.169.254' && ((SECONDS < 120))"
from http://127.0.0.1:8000/
check 'nobody listens: an error in bounded time' eval "exit_is 1 && says 'http://127.0.0.1:8000/meta-data: ' && ((SECONDS < 75))"
tap_end
