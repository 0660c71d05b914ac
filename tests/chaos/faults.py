"""faults.py: the catalogue of faults in a machine that runs. Each does its harm, waits until the machine works again, and undoes what it did.

A fault is survived when nothing but its victim noticed: init and the engine answer, the containers are those that ran before (unless the fault was theirs), and
every number that the ledger acknowledged is there. `rebooted` is the designed end of some; anything else is lost.
"""
import contextlib
import os
import re
import subprocess

from harness import Failure, Machine, check, eventually, fixtures
from powercut import USER_DATA, make_disk


class Patient:
    """The machine under test, and what it acknowledged."""

    def __init__(self, guest, random):
        self.guest, self.random = guest, random

    def last_acknowledged(self):
        numbers = re.findall(r"ledger \| ack (\d+)\n", self.guest.text)
        return int(numbers[-1]) if numbers else 0

    def works(self):
        """init answers, the engine answers, and the ledger goes on from where it was."""
        guest = self.guest
        guest.shell_until("coracle services", r"\bengine +running", "init's answer, the engine running")
        guest.shell_until("coracle ps", r"\bledger\b", "the engine's answer")
        before = self.last_acknowledged()
        eventually(lambda: self.last_acknowledged() > before, "the ledger goes on")
        kept = int(guest.shell_until("wc -l < /var/lib/coracle/volumes/keep/_data/ledger",
                                     r"^(\d+)", "the ledger's length").group(1))
        check(kept >= before, f"{before} was acknowledged, {kept} lines are there")

    def pid_of(self, name):
        return self.guest.shell(f"pgrep -f '{name}'", ok=False).split()


def kill_program(name):
    def fault(patient):
        old = eventually(lambda: patient.pid_of(name), f"{name} runs")
        patient.guest.shell(f"kill -9 {old[0]}")
        eventually(lambda: set(patient.pid_of(name)) - set(old), f"a new {name}")
    return fault


def kill_rescue_shell(patient):
    patient.guest.type("kill -9 $$\n")
    patient.guest.wait_shell()


def kill_runtime(patient):
    """Containers are restarted while the runtime is killed under the engine's hands."""
    patient.guest.shell("for i in 1 2 3 4 5 6 7 8; do (coracle restart -t 0 chatter >/dev/null 2>&1 &); usleep $((RANDOM % 60000));"
                        " for p in $(pidof coracle-runtime); do kill -9 $p; done; done", ok=False)
    patient.guest.shell("coracle restart -t 0 chatter", ok=False)
    patient.guest.shell_until("coracle ps", r"^chatter +Up", "the container after the last restart")


def full(folder):
    def fault(patient):
        guest = patient.guest
        guest.shell(f"dd if=/dev/zero of={folder}/filler bs=64k 2>/dev/null", ok=False)
        guest.shell(f"dd if=/dev/zero of={folder}/filler2 bs=1 count=70000 2>/dev/null", ok=False)
        guest.shell_until(f"df {folder}", r" (100|99)% ", f"{folder} is full")
        guest.shell_until("coracle services", r"\bengine +running", f"init's answer with a full {folder}")
        engine = patient.pid_of("coracle-[e]ngine")
        guest.shell(f"kill -9 {engine[0]}")
        eventually(lambda: set(patient.pid_of("coracle-[e]ngine")) - set(engine), f"a new engine with a full {folder}")
        guest.shell(f"rm {folder}/filler {folder}/filler2")
    return fault


def out_of_memory(patient):
    """A process of the shell takes all memory; the kernel has to kill that one."""
    found = patient.guest.shell("tail /dev/zero; echo code $?", limit=180, ok=False)
    check(re.search(r"code 137", found), f"the process that took all memory: {found}")


def clock(step):
    def fault(patient):
        patient.guest.shell(f"date -s @$(($(date +%s) + ({step})))")
    return fault


def slow_disk(patient):
    """Ten requests a second."""
    limits = dict(bps=0, bps_rd=0, bps_wr=0, iops=0, iops_rd=0, iops_wr=0)
    patient.guest.qmp("block_set_io_throttle", device="data", **{**limits, "iops": 10})
    before = patient.last_acknowledged()
    eventually(lambda: patient.last_acknowledged() > before, "the ledger goes on, slowly")
    patient.guest.shell_until("coracle services", r"\bengine +running", "init's answer with a slow disk")
    patient.guest.qmp("block_set_io_throttle", device="data", **limits)


# name: (what to do, what must come of it)
CATALOGUE = {
    "kill -9 engine": kill_program("coracle-[e]ngine"),
    "kill -9 udhcpc": kill_program("udhcpc -[f]"),
    "kill -9 rescue shell": kill_rescue_shell,
    "kill -9 runtime, eight times": kill_runtime,
    "no space on /var": full("/var"),
    "no space on /run": full("/run"),
    "no memory": out_of_memory,
    "clock a year ahead": clock(365 * 86400),
    "clock two years back": clock(-730 * 86400),
    "clock a year ahead again": clock(365 * 86400),
    "slow disk": slow_disk,
}


def run(names, folder, random, say):
    """Runs the named faults in one machine, which is started again after a lost one. Returns {name: "survived" or "lost"} and what went wrong."""
    result, faults = {}, []
    left = list(names)
    while left:
        disk = os.path.join(folder, "faults.img")
        make_disk(disk)
        with Machine("chaos-faults", user_data=USER_DATA, images=[fixtures() / "busybox.oci.tar"], data=disk, rescue=True) as guest:
            patient = Patient(guest, random)
            guest.wait_for(r"\bledger \| ack \d+\n", anywhere=True)
            guest.type("\n")
            guest.wait_shell()
            guest.settle()
            while left:
                name = left.pop(0)
                try:
                    CATALOGUE[name](patient)
                    patient.works()
                    result[name] = "survived"
                    say(f"{name}: survived")
                except (Failure, OSError) as error:
                    result[name] = "lost"
                    faults.append(f"{name}: {error}")
                    say(f"{name}: LOST: {error}")
                    break
    return result, faults


@contextlib.contextmanager
def served_disk(disk, socket):
    """The disk behind a server whose end is the disk's disappearance."""
    server = subprocess.Popen(["qemu-nbd", "-f", "raw", "-t", "-k", socket, "-e", "2", disk])
    try:
        eventually(lambda: os.path.exists(socket), "qemu-nbd's socket")
        yield server
    finally:
        server.kill()
        server.wait()


def disappearing_disk(folder, random, say):
    """The data disk is gone in the middle of everything: init and the engine answer, the machine goes down in order, and the next boot finds what was
    acknowledged."""
    disk, socket = os.path.join(folder, "gone.img"), os.path.join(folder, "nbd")
    make_disk(disk)
    drive = ["-blockdev", f"driver=nbd,node-name=data,server.type=unix,server.path={socket}", "-device", "virtio-blk-pci,drive=data,serial=coracle-data"]
    options = [word for argument in drive for word in ("--qemu-arg", argument)]
    patient = None
    try:
        with served_disk(disk, socket) as server, Machine("chaos-gone", *options, user_data=USER_DATA, images=[fixtures() / "busybox.oci.tar"],
                                                          rescue=True) as guest:
            patient = Patient(guest, random)
            guest.wait_for(r"\bledger \| ack \d+\n", anywhere=True)
            guest.type("\n")
            guest.wait_shell()
            server.kill()
            server.wait()
            guest.wait_for(r"I/O error|EXT4-fs error", anywhere=True)
            guest.shell_until("coracle services", r"\bengine\b", "init's answer without the disk")
            guest.type("poweroff\n")
            guest.wait_exit(180)
        with Machine("chaos-gone-after", user_data=USER_DATA, images=[fixtures() / "busybox.oci.tar"], data=disk) as guest:
            found = int(guest.wait_for(r"\bledger \| found (\d+) whole", anywhere=True).group(1))
            check(found >= patient.last_acknowledged(), f"{patient.last_acknowledged()} was acknowledged, {found} is what the next boot found")
            guest.qmp("system_powerdown")
            guest.wait_exit()
    except (Failure, OSError) as error:
        say(f"disappearing disk: LOST: {error}")
        return "lost", [f"disappearing disk: {error}"]
    say("disappearing disk: rebooted as designed")
    return "rebooted", []


