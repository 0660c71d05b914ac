#!/bin/bash
# test_bridge.sh: the default bridge: addresses, the way out, a published port, its end, another engine, another boot. TAP output.
# timeout: 300
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cp "$fixtures/busybox-zstd.oci.tar" "$work/run/media/0/"
outside python3 -m http.server --bind 198.18.0.2 8000 >"$work/server.log" 2>&1 &
server=$!
want "$(web web 'network_mode="bridge"' 'ports=["8080:80/tcp"]')" \
	"$(service asks 'ip addr show eth0; ip route; cat /etc/hosts; exec sleep 1000' 'network_mode="bridge"')" \
	"$(service alone 'ip link | grep -c mtu; exec sleep 1000')"
engine_start --boot-id first

check 'it has an address of 172.17.0.0/16 and the default route' eventually bash -c "docker logs asks 2>&1 | grep -q 'default via 172.17.0.1 dev eth0'"
check 'it reaches the outside' eventually inside asks curl -sf --max-time 2 -o "$work/page" http://198.18.0.2:8000/
check 'and that sees the machine' grep -q '^198.18.0.1 ' "$work/server.log"
check 'its own name is in /etc/hosts' eventually bash -c "docker logs asks 2>&1 | grep -Eq '^172.17.0.[0-9]+	[0-9a-f]{12}$'"
check 'network none has only lo' eventually bash -c "[[ \$(docker logs alone 2>&1) == 1 ]]"
check 'a published port from outside, source address preserved' same 'web 198.18.0.2' "$(eventually outside curl -s --max-time 2 http://198.18.0.1:8080/cgi-bin/who; outside curl -s --max-time 3 http://198.18.0.1:8080/cgi-bin/who)"
check 'by 127.0.0.1' contains "$(get http://127.0.0.1:8080/cgi-bin/who)" 'web 172.17.0.1'
address=$(in_container web ip -4 -o addr show eth0 | grep -o '172[0-9.]*' | head -1)
check 'what is not published is not reached from outside' bash -c "! ip netns exec outside curl -s --max-time 1 http://$address/"
check 'the machine itself reaches it' contains "$(get "http://$address/cgi-bin/who")" web

rules=$(nft list ruleset)
restart_engine
check 'kill -9 of the engine: the rules are the same' same "$rules" "$(nft list ruleset)"
check 'and the port still works' same 'web 198.18.0.2' "$(outside curl -s --max-time 3 http://198.18.0.1:8080/cgi-bin/who)"

docker stop web >/dev/null
check 'stopped: the port is closed' bash -c '! ip netns exec outside curl -s --max-time 2 http://198.18.0.1:8080/'
check 'and its rules are gone' eventually bash -c '! nft list ruleset | grep -q 8080'
check 'one device is left, that of the other' eventually bash -c '[[ $(ip -o link show type veth | grep -c "^[0-9]*: v[0-9a-f]") == 1 ]]'
docker start web >/dev/null
check 'started again: the same address' same "$address" "$(in_container web ip -4 -o addr show eth0 | grep -o '172[0-9.]*' | head -1)"
engine_stop
check 'after shutdown no device of a container is left' eventually bash -c '! ip -o link show type veth | grep -q "^[0-9]*: v[0-9a-f]"'

ip link del coracle0
nft flush ruleset
engine_start --boot-id second
check 'after a reboot the same address' same "$address" "$(in_container web ip -4 -o addr show eth0 | grep -o '172[0-9.]*' | head -1)"
check 'and the port' same 'web 198.18.0.2' "$(eventually outside curl -s --max-time 2 http://198.18.0.1:8080/cgi-bin/who; outside curl -s --max-time 3 http://198.18.0.1:8080/cgi-bin/who)"
kill "$server"
tap_end
