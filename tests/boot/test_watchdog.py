#!/usr/bin/env python3
"""test_watchdog.py: the watchdog of hardware and the kernel's own: armed, fed as long as PID 1 turns, and the machine comes back when PID 1 hangs or
the last step of the shutdown does; the next boot knows why; and when a critical service is stuck or has failed for good. PID 1 is hung by freezing its cgroup: it does not run a single instruction then."""
# timeout: 900
import os

from harness import BUILD, Machine, case, check, data_disk, equal, finish, temporary_directory

KEPT = "reserve_mem=256K:4096:oops ramoops.mem_name=oops ramoops.max_reason=4"
ARMED = r"watchdog armed: (.*)$"
# `read` keeps the shell from showing another prompt before the reset
HANG = "echo 1 >/sys/fs/cgroup/init/cgroup.freeze; read never\n"


def armed(guest):
    return guest.shell_until("dmesg | sed -n 's/.*init: \\(watchdog armed\\)/\\1/p'", ARMED, "an armed watchdog").group(1).strip()


def hardware(disk):
    with Machine("watchdog-hardware", "--watchdog", "i6300esb", data=disk, rescue=True, append="coracle.watchdog=6") as guest:
        guest.wait_shell()
        with case("hardware is taken before the kernel's own, with the time that is asked for"):
            equal(armed(guest), "i6300ESB timer, 6 s", "watchdog")
        with case("rule 21: no child has the device"):
            equal(guest.shell("ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c /dev/watchdog").strip(), "1", "descriptors")
            check("/dev/watchdog0" in guest.shell("ls -l /proc/1/fd"), "and not of PID 1")
        with case("as long as PID 1 turns nothing happens"):
            before = guest.shell("cat /proc/sys/kernel/random/boot_id")
            guest.shell("sleep 14")
            equal(guest.shell("cat /proc/sys/kernel/random/boot_id"), before, "boot")
            guest.why(r"^last boot   first:")
        with case("PID 1 hangs: the machine is reset, and the next boot says so"):
            guest.type(HANG)
            guest.wait_boot()
            guest.why(r"^last boot   watchdog:[^\n]*\n +the watchdog reset the machine: process 1 or the kernel hung\n")
        with case("an orderly reboot is not taken for a bite"):
            guest.type("reboot\n")
            guest.wait_boot()
            guest.why(r"^last boot   clean:")


def executed_again(disk):
    """The disk has the program that makes faults on it."""
    with Machine("watchdog-crash", "--watchdog", "i6300esb", data=disk, rescue=True, append="coracle.watchdog=6") as guest:
        guest.wait_shell()
        armed(guest)
        guest.why(r"^last boot   first:")
        boot = guest.boot_id
        for what, command in (("crashes", "/var/init-fault null"), ("is replaced", "coracle reload-init")):
            with case(f"rule 21: init {what}: the next image has the same watchdog, open all the while, and feeds it"):
                guest.shell(command)
                guest.shell("coracle services")
                equal(guest.shell("ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c /dev/watchdog0").strip(), "1", "descriptors")
                check("/dev/watchdog0" in guest.shell("ls -l /proc/1/fd"), "and not of PID 1")
                check("did not stop" not in guest.shell("dmesg"), "it was closed")
                # more than twice its time
                guest.shell("sleep 14")
                equal(guest.shell("cat /proc/sys/kernel/random/boot_id").strip(), boot, "boot")
        with case("rule 21: and it bites when that one hangs"):
            guest.type(HANG)
            guest.wait_boot()
            guest.why(r"^last boot   watchdog:")


def last_phase(disk):
    # without ACPI nothing can switch the machine off: the kernel stops with interrupts off
    with Machine("watchdog-last", "--watchdog", "i6300esb", data=disk, rescue=True, append="coracle.watchdog=6 acpi=off") as guest:
        guest.wait_shell()
        armed(guest)
        with case("rule 21: it stays armed through the shutdown, and a hang of the last phase ends in a reset"):
            guest.type("poweroff\n")
            guest.wait_for("reboot: (Power off not available: )?System halted")
            guest.wait_boot()
            guest.why(r"^last boot   watchdog:[^\n]*\n +the watchdog reset[^\n]*while going down \(poweroff: asked by poweroff")
        with case("halt asks for a machine that stands still: there it is disarmed"):
            guest.type("halt\n")
            guest.wait_for("reboot: System halted")
            # more than twice its time: what must not happen cannot be waited for
            guest.quiet_for(14)


def software(disk):
    with Machine("watchdog-software", data=disk, rescue=True, append=f"coracle.watchdog=6 {KEPT}") as guest:
        guest.wait_shell()
        with case("without hardware the kernel's own is armed"):
            equal(armed(guest), "Software Watchdog, 6 s", "watchdog")
        with case("software: PID 1 hangs, the machine is reset, and the kernel's log says so"):
            guest.type(HANG)
            guest.wait_boot()
            guest.why(r"^last boot   watchdog:")


# Each is started by the test, and never ends by itself. A shell waits for its child before it looks at a signal.
CRITICAL = """#cloud-config
write_files:
  - path: /etc/coracle/units/mended.unit
    content: |
      [Unit]
      Critical=yes
      OnDemand=yes
      [Service]
      ExecStart=/bin/sh -c 'trap "exit 1" ABRT; while :; do sleep 0.1; done'
      WatchdogSec=1s
      Restart=always
      RestartMaxDelaySec=100ms
  - path: /etc/coracle/units/stuck.unit
    content: |
      [Unit]
      Critical=yes
      OnDemand=yes
      [Service]
      ExecStart=/bin/sh -c 'trap "" ABRT; while :; do sleep 0.1; done'
      WatchdogSec=1s
      TimeoutStopSec=1h
      Restart=always
  - path: /etc/coracle/units/dead.unit
    content: |
      [Unit]
      Critical=yes
      OnDemand=yes
      [Service]
      ExecStart=/bin/sh -c 'exit 5'
"""


def critical(disk):
    with Machine("watchdog-critical", "--watchdog", "i6300esb", data=disk, user_data=CRITICAL, rescue=True, append="coracle.watchdog=6") as guest:
        guest.wait_shell()
        armed(guest)
        guest.settle()
        guest.why(r"^last boot   first:")
        with case("a critical service that misses its watchdog and is restarted in time: the machine lives, and no reason is left"):
            before = guest.shell("cat /proc/sys/kernel/random/boot_id")
            guest.shell("coracle start mended")
            guest.shell_until("coracle services | grep mended", r"^mended +\S+ +\d+ +([5-9]|\d\d)\b", "five restarts")
            guest.shell("coracle stop mended")
            check(any("critical service mended is not feeding its watchdog: the watchdog is not fed" in p["message"] for p in guest.problems()), "not said")
            check("it is going to end" not in guest.shell("coracle why"), "it is going to end")
            equal(guest.shell("cat /proc/sys/kernel/random/boot_id"), before, "boot")
        with case("one that is stuck: the hardware resets the machine, and the next boot names the service"):
            guest.type("coracle start stuck; read never\n")
            guest.wait_for(r"critical service stuck is not feeding its watchdog: the watchdog is not fed and resets the machine within 6 s")
            guest.wait_boot()
            guest.why(r"^last boot   watchdog:[^\n]*\n +critical service stuck was not feeding its watchdog\n")
        with case("one that has failed and is not to be restarted: likewise"):
            guest.settle()
            guest.type("coracle start dead; read never\n")
            guest.wait_for(r"critical service dead is failed: the watchdog is not fed")
            guest.wait_boot()
            guest.why(r"^last boot   watchdog:[^\n]*\n +critical service dead was failed\n")
        with case("who reboots before it bites has rebooted"):
            guest.settle()
            guest.type("coracle start dead; until dmesg | grep -q 'dead is failed: the watchdog'; do :; done; reboot\n")
            guest.wait_for(r"critical service dead is failed: the watchdog is not fed")
            guest.wait_boot()
            guest.why(r"^last boot   clean:[^\n]*\n +reboot: asked by")


def command_line():
    with Machine("watchdog-off", machine="microvm", rescue=True, append="coracle.watchdog=off") as guest:
        guest.wait_shell()
        with case("coracle.watchdog=off: nothing is armed"):
            guest.shell_until("dmesg | sed -n 's/.*init: //p'", "^no watchdog: nothing resets this machine", "init's word")
            equal(guest.shell("ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c /dev/watchdog", ok=False).strip(), "0", "descriptors")
    with Machine("watchdog-wrong", machine="microvm", rescue=True, append="coracle.watchdog=soon") as guest:
        guest.wait_shell()
        with case("a wrong time is a problem, and the default holds"):
            check(any("coracle.watchdog=soon: expected seconds, 1 to 86400, or off" in p["message"] for p in guest.problems()), "no problem says so")
            equal(armed(guest), "Software Watchdog, 60 s", "watchdog")


with temporary_directory() as name:
    executed_again(data_disk(name, "crash.img", BUILD / "tools/init-fault"))
    hardware(os.path.join(name, "hardware.img"))
    critical(os.path.join(name, "critical.img"))
    last_phase(os.path.join(name, "last.img"))
    software(os.path.join(name, "software.img"))
command_line()
finish()
