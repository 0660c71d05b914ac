#!/usr/bin/env python3
"""test_units.py: what unit files say that needs a kernel of its own: memory, processors, processes and disks of a cgroup, what happens when memory is out,
the reserve of PID 1 (rule 25), a rescue shell without unit files. tests/init/test_units.sh tries the rest."""
# timeout: 600
import pathlib
import re
import tempfile

from harness import TOP, case, check, equal, finish
from test_init import machine, make_initrd


def shell(script, *lines, head=()):
    return "[Unit]\n" + "".join(f"{line}\n" for line in head) + f"[Service]\nExecStart=/bin/sh -c '{script}'\n" + "".join(f"{line}\n" for line in lines)


UNITS = {
    "rescue": (TOP / "rootfs/skel/usr/lib/coracle/units/rescue.unit").read_text(),
    "limited": shell("exec sleep 1000", "MemoryMin=2M", "MemoryHigh=24M", "MemoryMax=32M", "TasksMax=9", "CPUWeight=300", "CPUQuota=50%", "IOWeight=42",
                     "OOMScoreAdjust=-500", "Nice=-5", "LimitNICE=30", "LimitNOFILE=2000:1000000"),
    "plain": shell("exec sleep 1000"),
    # a process of it is killed and the main one is not
    "stop": shell("tail /dev/zero; exec sleep 1000", "MemoryMax=8M"),
    "goes-on": shell("tail /dev/zero; echo alive >/run/goes-on; exec sleep 1000", "MemoryMax=8M", "OOMPolicy=continue"),
    "group": shell("sleep 1001 & sleep 1002 & tail /dev/zero; exec sleep 1000", "MemoryMax=8M", "OOMPolicy=kill"),
    "main": shell("exec tail /dev/zero", "MemoryMax=8M"),
    "again": shell("[ ! -e /run/again ] && touch /run/again && exec tail /dev/zero; exec sleep 1000", "MemoryMax=12M", "Restart=on-failure"),
    "forks": shell("for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; wait", "TasksMax=4", "Restart=no"),
    "patient": shell("exec sleep 1000", "Type=notify", "TimeoutStartSec=1h"),
    "impatient": shell("exec sleep 1000", "Type=notify", "TimeoutStartSec=3s", head=["OnDemand=yes"]),
    "hog": shell("until [ -e /run/go ]; do sleep 0.2; done; exec tail /dev/zero", "OOMScoreAdjust=500"),
}


def group(guest, unit, name):
    return guest.shell(f"cat /sys/fs/cgroup/system/{unit}/{name}").strip()


def limits(guest):
    with case("MemoryMin=, MemoryHigh=, MemoryMax=, TasksMax=, CPUWeight=, CPUQuota=, IOWeight="):
        for name, value in (("memory.min", str(2 << 20)), ("memory.high", str(24 << 20)), ("memory.max", str(32 << 20)), ("pids.max", "9"),
                            ("cpu.weight", "300"), ("cpu.max", "50000 100000"), ("io.weight", "default 42")):
            equal(group(guest, "limited", name), value, name)
    with case("OOMScoreAdjust=, Nice=, LimitX= above what a plain process may have"):
        pid = group(guest, "limited", "cgroup.procs")
        equal(guest.shell(f"cat /proc/{pid}/oom_score_adj").strip(), "-500", "oom_score_adj")
        equal(guest.shell(f"cut -d' ' -f19 /proc/{pid}/stat").strip(), "-5", "nice")
        text = guest.shell(f"cat /proc/{pid}/limits")
        check(re.search(r"Max nice priority +30 +30", text) and re.search(r"Max open files +2000 +1000000", text), text)
    with case("a unit that says nothing has no limit, and rule 29's number of descriptors"):
        equal(group(guest, "plain", "memory.max"), "max", "memory.max")
        equal(group(guest, "plain", "memory.oom.group"), "0", "memory.oom.group")
        text = guest.shell(f"cat /proc/{group(guest, 'plain', 'cgroup.procs')}/limits")
        check(re.search(r"Max open files +1024 +524288", text), text)
    with case("TasksMax= is what stops a fork"):
        guest.shell_until("cat /sys/fs/cgroup/system/forks/pids.events", r"max [1-9]", "refused forks")
    with case("rule 25: a reserve for PID 1 and the services, PID 1 in no group that is killed as a whole"):
        guest.shell_until("cat /sys/fs/cgroup/init/memory.min", rf"^{1 << 20}$", "reserve of init")
        equal(guest.shell("cat /sys/fs/cgroup/system/memory.min").strip(), str(16 << 20), "reserve of the services")
        equal(guest.shell("cat /sys/fs/cgroup/init/memory.oom.group").strip(), "0", "memory.oom.group of init")
        equal(guest.shell("cat /proc/1/cgroup").strip(), "0::/init", "cgroup of init")
    with case("rule 26: the root of the tree has controllers for the others, and none but the kernel's own threads in it"):
        check("memory" in guest.shell("cat /sys/fs/cgroup/cgroup.subtree_control"), "no memory controller")
        equal(guest.shell("for p in $(cat /sys/fs/cgroup/cgroup.procs); do readlink /proc/$p/exe; done; true"), "", "programs in the root")


def clock(guest):
    with case("rule 28: a clock that jumps a year ahead ends no deadline"):
        guest.shell("date -s @$(($(date +%s) + 31536000))")
        guest.shell_until("coracle services", r"^rescue +running", "init's answer")
        check(re.search(r"^patient +starting", guest.shell("coracle services"), re.MULTILINE), guest.shell("coracle services"))
    with case("rule 28: and one that jumps two years back holds none up"):
        guest.shell("coracle start impatient && date -s @$(($(date +%s) - 63072000))")
        guest.shell_until("cat /run/coracle/problems", "impatient takes longer than 3000 ms", "the deadline")


def out_of_memory(guest):
    def said(text, limit=90):
        guest.shell_until("cat /run/coracle/problems", text, text, limit)

    with case("OOMPolicy=stop: the kill of one process ends the unit, and is named"):
        said(r"stop was killed: out of memory \(MemoryMax 8M\)")
        guest.shell_until("cat /sys/fs/cgroup/system/stop/cgroup.events", "populated 0", "empty cgroup")
    with case("OOMPolicy=continue: its other processes go on"):
        guest.shell_until("cat /run/goes-on", "alive", "goes-on")
        check("populated 1" in group(guest, "goes-on", "cgroup.events"), "it ended")
    with case("OOMPolicy=kill: the kernel kills all of it"):
        said(r"group was killed: out of memory \(MemoryMax 8M\)")
        check(re.search(r"oom_group_kill [1-9]", group(guest, "group", "memory.events")), "no group kill")
        check("populated 0" in group(guest, "group", "cgroup.events"), "something is left")
    with case("the main process: named, and restarted"):
        said(r"main was killed: out of memory \(MemoryMax 8M\)")
        said(r"again was killed: out of memory \(MemoryMax 12M\); started again at once")
        guest.shell_until("cat /sys/fs/cgroup/system/again/cgroup.events", "populated 1", "again")
        equal(group(guest, "again", "memory.max"), str(12 << 20), "memory.max of the new cgroup")
    with case("where the whole machine is out of memory, PID 1 lives and says so"):
        guest.shell("touch /run/go")
        # before it kills, the kernel reads programs again and again that it has just thrown away
        said("hog was killed: the machine is out of memory", 300)


def main():
    with tempfile.TemporaryDirectory(prefix="coracle-test.") as name:
        initrd = make_initrd(pathlib.Path(name), units=UNITS)
        with machine("units", initrd, rescue=True, memory=192) as guest:
            guest.wait_shell()
            limits(guest)
            clock(guest)
            out_of_memory(guest)
            with case("and goes down in order"):
                guest.type("poweroff\n")
                guest.wait_exit()
        initrd = make_initrd(pathlib.Path(name), units=False)
        with machine("no-units", initrd, rescue=True) as guest:
            with case("without a folder of unit files there is a rescue shell all the same"):
                guest.wait_shell()
                check(any("read /usr/lib/coracle/units: No such file" in p["message"] for p in guest.problems()), "no problem says why")
                guest.type("poweroff\n")
                guest.wait_exit()
    finish()


main()
