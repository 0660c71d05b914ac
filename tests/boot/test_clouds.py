#!/usr/bin/env python3
"""test_clouds.py: whole machines that find their cloud by SMBIOS, bring their network up for it, and fetch their configuration from a
server that plays the metadata service (tests/config/clouds.py) at 169.254.169.254 in the guest's isolated network; and one whose
serial number names an HTTP address, one with a credential in SMBIOS, one with a config drive, one with a file on its EFI partition. Each runs a command and powers off."""
# timeout: 900
import base64
import pathlib
import subprocess
import sys

from harness import TOP, Machine, case, finish, temporary_directory

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


def drive(folder, name):
    return "--qemu-arg", "-drive", "--qemu-arg", f"file={folder}/{name},format=raw,if=virtio,readonly=on"


def config_drive(folder):
    """An ISO labelled config-2 with OpenStack's tree."""
    tree = pathlib.Path(folder, "tree", "openstack", "latest")
    tree.mkdir(parents=True)
    (tree / "meta_data.json").write_text('{"uuid": "drive-1", "hostname": "drive"}')
    (tree / "user_data").write_text(SEED)
    subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-J", "-R", "-V", "config-2", "-o", f"{folder}/disk", f"{folder}/tree"],
                   stderr=subprocess.DEVNULL, check=True)


def esp(folder):
    """A FAT labelled as the image's EFI partition, with a file that any computer can put there."""
    pathlib.Path(folder, "user-data").write_text(SEED)
    subprocess.run(["truncate", "-s", "4M", f"{folder}/disk"], check=True)
    subprocess.run(["mformat", "-i", f"{folder}/disk", "-v", "CORACLE-ESP", "::"], check=True)
    subprocess.run(["mmd", "-i", f"{folder}/disk", "::/coracle"], check=True)
    subprocess.run(["mcopy", "-i", f"{folder}/disk", f"{folder}/user-data", "::/coracle/user-data"], check=True)


for make, identity in ((config_drive, "configdrive"), (esp, "esp")):
    with temporary_directory() as directory:
        make(directory)
        with Machine(f"clouds-{identity}", *drive(directory, "disk")) as guest:
            with case(f"{identity}: a disk is found by its label and read"):
                guest.wait_for(rf"seed: by-seed {identity}", anywhere=True)
            with case(f"{identity}: it powers off as that asks for"):
                guest.wait_exit()
with Machine("clouds-seedfrom", user_data=SEED, seed="smbios") as guest:
    with case("seedfrom in the SMBIOS serial: fetched over HTTP and applied"):
        guest.wait_for(r"seed: by-seed nocloud", anywhere=True)
    with case("seedfrom: it powers off as that asks for"):
        guest.wait_exit()
finish()
