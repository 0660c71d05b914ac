#!/usr/bin/env python3
"""test_shutdown.py: the way down when something is in its way: a disk that takes no writes and a process in state D on it (rules 17, 19, 20, 22),
the order of unmounting; and the way up without the firmware: kexec (the last boot's end says so)."""
# timeout: 900
import subprocess

from harness import BUILD, Machine, case, check, data_disk, finish, temporary_directory


def is_clean(disk):
    text = subprocess.run(["dumpe2fs", "-h", disk], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode()
    return "needs_recovery" not in text


def kexec(folder):
    disk = data_disk(folder, "kexec.img", BUILD / "vmlinuz", BUILD / "initramfs.cpio.zst")
    with Machine("shutdown-kexec", data=disk, rescue=True) as guest:
        guest.wait_shell()
        guest.why("^last boot   first:")
        with case("what is no kernel is refused, and the machine goes on"):
            text = guest.shell("coracle reboot --kexec /etc/passwd 2>&1", ok=False)
            check("coracle: load /etc/passwd: " in text, text)
        with case("coracle reboot --kexec: another kernel without the firmware, with the words added; the record says so"):
            guest.type("coracle reboot --kexec /var/vmlinuz --initrd /var/initramfs.cpio.zst --append added.word=1\n")
            guest.wait_boot()
            guest.why(r"^this boot   number 2,[^\n]*started by another kernel \(kexec\).*^last boot   kexec:[^\n]*\n +reboot by kexec: asked by coracle \(pid")
            check("added.word=1" in guest.shell("cat /proc/cmdline"), "the word is not there")
        with case("and a plain reboot goes by the firmware again"):
            guest.type("reboot\n")
            guest.wait_boot()
            guest.why(r"^this boot   number 3,[^\n]*started by the firmware.*^last boot   clean:")


def order(folder):
    disk = data_disk(folder, "order.img")
    with Machine("shutdown-order", data=disk, rescue=True, append="loglevel=7") as guest:
        guest.wait_shell()
        with case("rule 19: overlays, then other mounts, then /var; nothing stays in use"):
            guest.shell("mkdir -p /var/u /var/w /var/merged /var/vol && truncate -s 16M /var/file && mke2fs -q /var/file && mount -o loop /var/file /var/vol"
                        " && mount -t overlay -o lowerdir=/etc,upperdir=/var/u,workdir=/var/w o /var/merged && echo x >/var/merged/x && echo y >/var/vol/y")
            guest.type("poweroff\n")
            guest.wait_for(r"unmounted /var/merged$.*unmounted /var/vol$.*unmounted /var$", 120)
            guest.wait_exit()
            guest.absent("still in use|gave up")
            check(is_clean(disk), "the journal has to be replayed")


def stuck(folder):
    disk = data_disk(folder, "stuck.img", BUILD / "tools/test-freeze")
    with Machine("shutdown-stuck", data=disk, rescue=True, append="coracle.shutdown=30") as guest:
        guest.wait_shell()
        guest.why("^last boot   first:")
        with case("rules 17, 20, 22: /var takes no writes, a process in state D: the machine goes down all the same, within its time"):
            guest.shell("/var/test-freeze /var; (echo x >/var/never &)")
            guest.shell_until("grep -h '^State:' /proc/[0-9]*/status", "^State:.D", "a process in state D")
            guest.type("reboot\n")
            guest.wait_for(r"shutdown: gave up waiting for ", 120)
            guest.wait_boot(120)
            check("shutdown: gave up waiting" in guest.text, "nothing was in its way")
        with case("and the next boot knows that the end could not be written"):
            guest.why(r"^last boot   power-loss:[^\n]*\n +the power was lost")


with temporary_directory() as name:
    order(name)
    kexec(name)
    stuck(name)
finish()
