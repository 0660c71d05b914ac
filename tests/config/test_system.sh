#!/bin/bash
# test_system.sh: what coracle-config fetches and posts (write_files' source, phone_home), and the files that time zone, certificates and the like become.
# TAP output. As root all of it is in a network namespace, whose loopback the server is on. Reading and refusing is tried by the units (tests/unit/test_config_system.c).
set -euo pipefail

if ((EUID == 0)) && [[ -z ${CORACLE_TEST_NETNS-} ]] && unshare -n true 2>/dev/null; then
	CORACLE_TEST_NETNS=1 exec unshare -n --kill-child --fork "$0"
fi
if [[ -n ${CORACLE_TEST_NETNS-} ]]; then
	ip link set lo up
fi
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${CORACLE_BUILD:-$top/build}
config=$build/bin/coracle-config
# shellcheck source=tests/lib/tap.sh
source "$top/tests/lib/tap.sh"
work=$(mktemp -d)
server=
cleanup() {
	[[ -z $server ]] || kill "$server" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT

newroot() { rm -rf "$work/root"; mkdir -p "$work/root/etc"; printf 'root:x:0:0::/:/bin/sh\n' >"$work/root/etc/passwd"; printf 'root:x:0:\n' >"$work/root/etc/group"; }
seed() { rm -rf "$work/seed"; mkdir "$work/seed"; cat >"$work/seed/user-data"; echo 'instance-id: i-1' >"$work/seed/meta-data"; }
# apply: its messages go to $work/out; warnings alone are no failure of the test.
apply() {
	local code=0
	"$config" apply --root "$work/root" --seed "$work/seed" >"$work/out" 2>&1 || code=$?
	((code == 0 || code == 2))
}

# answers /file, /missing and a post; writes what came, a request a line
cat >"$work/server.py" <<'PY'
import http.server, json, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def note(self, body=""):
        with open(sys.argv[1], "a") as f:
            f.write(json.dumps([self.command, self.path, self.headers.get("X-Token"), self.headers.get("Content-Type"), body]) + "\n")
    def do_GET(self):
        self.note()
        body = b"from the server\n" if self.path == "/file" else b"no"
        self.send_response(200 if self.path == "/file" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_POST(self):
        self.note(self.rfile.read(int(self.headers["Content-Length"])).decode())
        busy = "busy" in self.path and not os.path.exists(sys.argv[1] + ".busy")
        if busy:
            open(sys.argv[1] + ".busy", "w").close()
        self.send_response(503 if busy else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
s = http.server.HTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[2] + ".new", "w") as f:
    f.write(str(s.server_port))
os.rename(sys.argv[2] + ".new", sys.argv[2])
s.serve_forever()
PY
python3 "$work/server.py" "$work/requests" "$work/port" &
server=$!
eventually test -s "$work/port"
url=http://127.0.0.1:$(<"$work/port")

newroot
seed <<YAML
#cloud-config
write_files:
  - {path: /fetched, owner: "$(id -u):$(id -g)", content: not this, source: {uri: "$url/file", headers: {X-Token: geheim}}}
  - {path: /fallback, owner: "$(id -u):$(id -g)", content: aGVyZQ==, encoding: b64, source: {uri: "$url/missing"}}
YAML
check 'write_files: a source' apply
check 'write_files: what the server has comes before the content' same "$(<"$work/root/fetched")" 'from the server'
check 'write_files: its headers are sent' contains "$(<"$work/requests")" '["GET", "/file", "geheim"'
check 'write_files: without the server the content counts' same "$(<"$work/root/fallback")" here
check 'write_files: and that is said, at its place' contains "$(<"$work/out")" 'user-data:4:5: warning: /fallback is written with its content: '
check 'write_files: no header in messages and logs' eval "! grep -rn geheim '$work/out' '$work/root/var/log' '$work/root/run'"
newroot
seed <<YAML
#cloud-config
write_files:
  - {path: /nowhere, source: {uri: "$url/missing"}}
  - {path: /a/b/c, owner: "12:13", defer: true}
YAML
check 'write_files: neither server nor content is an error' eval '! apply'
check 'write_files: the file is not there' test ! -e "$work/root/nowhere"
if ((EUID == 0)); then
	check 'write_files: directories of a deferred file belong to its owner' same "$(stat -c %u:%g "$work/root/a" "$work/root/a/b" "$work/root/a/b/c" | sort -u)" 12:13
fi

newroot
mkdir -p "$work/root/etc/ssl/certs"
printf 'the default\n' >"$work/root/etc/ssl/certs/ca-certificates.crt"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key" -out "$work/pem" -subj /CN=test -days 2 2>/dev/null
{
	printf '#cloud-config\nntp: {servers: [192.0.2.7]}\nca_certs:\n  trusted:\n  - |\n'
	sed 's/^/    /' "$work/pem"
} | seed
check 'ca_certs and ntp' apply
check 'ca_certs: a certificate of openssl is taken' same "$(tail -n +3 "$work/root/etc/ssl/certs/ca-certificates.crt")" "$(<"$work/pem")"
check 'ca_certs: the default stays' same "$(head -1 "$work/root/etc/ssl/certs/ca-certificates.crt")" 'the default'
check 'ntp: a unit that init can read' contains "$(<"$work/root/etc/coracle/units/ntp.unit")" 'ExecStart=/bin/busybox ntpd -n -p 192.0.2.7'

if [[ -d /usr/share/zoneinfo/Europe ]]; then
	# every zone, at moments of each month of two years: our file beside the database's
	check 'timezone: the clock shows what the tz database says' python3 - "$config" "$work" <<'PY'
import datetime, pathlib, subprocess, sys, zoneinfo
config, work = sys.argv[1], pathlib.Path(sys.argv[2])
# their rules are lists of days (Ramadan), of which a rule in POSIX form knows only the usual one
IRREGULAR = {"Africa/Casablanca", "Africa/El_Aaiun"}
bad = []
for name in ("Africa/Cairo", "America/New_York", "America/St_Johns", "Asia/Kolkata", "Asia/Tehran", "Australia/Lord_Howe", "Europe/Dublin",
             "Europe/Madrid", "Pacific/Chatham", "UTC"):
    root, seed = work / "zone", work / "zseed"
    for d in (root, seed):
        d.mkdir(exist_ok=True)
    (seed / "user-data").write_text(f"#cloud-config\ntimezone: {name}\n")
    (seed / "meta-data").write_text("instance-id: i\n")
    subprocess.run([config, "apply", "--root", root, "--seed", seed], check=True)
    with open(root / "etc/localtime", "rb") as f:
        ours = zoneinfo.ZoneInfo.from_file(f)
    theirs = zoneinfo.ZoneInfo(name)
    for month in range(24):
        t = datetime.datetime(2027 + month // 12, month % 12 + 1, 15, 3, 30, tzinfo=datetime.timezone.utc)
        a, b = t.astimezone(ours), t.astimezone(theirs)
        if (a.utcoffset(), a.tzname()) != (b.utcoffset(), b.tzname()):
            bad.append(f"{name} {t}: {a} and {b}")
sys.exit("\n".join(bad) if bad else 0)
PY
fi

if [[ -z ${CORACLE_TEST_NETNS-} ]] || ! unshare -m --fork true 2>/dev/null; then
	tap_end
	exit
fi

# A machine of our own: its root is a directory; its network is the namespace.
machine() {
	rm -rf "$work/m/var" "$work/m/run"
	mkdir -p "$work"/m/{dev,proc,sys,run/coracle,tmp,var/lib/cloud/seed/nocloud,var/log,etc/ssh,usr/bin,usr/lib/coracle}
	[[ -e $work/m/bin ]] || ln -s usr/bin "$work/m/bin"
	: >"$work/m/run/coracle/devices"
	cp "$config" "$build/bin/coracle-http" "$work/m/usr/lib/coracle/"
	cp "$build/sysroot/target/busybox" "$work/m/usr/bin/"
	ln -sf busybox "$work/m/usr/bin/sh"
	printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' >"$work/m/etc/passwd"
	cat >"$work/m/var/lib/cloud/seed/nocloud/user-data"
	echo "instance-id: ${1:-m-1}" >"$work/m/var/lib/cloud/seed/nocloud/meta-data"
}
in_machine() { unshare -m -u --fork bash -c 'mount --rbind /dev "$0/dev" && mount -t proc none "$0/proc" && mount -t tmpfs none "$0/sys" && exec chroot "$0" /bin/sh -c "$1"' "$work/m" "$1"; }
status() { "$config" status --root "$work/m" --long; }

rm -f "$work/requests"
machine <<YAML
#cloud-config
hostname: boat
fqdn: boat.example.org
phone_home: {url: "$url/\$INSTANCE_ID/busy", post: [pub_key_ed25519, pub_key_rsa, instance_id, hostname, fqdn], tries: 3}
random_seed: {data: c2VlZA==, encoding: b64, command: [sh, -c, 'echo "\$RANDOM_SEED_FILE" > /seeded'], command_required: true}
final_message: "all done \$version {{ datasource }}"
YAML
check 'machine: boot' in_machine '/usr/lib/coracle/coracle-config boot'
check 'random_seed: its command ran, with the file in its environment' same "$(<"$work/m/seeded")" /dev/urandom
check 'phone_home: waits for the last stage' test ! -e "$work/requests"
# a new instance has new keys; there is no program here that makes them
mkdir -p "$work/m/etc/ssh"
echo 'ssh-ed25519 AAAA+b/c= root@boat' >"$work/m/etc/ssh/ssh_host_ed25519_key.pub"
check 'machine: final' in_machine '/usr/lib/coracle/coracle-config final'
check 'phone_home: tried again after a 503' same "$(wc -l <"$work/requests")" 2
check 'phone_home: what was posted' same "$(tail -1 "$work/requests")" \
	'["POST", "/m-1/busy", null, "application/x-www-form-urlencoded", "pub_key_ed25519=ssh-ed25519+AAAA%2Bb%2Fc%3D+root%40boat%0A&pub_key_rsa=N%2FA&instance_id=m-1&hostname=boat&fqdn=boat.example.org"]'
check 'phone_home: a key that is not there is told' contains "$(status || true)" 'phone_home: this machine has no pub_key_rsa; N/A is sent'
check 'final_message: in the log' contains "$(<"$work/m/var/log/cloud-init-output.log")" "all done $(<"$top/VERSION") DataSourceNoCloud"
check 'boot-finished is there' test -s "$work/m/var/lib/cloud/instance/boot-finished"
check 'second boot' in_machine '/usr/lib/coracle/coracle-config boot; /usr/lib/coracle/coracle-config final'
check 'phone_home: once for each instance' same "$(wc -l <"$work/requests")" 2
machine m-2 <<YAML
#cloud-config
phone_home: {url: "http://127.0.0.1:1/", tries: 1}
random_seed: {command: [not-there]}
YAML
check 'phone_home: nobody answers' in_machine '/usr/lib/coracle/coracle-config boot; /usr/lib/coracle/coracle-config final'
check 'phone_home: told; a command that is not there too' contains "$(status || true)" 'phone_home: ' 'the command of random_seed, "not-there", is not there'
tap_end
