#!/bin/bash
# tests/runtime/test_netdevices.sh: linux.netDevices with veth pairs, in a network namespace of the test's own. Needs root.
# timeout: 120
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
if ((EUID == 0)) && [[ ${CORACLE_NETNS-} == "" ]]; then
	CORACLE_NETNS=1 exec unshare -n bash "${BASH_SOURCE[0]}"
fi
source "$here/lib.sh"
begin
ip link add probe0 type veth peer name probe1 2>/dev/null || skip_all "the kernel has no veth"
ip link delete probe0
trap 'rt delete -f c1 >/dev/null 2>&1; rmdir /sys/fs/cgroup/*"${CGROUP%/c1}" 2>/dev/null; kill ${holder-} 2>/dev/null; rm -rf "$work"' EXIT
before=$(host_state)
show='ip addr'
pair() { ip link add "$1" type veth peer name "$1p" && ip link set "$1p" up; }

pair eth5
ip link set eth5 address 02:00:00:00:00:07 mtu 1400 up
ip addr add 10.9.8.7/24 broadcast 10.9.8.255 dev eth5
ip addr add 10.9.8.9/32 peer 10.9.8.10 dev eth5
ip -6 addr add fd00:9::7/64 dev eth5 nodad
ip addr add 10.7.7.7/24 scope link dev eth5
ip addr add 10.6.6.6/24 dev eth5 valid_lft 1000 preferred_lft 1000
out=$(in_container "$show" 'l["netDevices"] = {"eth5": {"name": "front0"}}')
check "linux.netDevices: moved and renamed" contains "$out" "front0@"
check "linux.netDevices: set up, address and MTU kept" contains "$out" "UP" "02:00:00:00:00:07" "mtu 1400"
check "linux.netDevices: permanent global IPv4 addresses" contains "$out" "inet 10.9.8.7/24 brd 10.9.8.255 scope global front0" "inet 10.9.8.9 peer 10.9.8.10/32 scope global front0"
check "linux.netDevices: permanent global IPv6 addresses" contains "$out" "inet6 fd00:9::7/64 scope global"
check "linux.netDevices: not those of a link or for a time" lacks "$out" 10.7.7.7
check "linux.netDevices: not those for a time" lacks "$out" 10.6.6.6
gone() { ! ip link show "$1" 2>/dev/null; }
check "linux.netDevices: not moved back: it ends with the container's namespace" gone eth5

pair eth6
check "linux.netDevices: without a name it keeps its own" contains "$(in_container "$show" 'l["netDevices"] = {"eth6": {}}')" "eth6@"
pair eth7; pair eth8
check "linux.netDevices: several" contains "$(in_container "$show" 'l["netDevices"] = {"eth7": {}, "eth8": {"name": "other"}}')" "eth7@" "other@"
pair eth9
check "linux.netDevices: a template with %d" contains "$(in_container "$show" 'l["netDevices"] = {"eth9": {"name": "net%d"}}')" "net0@"
pair eth10
check "linux.netDevices: there before sysctls are set" contains "$(in_container 'cat /proc/sys/net/ipv4/conf/in0/forwarding' 'l["netDevices"] = {"eth10": {"name": "in0"}}; l["sysctl"] = {"net.ipv4.conf.in0.forwarding": "1"}')" 1
pair eth11
out=$(in_container "$show" 'l["netDevices"] = {"eth11": {}}; l["namespaces"].append({"type": "user"}); l["uidMappings"] = l["gidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]')
check "linux.netDevices: into a user namespace's network" contains "$out" "eth11@" UP

# a namespace that lives on, with a device of the same index and name
unshare -n sleep 1000 & holder=$!
until [[ $(readlink /proc/$holder/ns/net) != "$(readlink /proc/self/ns/net)" ]]; do sleep 0.01; done
joined="l['namespaces'] = [n for n in l['namespaces'] if n['type'] != 'network'] + [{'type': 'network', 'path': '/proc/$holder/ns/net'}]"
pair eth12
index=$(ip -o link show eth12 | cut -d: -f1)
nsenter -t $holder -n ip link add taken index "$index" type veth peer name takenp
config "$joined" 'l["netDevices"] = {"eth12": {"name": "taken"}}'
check "linux.netDevices: a name that the container has is an error" fails "move eth12: the container has a device taken" rt run -b "$bundle" c1
check "linux.netDevices: and the device stays where it was" ip link show eth12
check "linux.netDevices: an index that is taken there" contains "$(in_container "$show" "$joined" 'l["netDevices"] = {"eth12": {"name": "fresh"}}')" "fresh@"
check "linux.netDevices: in a joined namespace it stays after the container" contains "$(nsenter -t $holder -n ip addr show fresh)" "fresh@" UP
kill $holder; wait $holder 2>/dev/null; holder=

config 'l["netDevices"] = {"nosuch0": {}}'
check "linux.netDevices: no such device" fails "linux.netDevices: find nosuch0: No such device" rt run -b "$bundle" c1
config 'l["netDevices"] = {"lo": {"name": "lo2"}}'
check "linux.netDevices: a device that cannot be moved" fails "linux.netDevices: move lo into the container as lo2" rt run -b "$bundle" c1
config 'l["namespaces"] = [n for n in l["namespaces"] if n["type"] != "network"]; l["netDevices"] = {"eth0": {}}'
check "linux.netDevices: needs a network namespace" fails "unable to move network devices without a private NET namespace" rt run -b "$bundle" c1
config 'l["netDevices"] = {"eth0": {"name": "a/b"}}'
check "linux.netDevices: a name that is none" fails '"a/b" is not the name of a network device' rt run -b "$bundle" c1
check "nothing is left" same "$before" "$(host_state)"

tap_end
