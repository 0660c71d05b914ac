#!/bin/bash
# test_config.sh: the program coracle-config itself, on this machine. TAP output.
# schema, apply, status and query as anybody; boot and final as root, in a root directory and namespaces of their own. The
# text of problems and the meaning of keys are tried by the units (tests/unit/test_config_*.c).
set -euo pipefail

# shellcheck source=tests/config/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
fixtures=$top/tests/fixtures/config

newroot() { rm -rf "$work/root"; mkdir -p "$work/root/etc" "$work/root/run/coracle"; cp "$top/rootfs/skeleton/etc/passwd" "$work/root/etc/" 2>/dev/null || printf 'root:x:0:0::/:/bin/sh\n' >"$work/root/etc/passwd"; }
apply() { "$config" apply --root "$work/root" --seed "$work/seed"; }
mode() { stat -c %a "$work/root/$1"; }

check 'schema: a good configuration' exits 0 "$config" schema -c "$fixtures/good-whole.yaml"
check 'schema: says that it is valid' contains "$(<"$work/out")" 'good-whole.yaml: valid'
check 'schema: a bad one' exits 1 "$config" schema -c "$fixtures/bad-everything.yaml"
check 'schema: place, line and caret as a compiler' contains "$(<"$work/out")" \
	'bad-everything.yaml:3:1: error: unknown key "hostnam" in the configuration (did you mean "hostname"?)
    hostnam: edge
    ^'
printf '#cloud-config\npackages: [x]\n' >"$work/warning.yaml"
check 'schema: warnings alone are no failure' exits 0 "$config" schema -c "$work/warning.yaml"
check 'schema: no file' exits 1 "$config" schema -c "$work/nothing"
check 'usage: nothing, a wrong command, a wrong option' eval "exits 1 '$config' && exits 1 '$config' fly && exits 1 '$config' status --fast && exits 1 '$config' apply --root x"
check 'help and version' eval "exits 0 '$config' --help && exits 0 '$config' --version && grep -qx 'coracle-config $(<"$top/VERSION")' '$work/out'"
ln -sf "$config" "$work/cloud-init"
check 'it is called cloud-init, too' exits 0 "$work/cloud-init" schema -c "$fixtures/good-bare.yaml"

newroot
check 'status before anything' exits 0 "$config" status --root "$work/root"
check 'status: not started' same "$(<"$work/out")" 'status: not started'
seed <"$fixtures/good-whole.yaml"
if ((EUID == 0)); then
	check 'apply: a good configuration' exits 0 apply
else
	check 'apply: a good configuration, without the right to give files away' exits 2 apply
fi
check 'apply: a file, its mode' same "$(mode etc/motd) $(<"$work/root/etc/motd")" '644 Welcome aboard.'
check 'apply: a secret file' same "$(mode etc/secret) $(<"$work/root/etc/secret")" '600 secret'
check 'apply: host name' same "$(<"$work/root/etc/hostname")" 'edge-1'
check 'apply: containers.json is JSON, private, complete' same "$(json '[s["name"] for s in v["services"]]' <"$work/root/run/coracle/containers.json") $(mode run/coracle/containers.json)" \
	"['web', 'db', 'migrate'] 600"
check 'apply: the script of runcmd' same "$(mode var/lib/cloud/instance/scripts/runcmd)" 700
check 'apply: status.json is JSON and waits for the last stage' same \
	"$(json '(v["v1"]["init"]["errors"], v["v1"]["modules-final"]["finished"], v["v1"]["datasource"][:17])' <"$work/root/run/cloud-init/status.json")" "([], None, 'DataSourceNoCloud')"
check 'apply: no result before the last stage' test ! -e "$work/root/run/cloud-init/result.json"
check 'query' same "$("$config" query --root "$work/root" instance_id)" 'i-1'
check 'apply: no secret in the logs' eval "! grep -rn 'c2VjcmV0\|secret' '$work/root/var/log'"

newroot
seed <"$fixtures/bad-everything.yaml"
check 'apply: a bad configuration' exits 1 apply
check 'apply: what is right of it is there' same "$(<"$work/root/etc/hostname") $(json '[s["name"] for s in v["services"]]' <"$work/root/run/coracle/containers.json")" "edge ['watched', 'fine']"
check 'status: errors' exits 1 "$config" status --root "$work/root" --long
check 'status: told in full' contains "$(<"$work/out")" 'status: error' 'errors:' 'user-data:13:5: a write_files entry needs a path' 'WARNING:'
check 'status: JSON' same "$("$config" status --root "$work/root" --format json | json '(v["status"], len(v["errors"]) > 10, v["datasource"])')" "('error', True, 'nocloud')"
newroot
printf '#cloud-config\nhostname: [a]\n' | seed
apply >/dev/null 2>&1 || true
check 'result.json is JSON and has the errors' same "$(json 'v["v1"]' <"$work/root/run/cloud-init/result.json")" \
	"{'datasource': 'DataSourceNoCloud [seed=$work/seed]', 'errors': ['user-data:2:11: hostname must be text, not a list']}"

newroot
printf '#cloud-config\nhostname: a\nhostnam: b\n' | seed
check 'apply: an unknown key' exits 2 apply
check 'status: degraded' exits 2 "$config" status --root "$work/root" --long
check 'status: degraded done' contains "$(<"$work/out")" 'status: done' 'extended_status: degraded done'

# --wait returns when the last stage is over, and not before
newroot
printf '#cloud-config\nruncmd: [ls]\n' | seed
apply
timeout 120 "$config" status --wait --root "$work/root" >"$work/waited" &
waiter=$!
python3 - "$work/waited" <<'PY'
import pathlib, sys, time
end = time.monotonic() + 20
while "." not in pathlib.Path(sys.argv[1]).read_text() and time.monotonic() < end:
    time.sleep(0.02)
PY
check 'status --wait: waits while the last stage is to come' kill -0 "$waiter"
# of another instance: the commands of the first one would still have to be run
printf '#cloud-config\nhostname: a\n' | seed i-2
apply
code=0
wait "$waiter" || code=$?
check 'status --wait: ends with it' same "$code" 0
check 'status --wait: the answer' contains "$(<"$work/waited")" 'status: done'

if ((EUID != 0)) || ! unshare -m -u -i --fork true 2>/dev/null; then
	tap_end
	exit
fi

# A machine of our own: its root is a directory, its host name its own. init is played by a few lines of Python.
machine() { rm -rf "$work/m"; mkdir -p "$work"/m/{dev,proc,sys,run/coracle,tmp,var/lib/cloud/seed/nocloud,etc,usr/bin}; ln -s usr/bin "$work/m/bin"; : >"$work/m/run/coracle/devices"
	cp "$config" "$work/m/usr/bin/coracle-config"; cp "$build/sysroot/target/busybox" "$work/m/usr/bin/"
	local tool; for tool in sh hostname cat echo test; do ln -s busybox "$work/m/usr/bin/$tool"; done
	cat >"$work/m/var/lib/cloud/seed/nocloud/user-data"; echo 'instance-id: m-1' >"$work/m/var/lib/cloud/seed/nocloud/meta-data"; }
in_machine() { unshare -m -u -i --fork bash -c 'mount --bind /dev "$0/dev" && mount -t proc none "$0/proc" && mount -t tmpfs none "$0/sys" && exec chroot "$0" /bin/sh -c "$1"' "$work/m" "$1"; }

machine <<'YAML'
#cloud-config
hostname: boat
bootcmd: ['echo "early $INSTANCE_ID" > /early']
write_files: [{path: /etc/word, content: "ahoy"}]
runcmd:
  - echo "$(hostname) $(cat /etc/word) $INSTANCE_ID" >> /ran
  - echo to the log
power_state: {mode: poweroff, condition: test -f /ran}
services: {s: {image: busybox}}
YAML
check 'boot: ends well' in_machine '/bin/coracle-config boot && hostname > /name'
check 'boot: the host name of the machine' same "$(<"$work/m/name")" boat
check 'boot: bootcmd ran' same "$(<"$work/m/early")" 'early m-1'
check 'boot: containers and the final stage are asked for' test -s "$work/m/run/coracle/containers.json" -a -s "$work/m/run/coracle/final"
check 'boot: runcmd waits for the final stage' test ! -e "$work/m/ran"
check 'boot: its times are there' contains "$(<"$work/m/run/coracle/boot-times")" config-start config-done
python3 - "$work/m/run/coracle/init.sock" "$work/asked" <<'PY' &
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind(sys.argv[1])
s.listen(1)
s.settimeout(60)
c, _ = s.accept()
open(sys.argv[2] + ".new", "wb").write(c.recv(4096))
os.rename(sys.argv[2] + ".new", sys.argv[2])
c.send(b"ok")
PY
init=$!
while [[ ! -S $work/m/run/coracle/init.sock ]] && kill -0 "$init"; do :; done
check 'final: ends well' in_machine 'hostname boat; /bin/coracle-config final'
wait "$init" || true
check 'final: init was asked to power off' same "$(<"$work/asked")" poweroff
check 'final: runcmd ran, with what was there' same "$(<"$work/m/ran")" 'boat ahoy m-1'
check 'final: its output is in the log' contains "$(<"$work/m/var/log/cloud-init-output.log")" 'to the log'
check 'final: result and status' same "$(json 'v["v1"]["errors"]' <"$work/m/run/cloud-init/result.json") $("$config" status --root "$work/m")" '[] status: done'
rm -rf "$work/m/run/cloud-init" "$work"/m/run/coracle/{final,containers.json,init.sock}
check 'second boot of the instance: applied again, nothing is run again' in_machine '/bin/coracle-config boot'
check 'second boot: no final stage, the containers are there, the status is final' eval "test ! -e '$work/m/run/coracle/final' -a -s '$work/m/run/coracle/containers.json' -a -s '$work/m/run/cloud-init/result.json'"
echo 'instance-id: m-2' >"$work/m/var/lib/cloud/seed/nocloud/meta-data"
check 'another instance-id: its commands are to be run' eval "in_machine '/bin/coracle-config boot' && test -s '$work/m/run/coracle/final'"

machine <<'YAML'
#cloud-config
runcmd: [exit 3]
power_state: {mode: reboot, condition: "test -f /not/there"}
YAML
check 'failing commands: boot and final go on' in_machine '/bin/coracle-config boot && /bin/coracle-config final'
check 'failing commands: told' exits 1 "$config" status --root "$work/m" --long
check 'failing commands: with their status' contains "$(<"$work/out")" 'the script runcmd failed with status 3 (see /var/log/cloud-init-output.log)'
check 'power_state: a condition that does not hold leaves the machine up' eval "! grep power_state '$work/m/run/coracle/problems'"

machine </dev/null
rm -r "$work/m/var/lib/cloud/seed"
check 'no datasource: nothing to do' in_machine '/bin/coracle-config boot'
check 'no datasource: done' same "$("$config" status --root "$work/m" --long | grep -E '^(status|detail)')" $'status: done\ndetail: DataSourceNone'
check 'no datasource: nothing else is written' test ! -e "$work/m/run/coracle/containers.json" -a ! -e "$work/m/var/lib/cloud/instance"

machine </dev/null
printf '#!/bin/sh\r\necho a script >> /ran\r\n' >"$work/m/var/lib/cloud/seed/nocloud/user-data"
check 'a script as user-data runs in the final stage' in_machine '/bin/coracle-config boot && test ! -e /ran && /bin/coracle-config final && test -e /ran'
tap_end
