#!/usr/bin/env python3
"""network_facts.py: compares coracle-config's plan of each network-config of the corpus with what cloud-init's renderers made of it.

usage: network_facts.py CORACLE_CONFIG CORPUS/cloud-config/net KNOWN

Both sides become facts ("eth0 address 192.0.2.1/24", "eth0 dhcp4", ...): ours from `network --plan`, theirs from every expected_* of the folder that is
a file: netplan, networkd, /etc/network/interfaces in two forms, and the files below expected_sysconfig_*. A fact that one of them has and we have not, or
we have and a renderer that can say such a thing has not, is a disagreement. KNOWN explains them: `FOLDER RENDERER SIGN FACT  # WHY` per line; a line
that matches nothing is an error too. Speaks TAP: one case for each folder."""
import fnmatch
import ipaddress
import pathlib
import re
import shlex
import subprocess
import sys

import yaml


class Text(yaml.SafeLoader):
    """Every scalar stays text: 52:54:00:12:34:00 is no number of the base 60."""


Text.yaml_implicit_resolvers = {}


def network(text):
    return str(ipaddress.ip_network("::/0" if text == "::" else text.replace("default", "0.0.0.0/0"), strict=False))


def address(text):
    return str(ipaddress.ip_interface(text))


def truth(text):
    return str(text).lower() in ("true", "yes", "on", "1")


def names(value):
    return value.split() if isinstance(value, str) else list(value or [])


def route(device, entry):
    via, metric = entry.get("via"), entry.get("metric")
    to = entry["to"]
    if to == "default":
        to = "::/0" if via and ":" in via else "0.0.0.0/0"
    words = [device, "route", network(to)]
    if via:
        words += ["via", str(ipaddress.ip_address(via))]
    if metric:
        words += ["metric", metric]
    return " ".join(words)


def from_netplan(text, ours):
    """Facts of a version 2 document: netplan's, and our own plan."""
    facts, top = set(), yaml.load(text, Text)
    top = top.get("network", top)
    for section in ("ethernets", "bonds", "bridges", "vlans"):
        for key, d in (top.get(section) or {}).items():
            d = d or {}
            name = d.get("set-name", key)
            facts.add(f"{name} device")
            facts |= {f"{name} dhcp{n}" for n in "46" if truth(d.get(f"dhcp{n}")) or d.get(f"dhcp{n}") == "stateless"}
            facts |= {f"{name} address {address(a)}" for a in d.get("addresses") or []}
            facts |= {route(name, r) for r in d.get("routes") or []}
            servers = d.get("nameservers") or {}
            facts |= {f"dns {ipaddress.ip_address(a)}" for a in names(servers.get("addresses"))}
            facts |= {f"search {s}" for s in names(servers.get("search"))}
            if "mtu" in d:
                facts.add(f"{name} mtu {d['mtu']}")
            if "ipv6-mtu" in d:
                facts.add(f"{name} ipv6-mtu {d['ipv6-mtu']}")
            if "accept-ra" in d:
                facts.add(f"{name} accept-ra {truth(d['accept-ra'])}")
            if "wakeonlan" in d:
                facts.add(f"{name} wakeonlan {truth(d['wakeonlan'])}")
            mac = (d.get("match") or {}).get("macaddress", d.get("macaddress"))
            if mac:
                facts.add(f"{name} mac {mac.lower()}")
            facts |= {f"{name} member {m}" for m in names(d.get("interfaces"))}
            if "id" in d:
                facts.add(f"{name} vlan {d['id']} on {d['link']}")
            for parameter, value in (d.get("parameters") or {}).items():
                if not isinstance(value, dict):
                    value = {"true": "on", "false": "off"}.get(str(value).lower(), value)
                    facts.add(f"{name} parameter {parameter} {value}")
    if ours:
        servers = top.get("x-nameservers") or {}
        facts |= {f"dns {ipaddress.ip_address(a)}" for a in names(servers.get("addresses"))}
        facts |= {f"search {s}" for s in names(servers.get("search"))}
        facts |= {route("any", r) for r in top.get("x-routes") or []}
    return facts


NETPLAN_SAYS = ("device", "dhcp4", "dhcp6", "address", "route", "dns", "search", "mtu", "accept-ra", "wakeonlan", "mac", "member", "vlan", "parameter")


def from_networkd(text):
    facts, section, name, r = set(), "", "", {}
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            section, r = line, {}
            continue
        key, _, value = line.partition("=")
        if key == "Name" and section == "[Match]":
            name = value
            facts.add(f"{name} device")
        elif key == "MACAddress":
            facts.add(f"{name} mac {value.lower()}")
        elif key == "DHCP":
            facts |= {f"{name} dhcp{n}" for n in "46" if value in ("yes", f"ipv{n}")}
        elif key == "Address":
            facts.add(f"{name} address {address(value)}")
        elif key == "DNS":
            facts |= {f"dns {ipaddress.ip_address(a)}" for a in value.split()}
        elif key == "Domains":
            facts |= {f"search {s}" for s in value.split()}
        elif key == "IPv6AcceptRA":
            facts.add(f"{name} accept-ra {truth(value)}")
        elif section == "[Route]":
            r[{"Gateway": "via", "Destination": "to", "Metric": "metric"}[key]] = value
            if {"via", "to", "metric"} <= set(r):
                facts.add(route(name, r))
    return facts


BOND = {"downdelay": "down-delay", "updelay": "up-delay", "miimon": "mii-monitor-interval", "fail-over-mac": "fail-over-mac-policy", "mode": "mode",
        "num-grat-arp": "gratuitous-arp", "primary": "primary", "primary-reselect": "primary-reselect-policy", "xmit-hash-policy": "transmit-hash-policy"}
BRIDGE = {"ageing": "ageing-time", "bridgeprio": "priority", "fd": "forward-delay", "hello": "hello-time", "maxage": "max-age", "stp": "stp"}


def route_command(device, words):
    """route add [-A inet6] -net|-host|default ... gw VIA, or ip [-family inet6] route add TO via VIA"""
    words = [w for w in words if w not in ("-net", "-host", "||", "true", "ip", "route", "add", "-A", "-family", "inet6", "dev", device)]
    r = {"to": words[0]}
    for key, value in zip(words[1::2], words[2::2]):
        if key in ("via", "gw", "metric"):
            r["via" if key == "gw" else key] = value
    return route(device, r)


def from_eni(text):
    facts, name, family = set(), "", ""
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#") or words[0] == "pre-down" or words[0] == "auto":
            continue
        key, rest = words[0], words[1:]
        if key == "iface":
            name, family, method = rest
            if name != "lo":
                facts.add(f"{name} device")
            if method == "dhcp":
                facts.add(f"{name} dhcp{'6' if family == 'inet6' else '4'}")
            if (family, method) == ("inet6", "auto"):
                facts.add(f"{name} accept-ra True")
        elif key == "dhcp" and rest == ["1"]:
            facts.add(f"{name} dhcp6")
        elif key == "address":
            facts.add(f"{name} address {address(rest[0])}")
        elif key == "gateway":
            facts.add(route(name, {"to": "default", "via": rest[0]}))
        elif key == "mtu":
            facts.add(f"{name} {'ipv6-mtu' if family == 'inet6' else 'mtu'} {rest[0]}")
        elif key == "accept-ra":
            facts.add(f"{name} accept-ra {truth(rest[0])}")
        elif key == "hwaddress":
            facts.add(f"{name} mac {rest[-1].lower()}")
        elif key == "dns-nameservers":
            facts |= {f"dns {ipaddress.ip_address(a)}" for a in rest}
        elif key == "dns-search":
            facts |= {f"search {s}" for s in rest}
        elif key == "post-up":
            facts.add(route_command("any" if not line.startswith(" ") else name, rest))
        elif key.replace("_", "-") == "bond-master":
            facts.add(f"{rest[0]} member {name}")
        elif key.startswith("bond") and key[5:].replace("_", "-") in BOND:
            facts.add(f"BOND {name} parameter {BOND[key[5:].replace('_', '-')]} {rest[0]}")
        elif key.startswith("bridge-ports"):
            facts |= {f"{name} member {m}" for m in rest}
        elif key.startswith("bridge-") and key[7:] in BRIDGE:
            facts.add(f"{name} parameter {BRIDGE[key[7:]]} {rest[0]}")
        elif key == "vlan-id":
            vlan = rest[0]
        elif key == "vlan-raw-device":
            facts.add(f"{name} vlan {vlan} on {rest[0]}")
    # members repeat the parameters of their bond
    bonds = {f.split()[0] for f in facts if " member " in f}
    return {f.removeprefix("BOND ") for f in facts if not f.startswith("BOND ") or f.split()[1] in bonds}


ENI_SAYS = ("device", "dhcp4", "dhcp6", "address", "route", "dns", "search", "member", "vlan", "parameter", "mtu", "ipv6-mtu")


def from_sysconfig(folder):
    facts = set()
    for file in sorted(folder.rglob("ifcfg-*")):
        name = file.name.removeprefix("ifcfg-")
        values = dict(w.split("=", 1) for w in shlex.split(file.read_text(), comments=True) if "=" in w)
        facts.add(f"{name} device")
        protocol = values.get("BOOTPROTO", "")
        if protocol in ("dhcp", "dhcp4") or values.get("DHCPV4C") == "yes":
            facts.add(f"{name} dhcp4")
        if values.get("DHCPV6C") == "yes" or protocol in ("dhcp", "dhcp6") and "rhel" not in folder.name:
            facts.add(f"{name} dhcp6")
        for key, value in values.items():
            base = re.fullmatch(r"IPADDR(\d*|_\d+|6|6_\d+)", key)
            if base and "/" not in value and f"NETMASK{base.group(1)}" in values:
                value = f"{value}/{values['NETMASK' + base.group(1)]}"
            if base and "/" in value:
                facts.add(f"{name} address {address(value)}")
            if key in ("IPV6ADDR", "IPV6ADDR_SECONDARIES"):
                facts |= {f"{name} address {address(a)}" for a in value.split()}
            if re.fullmatch(r"DNS\d+", key):
                facts.add(f"dns {ipaddress.ip_address(value)}")
            if key == "DOMAIN":
                facts |= {f"search {s}" for s in value.split()}
            if key in ("MTU",):
                facts.add(f"{name} mtu {value}")
            if key == "GATEWAY" or key == "IPV6_DEFAULTGW":
                facts.add(route(name, {"to": "default", "via": value.split("%")[0]}))
    return facts


SYSCONFIG_SAYS = ("address",)

SAYS = {"netplan": NETPLAN_SAYS, "networkd": ("dhcp4", "address", "route"), "eni": ENI_SAYS, "sysconfig": SYSCONFIG_SAYS}


def kind(fact):
    words = fact.split()
    return words[0] if words[0] in ("dns", "search") else words[1]


def expected(folder):
    for path in sorted(folder.glob("expected_*")):
        renderer = path.name.removeprefix("expected_")
        if renderer.startswith("netplan"):
            yield renderer, "netplan", from_netplan(path.read_text(), False), None
        elif renderer.startswith("networkd"):
            facts = from_networkd(path.read_text())
            yield renderer, "networkd", facts, {f.split()[0] for f in facts if f.endswith(" device")}
        elif renderer.startswith("eni"):
            yield renderer, "eni", from_eni(path.read_text()), None
        elif renderer.startswith("sysconfig"):
            facts = from_sysconfig(path)
            yield renderer, "sysconfig", facts, {f.split()[0] for f in facts if f.endswith(" device")}


def main():
    program, corpus, known_path = sys.argv[1:]
    known = [line.split("#")[0].split(None, 3) for line in pathlib.Path(known_path).read_text().splitlines() if line.split("#")[0].strip()]
    used, count, failed, facts_n, skipped = [False] * len(known), 0, 0, 0, []

    def explained(folder, renderer, sign, fact):
        for i, entry in enumerate(known):
            if all(fnmatch.fnmatchcase(value, pattern.strip()) for value, pattern in zip((folder, renderer, sign, fact), entry)):
                used[i] = True
                return True
        return False

    for folder in sorted(p for p in pathlib.Path(corpus).iterdir() if p.is_dir()):
        sources = sorted(folder.glob("yaml*"))
        if not sources:
            skipped.append(folder.name)
            continue
        count += 1
        wrong = []
        for source in sources:
            done = subprocess.run([program, "network", "--plan", str(source)], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                wrong.append(f"{source.name}: {done.stderr.strip()}")
                continue
            ours = from_netplan(done.stdout, True)
            again = subprocess.run([program, "network", "--plan", "/dev/stdin"], input=done.stdout, capture_output=True, text=True, check=False)
            if again.stdout != done.stdout:
                wrong.append(f"{source.name}: the plan does not read back as itself")
            for renderer, family, theirs, only in expected(folder):
                facts_n += len(theirs)
                mine = {f for f in ours if kind(f) in SAYS[family] and (only is None or kind(f) in ("dns", "search") or f.split()[0] in only)}
                theirs = {f for f in theirs if kind(f) in SAYS[family] or f in ours}
                wrong += [f"{renderer}: - {f}" for f in sorted(theirs - ours) if not explained(folder.name, renderer, "-", f)]
                wrong += [f"{renderer}: + {f}" for f in sorted(mine - theirs) if not explained(folder.name, renderer, "+", f)]
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {count} - {folder.name}")
        for line in wrong:
            print(f"#   {folder.name} {line}")
    count += 1
    idle = [" ".join(known[i]) for i, u in enumerate(used) if not u]
    failed += bool(idle)
    print(f"{'not ok' if idle else 'ok'} {count} - every explained disagreement is one")
    for line in idle:
        print(f"#   nothing matches: {line}")
    print(f"# {facts_n} facts of cloud-init's renderers; {len(known)} explanations; without an input: {', '.join(skipped)}")
    print(f"1..{count}")
    sys.exit(1 if failed else 0)


main()
