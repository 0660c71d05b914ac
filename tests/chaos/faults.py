"""faults.py: the catalogue of faults in a machine that runs. Each does its harm, waits until the machine works again, and undoes what it did.

A fault is survived when nothing but its victim noticed: init and the engine answer, the containers are those that ran before (unless the fault was theirs), and
every number that the ledger acknowledged is there. `rebooted` is the designed end of some; anything else is lost.
"""
import contextlib
import dataclasses
import os
import re
import subprocess
import typing

import helpers
from patient import Failure, Patient, machine, make_disk, power_off, tools_disk
from harness import check, eventually

CRASHES_MAX = 4		# of init in one machine: five within 60 s are the reboot
PROCESSES = "; ".join(f"pgrep -o -f '{words}'" for words in ("coracle-[e]ngine", "udhcpc -[f]", "line .n of [m]any", "sync /keep/[l]edger"))
EXECUTED_AGAIN = "and was executed again"


@dataclasses.dataclass
class Fault:
    act: typing.Callable
    times: int = 1		# in the long form
    crashes: int = 0		# of init, each time
    reboots: bool = False	# as designed; the machine is not used any more


def kill_program(words):
    def act(patient):
        old = eventually(lambda: patient.pids_of(words), f"{words} runs")
        patient.shell(f"kill -9 {old[0]}")
        eventually(lambda: set(patient.pids_of(words)) - set(old), f"a new {words}")
    return act


def kill_rescue_shell(patient):
    patient.guest.type("kill -9 $$\n")
    patient.guest.wait_shell()


def kill_container(patient):
    """The ledger itself: started again, it finds all it had acknowledged."""
    before = len(re.findall(r"ledger \| found", patient.guest.text))
    acknowledged = patient.last_acknowledged()
    patient.shell(f"kill -9 {patient.pids_of('sync /keep/[l]edger')[0]}")
    eventually(lambda: len(re.findall(r"ledger \| found", patient.guest.text)) > before, "the ledger starts again")
    found = int(re.findall(r"ledger \| found (\d+)", patient.guest.text)[-1])
    check(found >= acknowledged, f"{acknowledged} was acknowledged, {found} is what it finds")


def kill_client(patient):
    """Who asked for a restart goes: the restart is done all the same, or not begun."""
    delay = patient.random.randint(0, 40000)
    patient.shell(f"coracle restart -t 0 chatter & p=$!; usleep {delay}; kill -9 $p; wait $p", ok=False)
    patient.guest.shell_until("coracle ps", r"^chatter +Up", "the container")


def restart_under(patient, plan):
    """A container is restarted while a plan waits for coracle-runtime. Returns what the client said, when the plan came to something."""
    guest = patient.guest
    if not patient.wrapped:
        helpers.wrap(guest, plan.program)
        patient.wrapped = True
    helpers.arm(guest, plan)
    said = patient.shell("coracle restart -t 0 chatter 2>&1", ok=False)
    done = patient.value(f"cat {plan.path()}.done | wc -l")
    patient.shell(f"rm -f {plan.path()}")
    return said if done != "0" else None


def kill_runtime(verb, most):
    """`most` is about how long that takes, in microseconds: a kill that comes too late does not count."""
    def act(patient):
        for _ in range(20):
            plan = helpers.Plan("coracle-runtime", verb, delay=patient.random.randint(0, most))
            if restart_under(patient, plan) is not None:
                break
        else:
            raise Failure(f"coracle-runtime {verb} was never killed")
        patient.guest.shell_until("coracle ps", r"^chatter +Up", "the container after the restart")
    return act


def little_memory_runtime(patient):
    """create, start and delete each with an address space that may do or not. Who asked is told; the next restart works."""
    for verb in ("create", "start", "delete"):
        said = restart_under(patient, helpers.Plan("coracle-runtime", verb, limit=patient.random.randint(300, 1600)))
        check(said is not None, f"coracle-runtime {verb} was not started")
        if "chatter" not in said or "coracle:" in said:
            check(re.search(r"coracle: .*\S", said), f"no reason is said: {said!r}")
        patient.shell("coracle restart -t 0 chatter")
        patient.guest.shell_until("coracle ps", r"^chatter +Up", "the container after the next restart")


def little_memory_engine(patient):
    """The kernel kills the engine when its cgroup has no memory left. What it had before that was a matter of the cgroup is not counted: so it is a new one."""
    guest, group = patient.guest, "/sys/fs/cgroup/system/engine"
    patient.shell("echo +memory > /sys/fs/cgroup/system/cgroup.subtree_control")
    kill_program("coracle-[e]ngine")(patient)
    guest.shell_until("coracle ps", r"\bledger\b", "the engine's answer")
    old = patient.pids_of("coracle-[e]ngine")
    patient.shell(f"echo 4096 > {group}/memory.max", ok=False)
    eventually(lambda: patient.value(f"dmesg | grep -c 'Memory cgroup out of memory: Killed process {old[0]} '") != "0", "the kernel kills the engine")
    patient.shell(f"echo max > {group}/memory.max", ok=False)
    eventually(lambda: set(patient.pids_of("coracle-[e]ngine")) - set(old), "a new engine")


def full(folder):
    def act(patient):
        guest, words = patient.guest, "coracle-[e]ngine"
        patient.shell(f"dd if=/dev/zero of={folder}/filler bs=64k 2>/dev/null", ok=False)
        patient.shell(f"dd if=/dev/zero of={folder}/filler2 bs=1 count=70000 2>/dev/null", ok=False)
        guest.shell_until(f"df {folder}", r" (100|99)% ", f"{folder} is full")
        guest.shell_until("coracle services", r"\bengine +running", f"init's answer with a full {folder}")
        engine = patient.pids_of(words)
        patient.shell(f"kill -9 {engine[0]}")
        eventually(lambda: set(patient.pids_of(words)) - set(engine), f"a new engine with a full {folder}")
        patient.shell("coracle restart -t 0 chatter", ok=False)
        patient.shell(f"rm {folder}/filler {folder}/filler2")
        guest.shell_until("coracle start chatter; coracle ps", r"^chatter +Up", "the container when there is room again")
    return act


def out_of_memory(patient):
    """A process of the shell takes all memory; the kernel has to kill that one."""
    found = patient.shell("tail /dev/zero; echo code $?", ok=False)
    check(re.search(r"code 137", found), f"the process that took all memory: {found}")


def clock(step):
    def act(patient):
        patient.shell(f"date -s @$(($(date +%s) + ({step})))")
    return act


def slow_disk(patient):
    """Ten requests a second."""
    limits = dict(bps=0, bps_rd=0, bps_wr=0, iops=0, iops_rd=0, iops_wr=0)
    patient.guest.qmp("block_set_io_throttle", device="data", **{**limits, "iops": 10})
    before = patient.last_acknowledged()
    eventually(lambda: patient.last_acknowledged() > before, "the ledger goes on, slowly")
    patient.guest.shell_until("coracle services", r"\bengine +running", "init's answer with a slow disk")
    patient.guest.qmp("block_set_io_throttle", device="data", **limits)


def init_faults(*names):
    """tests/init/fault.c injects them with ptrace. Every service and container stays the process it was."""
    def act(patient):
        patient.mount_tools()
        guest = patient.guest
        before = patient.value(PROCESSES)
        for name in names:
            count = len(re.findall(EXECUTED_AGAIN, guest.text))
            patient.shell(f"/run/tools/init-fault {name} && coracle services > /run/services && grep -q engine /run/services")
            eventually(lambda n=count: len(re.findall(EXECUTED_AGAIN, guest.text)) > n, "the report of the crash")
        after = patient.value(PROCESSES)
        check(before == after, f"processes before: {before}, after: {after}")
    return act


def five_crashes(patient):
    """Five within 60 s: the machine reboots in order, and the next boot knows why."""
    init_faults("null", "null", "null", "null")(patient)
    guest = patient.guest
    guest.type("/run/tools/init-fault null\n")
    guest.wait_for(r"init crashed \(5 within 60 s\)[^\n]*: rebooting", anywhere=True)
    guest.wait_for(r"reboot: Restarting system")
    acknowledged = patient.last_acknowledged()
    number, state = guest.wait_for(r"ledger \| found (\d+) (\w+)").groups()
    check(state == "whole" and int(number) >= acknowledged, f"{acknowledged} was acknowledged, {number} ({state}) is what the next boot found")
    guest.wait_for(r"pilot: why init-crash\n")


CATALOGUE = {
    "kill -9: engine": Fault(kill_program("coracle-[e]ngine"), 4),
    "kill -9: udhcpc": Fault(kill_program("udhcpc -[f]"), 2),
    "kill -9: rescue shell": Fault(kill_rescue_shell, 2),
    "kill -9: a client of the engine": Fault(kill_client, 4),
    "kill -9: a container": Fault(kill_container, 4),
    "kill -9: coracle-runtime create": Fault(kill_runtime("create", 60000), 8),
    "kill -9: coracle-runtime start": Fault(kill_runtime("start", 15000), 8),
    "kill -9: coracle-runtime delete": Fault(kill_runtime("delete", 15000), 8),
    "init: SIGSEGV (null pointer)": Fault(init_faults("null"), 2, 1),
    "init: SIGSEGV (wild jump)": Fault(init_faults("jump"), 2, 1),
    "init: SIGSEGV (stack overflow)": Fault(init_faults("stack"), 2, 1),
    "init: SIGBUS": Fault(init_faults("bus"), 2, 1),
    "init: SIGILL": Fault(init_faults("ud2"), 2, 1),
    "init: SIGFPE": Fault(init_faults("division"), 2, 1),
    "init: SIGABRT": Fault(init_faults("abort"), 2, 1),
    "init: three faults in a row": Fault(init_faults("stack", "bus", "null"), 2, 3),
    "init: five faults within 60 s": Fault(five_crashes, 1, 5, reboots=True),
    "ENOSPC: /var": Fault(full("/var"), 2),
    "ENOSPC: /run": Fault(full("/run"), 2),
    "ENOMEM: a process takes all": Fault(out_of_memory, 2),
    "ENOMEM: the engine's cgroup": Fault(little_memory_engine, 2),
    "ENOMEM: coracle-runtime": Fault(little_memory_runtime, 4),
    "clock: a year ahead": Fault(clock(365 * 86400)),
    "clock: two years back": Fault(clock(-730 * 86400)),
    "clock: a year ahead again": Fault(clock(365 * 86400)),
    "disk: slow": Fault(slow_disk),
}


class Ward:
    """One machine after another, each for as many faults as it can have."""

    def __init__(self, name, folder, random, table):
        self.name, self.folder, self.random, self.table = name, folder, random, table
        self.disk = os.path.join(folder, f"{name}.img")

    def treat(self, patient, name):
        """False: the machine is not used any more."""
        fault = CATALOGUE[name]
        patient.crashes += fault.crashes
        try:
            fault.act(patient)
            if not fault.reboots:
                patient.works()
            self.table.add(name, "rebooted" if fault.reboots else "survived")
            return not fault.reboots
        except (Failure, OSError, IndexError) as error:
            self.table.add(name, "lost", str(error))
            return False

    def run(self, names):
        left, number = list(names), 0
        while left:
            make_disk(self.disk)
            number += 1
            with machine(f"chaos-{self.name}-{number}", *tools_disk(self.folder), data=self.disk, rescue=True) as guest:
                patient = Patient(guest, self.random)
                try:
                    patient.wait_ready()
                except Failure as error:
                    self.table.add(left.pop(0), "lost", f"the machine does not come up: {error}")
                    continue
                while left and (patient.crashes == 0 or patient.crashes + CATALOGUE[left[0]].crashes <= CRASHES_MAX):
                    if not self.treat(patient, left.pop(0)):
                        break


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


def disappearing_disk(folder, random):
    """The data disk is gone in the middle of everything: init and the engine answer, the machine goes down in order, and the next boot finds what was
    acknowledged."""
    disk, socket = os.path.join(folder, "gone.img"), os.path.join(folder, "nbd")
    make_disk(disk)
    drive = ["-blockdev", f"driver=nbd,node-name=data,server.type=unix,server.path={socket}", "-device", "virtio-blk-pci,drive=data,serial=coracle-data"]
    options = [word for argument in drive for word in ("--qemu-arg", argument)]
    with served_disk(disk, socket) as server, machine("chaos-gone", *options, rescue=True) as guest:
        patient = Patient(guest, random)
        patient.wait_ready()
        server.kill()
        server.wait()
        guest.wait_for(r"I/O error|EXT4-fs error", anywhere=True)
        guest.shell_until("coracle services", r"\bengine\b", "init's answer without the disk")
        guest.type("poweroff\n")
        guest.wait_exit(180)
    with machine("chaos-gone-after", data=disk) as guest:
        found = int(guest.wait_for(r"ledger \| found (\d+) whole", anywhere=True).group(1))
        check(found >= patient.last_acknowledged(), f"{patient.last_acknowledged()} was acknowledged, {found} is what the next boot found")
        power_off(guest)
