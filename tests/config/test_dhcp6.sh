#!/bin/bash
# test_dhcp6.sh: IPv6 from a router: Debian's dnsmasq sends router advertisements and answers DHCPv6, in a network namespace that is joined by one cable
# (veth) to the namespace that the configuration is applied in. The clients are started with the words of their units. Needs root.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${CORACLE_BUILD:-$top/build}
config=$build/bin/coracle-config
busybox=$build/sysroot/target/busybox
# shellcheck source=tests/lib/tap.sh
source "$top/tests/lib/tap.sh"
PATH=$PATH:/usr/sbin:/sbin
if [[ ${1:-} != inside ]]; then
	((EUID == 0)) || skip_all 'needs root'
	command -v dnsmasq >/dev/null || skip_all 'needs dnsmasq'
	unshare -n true 2>/dev/null || skip_all 'no network namespaces here'
	exec unshare -n -m bash "${BASH_SOURCE[0]}" inside
fi
work=$(mktemp -d)
started=()
trap 'for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done; rm -rf "$work"' EXIT
mount -t sysfs sysfs /sys # of this namespace
ip link set lo up
# containers are forwarded to: a machine that forwards takes router advertisements only where it is told to
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding

# The router's namespace lives as long as this process.
mkfifo "$work/hold" "$work/hold2"
unshare -n sh -c 'echo; exec cat' <>"$work/hold" >"$work/ready" &
router=$!
started+=("$router")
eventually test -s "$work/ready"
there() { nsenter -t "$router" -n "$@"; }
there ip link set lo up
there sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'

# settled COMMAND...: it succeeds within half a minute; it is asked when the kernel has a word about addresses, routes or name servers, and each second
settled() {
	local end=$((SECONDS + 30 * ${CORACLE_TEST_SLOW:-1})) words monitor code=0
	exec {words}< <(exec ip monitor address route 2>/dev/null)
	monitor=$!
	until "$@" >"$work/why" 2>&1; do
		((SECONDS < end)) || { code=1; break; }
		read -r -t 1 -u "$words" _ || true
	done
	kill "$monitor"
	exec {words}<&-
	((code == 0)) || { echo "did not happen: $*"; cat "$work/why" "$work/client" "$work/log"; ip -6 addr; ip -6 route; }
	return "$code"
}
# router_says RANGE: a new cable, and dnsmasq at its other end, with the range in its words; the option says whether addresses come from it
served=''
clients=()
router_says() {
	local pid
	for pid in "${clients[@]}" $served; do kill "$pid" 2>/dev/null || true; wait "$pid" || true; done
	clients=()
	ip link del eth0 2>/dev/null || true
	ip link add eth0 address 02:00:00:00:00:01 type veth peer name port0 address 02:00:00:00:00:fe netns "$router"
	there ip link set port0 up
	there ip addr add 2001:db8:1::1/64 dev port0 nodad
	nsenter -t "$router" -n dnsmasq -k -C /dev/null --no-resolv --no-hosts --port=0 --user=root --log-dhcp --log-facility=- --enable-ra --interface=port0 \
		--bind-interfaces --dhcp-range="$1" --dhcp-leasefile="$work/leases" --dhcp-option='option6:dns-server,[2001:db8:1::53]' \
		--dhcp-option=option6:domain-search,six.example </dev/null >"$work/log" 2>&1 &
	served=$!
	started+=("$served")
	eventually grep -q 'router advertisement enabled' "$work/log"
}
# supervised COMMAND...: again a tenth of a second after its end, as init does it: a client ends where the link-local address is not usable yet
supervised() {
	local client=''
	trap 'kill "$client"; exit' TERM
	while :; do
		"$@" &
		client=$!
		wait "$client" || true
		read -r -t 0.1 <>"$work/hold2" _ || true
	done
}
# configured: the network-config on standard input is carried out in this namespace, its files are written below $work/root, and the clients started
configured() {
	local unit line
	rm -rf "$work/root"
	mkdir -p "$work/root/etc" "$work/root/run/coracle" "$work/seed"
	echo 'root:x:0:0::/:/bin/sh' >"$work/root/etc/passwd"
	cat >"$work/seed/network-config"
	echo 'instance-id: i' >"$work/seed/meta-data"
	echo '#cloud-config' >"$work/seed/user-data"
	"$config" network --apply "$work/seed/network-config" || return 1
	"$config" apply --root "$work/root" --seed "$work/seed" || (($? == 2)) || return 1 # 2: with warnings
	for unit in "$work"/root/etc/coracle/units/dhcp6*@eth0.unit; do
		[[ -L $unit ]] || continue
		line=$(sed -n 's/^ExecStart=//p' "$top/rootfs/skel$(readlink "$unit")")
		line=${line//%i/eth0}
		line=${line/#\/bin\/busybox/$busybox}
		line=${line/\/usr\/lib\/coracle\/dhcp6/$work/dhcp6}
		# shellcheck disable=SC2086 # words of a unit
		CORACLE_RUN=$work/root/run/coracle PATH=$work/bin:$PATH supervised $line </dev/null >"$work/client" 2>&1 &
		clients+=($!)
		started+=($!)
	done
}
mkdir "$work/bin"
for tool in ip grep mkdir rm mv; do ln -s "$busybox" "$work/bin/$tool"; done
ln -s "$top/rootfs/skel/usr/lib/coracle/dhcp" "$work/script6"
printf '#!/bin/sh\nexec %s sh %s/script6 "$@"\n' "$busybox" "$work" >"$work/dhcp6"
chmod 755 "$work/dhcp6"
units() { (cd "$work/root/etc/coracle/units" 2>/dev/null && ls dhcp6* 2>/dev/null) | tr '\n' ' '; }
unchanged() { "$config" network --apply "$work/seed/network-config" >"$work/out" 2>&1 && contains "$(<"$work/out")" '0 changes'; }
# usable TEXT: an address that begins so, whose use nothing forbids any more
usable() { ip -6 -o addr show dev eth0 scope global | grep -F " $1" | grep -qv -e tentative -e dadfailed; }
none() { [[ -z $(ip -6 -o addr show dev eth0 scope global) ]]; }
routed() { [[ $(ip -6 route show default dev eth0) == *'via fe80::ff:fe00:fe '*'proto ra'* ]]; }
resolver() { [[ -e $work/root/run/coracle/resolv.conf ]] && same $'search six.example\nnameserver 2001:0db8:0001:0000:0000:0000:0000:0053' "$(<"$work/root/run/coracle/resolv.conf")"; }
asked() { grep -q "$1" "$work/log"; }
v1() { printf 'version: 1\nconfig: [{type: physical, name: eth0, subnets: [{type: %s}]}]\n' "$1"; }
slaac=2001:db8:1::ff:fe00:1/64

stateful=2001:db8:1::100,2001:db8:1::1ff,64,1h
for form in 'dhcp6: true' 'type: ipv6_dhcpv6-stateful'; do
	router_says "$stateful"
	if [[ $form == dhcp6* ]]; then plan=$(printf 'version: 2\nethernets: {eth0: {dhcp6: true}}\n'); else plan=$(v1 "${form#type: }"); fi
	code=0
	configured <<<"$plan" >"$work/out" 2>&1 || code=$?
	check "$form: applied" eval "cat $work/out; same 0 $code"
	check "$form: its client's unit" same 'dhcp6@eth0.unit ' "$(units)"
	check "$form: an address of the server, and nobody else has it" settled usable 2001:db8:1::1
	check "$form: no address by router advertisement: the router says so" eval '! usable $slaac'
	check "$form: the default route is the router's" settled routed
	check "$form: name servers and domains of the server" settled resolver
	check "$form: a second time: 0 changes" unchanged
done

router_says 2001:db8:1::,ra-stateless
configured < <(v1 ipv6_dhcpv6-stateless) >/dev/null 2>&1
check 'stateless: the unit that asks for name servers only' same 'dhcp6-info@eth0.unit ' "$(units)"
check 'stateless: the address by router advertisement, and nobody else has it' settled usable "$slaac"
check 'stateless: the default route' settled routed
check 'stateless: name servers and domains of the server' settled resolver
check 'stateless: it has asked for information' asked DHCPINFORMATION-REQUEST
check 'stateless: it never asked for an address' eval '! asked DHCPSOLICIT'
check 'stateless: a second time: 0 changes' unchanged

router_says 2001:db8:1::,ra-only
configured < <(v1 ipv6_slaac) >"$work/out" 2>&1
check 'ipv6_slaac: name servers of advertisements are not taken, and that is told' contains "$(<"$work/out")" 'no name server is known'
check 'ipv6_slaac: no client' same '' "$(units)"
check 'ipv6_slaac: the address by router advertisement' settled usable "$slaac"
check 'ipv6_slaac: the default route' settled routed
check 'ipv6_slaac: a second time: 0 changes' unchanged

router_says 2001:db8:1::,ra-only
configured <<<'{version: 2, ethernets: {eth0: {accept-ra: true}}}' >/dev/null 2>&1
check 'accept-ra: true: the address, although this machine forwards' settled usable "$slaac"
router_says 2001:db8:1::,ra-only
configured <<<'{version: 2, ethernets: {eth0: {accept-ra: false, addresses: ["2001:db8:1::7/64"]}}}' >/dev/null 2>&1
check 'accept-ra: false: its own address' settled usable 2001:db8:1::7/64
# the router is asked once more; when its advertisement has been seen here, the kernel has seen it too
heard() {
	python3 - <<'PY'
import socket, struct
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
s.settimeout(20)
s.sendto(struct.pack("!BBHI", 133, 0, 0, 0), ("ff02::2", 0, 0, socket.if_nametoindex("eth0")))
while s.recv(1500)[0] != 134:
    pass
PY
}
check 'accept-ra: false: an advertisement has come' heard
check 'accept-ra: false: no address, and no route, by the router' eval '! usable $slaac && ! routed'
check 'accept-ra: false: a second time: 0 changes' unchanged

# an address that somebody else has
router_says 2001:db8:1::,ra-only
there ip addr add 2001:db8:1::9/64 dev port0 nodad
configured <<<'{version: 2, ethernets: {eth0: {accept-ra: false, addresses: ["2001:db8:1::9/64"]}}}' >/dev/null 2>&1
refused() { [[ $(ip -6 -o addr show dev eth0) == *2001:db8:1::9/64*dadfailed* ]]; }
check 'an address that the router has: the kernel finds it out' settled refused
tap_end
