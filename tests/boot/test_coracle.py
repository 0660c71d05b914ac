#!/usr/bin/env python3
"""test_coracle.py: the command coracle where it talks to init: services by their names (logs, stop, start, restart), and boot-time: stages, units and containers with their times, the chain of what waited for what, the chart, the firmware's times."""
import re
import xml.etree.ElementTree as tree

from harness import Machine, case, check, equal, finish, fixtures

USER_DATA = """#cloud-config
containers:
  services:
    hello:
      image: busybox
      command: [sh, -c, 'echo hello from the container; exec sleep 100000']
      stop_signal: SIGKILL
"""
LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"


def milliseconds(text):
    """The times of a row: "  412 ms", "   1.4 s"."""
    return [float(number) * (1000 if unit == "s" else 1) for number, unit in re.findall(r"([\d.]+) (ms|s)\b", text)]


def rows(text):
    """{name: [began, took]} of the tree."""
    found = {}
    for line in text.split("The chain")[0].splitlines():
        row = re.match(r"  (\S+) +[\d.]+ m?s", line)
        if row:
            found[row.group(1)] = milliseconds(line)
    return found


def write_variable(guest, name, number):
    """As systemd-boot leaves it: four bytes of attributes, the number in UTF-16."""
    letters = "".join(f"{letter}\\000" for letter in number)
    guest.shell(f"mkdir -p /run/efi; printf '\\006\\000\\000\\000{letters}' > /run/efi/{name}-{LOADER}")


def pid_of_unit(guest, name):
    return guest.shell_until("coracle services", rf"^{name} +running +(\d+)", f"{name} runs").group(1)


def services(guest):
    name = guest.shell_until("coracle services", r"^(dhcp@\S+) +running", "a dhcp service").group(1)
    with case("logs NAME: what a service printed, with times and the last lines only"):
        guest.shell_until(f"coracle logs {name}", r"address 10\.0\.2\.\d+", "the address in the service's log")
        found = guest.shell(f"coracle logs -t -n 1 {name}").strip().splitlines()
        check(len(found) == 1 and re.match(r" *\d+\.\d{6} ", found[0]), f"one line with a time: {found}")
    with case("restart NAME: another process of the service"):
        old = pid_of_unit(guest, name)
        guest.shell(f"coracle restart {name}")
        guest.shell_until("coracle services", rf"^{name} +running +(?!{old}\b)\d+", "another process")
    with case("stop NAME, start NAME"):
        guest.shell(f"coracle stop {name}")
        guest.shell_until("coracle services", rf"^{name} +off", "the service is off")
        guest.shell(f"coracle start {name}")
        pid_of_unit(guest, name)
    with case("a name that neither has: the engine's error"):
        found = guest.shell("coracle restart nosuch; echo code $?")
        check("No such container: nosuch" in found and "code 1" in found, found)
    with case("with the engine stopped services still answer"):
        guest.shell("coracle stop engine")
        guest.shell_until("coracle services", r"^engine +off", "the engine is off")
        guest.shell(f"coracle restart {name}")
        guest.shell("coracle start engine")
        guest.shell_until("coracle services", r"^engine +running", "the engine runs again")


def main():
    with Machine("boot-time", user_data=USER_DATA, images=[fixtures() / "busybox.oci.tar"], rescue=True) as guest:
        guest.wait_for(r"\bhello \| hello from the container$", anywhere=True)
        guest.type("\n")
        guest.wait_shell()
        guest.settle()
        guest.shell_until("coracle services", r"\bengine +running", "the engine is ready")
        text = guest.shell("coracle boot-time")
        table = rows(text)
        with case("boot-time: the kernel's part, mounts and devices are stages"):
            for name in ("kernel", "mounts", "devices"):
                check(name in table, f"no stage {name}:\n{text}")
            check(table["kernel"][1] > table["mounts"][1], f"the kernel took less than the mounts:\n{text}")
        with case("boot-time: units begin after what they wait for is ready"):
            check(table["engine"][0] >= sum(table["config"]), f"the engine began before the configuration was there:\n{text}")
            check("engine" in text and len(table["engine"]) == 2, f"the engine's readiness is missing:\n{text}")
        with case("boot-time: a container's start is there, within the engine's"):
            check(table["engine"][0] <= table["hello"][0] <= sum(table["engine"]) + 1, f"the container:\n{text}")
        with case("boot-time: the chain names what the last unit waited for"):
            chain = text[text.index("The chain"):]
            check(re.search(r"engine at.*\n +`-config at", chain), f"the chain:\n{text}")
        with case("boot-time UNIT: the chain of that unit"):
            chain = guest.shell("coracle boot-time config")
            check("The chain that config waited for" in chain and "`-engine" not in chain, f"the chain of config:\n{chain}")
        with case("boot-time: an unknown unit is an error that says where to look"):
            found = guest.shell("coracle boot-time nosuch; echo code $?")
            check("no unit nosuch" in found and "coracle services" in found and "code 1" in found, found)
        with case("boot-time -o: a chart with a bar for each"):
            svg = guest.shell("coracle boot-time -o /run/boot.svg && cat /run/boot.svg")
            root = tree.fromstring(svg[svg.index("<?xml"):svg.index("</svg>") + 6].encode())
            titles = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
            for name in ("kernel", "config", "engine", "hello"):
                check([title for title in titles if title.startswith(f"{name}:")], f"no bar for {name}: {titles}")
            equal(len(titles), len(table), "bars, rows of the tree")
        with case("boot-time: the firmware's and the loader's times, where a loader left them"):
            write_variable(guest, "LoaderTimeInitUSec", "1200000")
            write_variable(guest, "LoaderTimeExecUSec", "1512000")
            found = guest.shell("CORACLE_EFIVARS=/run/efi coracle boot-time")
            check(re.search(r"firmware +1200 ms, loader +312 ms before the kernel", found), found)
        with case("boot-time: and without them nothing is said of them"):
            check("firmware" not in text, text)
        services(guest)
        guest.type("poweroff\n")
        guest.wait_exit()


main()
finish()
