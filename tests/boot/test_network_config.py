#!/usr/bin/env python3
"""test_network_config.py: network-config and ip= in a whole machine: static addresses, a bond of two cards with a VLAN on it, a renamed card with DHCP,
name servers. What the plan becomes in detail is tried in a namespace by tests/config/test_network.sh."""
import pathlib

from harness import Machine, case, check, equal, finish, temporary_directory
from webserver import serve_folder

CONFIG = """\
version: 2
ethernets:
  front:
    match: {macaddress: "52:54:00:12:34:56"}
    addresses: [10.0.2.50/24]
    routes: [{to: default, via: 10.0.2.2}]
    nameservers: {addresses: [192.0.2.53], search: [example.org]}
  lan:
    match: {macaddress: "52:54:00:00:00:01"}
    set-name: lan0
    dhcp4: true
    dhcp4-overrides: {use-dns: false, route-metric: 500}
  one: {match: {macaddress: "52:54:00:00:00:02"}, set-name: one}
  two: {match: {macaddress: "52:54:00:00:00:03"}, set-name: two}
bonds:
  bond7:
    interfaces: [one, two]
    parameters: {mode: active-backup, primary: two, mii-monitor-interval: 100}
    mtu: 1450
vlans:
  storage: {id: 77, link: bond7, addresses: [10.77.0.1/24, "2001:db8:77::1/64"]}
"""


def card(name, backend, mac):
    return [f"--qemu-arg={word}" for word in ("-netdev", f"{backend},id={name}", "-device", f"virtio-net-pci,netdev={name},mac={mac},romfile=")]


def applied(guest):
    """The rescue shell does not wait for the configuration: this does."""
    guest.wait_shell()
    guest.shell("cloud-init status --wait", ok=False)


with temporary_directory() as directory:
    pathlib.Path(directory, "hello").write_text("from the host\n", encoding="utf-8")
    pathlib.Path(directory, "network-config").write_text(CONFIG, encoding="utf-8")
    server, port = serve_folder(directory)
    cards = (card("net1", "user,restrict=on,net=10.0.3.0/24", "52:54:00:00:00:01") + card("hub1", "hubport,hubid=1", "52:54:00:00:00:02")
             + card("hub2", "hubport,hubid=1", "52:54:00:00:00:03"))
    with Machine("network-config", "--network-config", str(pathlib.Path(directory, "network-config")), "--serve", f"10.0.2.100:80={port}", *cards,
                 user_data="#cloud-config\nhostname: netted\n", rescue=True) as guest:
        applied(guest)
        with case("a static address, with which a server is reached"):
            check("inet 10.0.2.50/24" in guest.shell("ip -4 addr show eth0"), "the address is not there")
            equal(guest.shell("wget -q -O - http://10.0.2.100/hello"), "from the host\n", "page")
        with case("no DHCP client for it"):
            check("udhcpc -f -i eth0" not in guest.shell("ps -o args"), "there is one")
        with case("the renamed card asks by DHCP"):
            guest.shell_until("ip -4 addr show lan0", r"inet 10\.0\.3\.15/24", "lan0's address")
        with case("name servers are the configuration's alone"):
            equal(guest.shell("cat /etc/resolv.conf"), "search example.org\nnameserver 192.0.2.53\n", "resolv.conf")
        with case("a bond of two cards"):
            text = guest.shell("cat /proc/net/bonding/bond7")
            for part in ("active-backup", "Slave Interface: one", "Slave Interface: two", "Primary Slave: two", "MII Polling Interval (ms): 100"):
                check(part in text, f"not in it: {part}\n{text}")
            equal(guest.shell("cat /sys/class/net/bond7/mtu").strip(), "1450", "its MTU")
        with case("a VLAN on it, with its addresses"):
            check("storage" in guest.shell("cat /proc/net/vlan/config") and "VID: 77" in guest.shell("cat /proc/net/vlan/storage"), "no VLAN")
            text = guest.shell("ip addr show storage")
            check("inet 10.77.0.1/24" in text and "inet6 2001:db8:77::1/64" in text and "UP" in text, text)
        with case("all went well, and a second application changes nothing"):
            check("status: done" in guest.shell("cloud-init status"), guest.shell("cloud-init status --long", ok=False))
            equal(guest.shell("coracle-config network --apply /run/coracle/network/plan").strip(), "0 changes", "second time")
        with case("a card that goes and comes again has its address and route again"):
            guest.shell("d=$(basename $(readlink /sys/class/net/eth0/device)); cd /sys/bus/virtio/drivers/virtio_net")
            guest.shell_until("ps -o args", "coracle-netwatch", "the watcher, after the engine")
            guest.shell("echo $d > unbind; ! ip link show eth0 2>/dev/null && echo $d > bind")
            guest.shell_until("ip -4 addr show eth0; ip route", r"inet 10\.0\.2\.50/24.*default via 10\.0\.2\.2 dev eth0", "the address")
        guest.type("poweroff\n")
    server.shutdown()

with Machine("network-ip", append="ip=10.0.2.77::10.0.2.2:255.255.255.0::eth0:none:192.0.2.1", rescue=True) as guest:
    applied(guest)
    with case("ip= on the kernel command line, without any other configuration"):
        check("inet 10.0.2.77/24" in guest.shell("ip -4 addr show eth0"), "the address is not there")
        check("default via 10.0.2.2 dev eth0" in guest.shell("ip route"), "no default route")
        equal(guest.shell("cat /etc/resolv.conf"), "nameserver 192.0.2.1\n", "resolv.conf")
        check("udhcpc" not in guest.shell("ps -o args | grep '[u]dhcpc' || true"), "a DHCP client runs")
    guest.type("poweroff\n")
finish()
