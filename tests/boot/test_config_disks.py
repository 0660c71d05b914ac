#!/usr/bin/env python3
"""test_config_disks.py: storage on a whole machine. A blank second disk becomes partitions, file systems and swap, found by label; the next boot finds
them as they were, a disk with something on it stays as it is; a swap file lies on the data disk. Two boots of one machine."""
# timeout: 500
import hashlib
import pathlib
import subprocess

from harness import Machine, case, check, data_disk, equal, finish, temporary_directory

USER_DATA = """#cloud-config
device_aliases: {store: DISK}
disk_setup:
  store: {table_type: gpt, layout: [50, 25, [25, 82]]}
  OTHER: {table_type: gpt, layout: true}
fs_setup:
  - {label: files, filesystem: ext4, device: store.1}
  - {label: FAT, filesystem: vfat, device: store, partition: 2}
  - {filesystem: swap, device: store.3}
mounts:
  - [LABEL=files, /srv/files, auto, "noatime,nofail"]
  - [LABEL=FAT, /mnt/fat]
  - [store.3, none, swap, "sw,pri=7"]
  - [/dev/not-there, /mnt/nothing]
swap: {filename: /swap.img, size: 16M}
ntp: {servers: [192.0.2.1]}
timezone: Europe/Madrid
"""


def blank(folder, name, mib):
    path = pathlib.Path(folder) / name
    with open(path, "wb") as f:
        f.truncate(mib << 20)
    return path


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def options(*disks):
    words = []
    for i, disk in enumerate(disks):
        words += [f"--qemu-arg={w}" for w in ("-drive", f"file={disk},if=none,id=extra{i},format=raw", "-device", f"virtio-blk-pci,drive=extra{i},serial=extra{i}")]
    return words


def boot(folder, number, data, disks, user_data):
    return Machine(f"config-disks-{number}", *options(*disks), user_data=user_data, seed="fw_cfg", data=data, rescue=True)


with temporary_directory() as folder:
    data = data_disk(folder, "data.img")
    disks = (blank(folder, "blank.img", 256), blank(folder, "full.img", 64))
    subprocess.run(["mke2fs", "-q", "-F", disks[1]], check=True)
    before = digest(disks[1])
    # the data disk is vda; the others follow as they are given
    text = USER_DATA.replace("DISK", "/dev/vdb").replace("OTHER", "/dev/vdc")
    with boot(folder, 1, data, disks, text) as guest:
        guest.wait_shell()
        guest.settle()
        with case("first boot: the disks are the ones that are meant"):
            equal(guest.shell("for d in vdb vdc; do echo $(cat /sys/block/$d/serial); done").split(), ["extra0", "extra1"], "serial numbers")
        with case("partitions, file systems and mounts by label"):
            mounts = guest.shell("cat /proc/mounts")
            check("/dev/vdb1 /srv/files ext4" in mounts.replace("/var/srv", "/srv"), mounts)
            check("/dev/vdb2 /mnt/fat vfat" in mounts.replace("/var/mnt", "/mnt"), mounts)
        with case("swap: the partition with its priority, and the file on the data disk"):
            swaps = guest.shell("cat /proc/swaps")
            check("/dev/vdb3" in swaps and "\t7\n" in swaps + "\n" and "/var/swap.img" in swaps, swaps)
        with case("what fails is told, and the rest went on"):
            status = guest.shell("cloud-init status --long", ok=False)
            check("partition /dev/vdc: it is not blank" in status, status)
            check("mount /dev/not-there on /mnt/nothing" in status, status)
        with case("ntpd runs, with the server that was given; the clock's zone"):
            guest.shell_until("cat /proc/[0-9]*/cmdline | tr '\\000' ' '", r"ntpd -n -p 192\.0\.2\.1", "ntpd")
            check(guest.shell("date +%Z").strip() in ("CET", "CEST"), "time zone")
        guest.shell("echo kept > /srv/files/word; echo also > /mnt/fat/word; sync")
        guest.type("poweroff\n")
        guest.wait_exit()
        with case("swap spaces are given back at the end, so that /var can be unmounted"):
            guest.absent("was not unmounted")
    with case("a disk with something on it is the same, to the bit"):
        equal(digest(disks[1]), before, "digest")
    with boot(folder, 2, data, disks, text) as guest:
        guest.wait_shell()
        guest.settle()
        with case("second boot: everything is where it was, nothing is made again"):
            equal(guest.shell("cat /srv/files/word /mnt/fat/word").split(), ["kept", "also"], "files")
            check("/var/swap.img" in guest.shell("cat /proc/swaps"), "swap file")
        with case("second boot: partitioning is done once for each instance"):
            check("partition /dev/vdc" not in guest.shell("cloud-init status --long", ok=False), "status")
        guest.type("poweroff\n")
        guest.wait_exit()
finish()
