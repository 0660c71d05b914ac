#!/usr/bin/env python3
"""test_network.py: the virtual machine's network as qemu/run fixes it: served addresses reach the host's loopback, and nothing else
leaves the guest; --net open is the only other way. The SMBIOS seed names an address where its files are."""
import pathlib

from harness import Machine, case, check, equal, finish, temporary_directory
from webserver import serve_folder


def with_lease(guest, pattern):
    guest.wait_shell()
    guest.shell_until("ip -4 addr show eth0", pattern, "the guest's address")


with temporary_directory() as directory:
    pathlib.Path(directory, "hello").write_text("from the host\n", encoding="utf-8")
    pathlib.Path(directory, "large").write_bytes(bytes(range(256)) * 4096)
    server, port = serve_folder(directory)
    with Machine("network-isolated", "--serve", f"169.254.169.254:80={port}", rescue=True) as guest:
        with_lease(guest, r"inet 169\.254\.169\.15/24")
        with case("a served address reaches a server on the host's loopback, twice"):
            for _ in range(2):
                equal(guest.shell("wget -q -O - http://169.254.169.254/hello"), "from the host\n", "page")
        with case("a megabyte arrives whole"):
            equal(guest.shell("wget -q -O - http://169.254.169.254/large | wc -c").strip(), str(256 * 4096), "bytes")
        with case("the isolated guest does not reach the host's loopback through the gateway"):
            text = guest.shell(f"wget -q -T 3 -O - http://169.254.169.2:{port}/hello; echo code $?", ok=False)
            check("from the host" not in text and "code 0" not in text, f"it did: {text}")
        guest.type("poweroff\n")
    with Machine("network-open", "--net", "open", rescue=True) as guest:
        with_lease(guest, r"inet 10\.0\.2\.15/24")
        with case("--net open reaches it: the isolation is what stopped it"):
            equal(guest.shell(f"wget -q -O - http://10.0.2.2:{port}/hello"), "from the host\n", "page")
        guest.type("poweroff\n")
    server.shutdown()

with Machine("network-smbios", user_data="#cloud-config\nhostname: by-smbios\n", seed="smbios", rescue=True) as guest:
    with_lease(guest, r"inet 10\.0\.2\.15/24")
    with case("the SMBIOS seed's address serves the configuration"):
        serial = guest.shell("cat /sys/class/dmi/id/product_serial").strip()
        equal(serial, "ds=nocloud;s=http://10.0.2.100/", "serial number")
        equal(guest.shell("wget -q -O - http://10.0.2.100/user-data"), "#cloud-config\nhostname: by-smbios\n", "user-data")
        check("instance-id:" in guest.shell("wget -q -O - http://10.0.2.100/meta-data"), "no meta-data")
    with case("the machine brought its network up for it, and is what it says"):
        guest.shell("cloud-init status --wait", ok=False)
        equal(guest.shell("hostname").strip(), "by-smbios", "host name")
        check("status: done" in guest.shell("cloud-init status"), guest.shell("cloud-init status --long", ok=False))
    with case("the address that was asked for early became the client's: it is there once, and there is one client"):
        guest.shell_until("ps -o args", "udhcpc -f -i eth0 -s", "the machine's own client")
        equal(guest.shell("ip -4 addr show eth0 | grep -c inet").strip(), "1", "addresses")
        equal(guest.shell("ps -o args | grep -c '[u]dhcpc'").strip(), "1", "clients")
    guest.type("poweroff\n")
finish()
