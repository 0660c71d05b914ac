#!/usr/bin/env python3
"""test_clouds.py: whole machines that find their cloud by SMBIOS, bring their network up for it, and fetch their configuration from a
server that plays the metadata service (tests/config/clouds.py) at 169.254.169.254 in the guest's isolated network; and one whose
serial number names an HTTP address, and one with a credential in SMBIOS. Each runs a command and powers off."""
# timeout: 600
import base64
import subprocess
import sys

from harness import TOP, Machine, case, finish

WAYS = (
    ("ec2", "type=1,manufacturer=Amazon EC2,uuid=ec2e1916-9099-7caf-fd21-012345abcdef", "aws i-0abc"),
    ("gce", "type=1,manufacturer=Google,product=Google Compute Engine", "gce 7684572792595385000"),
)

server = subprocess.Popen([sys.executable, str(TOP / "tests/config/clouds.py"), "imds@127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
port = server.stdout.readline().split()[1]
try:
    for name, smbios, identity in WAYS:
        with Machine(f"clouds-{name}", "--serve", f"169.254.169.254:80={port}", "--qemu-arg", "-smbios", "--qemu-arg", smbios) as guest:
            with case(f"{name}: found by SMBIOS, its user-data is fetched and applied"):
                guest.wait_for(rf"cloud: from-user-data yes {identity}", anywhere=True)
            with case(f"{name}: it powers off as that asks for"):
                guest.wait_exit()
finally:
    server.terminate()
    server.wait()

SEED = """#cloud-config
hostname: by-seed
runcmd:
  - echo "seed: $(hostname) $(cat /run/cloud-init/cloud-id)" > /dev/console
power_state: {mode: poweroff}
"""
CREDENTIAL = "type=11,value=io.systemd.credential.binary:coracle.user-data=" + base64.b64encode(SEED.encode()).decode()
with Machine("clouds-credential", "--qemu-arg", "-smbios", "--qemu-arg", CREDENTIAL) as guest:
    with case("a credential in SMBIOS type 11 is the configuration"):
        guest.wait_for(r"seed: by-seed credentials", anywhere=True)
    with case("credential: it powers off as that asks for"):
        guest.wait_exit()
with Machine("clouds-seedfrom", user_data=SEED, seed="smbios") as guest:
    with case("seedfrom in the SMBIOS serial: fetched over HTTP and applied"):
        guest.wait_for(r"seed: by-seed nocloud", anywhere=True)
    with case("seedfrom: it powers off as that asks for"):
        guest.wait_exit()
finish()
