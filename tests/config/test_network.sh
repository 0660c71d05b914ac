#!/bin/bash
# test_network.sh: a network plan carried out by netlink, in a network namespace that this test makes; the kernel is asked by iproute2 what came of it.
# Needs root. Bonds and VLANs only where this kernel has them; tests/boot/test_network_config.py tries them on ours.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${CORACLE_BUILD:-$top/build}
config=$build/bin/coracle-config
# shellcheck source=tests/lib/tap.sh
source "$top/tests/lib/tap.sh"
if [[ ${1:-} != inside ]]; then
	((EUID == 0)) || skip_all 'needs root'
	command -v ip >/dev/null || skip_all 'needs iproute2'
	unshare -n true 2>/dev/null || skip_all 'no network namespaces here'
	exec unshare -n -m bash "${BASH_SOURCE[0]}" inside
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ip link set lo up
mount -t sysfs sysfs /sys # of this namespace

# A card with a cable: NAME ADDRESS. Its other end is peer-NAME.
card() { ip link add name "$1" address "$2" type veth peer name "peer-$1"; ip link set "peer-$1" up; }
plan() { cat >"$work/plan"; }
apply() { "$config" network --apply "$work/plan"; }
# exits CODE COMMAND...
exits() {
	local want=$1 code=0
	shift
	"$@" >"$work/out" 2>&1 || code=$?
	[[ $code == "$want" ]] || { echo "exit status $code, not $want"; cat "$work/out"; return 1; }
}
# ask EXPRESSION IP-WORDS...: a Python expression over the list v that `ip -j` prints
ask() { local e=$1; shift; ip -j -d "$@" | python3 -c 'import json, sys; t = sys.stdin.read(); print(eval(sys.argv[1], {"v": [x for x in json.loads(t or "[]") if x]}))' "$e"; }
answers() { local want=$1; shift; same "$want" "$(ask "$@")"; }
state() { ip -j -d link; ip -j addr; ip -j route show table all; ip -j -6 route show table all; ip -j rule; ip -j -6 rule; }
# what does not count time
settled_state() { state | sed -E 's/"[a-z_]*timer":[0-9. ]*,?//g; s/"(preferred|valid)_life_time":[0-9]*,?//g; s/"(dadfailed|tentative)":true,?//g; s/"expires":[0-9]*,?//g'; }

card eth0 02:00:00:00:00:01
card eth1 02:00:00:00:00:02
card eth2 02:00:00:00:00:03
plan <<'YAML'
version: 2
ethernets:
  lan:
    match: {macaddress: "02:00:00:00:00:01"}
    set-name: eth1
    mtu: 1400
    accept-ra: false
    link-local: []
    addresses: [192.0.2.10/24, 192.0.2.11/32, "2001:db8::10/64"]
    routes:
    - {to: default, via: 192.0.2.1}
    - {to: default, via: 192.0.2.2}
    - {to: 198.51.100.0/24, via: 192.0.2.2, metric: 50, table: 100, mtu: 1300}
    - {to: "::/0", via: "2001:db8::1", metric: 7}
    - {to: 203.0.113.0/24, type: blackhole}
    - {to: 10.9.0.0/16, via: 172.31.0.1, on-link: true}
    - {to: 10.10.0.0/16, scope: link, from: 192.0.2.10}
    routing-policy:
    - {from: 192.0.2.0/24, table: 100, priority: 1000}
    - {to: "2001:db8:1::/48", table: 101, mark: 7, type-of-service: 8}
  wan: {match: {macaddress: "02:00:00:00:00:02"}, set-name: eth0, macaddress: "02:00:00:00:00:42", accept-ra: true}
  port: {match: {name: "eth2"}}
bridges:
  br0:
    interfaces: [port]
    macaddress: "02:00:00:00:00:99"
    mtu: 1300
    addresses: [10.0.0.1/8]
    parameters: {stp: false, priority: 10, forward-delay: 4, ageing-time: 20s, path-cost: {port: 77}, port-priority: {port: 9}}
YAML
check 'a plan is carried out' exits 0 apply
check 'it says how much it changed' contains "$(<"$work/out")" ' changes'
check 'two devices swap their names' same "$(ask '[v[0]["address"]]' link show peer-eth0 >/dev/null; ask 'v[0]["address"]' link show eth1) $(ask 'v[0]["address"]' link show eth0)" '02:00:00:00:00:01 02:00:00:00:00:42'
check 'MTU' answers 1400 'v[0]["mtu"]' link show eth1
check 'all is up' answers True 'all("UP" in i["flags"] for i in v if i["ifname"] in ("eth0", "eth1", "eth2", "br0"))' link
check 'addresses' answers "['192.0.2.10/24', '192.0.2.11/32', '2001:db8::10/64']" '[a["local"] + "/" + str(a["prefixlen"]) for a in v[0]["addr_info"]]' addr show eth1
check 'the broadcast address of the network' answers 192.0.2.255 'v[0]["addr_info"][0]["broadcast"]' addr show eth1
check 'no link-local address where none is wanted' answers 0 'len([a for a in v[0]["addr_info"] if a["scope"] == "link"])' addr show eth1
check 'two default routes, in their order' answers "['192.0.2.1', '192.0.2.2']" '[r["gateway"] for r in v]' route show default
check 'a route with metric and MTU in a table of its own' answers "[('198.51.100.0/24', '192.0.2.2', 50, 1300)]" '[(r["dst"], r["gateway"], r["metric"], r["metrics"][0]["mtu"]) for r in v]' route show table 100
check 'the default route of IPv6' answers "[('2001:db8::1', 'eth1', 7)]" '[(r["gateway"], r["dev"], r["metric"]) for r in v]' -6 route show default
check 'a route into nothing' answers "['blackhole']" '[r["type"] for r in v]' route show 203.0.113.0/24
check 'a gateway that is on the link by word' answers "[('172.31.0.1', ['onlink'])]" '[(r["gateway"], r["flags"]) for r in v]' route show 10.9.0.0/16
check 'a route on the link with its source address' answers "[('link', '192.0.2.10')]" '[(r["scope"], r["prefsrc"]) for r in v]' route show 10.10.0.0/16
check 'a rule' answers "[(1000, '192.0.2.0', 24, '100')]" '[(r["priority"], r["src"], r["srclen"], r["table"]) for r in v if r["priority"] == 1000]' rule
check 'a rule of IPv6 with mark and type of service' answers "[('2001:db8:1::', '0x7', '101')]" '[(r["dst"], r["fwmark"], r["table"]) for r in v if "fwmark" in r]' -6 rule
check 'a bridge and its parameters' answers "('bridge', 0, '000a', 400, 2000)" '(lambda d: (v[0]["linkinfo"]["info_kind"], d["stp_state"], d["bridge_id"][:4] if isinstance(d["bridge_id"], str) else d["bridge_id"], d["forward_delay"], d["ageing_time"]))(v[0]["linkinfo"]["info_data"])' link show br0
check 'its hardware address and MTU' answers "('02:00:00:00:00:99', 1300)" '(v[0]["address"], v[0]["mtu"])' link show br0
check 'its member, with cost and priority' answers "('br0', 77, 9)" '(v[0]["master"], v[0]["linkinfo"]["info_slave_data"]["cost"], v[0]["linkinfo"]["info_slave_data"]["priority"])' link show eth2
check 'router advertisements: refused, and taken although the machine forwards' same "$(cat /proc/sys/net/ipv6/conf/eth1/accept_ra) $(cat /proc/sys/net/ipv6/conf/eth0/accept_ra)" '0 2'

before=$(settled_state)
check 'a second time: well' exits 0 apply
check 'a second time: nothing is changed, by its own count' contains "$(<"$work/out")" '0 changes'
check 'a second time: nothing is changed, by the kernel' same "$before" "$(settled_state)"
ip addr del 192.0.2.11/32 dev eth1
ip rule del priority 1000
check 'what was taken away comes back, and only that' eval 'exits 0 apply && contains "$(<"$work/out")" "2 changes"'

plan <<'YAML'
version: 2
ethernets: {none: {addresses: [192.0.2.99/24]}, eth0: {addresses: [10.77.0.1/24], routes: [{to: 10.88.0.0/16, via: 10.66.0.1}, {to: 10.89.0.0/16, via: 10.77.0.2}]}}
bridges: {eth1: {}}
YAML
check 'what cannot be done' exits 1 apply
check 'what cannot be done is told, each, with its place' contains "$(<"$work/out")" 'there is no network device that is none' \
	'the route to 10.88.0.0/16 via 10.66.0.1 on eth0: ' 'plan:3:11: error: eth1 is there already, and is no bridge'
check 'and the rest is done' answers "['10.77.0.2']" '[r["gateway"] for r in v]' route show 10.89.0.0/16
plan <<'YAML'
version: 2
ethernets: {eth0: {dhcp4: true, routes: [{to: 10.88.0.0/16, via: 10.66.0.1}]}, gone: {optional: true}}
YAML
check 'a route whose gateway DHCP has to bring waits; a device that may be missing is no problem' exits 0 apply
check 'it says so' contains "$(<"$work/out")" 'wait for DHCP'
plan <<'YAML'
version: 2
ethernets: {"peer": {match: {name: "peer-*"}, addresses: [10.99.0.1/24]}}
YAML
check 'a pattern does not mean the veth of a container' exits 0 apply
check 'nothing was given to it' answers 0 'len([a for i in v for a in i["addr_info"] if a.get("local") == "10.99.0.1"])' addr

plan <<'YAML'
version: 2
ethernets:
  both: {match: {driver: veth, macaddress: "02:00:00:00:00:03"}, mtu: 1408}
  other: {match: {driver: virtio_net, macaddress: "02:00:00:00:00:01"}, mtu: 1407, optional: true}
  pattern: {match: {driver: "v*"}, mtu: 1406, optional: true}
YAML
check 'match by driver' exits 0 apply
check 'match by driver: the one that has it, no other driver, and no pattern for what software made' same '1408 1400 1500' \
	"$(ask 'v[0]["mtu"]' link show eth2) $(ask 'v[0]["mtu"]' link show eth1) $(ask 'v[0]["mtu"]' link show eth0)"
plan <<'YAML'
version: 2
ethernets: {eth0: {wakeonlan: true, mtu: 1405}}
YAML
check 'wakeonlan: of a device that cannot, a warning with its place' eval 'exits 0 apply && contains "$(<"$work/out")" "plan:2:13: warning: eth0 cannot wake the machine"'
check 'wakeonlan: and the rest is done' answers 1405 'v[0]["mtu"]' link show eth0
plan <<'YAML'
version: 2
ethernets: {eth0: {wakeonlan: false}}
YAML
check 'wakeonlan: false, of a device that cannot anyway' eval 'exits 0 apply && contains "$(<"$work/out")" "0 changes"'

if ip link add name try-bond type bond 2>/dev/null; then
	ip link del try-bond
	card eth8 02:00:00:00:00:08
	card eth9 02:00:00:00:00:09
	plan <<'YAML'
version: 2
ethernets: {eth8: {}, eth9: {}}
bonds: {bond7: {interfaces: [eth8, eth9], parameters: {mode: active-backup, primary: eth9, mii-monitor-interval: 100, arp-ip-targets: []}, addresses: [10.70.0.1/24]}}
vlans: {bond7.5: {id: 5, link: bond7, addresses: [10.71.0.1/24]}}
YAML
	check 'a bond with a VLAN on it' exits 0 apply
	check 'a bond: mode, members, primary' answers "('active-backup', 'eth9', ['eth8', 'eth9'])" '(lambda b: (b["linkinfo"]["info_data"]["mode"], b["linkinfo"]["info_data"]["primary"], sorted(i["ifname"] for i in v if i.get("master") == "bond7")))([i for i in v if i["ifname"] == "bond7"][0])' link
	check 'a VLAN: id and link' answers "(5, 'bond7')" '(v[0]["linkinfo"]["info_data"]["id"], v[0]["link"])' link show bond7.5
	check 'a bond a second time' eval 'exits 0 apply && contains "$(<"$work/out")" "0 changes"'
else
	echo "ok $((++tap_count)) - bonds and VLANs # SKIP this machine's kernel has none"
fi

# The script that udhcpc runs, with busybox's programs, in this namespace.
export CORACLE_RUN=$work/run PATH=$work/bin:$PATH
mkdir -p "$work/run/network" "$work/bin"
for tool in ip grep mkdir rm mv; do ln -s "$build/sysroot/target/busybox" "$work/bin/$tool"; done
dhcp() { env "$@" "$build/sysroot/target/busybox" sh "$top/rootfs/skel/usr/lib/coracle/dhcp" "$what"; }
/usr/sbin/ip addr flush dev eth0 2>/dev/null || /sbin/ip addr flush dev eth0
"$work/bin/ip" addr add 10.50.0.1/24 dev eth0
printf 'search static.example\nnameserver 192.0.2.53\n' >"$CORACLE_RUN/network/resolv.static"
lease=(interface=eth0 ip=10.60.0.9 mask=24 router=10.60.0.1 dns='10.60.0.53 192.0.2.53' domain=dhcp.example mtu=1420)
what=deconfig check 'dhcp: deconfig' dhcp interface=eth0
what=bound check 'dhcp: bound' dhcp "${lease[@]}"
PATH=${PATH#*:}
check 'dhcp: the address beside the static one' answers "['10.50.0.1', '10.60.0.9']" '[a["local"] for a in v[0]["addr_info"] if a["family"] == "inet"]' addr show eth0
check 'dhcp: the default route and the MTU' answers "(['10.60.0.1'], 1420)" '([r["gateway"] for r in v if r.get("dst") == "default" and r["dev"] == "eth0"], '"$(ask 'v[0]["mtu"]' link show eth0))" route
check 'dhcp: the configuration'"'"'s name servers stay, and come first' same "$(<"$CORACLE_RUN/resolv.conf")" $'search static.example dhcp.example\nnameserver 192.0.2.53\nnameserver 10.60.0.53'
PATH=$work/bin:$PATH
what=deconfig dhcp interface=eth0
PATH=${PATH#*:}
check 'dhcp: what it set it takes away, and no more' answers "['10.50.0.1']" '[a["local"] for a in v[0]["addr_info"] if a["family"] == "inet"]' addr show eth0
check 'dhcp: its name servers are gone' same "$(<"$CORACLE_RUN/resolv.conf")" $'search static.example\nnameserver 192.0.2.53'
printf 'use_dns=no\nuse_mtu=no\nmetric=300\n' >"$CORACLE_RUN/network/dhcp4.eth0"
PATH=$work/bin:$PATH
what=bound dhcp "${lease[@]}" mtu=1300 staticroutes='169.254.169.254/32 10.60.0.2 0.0.0.0/0 10.60.0.3' >/dev/null
PATH=${PATH#*:}
check 'dhcp: overrides: no name servers, no MTU' same "$(<"$CORACLE_RUN/resolv.conf") $(ask 'v[0]["mtu"]' link show eth0)" $'search static.example\nnameserver 192.0.2.53 1420'
check 'dhcp: classless routes take the place of the router, with the metric asked for' answers "[('169.254.169.254', '10.60.0.2', 300), ('default', '10.60.0.3', 300)]" 'sorted((r["dst"], r["gateway"], r["metric"]) for r in v if r.get("metric") == 300)' route

# The files of a plan, in a directory; and the kernel is not touched.
mkdir -p "$work/seed" "$work/root/run/coracle" "$work/root/etc"
echo 'root:x:0:0::/:/bin/sh' >"$work/root/etc/passwd"
printf '#cloud-config\nhostname: a\nnetwork: {version: 2}\n' >"$work/seed/user-data"
echo 'instance-id: i' >"$work/seed/meta-data"
cat >"$work/seed/network-config" <<'YAML'
version: 2
ethernets: {eth0: {addresses: [10.1.1.1/24], nameservers: {addresses: [192.0.2.1], search: [a.example]}}, eth1: {dhcp4: true, dhcp6: true, mtu: 1400, dhcp4-overrides: {use-dns: false, route-metric: 7}}}
YAML
printf 'nameserver 192.0.2.9\nnameserver 192.0.2.1\n' >"$work/root/run/coracle/resolv.conf"
before=$(settled_state)
check 'apply --root: warns of network: in user-data, and names its place' eval 'exits 2 "$config" apply --root "$work/root" --seed "$work/seed" && contains "$(<"$work/out")" "user-data:3:1: warning:" "network-config"'
check 'apply --root: the network of this machine is left alone' same "$before" "$(settled_state)"
check 'apply --root: the plan reads back' contains "$("$config" network --plan "$work/root/run/coracle/network/plan")" '"10.1.1.1/24"' 'route-metric: 7'
check 'apply --root: name servers, with those of a lease that is there' same "$(<"$work/root/run/coracle/resolv.conf")" $'search a.example\nnameserver 192.0.2.1\nnameserver 192.0.2.9'
check 'apply --root: what the DHCP script reads' same "$(<"$work/root/run/coracle/network/dhcp4.eth1")" $'use_dns=no\nuse_mtu=no\nmetric=7'
check 'apply --root: the units of its clients' same "$(readlink "$work/root/etc/coracle/units/dhcp@eth1.unit" "$work/root/etc/coracle/units/dhcp6@eth1.unit" | tr '\n' ' ')" '/usr/lib/coracle/units/dhcp@.unit /usr/lib/coracle/units/dhcp6@.unit '
echo 'version: 2
ethernets: {eth0: {dhpc4: true}}' >"$work/seed/network-config"
check 'apply --root: a mistake of network-config is in the status, with its place' eval '"$config" apply --root "$work/root" --seed "$work/seed" 2>/dev/null; contains "$("$config" status --long --root "$work/root")" "network-config:2:20"'
tap_end
