#!/usr/bin/env python3
"""test_metal.py: the metal kernel on the hardware that QEMU can play: disks on USB, NVMe and AHCI, common network cards, a
keyboard. Runs where build/ holds that kernel: make PROFILE=metal test-boot."""
# timeout: 900
import os
import shutil

from harness import BUILD, Machine, case, check, finish, skip, temporary_directory

DISK = """#cloud-config
runcmd:
  - [sh, -c, 'echo "var is $(stat -f -c %T /var) on $(grep " /var " /proc/mounts)" > /dev/console']
power_state: {mode: poweroff}
"""
BUSES = {"usb": "/dev/sd", "nvme": "/dev/nvme", "ahci": "/dev/sd"}
CARDS = ("e1000", "e1000e", "vmxnet3")
IDLE = "#cloud-config\nhostname: metal\n"


def disk_on(bus, device):
    with temporary_directory() as folder:
        image = os.path.join(folder, "disk.img")
        shutil.copyfile(BUILD / "coracle.img", image)
        with Machine(f"metal-{bus}", "--disk", image, "--disk-bus", bus, "--firmware", "uefi", user_data=DISK, boot_disk=True) as guest:
            with case(f"{bus}: firmware boots the disk image, and its data partition is /var"):
                found = guest.wait_for(r"\bvar is (\S+) on (\S+) /var ").groups()
                check(found[0].startswith("ext") and found[1].startswith(device), f"/var is {found}")
                guest.wait_exit()


def card(model):
    with Machine(f"metal-{model}", "--net", "none", "--qemu-arg", "-netdev", "--qemu-arg", "user,id=card,restrict=on", "--qemu-arg", "-device",
                 "--qemu-arg", f"{model},netdev=card", user_data=IDLE, rescue=True) as guest:
        with case(f"{model}: the card gets its address"):
            guest.wait_shell()
            guest.shell_until("ip -4 addr show dev eth0", r"inet 10\.0\.2\.15/24", "an address")


def keyboard():
    with Machine("metal-keyboard", user_data=IDLE, rescue=True) as guest:
        with case("a keyboard is there, and Ctrl-Alt-Del on it reboots in order"):
            guest.wait_shell()
            check(guest.shell("ls /sys/bus/serio/devices").strip(), "no keyboard controller")
            guest.qmp("send-key", keys=[{"type": "qcode", "data": key} for key in ("ctrl", "alt", "delete")])
            guest.wait_for(r"reboot: Restarting system")


if not os.path.basename(os.path.realpath(BUILD / "kernel")).startswith("metal-"):
    skip("the metal kernel", "build/ holds the kernel for virtual machines; make PROFILE=metal test-boot")
else:
    for name, node in BUSES.items():
        disk_on(name, node)
    for name in CARDS:
        card(name)
    keyboard()
finish()
