#!/bin/bash
# test_include.sh: #include and cloud-config-url= over http and https, from the server to the file that they ask for, in a network namespace. TAP output.
# timeout: 600
# The machine's certificates are a bundle of this test's own, mounted where coracle-http reads them; ca_certs has to add the server's to it.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${CORACLE_BUILD:-$top/build}
config=$build/bin/coracle-config
bundle=/etc/ssl/certs/ca-certificates.crt
# shellcheck source=tests/lib/tap.sh
source "$top/tests/lib/tap.sh"
if [[ ${1:-} != inside ]]; then
	((EUID == 0)) || skip_all 'needs root: a network namespace'
	[[ -f $bundle ]] || skip_all 'no certificates here that could be hidden'
	command -v openssl >/dev/null || skip_all 'needs openssl'
	exec unshare --net --mount bash "${BASH_SOURCE[0]}" inside
fi
work=$(mktemp -d)
server=''
trap '[[ -z $server ]] || kill "$server"; rm -rf "$work"' EXIT
ip link set lo up
mkdir -p "$work/www" "$work/seed" "$work/root/etc/ssl/certs" "$work/root/run/coracle"
chmod 755 "$work"
echo 'root:x:0:0::/:/bin/sh' >"$work/root/etc/passwd"
# the authority of an earlier run, and that of the server
for name in other ours; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$name.key" -out "$work/$name.crt" -days 2 -subj "/CN=$name" \
		-addext 'subjectAltName=IP:127.0.0.1' 2>"$work/openssl" || { cat "$work/openssl"; exit 1; }
done
cp "$work/other.crt" "$work/root$bundle"
chmod 644 "$work/root$bundle"
# trust: what the configuration made of the bundle is this machine's from now on
trust() { umount "$bundle" 2>/dev/null || true; cp "$work/root$bundle" "$work/bundle"; chmod 644 "$work/bundle"; mount --bind "$work/bundle" "$bundle"; }
trust
cat "$work/ours.key" "$work/ours.crt" >"$work/pem"
file() { printf '#cloud-config\nwrite_files: [{path: /etc/%s, content: yes}]\n' "$1" >"$work/www/$1"; }
file plain
file second
for i in 1 2 3 4 5; do printf '#include\nhttps://127.0.0.1:8443/deep%d\n' $((i + 1)) >"$work/www/deep$i"; done
echo 'not a cloud-config' >"$work/www/text"
python3 -c 'print("#!/bin/sh\n" + "# filler filler\n" * 60000)' >"$work/www/large"
exec {out}< <(CLOUDS_CERTIFICATE=$work/pem exec python3 "$top/tests/config/clouds.py" --log "$work/log" "files+tls=$work/www@127.0.0.1:8443" \
	"files=$work/www@127.0.0.1:8080" broken@127.0.0.1:8001 broken+tls@127.0.0.1:8444)
server=$!
read -r -t 200 -u "$out" _ || { echo "Bail out! clouds.py does not listen"; exit 1; }

# apply: the user-data on standard input; the files of the last one are gone
apply() {
	rm -rf "$work/root/etc/plain" "$work/root/etc/second" "$work/root/var" "$work/root/run/cloud-init"
	cat >"$work/seed/user-data"
	echo 'instance-id: i' >"$work/seed/meta-data"
	: >"$work/log"
	code=0
	"$config" apply --root "$work/root" --seed "$work/seed" >"$work/out" 2>&1 || code=$?
}
include() { printf '#include\n'; printf '%s\n' "$@"; }
made() { [[ -e $work/root/etc/$1 ]] || { echo "/etc/$1 was not made"; cat "$work/out"; return 1; }; }
not_made() { [[ ! -e $work/root/etc/$1 ]] || { echo "/etc/$1 was made"; return 1; }; }
ended() { [[ $code == "$1" ]] || { echo "exit status $code, not $1"; cat "$work/out"; return 1; }; }
says() { contains "$(<"$work/out")" "$@"; }
requests() { grep -c "$1" "$work/log" || true; }

apply < <(include http://127.0.0.1:8080/plain)
check 'http: included' eval 'ended 0 && made plain'
apply < <(include https://127.0.0.1:8443/plain)
check 'https, and nobody has said to trust that server: refused, with its line' eval 'ended 1 && not_made plain && says "user-data:2:1: error: this is not included:"'
check 'nothing was asked of it' same 0 "$(requests GET)"
apply < <(printf '#cloud-config\nca_certs:\n  trusted:\n  - |\n'; sed 's/^/    /' "$work/ours.crt")
check 'ca_certs: trusted: its certificate gets into the bundle, behind what is there' eval \
	'ended 0 && same 2 "$(grep -c BEGIN "$work/root$bundle")" && contains "$(<"$work/root$bundle")" "$(<"$work/other.crt")" "$(<"$work/ours.crt")"'
trust
apply < <(include https://127.0.0.1:8443/plain http://127.0.0.1:8080/second)
check 'https, trusted now: included, and the one below it takes its place' eval 'ended 0 && not_made plain && made second'
apply < <(include http://127.0.0.1:8001/away-https/plain)
check 'redirected from http to https: followed' eval 'ended 0 && made plain'
apply < <(include https://127.0.0.1:8444/away-http/plain http://127.0.0.1:8080/second)
check 'redirected from https to http: refused; the rest is done' eval 'ended 1 && says "user-data:2:1: error: this is not included:" "from https to http" && made second'
apply < <(include https://127.0.0.1:8443/nothing)
check 'what is not there' eval 'ended 1 && says "user-data:2:1: error: this is not included:" 404'
apply < <(include http://127.0.0.1:8001/loop/x http://127.0.0.1:8001/big/x http://127.0.0.1:8001/huge/x)
check 'a circle, an answer without end, one that says it is too large: each with its line' says 'user-data:2:1: error:' 'too many redirects' \
	'user-data:3:1: error:' 'user-data:4:1: error:' 'larger than allowed'
apply < <(include https://127.0.0.1:8443/deep1)
check 'depth: three deep, and the fourth is told with its place' eval 'ended 1 && says "followed 3 deep"'
check 'depth: no more than that was asked for' same '0 1' "$(requests /deep5) $(requests /deep3)"
tree=$work/tree
mkdir -p "$tree/proc" "$tree/run/coracle" "$tree/sys/class/dmi/id"
: >"$tree/run/coracle/devices"
# detect WORDS: as at boot, with that kernel command line
detect() {
	rm -rf "$work/root/etc/plain" "$work/root/var" "$work/root/run/cloud-init"
	echo "$*" >"$tree/proc/cmdline"
	code=0
	"$config" apply --root "$work/root" --detect "$tree" >"$work/out" 2>&1 || code=$?
}
detect quiet cloud-config-url=https://127.0.0.1:8443/plain 'ds=nocloud;i=one'
check 'cloud-config-url=: fetched by https and applied' eval 'ended 0 && made plain'
detect quiet cloud-config-url=https://127.0.0.1:8443/plain
check 'cloud-config-url=: without any source' made plain
detect cloud-config-url=https://127.0.0.1:8443/text 'ds=nocloud;i=one'
check 'cloud-config-url=: no cloud-config: an error that says so' eval 'ended 1 && not_made plain && says "cloud-config-url" "is no cloud-config"'
mapfile -t many < <(for ((i = 0; i < 60; i++)); do echo http://127.0.0.1:8080/plain; done)
apply < <(include "${many[@]}")
check 'number: fifty, the rest is told' eval 'ended 1 && made plain && says "user-data:52:1: error: more than 50 addresses"'
check 'number: fifty were asked for' same 50 "$(requests /plain)"
mapfile -t many < <(for ((i = 0; i < 12; i++)); do echo http://127.0.0.1:8080/large; done)
apply < <(include "${many[@]}")
check 'bytes: 8 MiB together, the rest is told' eval 'ended 1 && says "8 MiB"'
apply < <(include http://127.0.0.1:8001/silent/x http://127.0.0.1:8080/second)
check 'time: a server that never answers costs the minute of all of them, no more, and that is told' eval \
	'ended 1 && says "user-data:2:1: error: this is not included:" "user-data:3:1: error: this is not included: all that is included may take 60 s"'
tap_end
