#!/usr/bin/env python3
"""test_why.py: how the last boot ended, as `coracle why` tells it on the next one: asked for, Ctrl-Alt-Del, power button, cut off, a panic with
the kernel's last lines, a reset by SysRq; without a data disk what the kernel kept of its log. What the watchdog and kexec end is in their own tests."""
# timeout: 900
import json
import os
import re

from harness import Machine, case, check, equal, finish, temporary_directory

# Memory that outlives a reset for the kernel's last words (init(8)), and no wait before the reboot that follows a panic.
KEPT = "reserve_mem=256K:4096:oops ramoops.mem_name=oops ramoops.max_reason=4 panic=1"


def boots_of_one_disk(folder):
    disk = os.path.join(folder, "data.img")
    with Machine("why", data=disk, rescue=True, append=KEPT) as guest:
        guest.wait_shell()
        with case("the first boot is one"):
            guest.why(r"^this boot   number 1,.*^last boot   first:")
        with case("reboot: who asked for it, with its pid and user"):
            guest.type("reboot\n")
            guest.wait_boot()
            guest.why(r"^this boot   number 2,.*^last boot   clean:[^\n]*\n +reboot: asked by reboot \(pid \d+, uid 0\)\n +number 1,.*ran for ")
        with case("rule 23: Ctrl-Alt-Del"):
            guest.type("kill -INT 1\n")
            guest.wait_boot()
            guest.why(r"^last boot   clean:[^\n]*\n +reboot: Ctrl-Alt-Del\n")
        with case("cut off: nobody wrote the end, and nothing else tells of it"):
            guest.qmp("system_reset")
            guest.wait_boot()
            guest.why(r"^last boot   power-loss:[^\n]*\n +the power was lost, or the machine was reset from outside\n")
        with case("a panic: its line, and the kernel's last lines kept on the data disk"):
            guest.type("echo c >/proc/sysrq-trigger\n")
            guest.wait_boot()
            text = guest.why(r"^last boot   panic:[^\n]*\n +sysrq triggered crash\n.*the kernel's last lines \(/var/lib/coracle/crash/boot-4.txt\)")
            check(len(text.splitlines()) <= 24 + text.count("\n  boot "), f"more than a screenful:\n{text}")
            guest.shell("grep -q 'Kernel panic - not syncing: sysrq triggered crash' /var/lib/coracle/crash/boot-4.txt")
            equal(guest.shell("ls /sys/fs/pstore").strip(), "", "what is left in pstore")
        with case("a reset by SysRq is told from a lost power"):
            guest.type("echo b >/proc/sysrq-trigger\n")
            guest.wait_boot()
            guest.why(r"^last boot   reset:[^\n]*\n +Resetting")
        with case("as JSON, and the boots before"):
            answer = json.loads(guest.shell("coracle why --format json"))
            equal((answer["this"]["number"], answer["last"]["number"], answer["last"]["kind"]), (6, 5, "reset"), "boots and kind")
            text = guest.shell("coracle why")
            equal(re.findall(r"^  boot (\d), [^\n]* UTC: (\S+): ", text, re.MULTILINE),
                  [("1", "clean"), ("2", "clean"), ("3", "power-loss"), ("4", "panic")], "history")
        with case("power button"):
            guest.qmp("system_powerdown")
            guest.wait_exit()
    with Machine("why-again", data=disk, rescue=True) as guest:
        guest.wait_shell()
        with case("on the next machine with this disk: the power button"):
            guest.why(r"^last boot   clean:[^\n]*\n +poweroff: power button\n")
        with case("a signal to process 1: whose it was"):
            guest.type("kill -TERM 1\n")
            guest.wait_boot()
            guest.why(r"^last boot   clean:[^\n]*\n +reboot: SIGTERM from sh \(pid \d+, uid 0\)\n")


def boots_without_a_disk():
    with Machine("why-stateless", rescue=True, append=KEPT) as guest:
        guest.wait_shell()
        with case("without a data disk: nothing is known at first"):
            guest.why(r"^last boot   first:")
        with case("without a data disk: the kernel's log kept the reason"):
            guest.type("reboot\n")
            guest.wait_boot()
            guest.why(r"^last boot   clean:[^\n]*\n +reboot: asked by reboot \(pid \d+, uid 0\)\n")
        with case("no trace of a crash"):
            guest.absent(r"Oops|BUG:|WARNING:")


with temporary_directory() as name:
    boots_of_one_disk(name)
boots_without_a_disk()
finish()
