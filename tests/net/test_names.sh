#!/bin/bash
# test_names.sh: user-defined networks: walls between them, names and addresses, the server at 127.0.0.11, floods. TAP output.
# timeout: 300
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v dig >/dev/null || skip_all 'needs dig (apt-get install bind9-dnsutils)'

# a name server outside: *.example is 192.0.2.77, big.example a long text
cat >"$work/server.py" <<'PYTHON'
import socket, struct, sys, threading
def answer(q, tcp):
    i = 12
    while q[i]: i += q[i] + 1
    question = q[12:i + 5]
    if b"silent" in q: return None
    if b"big" in q and not tcp: return q[:2] + b"\x83\x80\0\1\0\0\0\0\0\0" + question
    data = b"".join(b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\xc0\0\2" + bytes([n]) for n in ([77] if b"big" not in q else range(200)))
    return q[:2] + b"\x81\x80\0\1" + struct.pack(">H", len(data) // 16) + b"\0\0\0\0" + question + data
def tcp():
    s = socket.create_server((sys.argv[1], 53))
    while True:
        c, _ = s.accept()
        n = struct.unpack(">H", c.recv(2, socket.MSG_WAITALL))[0]
        a = answer(c.recv(n, socket.MSG_WAITALL), True)
        c.sendall(struct.pack(">H", len(a)) + a)
        c.close()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind((sys.argv[1], 53))
threading.Thread(target=tcp, daemon=True).start()
while True:
    q, who = u.recvfrom(4096)
    a = answer(q, False)
    if a: u.sendto(a, who)
PYTHON
outside python3 "$work/server.py" 198.18.0.2 &
server=$!
printf 'nameserver 198.18.0.2\nsearch corp.example\n' >"$work/resolv.conf"
mount --bind "$work/resolv.conf" /etc/resolv.conf

cp "$fixtures/busybox-zstd.oci.tar" "$work/run/media/0/"
want_networks '[{"name":"front"},{"name":"back","ipv6":true,"subnets":[{"subnet":"10.77.0.0/24","gateway":"10.77.0.254"},{"subnet":"fd77::/64"}]},{"name":"cut","internal":true}]' \
	"$(web one 'network_mode="front"' 'networks={"front":{"aliases":["app","first"]}}')" \
	"$(web two 'network_mode="front"' 'networks={"front":{"aliases":["app"]}}')" \
	"$(web both 'network_mode="front"' 'networks={"front":{},"back":{"aliases":["bridge-head"]}}')" \
	"$(web three 'network_mode="back"' 'networks={"back":{"ipv4_address":"10.77.0.99","ipv6_address":"fd77::99"}}' 'ports=["8083:80"]')" \
	"$(web shut 'network_mode="cut"' 'networks={"cut":{}}')" \
	"$(service joined 'cat /etc/hosts /etc/resolv.conf; exec sleep 1000' 'network_mode="container:one"' 'depends_on=[{"name":"one","condition":"service_started","required":true}]')"
engine_start --boot-id first
ask() { local who=$1; shift; inside "$who" dig +time=2 +tries=1 @127.0.0.11 "$@"; }
address() { field "$1" "{{(index .NetworkSettings.Networks \"$2\").IPAddress}}"; }
ip_of() { in_container "$1" ip -4 -o addr show "${2:-eth0}" | sed 's/.*inet \([0-9.]*\).*/\1/'; }

check 'resolv.conf names 127.0.0.11' same $'nameserver 127.0.0.11\nsearch corp.example\noptions ndots:0' "$(in_container one cat /etc/resolv.conf)"
check 'a container is found by its name' same "$(ip_of two)" "$(ask one +short two)"
check 'in any case of letters' same "$(ip_of two)" "$(ask one +short TWO)"
check 'by name and network' same "$(ip_of two)" "$(ask one +short two.front)"
check 'by its short id' same "$(ip_of two)" "$(ask one +short "$(docker ps -q --filter name=two)")"
check 'an alias of two gives both' same "$(printf '%s\n' "$(ip_of one)" "$(ip_of two)" | sort)" "$(ask one +short app | sort)"
turns() { for _ in 1 2 3 4; do ask one +short app | head -1; done | sort -u | wc -l; }
check 'in turn' same 2 "$(turns)"
check 'no IPv6 there: an empty answer, not NXDOMAIN' contains "$(ask one two AAAA)" 'status: NOERROR' 'ANSWER: 0'
check 'IPv6 where there is' same fd77::99 "$(ask both +short three AAAA)"
check 'MX of a name of ours is empty' contains "$(ask one two MX)" 'status: NOERROR' 'ANSWER: 0'
check 'the address that was asked for' same 10.77.0.99 "$(ip_of three)"
check 'reverse' same two.front. "$(ask one +short -x "$(ip_of two)")"
check 'TTL 600' contains "$(ask one +noall +answer two)" $'600\tIN\tA'
check 'over TCP' same "$(ip_of two)" "$(ask one +tcp +short two)"
check 'a name of another network is not seen' lacks "$(ask one +short three)" 10.77
check 'but by who is in both' same 10.77.0.99 "$(ask both +short three)"
check 'two networks, two devices' same eth1 "$(in_container both ip -o link show eth1 | grep -o 'eth1' | head -1)"
check 'the wall: another network is not reached' bash -c "! nsenter -t $(field one '{{.State.Pid}}') -n curl -s --max-time 1 http://10.77.0.99/"
check 'nor by the machine'"'"'s port' bash -c "! nsenter -t $(field one '{{.State.Pid}}') -n curl -s --max-time 1 http://198.18.0.1:8083/"
check 'which the outside reaches' contains "$(outside curl -s --max-time 3 http://198.18.0.1:8083/cgi-bin/who)" 'three 198.18.0.2'
check 'neighbours reach each other' contains "$(inside one curl -s --max-time 3 "http://$(ip_of two)/cgi-bin/who")" "two $(ip_of one)"
check 'other names go to the machine'"'"'s server' same 192.0.2.77 "$(ask one +short www.example)"
check 'a long answer comes over TCP' same 200 "$(ask one +short big.example | wc -l)"
check 'an internal network has no way out' bash -c "! nsenter -t $(field shut '{{.State.Pid}}') -n curl -s --max-time 1 http://198.18.0.2/"
check 'not by names either' contains "$(ask shut www.example)" 'status: SERVFAIL'
check 'container:one shares addresses' same "$(ip_of one)" "$(ip_of joined)"
check 'and its files' contains "$(logs joined)" "$(ip_of one)" 127.0.0.11
flood() { inside one timeout 20 python3 - <<'PYTHON'
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end = time.time() + 6
while time.time() < end:
    for n in range(200):
        s.sendto(n.to_bytes(2, "big") + b"\1\0\0\1\0\0\0\0\0\0\6silent\7example\0\0\1\0\1", ("127.0.0.11", 53))
PYTHON
}
flood &
flooder=$!
check 'a flood from one: another is answered' same "$(ip_of one)" "$(ask two +tries=3 +short one)"
check 'and forwarded for' same 192.0.2.77 "$(ask two +tries=3 +short www.example)"
check 'and the API answers' timeout 5 docker ps -q
wait "$flooder" || true
restart_engine
check 'kill -9 of the engine: names are answered again' same "$(ip_of two)" "$(ask one +short two)"
docker stop two >/dev/null
check 'a stopped container has no name' same "$(ip_of one)" "$(ask one +short app)"
kill "$server"
tap_end
