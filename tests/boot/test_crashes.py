#!/usr/bin/env python3
"""test_crashes.py: what outlives what: the engine killed (containers keep running, nothing they print is lost), a container
killed (restart policy), and a second boot with the same data disk (no import, volumes kept)."""
import os
import re

from harness import Machine, case, check, equal, eventually, finish, fixtures, temporary_directory

USER_DATA = """#cloud-config
hostname: crashes
containers:
  services:
    steady:
      image: busybox
      command: [sh, -c, 'echo steady up; n=0; while :; do n=$$((n+1)); echo tick $$n; sleep 1; done']
      stop_signal: SIGKILL
      restart: always
    mortal:
      image: busybox
      command: [sh, -c, 'echo mortal up; exec sleep 100000']
      stop_signal: SIGKILL
      restart: always
    counter:
      image: busybox
      command: [sh, -c, 'echo x >> /keep/boots; echo "boot number $$(wc -l < /keep/boots)"']
      volumes: ["keep:/keep"]
  volumes: {keep: {}}
"""

def engine_pid(guest):
    return guest.shell("pidof coracle-engine", ok=False).strip()


def first_process(guest, words):
    """The lowest pid whose command line matches: a container's first process, not the children it forks. Brackets in the
    words keep grep from finding itself."""
    found = guest.shell(f"grep -l '{words}' /proc/[0-9]*/cmdline | cut -d/ -f3", ok=False).split()
    return min((int(pid) for pid in found if pid.isdigit()), default=None)


def crash_engine(guest):
    before = first_process(guest, "steady [u]p")
    old = engine_pid(guest)
    with case("the engine killed: init starts it again"):
        guest.shell(f"kill -9 {old}")
        eventually(lambda: engine_pid(guest) not in ("", old), "a new engine")
    with case("the engine killed: the container is the same process"):
        check(before, "no process of the container found")
        equal(first_process(guest, "steady [u]p"), before, "pids of the container")
    with case("the engine killed: the container's output goes on, and no line is lost"):
        last = int(re.findall(r"steady \| tick (\d+)$", guest.text, re.MULTILINE)[-1])
        guest.wait_for(rf"steady \| tick {last + 3}$")
        ticks = [int(n) for n in re.findall(r"steady \| tick (\d+)$", guest.text, re.MULTILINE)]
        equal(ticks, list(range(1, len(ticks) + 1)), "lines of the container")
    with case("the engine killed: a container that ended is not started again"):
        equal(len(re.findall(r"\bcounter \| boot number", guest.text, re.MULTILINE)), 1, "runs of the one-shot container")


def crash_container(guest):
    with case("a container killed: its restart policy starts it again"):
        pid = first_process(guest, "10000[0]")
        check(pid, "no process of the container found")
        guest.shell(f"kill -9 {pid}")
        guest.wait_for(r"\bmortal \| mortal up$")
        eventually(lambda: first_process(guest, "10000[0]") not in (None, pid), "a new process")


def first_boot(options):
    with Machine("crashes-first", user_data=USER_DATA, rescue=True, **options) as guest:
        with case("first boot: images are imported to the data disk"):
            guest.wait_for(r"\bcounter \| boot number 1$", anywhere=True)
            guest.wait_for(r"\bsteady \| steady up$", anywhere=True)
            guest.wait_for(r"\bmortal \| mortal up$", anywhere=True)
            guest.cursor = len(guest.text)
        crash_engine(guest)
        crash_container(guest)
        with case("the engine was started again, and init has each power button open once: one press of it is one"):
            guest.shell_until("echo TWICE-$(ls -l /proc/1/fd | sed -n 's/.*-> //p' | grep /dev/input | sort | uniq -d)-", "TWICE--", "each is open once", 15)
        with case("first boot: power-off"):
            imported = guest.shell("ls -l --full-time /var/lib/coracle/layers; cat /var/lib/coracle/images/imported.json")
            guest.type("poweroff\n")
            guest.wait_exit()
        return imported


def second_boot(options, imported):
    with Machine("crashes-second", user_data=USER_DATA, rescue=True, **options) as guest:
        with case("second boot: volumes are kept"):
            guest.wait_for(r"\bcounter \| boot number 2$", anywhere=True)
            guest.wait_for(r"\bsteady \| steady up$", anywhere=True)
            guest.cursor = len(guest.text)
        with case("second boot: nothing is imported again"):
            again = guest.shell("ls -l --full-time /var/lib/coracle/layers; cat /var/lib/coracle/images/imported.json")
            equal(again, imported, "layers and record of imports")
        with case("second boot: power-off"):
            guest.type("poweroff\n")
            guest.wait_exit()


with temporary_directory() as folder:
    options = {"images": [fixtures() / "busybox.oci.tar"], "data": os.path.join(folder, "data.img")}
    second_boot(options, first_boot(options))
finish()
