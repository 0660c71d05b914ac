# shellcheck shell=bash
# tests/net/lib.sh: an engine in a network namespace of this test ("the machine") and a second one beside it ("outside"). Source it
# first; it starts the test again in the namespace.

if [[ -z ${IN_NETWORK_TEST:-} ]]; then
	((EUID == 0)) || { echo '1..0 # SKIP needs root'; exit 0; }
	for program in nft ip curl docker python3; do
		command -v "$program" >/dev/null || { echo "1..0 # SKIP needs the program $program"; exit 0; }
	done
	PATH=$PATH:/usr/sbin:/sbin IN_NETWORK_TEST=1 exec unshare --net --mount --propagation private "$0" "$@"
fi
# shellcheck source=tests/engine/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../engine/lib.sh"

mount -t sysfs none /sys 2>/dev/null || true
ip link set lo up
# /run/netns is this test's own
mkdir -p /run/netns
mount -t tmpfs none /run/netns
ip netns add outside
ip link add eth0 type veth peer name eth0 netns outside
ip addr add 198.18.0.1/24 dev eth0
ip addr add fd00:18::1/64 dev eth0 nodad
ip link set eth0 up
ip -n outside addr add 198.18.0.2/24 dev eth0
ip -n outside addr add fd00:18::2/64 dev eth0 nodad
ip -n outside link set eth0 up
ip -n outside link set lo up
ip -n outside route add default via 198.18.0.1

outside() { ip netns exec outside "$@"; }
get() { curl -gsS --max-time 3 "$@"; }
inside() { local pid; pid=$(field "$1" '{{.State.Pid}}'); shift; nsenter -t "$pid" -n "$@"; }
# in NAME COMMAND...: a program of the container, in all of its namespaces
in_container() { local pid; pid=$(field "$1" '{{.State.Pid}}'); shift; nsenter -t "$pid" -a "$@"; }

# web NAME [KEY=JSON...]: tells who asked and who answers
web() {
	local name=$1
	shift
	service "$name" "mkdir -p /w/cgi-bin; printf '#!/bin/sh\\na=\${REMOTE_ADDR#[}; a=\${a%%%%]}; echo; echo %s \${a#::ffff:}\\n' $name >/w/cgi-bin/who; chmod +x /w/cgi-bin/who; exec httpd -f -p 80 -h /w" \
		'stop_grace_period_ms=100' "$@"
}
# want_networks 'JSON array' SERVICE...: containers.json with networks
want_networks() {
	local list=$1 IFS=,
	shift
	printf '{"version":1,"project":"coracle","services":[%s],"volumes":[],"networks":%s}\n' "$*" "$list" >"$work/run/containers.json"
}
restart_engine() {
	local ready
	ready=$(wc -l <"$work/run/ready")
	kill -9 "$(cat "$work/run/engine.pid")"
	ready_after "$ready"
}
