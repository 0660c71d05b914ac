#!/usr/bin/env python3
"""test_power.py: the ways down: reboot and poweroff from inside, Ctrl-Alt-Del, the ACPI power button, and the exit code of
a container. A stopped container gets its stop signal first."""
from harness import Machine, case, finish, fixtures

USER_DATA = """#cloud-config
hostname: power
containers:
  services:
    careful:
      image: busybox
      command: [sh, -c, 'trap "echo got the signal; exit 0" TERM; echo up; while :; do sleep 1 & wait $$!; done']
      restart: always
"""

FAILING = """#cloud-config
containers:
  services:
    job: {image: busybox, command: [sh, -c, "echo working; exit 9"]}
power_state: {mode: poweroff}
"""


def ctrl_alt_del(guest):
    """The keys where the kernel has a keyboard driver (metal), else the signal that the kernel makes of them."""
    if guest.shell("ls /sys/bus/serio/devices 2>/dev/null; true").strip():
        guest.qmp("send-key", keys=[{"type": "qcode", "data": key} for key in ("ctrl", "alt", "delete")])
    else:
        guest.type("kill -INT 1\n")


def ways_down(machine):
    with Machine(f"power-{machine}", user_data=USER_DATA, images=[fixtures() / "busybox.oci.tar"], machine=machine,
                 rescue=True) as guest:
        guest.wait_for(r"\bcareful \| up$")
        with case(f"{machine}: reboot stops the container in order and boots again"):
            guest.type("\nreboot\n")
            guest.wait_for(r"\bcareful \| got the signal$")
            guest.wait_for(r"\bcareful \| up$")
        if machine == "q35":
            with case("q35: Ctrl-Alt-Del reboots in order"):
                ctrl_alt_del(guest)
                guest.wait_for(r"\bcareful \| got the signal$")
                guest.wait_for(r"\bcareful \| up$")
        else:
            with case("rule 24: the kernel itself calls /sbin/reboot: in order as well"):
                # a helper of the kernel's, without a terminal, descriptors or an environment to speak of
                guest.type("echo '|/sbin/reboot' >/proc/sys/kernel/core_pattern; sh -c 'kill -SEGV $$'\n")
                guest.wait_for(r"\bcareful \| got the signal$")
                guest.wait_for(r"\bcareful \| up$")
        with case(f"rule 24: {machine}: the ACPI power button powers off in order"):
            guest.qmp("system_powerdown")
            guest.wait_for(r"\bcareful \| got the signal$")
            guest.wait_exit()


ways_down("q35")
ways_down("microvm")

with Machine("power-exit", user_data=FAILING, images=[fixtures() / "busybox.oci.tar"], machine="microvm",
             append="coracle.exit=debug") as failing:
    with case("the exit code of a failed one-shot container is the machine's, where asked for"):
        failing.wait_for(r"\bjob \| working$")
        failing.wait_exit(code=9)
    with case("no trace of a crash on the console"):
        failing.absent(r"Kernel panic|Oops|BUG:|WARNING:")
finish()
