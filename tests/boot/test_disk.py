#!/usr/bin/env python3
"""test_disk.py: the disk image under UEFI firmware: it boots, its data partition grows to a larger disk, and what is written
is there at the next boot. Needs build/coracle.img (make disk)."""
# timeout: 600
import os
import re
import shutil

from harness import BUILD, Machine, case, check, finish, fixtures, temporary_directory

USER_DATA = """#cloud-config
hostname: from-disk
runcmd:
  - [sh, -c, 'echo boot >> /var/boots; echo "boots: $(wc -l < /var/boots), var is $(stat -f -c %T /var) $(df -m /var | tail -n 1)" > /dev/console']
power_state: {mode: poweroff}
containers:
  services:
    hello: {image: busybox, command: [echo, hello from the disk]}
"""

SIZE_MIB = 1500


def boot(disk, tag):
    """One boot. Commands run once per instance, and the instance follows the user-data: the tag makes each boot a new one."""
    with Machine(f"disk-{tag}", "--disk", disk, "--firmware", "uefi", user_data=USER_DATA + f"# {tag}\n",
                 images=[fixtures() / "busybox.oci.tar"], boot_disk=True) as guest:
        found = guest.wait_for(r"\bboots: (\d+), var is (\S+) \S+ +(\d+) ")
        guest.wait_exit()
        return found.groups()


with temporary_directory() as folder:
    image = os.path.join(folder, "disk.img")
    shutil.copyfile(BUILD / "coracle.img", image)
    os.truncate(image, SIZE_MIB << 20)
    with case("OVMF boots the disk image, configuration and containers included"):
        boots, kind, size = boot(image, "first")
        check(boots == "1" and re.match("ext", kind), f"boot {boots}, /var is {kind}")
    with case("the data partition and its file system grew to the disk"):
        check(SIZE_MIB * 0.6 < int(size) < SIZE_MIB, f"/var has {size} MiB of a disk of {SIZE_MIB}")
    with case("what was written is there at the second boot"):
        boots, kind, size = boot(image, "second")
        check(boots == "2", f"boot {boots}")
finish()
