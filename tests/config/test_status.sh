#!/bin/bash
# test_status.sh: what coracle-config tells afterwards: status, result, logs, analyze, clean, and what it must never tell. TAP output.
# The keys and words are those of cloud-init's own `status` (cmd/status.py, 25.1); test_agreement.sh asks the program itself.
set -euo pipefail

# shellcheck source=tests/config/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
root=$work/root

# applied TEXT: a fresh tree to which this user-data is applied; its exit status is $code, its words are in $work/applied
applied() {
	rm -rf "$root" "$work/seed"
	mkdir -p "$root/etc" "$work/seed"
	printf 'root:x:0:0::/root:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\n' >"$root/etc/group"
	printf 'root:*:19000:0:99999:7:::\n' >"$root/etc/shadow"
	printf '%s\n' "$1" >"$work/seed/user-data"
	printf 'instance-id: i-1\n' >"$work/seed/meta-data"
	code=0
	"$config" apply --root "$root" --seed "$work/seed" >"$work/applied" 2>&1 || code=$?
}
status() { "$config" status --root "$root" "$@"; }

mkdir -p "$root/etc"
KEYS="['boot_status_code', 'datasource', 'detail', 'errors', 'extended_status', 'last_update', 'recoverable_errors', 'status']"
check 'not started: JSON has the keys of cloud-init' same "$(status --format json | json 'sorted(v)')" "$KEYS"
check 'not started: words' same "$(status --format json | json 'v["status"], v["extended_status"], v["datasource"], v["errors"], v["recoverable_errors"]')" "('not started', 'not started', '', [], {})"
check 'not started: exit status' exits 0 status
mkdir -p "$root/etc/cloud"
touch "$root/etc/cloud/cloud-init.disabled"
check 'disabled: does not wait' exits 0 status --wait --long
check 'disabled: words' contains "$(<"$work/out")" 'status: disabled' 'boot_status_code: disabled-by-marker-file' 'detail: Cloud-init disabled by /etc/cloud/cloud-init.disabled'

applied $'#cloud-config\nhostname: a'
check 'done: exit status' exits 0 status
check 'done: JSON has the keys of cloud-init' same "$(status --format=json | json 'sorted(v)')" \
	"['boot_status_code', 'datasource', 'detail', 'errors', 'extended_status', 'init', 'init-local', 'last_update', 'modules-config', 'modules-final', 'recoverable_errors', 'stage', 'status']"
check 'done: words' same "$(status --format json | json 'v["boot_status_code"], v["datasource"], v["detail"], v["errors"], v["extended_status"], v["recoverable_errors"], v["stage"], v["status"]')" \
	"('enabled-by-generator', 'nocloud', 'DataSourceNoCloud [seed=$work/seed]', [], 'done', {}, None, 'done')"
check 'done: a stage' same "$(status --format json | json 'sorted(v["init"]), v["init"]["finished"] >= v["init"]["start"] >= v["init-local"]["finished"] > 1.6e9')" \
	"(['errors', 'finished', 'recoverable_errors', 'start'], True)"
check 'done: YAML says the same' same "$(status --format yaml | sed 's/: /:/' | grep -c -E '^(boot_status_code:"enabled-by-generator"|datasource:"nocloud"|errors:\[\]|stage:null|status:"done"|init:\{)')" 6
check 'an unknown format' exits 1 status --format xml
check 'long, as cloud-init prints it' same "$(status -l | sed 's/^last_update: .*/last_update/')" "status: done
extended_status: done
boot_status_code: enabled-by-generator
last_update
detail: DataSourceNoCloud [seed=$work/seed]
errors: []
recoverable_errors: {}"
check 'the log has the form of cloud-init' grep -qxE '[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8},[0-9]{3} - [a-z]+\[INFO\]: .*' "$root/var/log/cloud-init.log"
check 'analyze show' exits 0 "$config" analyze show --root "$root"
check 'analyze show: each stage and the sum' contains "$(<"$work/out")" '(init-local)' '(init)' '(modules-config)' '(modules-final)' 'Total Time: 0.'
check 'analyze blame: the longest first' same "$("$config" analyze blame --root "$root" | head -4 | sort -r)" "$("$config" analyze blame --root "$root" | head -4)"
check 'analyze: anything else' exits 1 "$config" analyze dance

applied $'#cloud-config\nhostnam: a\npackages: [x]'
check 'degraded: exit status of apply and status' eval "test $code = 2 && exits 2 status"
check 'degraded: words' same "$(status --format json | json 'v["status"], v["extended_status"], v["errors"], v["recoverable_errors"]["ERROR"], len(v["recoverable_errors"]["WARNING"])')" \
	"('done', 'degraded done', [], ['user-data:2:1: unknown key \"hostnam\" in the configuration (did you mean \"hostname\"?)'], 1)"
applied $'#cloud-config\npackages: [x]'
check 'degraded: only kinds that there are' same "$(status --format json | json 'list(v["recoverable_errors"])')" "['WARNING']"

applied $'#cloud-config\nhostname: [a]\nwrite_files: [{path: x}, {path: /a, permissions: "9"}]'
check 'errors: exit status of apply and status' eval "test $code = 1 && exits 1 status --long"
check 'errors: all of them, with place and text' contains "$(<"$work/out")" 'status: error' 'extended_status: error - done' '- user-data:2:11: ' '- user-data:3:22: ' '- user-data:3:50: '
check 'errors: each has source, line, column and words' same \
	"$(status --format json | json 'all(__import__("re").fullmatch(r"user-data:\d+:\d+: \S.*", e) for e in v["errors"]) and len(v["errors"])')" 3
check 'errors: result.json' same "$(json 'len(v["v1"]["errors"]), v["v1"]["datasource"]' <"$root/run/cloud-init/result.json")" "(3, 'DataSourceNoCloud [seed=$work/seed]')"
check 'errors: log lines' same "$(grep -cE '^[0-9-]{10} [0-9:]{8},[0-9]{3} - [a-z]+\[ERROR\]: user-data:[0-9]+:[0-9]+: ' "$root/var/log/cloud-init.log")" 3

check 'clean: exit status' exits 0 "$config" clean --root "$root"
check 'clean: the instance is forgotten, logs stay' test ! -e "$root/var/lib/cloud/instance" -a ! -e "$root/var/lib/cloud/instances" -a ! -e "$root/run/cloud-init" -a -e "$root/var/log/cloud-init.log"
check 'clean: status' same "$(status)" 'status: not started'
mkdir -p "$root/var/lib/cloud/seed/nocloud"
check 'clean --logs --seed --machine-id' exits 0 "$config" clean --root "$root" --logs --seed --machine-id
check 'clean --logs --seed --machine-id: done' eval "test ! -e '$root/var/log/cloud-init.log' -a ! -e '$root/var/lib/cloud/seed' && test \"\$(<'$root/etc/machine-id')\" = uninitialized"
check 'clean: twice is no error, a wrong option is' eval "exits 0 '$config' clean --root '$root' && exits 1 '$config' clean --everything"

ln -s "$config" "$work/cloud-init"
for word in init 'modules --mode=final' 'single --name x' collect-logs; do
	# shellcheck disable=SC2086
	check "cloud-init $word: says why it does nothing" eval "exits 1 '$work/cloud-init' $word && grep -q 'does nothing on Coracle' '$work/out'"
done
check 'cloud-init --version' contains "$("$work/cloud-init" --version)" "cloud-init $(<"$top/VERSION")"
check 'options as people write them' eval "exits 1 '$config' schema --config-file=$work/seed/user-data && exits 1 '$config' schema -c$work/seed/user-data && exits 1 '$config' schema -c $work/seed/user-data -t cloud-config"
printf '#cloud-config\nhostname: [a]\n' >"$work/bad"
exits 1 "$config" schema --annotate -c "$work/bad"
check 'schema --annotate: the line and the list' contains "$(<"$work/out")" $'hostname: [a]\t\t# E1' '# Errors: -------------' '# E1: '
printf 'network: {version: 2, ethernets: {eth0: {dhcp4: maybe}}}\n' >"$work/net"
check 'schema -t network-config' eval "exits 1 '$config' schema -c $work/net -t network-config && grep -q ':1:' '$work/out'"

# Secrets: words that no log, no status and no console may have. The mistakes beside them are told all the same.
# shellcheck disable=SC2016
applied '#cloud-config
password: SECRET-default
chpasswd:
  users:
    - {name: root, password: SECRET-text, type: text}
    - {name: nobody-here, password: "$6$SECRETsalt$SECREThash", type: hash}
    - {name: wrong:name, password: SECRET-wrong, type: text}
    - {name: root, password: [SECRET-list]}
users:
  - {name: ann, plain_text_passwd: SECRET-plain, hashed_passwd: "$6$SECRETsalt$SECRET:hash"}
  - {name: ann2, passwd: "SECRET not a hash"}
  - {name: ann3, plain_text_passwd: {SECRET-key: SECRET-value}}
ssh_keys:
  rsa_private: |
    -----BEGIN OPENSSH PRIVATE KEY-----
    SECRETkey
  ed25519_private: SECRETbroken
  dsa_private: SECRETdsa
random_seed: {data: SECRETseed, encoding: b64, mode: [SECRETmode]}
write_files:
  - {path: /etc/token, content: SECRETcontent, permissions: "9", owner: nobody-there}
  - {path: /etc/token2, content: "%SECRET%", encoding: b64}
containers:
  services:
    db: {image: x, environment: {PASSWORD: SECRETenv}, nonsense: 1}'
check 'secrets: there are problems to tell' test "$code" != 0
status --long >"$work/long" || true
status --format json >"$work/json" || true
# the source line below a message is the reader's own, on his terminal
grep -v '^    ' "$work/applied" >"$work/messages"
check 'secrets: each mistake is told' contains "$(<"$work/messages")" 'wrong:name' '/etc/token2' 'nonsense' 'this is no hash'
code=0
grep -rn SECRET "$root/var/log" "$root/run/cloud-init" "$work/messages" "$work/long" "$work/json" >"$work/leaks" 2>&1 || code=$?
check 'secrets: none in logs, status and messages' same "$code $(<"$work/leaks")" '1 '
tap_end
