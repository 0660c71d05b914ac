#!/bin/bash
# test_ports.sh: the port matrix: who reaches what is published, by which address, and seen as whom; drivers; the API of networks. TAP output.
# timeout: 400
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

echo="while True: d, a = s.recvfrom(99); s.sendto(a[0].encode(), a)"
cp "$fixtures/busybox-zstd.oci.tar" "$work/run/media/0/"
want_networks '[{"name":"a","ipv6":true,"subnets":[{"subnet":"10.50.0.0/24"},{"subnet":"fd50::/64"}]},{"name":"b"}]' \
	"$(web web 'network_mode="a"' 'networks={"a":{}}' 'ports=["8080:80","127.0.0.1:8081:80","[::1]:8082:80","198.18.0.1:8083:80","8090-8092:80","7000-7002:90-92/udp","80/tcp"]')" \
	"$(web sibling 'network_mode="a"' 'networks={"a":{}}')" \
	"$(web stranger 'network_mode="b"' 'networks={"b":{}}')" \
	"$(web second 'network_mode="b"' 'networks={"b":{}}' 'ports=["8080:80"]')" \
	"$(web taken 'network_mode="b"' 'networks={"b":{}}' 'ports=["9999:80"]')"
python3 -c 'import socket, time; s = socket.create_server(("", 9999)); time.sleep(1000)' &
holder=$!
eventually bash -c "ss -ltn | grep -q :9999 || (echo >/dev/tcp/127.0.0.1/9999) 2>/dev/null"
engine_start --boot-id first
inside web python3 -c "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 91))
$echo" &
udp=$!
who() { get "http://$1/cgi-bin/who"; }
fails() { ! "$@"; }
eventually who 127.0.0.1:8080 >/dev/null
own=$(in_container web ip -4 -o addr show eth0 | sed 's/.*inet \([0-9.]*\).*/\1/')
ask_udp() { python3 -c "import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2); s.sendto(b'x', (sys.argv[1], int(sys.argv[2]))); print(s.recv(99).decode())" "$@"; }

check 'other host: source address preserved' same 'web 198.18.0.2' "$(outside curl -gsS --max-time 3 http://198.18.0.1:8080/cgi-bin/who)"
check 'other host, IPv6' same 'web fd00:18::2' "$(outside curl -gsS --max-time 3 'http://[fd00:18::1]:8080/cgi-bin/who')"
check 'the machine by its own address' contains "$(who 198.18.0.1:8080)" web
check 'the machine by 127.0.0.1' contains "$(who 127.0.0.1:8080)" web
check 'a sibling by the machine' contains "$(inside sibling curl -gsS --max-time 3 http://198.18.0.1:8080/cgi-bin/who)" web
check 'hairpin: itself by the machine' contains "$(inside web curl -gsS --max-time 3 http://198.18.0.1:8080/cgi-bin/who)" web
check 'another bridge is denied' fails inside stranger curl -gsS --max-time 1 http://198.18.0.1:8080/cgi-bin/who
check 'nor by the gateway of that network' fails inside stranger curl -gsS --max-time 1 http://10.50.0.1:8080/cgi-bin/who
check 'published on 127.0.0.1: the machine' contains "$(who 127.0.0.1:8081)" web
check 'and nobody else' fails outside curl -gsS --max-time 1 http://198.18.0.1:8081/
ip -n outside route add 127.0.0.2/32 via 198.18.0.1 2>/dev/null || true
check 'published on one address' contains "$(outside curl -gsS --max-time 3 http://198.18.0.1:8083/cgi-bin/who)" web
check 'and not on another' fails get http://127.0.0.1:8083/
check 'a range of the machine for one port: the first free one' contains "$(who 127.0.0.1:8090)" web
check 'a free port: docker port tells it' contains "$(who "127.0.0.1:$(docker port web 80/tcp | sed -n 's/^0.0.0.0:\([3-6][0-9]*\)$/\1/p' | head -1)")" web
check 'udp, a range: from outside' same 198.18.0.2 "$(outside python3 -c "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2); s.sendto(b'x', ('198.18.0.1', 7001)); print(s.recv(99).decode())")"
check 'udp by 127.0.0.1' same 10.50.0.1 "$(ask_udp 127.0.0.1 7001)"
check 'two want the same port: the second is refused' contains "$(field second '{{.State.Status}} {{.State.Error}}')" created 'driver failed programming external connectivity on endpoint second' \
	'Bind for 0.0.0.0:8080 failed: port is already allocated'
check 'a port that a program has' contains "$(field taken '{{.State.Error}}')" 'Bind for 0.0.0.0:9999 failed: port is already allocated'
check 'docker start says so' contains "$(docker start taken 2>&1 || true)" 'port is already allocated'
kill "$holder"
wait "$holder" 2>/dev/null || true
check 'and starts when it is free' docker start taken
check 'docker ps shows ports' contains "$(docker ps --filter name=web --format '{{.Ports}}')" '0.0.0.0:8080->80/tcp' '127.0.0.1:8081->80/tcp' '[::]:8080->80/tcp'
check 'no container reaches 127.0.0.1 of the machine' fails inside web curl -gsS --max-time 1 --interface eth0 http://127.0.0.1:8081/
kill "$udp"

# -- the API ---------------------------------------------------------------------
check 'network ls' contains "$(docker network ls --format '{{.Name}} {{.Driver}}' | sort | tr '\n' ,)" 'a bridge,b bridge,bridge bridge,host host,none null,'
check 'create' docker network create --subnet 10.60.0.0/24 --gateway 10.60.0.254 --label x=y --internal made
check 'its name is taken' contains "$(docker network create made 2>&1 || true)" 'network with name made already exists'
check 'a subnet that is taken' contains "$(docker network create --subnet 10.50.0.0/25 more 2>&1 || true)" 'Pool overlaps with other one on this address space'
check 'inspect' same '10.60.0.0/24 10.60.0.254 true y' "$(docker network inspect made --format '{{(index .IPAM.Config 0).Subnet}} {{(index .IPAM.Config 0).Gateway}} {{.Internal}} {{.Labels.x}}')"
check 'connect a running container' docker network connect --ip 10.60.0.9 --alias extra made sibling
check 'it has a second device' contains "$(in_container sibling ip -4 -o addr show eth1)" 10.60.0.9/24
check 'and tells so' same 10.60.0.9 "$(field sibling '{{.NetworkSettings.Networks.made.IPAddress}}')"
check 'a network that is in use stays' contains "$(docker network rm made 2>&1 || true)" 'has active endpoints'
restart_engine
check 'kill -9: still connected' same 10.60.0.9 "$(field sibling '{{.NetworkSettings.Networks.made.IPAddress}}')"
check 'disconnect' docker network disconnect made sibling
check 'the device is gone' fails in_container sibling ip link show eth1
check 'rm' docker network rm made
check 'is gone' contains "$(docker network inspect made 2>&1 || true)" 'network made not found'
check 'a predefined one cannot be removed' contains "$(docker network rm bridge 2>&1 || true)" 'pre-defined network and cannot be removed'
docker network create left >/dev/null
check 'prune' contains "$(docker network prune -f)" left
check 'docker run with networks and ports of its own' contains "$(docker run -d --name ran --network b --network-alias nick -p 8100:80 busybox sh -c 'mkdir -p /w; echo ran >/w/index.html; exec httpd -f -p 80 -h /w' && eventually curl -sf http://127.0.0.1:8100/ && get http://127.0.0.1:8100/)" ran

# -- macvlan, ipvlan --------------------------------------------------------------
docker network create -d macvlan -o parent=eth0 --subnet 198.18.0.0/24 --gateway 198.18.0.2 mac >/dev/null
docker run -d --name onmac --network mac --ip 198.18.0.40 busybox sleep 1000 >/dev/null
in_container onmac sh -c 'mkdir -p /w; echo mac >/w/index.html; httpd -p 80 -h /w'
check 'macvlan: a neighbour of the outside' contains "$(outside curl -s --max-time 3 http://198.18.0.40/)" mac
docker rm -f onmac >/dev/null
docker network rm mac >/dev/null
if ! ip link add probe link eth0 type ipvlan mode l2 2>/dev/null; then
	echo '# this kernel has no ipvlan: left out'
	tap_end
	exit
fi
ip link del probe
docker network create -d ipvlan -o parent=eth0 --subnet 198.18.0.0/24 --gateway 198.18.0.2 ipv >/dev/null
docker run -d --name onip --network ipv --ip 198.18.0.41 busybox sleep 1000 >/dev/null
in_container onip sh -c 'mkdir -p /w; echo ipv >/w/index.html; httpd -p 80 -h /w'
check 'ipvlan too' contains "$(outside curl -s --max-time 3 http://198.18.0.41/)" ipv
check 'with the parent'"'"'s hardware address' same "$(cat /sys/class/net/eth0/address)" "$(in_container onip cat /sys/class/net/eth0/address)"
docker rm -f onip ran >/dev/null
tap_end
