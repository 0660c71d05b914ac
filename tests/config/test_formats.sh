#!/bin/bash
# test_formats.sh: user-data of many parts, as coracle-config applies it: files that are left, query, scripts of every kind. TAP output.
# What becomes of single inputs is tried by the units (tests/unit/test_config_{parts,merge,jinja}.c).
set -euo pipefail

# shellcheck source=tests/config/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

query() { "$config" query --root "$work/root" "$@" 2>&1; }
instance=var/lib/cloud/instance

mkdir -p "$work/root/etc" "$work/seed"
printf 'ID=coracle\nVERSION_ID="1.0"\n' >"$work/root/etc/os-release"
printf 'instance-id: i-1\nlocal-hostname: web-1\nmeta: {role: db, admin_password: hidden-word}\n' >"$work/seed/meta-data"
cat >"$work/seed/user-data" <<'MIME'
Content-Type: multipart/mixed; boundary="B"
MIME-Version: 1.0

--B
Content-Type: text/jinja2

## template: jinja
#cloud-config
hostname: {{ v1.local_hostname | upper }}
runcmd: [one]
write_files: [{path: /etc/zone, content: "{{ v1.distro }} {{ region | default('nowhere', true) }} {{ ds.meta_data.meta.role }}"}]
--B
Content-Type: text/cloud-config
Merge-Type: list(append)+dict(recurse_array)+str()

#cloud-config
runcmd: [two]
--B
Content-Type: text/cloud-config-jsonp

#cloud-config-jsonp
[{"op": "add", "path": "/runcmd/-", "value": "three secret-word"}]
--B--
MIME
printf '#cloud-config\nhostname: vendor\nbootcmd: [from vendor]\n' >"$work/seed/vendor-data"
check 'apply: a template, appended, patched, with vendor-data' exits 0 "$config" apply --root "$work/root" --seed "$work/seed"
check 'apply: the template knew the machine' same "$(<"$work/root/etc/hostname") $(<"$work/root/etc/zone")" 'WEB-1 coracle nowhere db'
check 'apply: commands of three parts' same "$(tail -n +2 "$work/root/$instance/scripts/runcmd" | tr '\n' ' ')" 'one two three secret-word '
check 'apply: the vendor fills the gap' same "$(tail -1 "$work/root/run/coracle/bootcmd")" 'from vendor'
check 'left: what was delivered, for root only' eval "cmp '$work/seed/user-data' '$work/root/$instance/user-data.txt' && cmp '$work/seed/vendor-data' '$work/root/$instance/vendor-data.txt' &&
	[[ \$(stat -c %a '$work/root/$instance/'*.txt* | sort -u) == 600 ]]"
check 'left: the merged configuration, as YAML' same "$(python3 -c 'import sys, yaml; d = yaml.safe_load(sys.stdin); print(d["hostname"], d["runcmd"])' <"$work/root/$instance/cloud-config.txt")" \
	"WEB-1 ['one', 'two', 'three secret-word']"
check 'left: the parts, as a message' same "$(python3 -c 'import email, sys; print([(p.get_content_type(), p.get_filename()) for p in email.message_from_file(sys.stdin).get_payload()])' <"$work/root/$instance/user-data.txt.i")" \
	"[('text/cloud-config', 'part-001'), ('text/cloud-config', 'part-002'), ('text/cloud-config-jsonp', 'part-003')]"
check 'left: instance data for everybody, without secrets' eval "[[ \$(stat -c %a '$work/root/run/cloud-init/instance-data.json') == 644 ]] && ! grep -r secret-word '$work/root/run/cloud-init' '$work/root/var/log' &&
	! grep hidden-word '$work/root/run/cloud-init/instance-data.json' && grep -q hidden-word '$work/root/run/cloud-init/instance-data-sensitive.json' &&
	[[ \$(stat -c %a '$work/root/run/cloud-init/instance-data-sensitive.json') == 600 ]]"
check 'query: one value' same "$(query v1.local_hostname) $(query local_hostname) $(query instance-id) $(query v1.distro)" 'web-1 web-1 i-1 coracle'
check 'query: a tree' same "$(query sys_info | json 'v["dist"][0]')" coracle
check 'query --all' same "$(query --all | json 'v["v1"]["instance_id"], v["v1"]["region"]')" "('i-1', None)"
check 'query --list-keys' same "$(query --list-keys | tr '\n' ' ')" 'ds sys_info v1 '
check 'query --list-keys v1' contains "$(query --list-keys v1)" 'availability_zone' 'local-hostname' 'public_ssh_keys'
check 'query --format' same "$(query --format 'id={{ v1.instance_id }} {{ v1.local_hostname.split("-")[0] }}')" 'id=i-1 web'
check 'query --format: a mistake' contains "$(query --format '{{ v1.nope }}' || true)" 'the variable "v1.nope" is not defined'
check 'query userdata' same "$(query userdata)" "$(<"$work/seed/user-data")"
check 'query: nothing of that name' exits 1 "$config" query --root "$work/root" v1.nope
check 'query: said with its name' contains "$(<"$work/out")" 'the instance data has no "v1.nope"'
check 'query: nothing asked' exits 1 "$config" query --root "$work/root"

# without a machine nothing is fetched, and what is wrong with a list of addresses is told
printf '#include\nhttp://127.0.0.1:1/x\nfile:///etc/passwd\n' >"$work/include"
check 'schema: an #include' exits 1 "$config" schema -c "$work/include"
check 'schema: its bad line' contains "$(<"$work/out")" 'include:3:1: error: "file:///etc/passwd" cannot be included'

# a server of our own; it ends with this test
mkdir "$work/www"
printf '#cloud-config\nhostname: included\nruncmd: [from server]\n' >"$work/www/config"
printf '#!/bin/sh\necho\n' | gzip -c >"$work/www/script.gz"
python3 - "$work/www" "$work/port" "$work/requests" <<'PY' &
import functools, http.server, os, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *a): open(sys.argv[3], "a").write(self.path + "\n")
s = http.server.HTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=sys.argv[1]))
open(sys.argv[2] + ".new", "w").write(str(s.server_port))
os.rename(sys.argv[2] + ".new", sys.argv[2])
s.serve_forever()
PY
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$work"' EXIT
while [[ ! -e $work/port ]] && kill -0 "$server"; do :; done
url=http://127.0.0.1:$(<"$work/port")
rm -rf "$work/root/var" "$work/seed/vendor-data"
printf '#include-once\n# twice\n%s/config\n#include\n%s/script.gz\n' "$url" "$url" >"$work/seed/user-data"
check '#include: from a server' exits 0 "$config" apply --root "$work/root" --seed "$work/seed"
check '#include: both are there' same "$(<"$work/root/etc/hostname") $(tail -1 "$work/root/$instance/scripts/runcmd") $(tail -1 "$work/root/$instance/scripts/part-002")" 'included from server echo'
check '#include-once: its copy is private' same "$(stat -c %a "$work/root/$instance/data/urlcache/"*)" 600
check '#include: once more' exits 0 "$config" apply --root "$work/root" --seed "$work/seed"
check '#include-once was fetched once, #include each time' same "$(sort "$work/requests" | grep -o '/[a-z.]*' | uniq -c | tr -s ' \n' ' ')" ' 1 /config 2 /script.gz '
printf '#include\n%s/gone?token=hidden\n%s/config\n' "$url" "$url" >"$work/seed/user-data"
check '#include: an address that is not there' exits 1 "$config" apply --root "$work/root" --seed "$work/seed"
check '#include: told with its line, without what is secret; the others are used' eval "grep -q 'user-data:2:1: error: this is not included: $url/gone: .*404' '$work/out' && ! grep -rq token=hidden '$work/root/var/log' '$work/root/run/cloud-init' && [[ \$(<'$work/root/etc/hostname') == included ]]"

if ((EUID != 0)) || ! unshare -m -u -i --fork true 2>/dev/null; then
	tap_end
	exit
fi

machine() { rm -rf "$work/m"; mkdir -p "$work"/m/{dev,proc,sys,run/coracle,tmp,var/lib/cloud/seed/nocloud,etc,usr/bin}; ln -s usr/bin "$work/m/bin"; : >"$work/m/run/coracle/devices"
	cp "$config" "$work/m/usr/bin/coracle-config"; cp "$build/sysroot/target/busybox" "$work/m/usr/bin/"
	local tool; for tool in sh echo cat env; do ln -s busybox "$work/m/usr/bin/$tool"; done
	cat >"$work/m/var/lib/cloud/seed/nocloud/user-data"; echo 'instance-id: m-1' >"$work/m/var/lib/cloud/seed/nocloud/meta-data"; }
in_machine() { unshare -m -u -i --fork bash -c 'mount --bind /dev "$0/dev" && mount -t proc none "$0/proc" && mount -t tmpfs none "$0/sys" && exec chroot "$0" /bin/sh -c "$1"' "$work/m" "$1"; }
one_boot() { rm -rf "$work/m/run/cloud-init" "$work/m/run/coracle/"{final,problems,containers.json}; : >"$work/m/ran"; in_machine '/bin/coracle-config boot; echo "(final)" >>/ran; /bin/coracle-config final'; }
ran() { tr '\n' ' ' <"$work/m/ran"; }
part() { printf -- '--B\nContent-Type: %s\nContent-Disposition: attachment; filename="%s"\n\n%s\n' "$1" "$2" "$3"; }

{
	printf 'Content-Type: multipart/mixed; boundary="B"\nMIME-Version: 1.0\n\n'
	part text/cloud-config c.yaml $'#cloud-config\nbootcmd: [echo bootcmd >> /ran]\nruncmd: [echo runcmd >> /ran]\nvendor_data: {prefix: [env, WHO=vendor]}'
	part text/x-shellscript-per-boot b.sh $'#!/bin/sh\necho per-boot >> /ran'
	part text/x-shellscript-per-once o.sh $'#!/bin/sh\necho per-once >> /ran'
	part text/x-shellscript-per-instance i.sh $'#!/bin/sh\necho per-instance >> /ran'
	part text/x-shellscript z.sh $'#!/bin/sh\necho z >> /ran'
	part text/x-shellscript a.sh $'#!/bin/sh\necho a >> /ran'
	part text/cloud-boothook hook $'#cloud-boothook\n#!/bin/sh\necho hook $INSTANCE_ID >> /ran'
	printf -- '--B--\n'
} | machine
printf '#!/bin/sh\necho $WHO >> /ran\n' >"$work/m/var/lib/cloud/seed/nocloud/vendor-data"
check 'scripts: first boot' one_boot
check 'scripts: all of them, in their order' same "$(ran)" 'hook m-1 bootcmd (final) vendor per-once per-boot per-instance a runcmd z '
check 'scripts: nothing went wrong' same "$("$config" status --root "$work/m" --long | grep -c ^errors)" 1
check 'scripts: second boot' one_boot
check 'scripts: only those of each boot' same "$(ran)" 'hook m-1 bootcmd (final) per-boot '
echo 'instance-id: m-2' >"$work/m/var/lib/cloud/seed/nocloud/meta-data"
check 'scripts: another instance' one_boot
check 'scripts: what is once is not again' same "$(ran)" 'hook m-2 bootcmd (final) vendor per-boot per-instance a runcmd z '

printf '#!/bin/sh\nexit 4\n' | machine
printf '#cloud-boothook\n#!/bin/sh\nexit 3\n' >"$work/m/var/lib/cloud/seed/nocloud/vendor-data"
check 'scripts that fail: boot goes on' one_boot
check 'scripts that fail: each is told' contains "$("$config" status --root "$work/m" --long || true)" 'the boothook part-001 failed with status 3' 'the script part-001 failed with status 4'
tap_end
