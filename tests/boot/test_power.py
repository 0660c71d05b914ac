#!/usr/bin/env python3
"""test_power.py: the ways down: reboot and poweroff from inside, Ctrl-Alt-Del, the ACPI power button, and the exit code of
a container. A stopped container gets its stop signal first."""
from harness import Machine, case, equal, finish, fixtures

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


def ways_down(machine):
    with Machine(f"power-{machine}", user_data=USER_DATA, images=[fixtures() / "busybox.oci.tar"], machine=machine,
                 rescue=True) as guest:
        guest.wait_for(r"^careful \| up$")
        with case(f"{machine}: reboot stops the container in order and boots again"):
            guest.type("\nreboot\n")
            guest.wait_for(r"^careful \| got the signal$")
            guest.wait_for(r"^careful \| up$")
        if machine == "q35":
            with case("q35: Ctrl-Alt-Del reboots in order"):
                guest.qmp("send-key", keys=[{"type": "qcode", "data": key} for key in ("ctrl", "alt", "delete")])
                guest.wait_for(r"^careful \| got the signal$")
                guest.wait_for(r"^careful \| up$")
        with case(f"{machine}: the ACPI power button powers off in order"):
            guest.qmp("system_powerdown")
            guest.wait_for(r"^careful \| got the signal$")
            guest.wait_exit()


ways_down("q35")
ways_down("microvm")

with Machine("power-exit", user_data=FAILING, images=[fixtures() / "busybox.oci.tar"], machine="microvm",
             append="coracle.exit=debug") as failing:
    with case("the exit code of a failed one-shot container is the machine's, where asked for"):
        failing.wait_for(r"^job \| working$")
        failing.wait_exit(code=9)
    with case("a clean machine leaves no trace of a crash"):
        failing.absent(r"Kernel panic|Oops|BUG:|WARNING:")
        equal(failing.process.returncode, 9, "exit code")
finish()
