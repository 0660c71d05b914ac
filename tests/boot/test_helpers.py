#!/usr/bin/env python3
"""test_helpers.py: an OOM kill of anything: each process of the machine that is no container's is killed, one after the other, as the kernel does it when memory is
out (SIGKILL), and some by the kernel itself (memory.max). Each is back or its end is told, the containers are the processes they were, init answers, and the
hardware watchdog, which would reset the machine within ten seconds, is fed all the while."""
# timeout: 900
import re

from harness import Machine, case, check, data_disk, equal, finish, fixtures, temporary_directory

USER_DATA = """#cloud-config
hostname: helpers
write_files:
  - path: /etc/coracle/units/own.unit
    content: |
      [Service]
      ExecStart=/bin/sleep 100000
      Restart=always
runcmd:
  - [sh, -c, 'echo $PPID >/run/runs; until [ -e /run/go ]; do sleep 1; done']
containers:
  services:
    steady:
      image: busybox
      command: [sh, -c, 'echo steady up; exec sleep 200000']
      stop_signal: SIGKILL
      restart: always
    large:
      image: nginx
"""
WATCHDOG_S = 10


def containers(guest):
    """Every process in a container's cgroup."""
    return set(guest.shell("cat $(find /sys/fs/cgroup/coracle -name cgroup.procs)").split())


def untouched(guest, before):
    """They are there still; the engine's next life may have found the large image whole, and started another."""
    check(before and before <= containers(guest), f"{before} were there, {containers(guest)} are")


NOT_HELPERS = ("rescue", "explain") # the test's own shell; a one-shot that a timer starts


def helpers(guest):
    """{unit: pid} of what init supervises and runs."""
    return dict(re.findall(r"^(\S+) +(?:running|starting) +(\d+)", guest.shell("coracle services"), re.MULTILINE))


def back(guest, name, old):
    guest.shell_until("coracle services", rf"^{re.escape(name)} +(running|starting) +(?!{old}\b)\d+", f"another process of {name}")


def told(guest, name):
    """Its end is in the kernel's log."""
    guest.shell_until("dmesg", rf"init: {re.escape(name)} was (killed|ended by signal 9)", f"the end of {name}")


def fetch(guest):
    with case("coracle-fetch killed while it unpacks: told, and the engine and the containers run on"):
        pid = guest.shell_until("pidof coracle-fetch", r"^(\d+)$", "an image is unpacked", 480).group(1)
        engine, before = helpers(guest)["engine"], containers(guest)
        guest.shell(f"kill -9 {pid}")
        guest.wait_for("coracle-fetch was killed by signal 9", 200)
        equal(helpers(guest)["engine"], engine, "the engine")
        untouched(guest, before)


def one_shot(guest):
    with case("the last part of the configuration killed while it runs: its end is told"):
        guest.shell_until("cat /run/runs", r"\d", "runcmd runs", 480)
        before = containers(guest)
        guest.shell(f"kill -9 {helpers(guest)['final']}")
        told(guest, "final")
        guest.shell_until("coracle services", r"^final +failed", "the state of final")
        untouched(guest, before)


def every_helper(guest):
    before = containers(guest)
    # for by_the_kernel(): what a process has before it is counted is not
    guest.shell("echo +memory >/sys/fs/cgroup/system/cgroup.subtree_control")
    for name, pid in helpers(guest).items():
        if name in NOT_HELPERS:
            continue
        with case(f"{name.split('@')[0]} killed: it is back, its end is told, the containers run on"):
            guest.shell(f"kill -9 {pid}")
            back(guest, name, pid)
            told(guest, name)
            guest.settle()
            untouched(guest, before)
    with case("and there were the engine, the network's and the machine's own"):
        check({"engine", "own", "rescue"} < set(helpers(guest)) and any(name.startswith("dhcp@") for name in helpers(guest)), str(helpers(guest)))
    with case("the rescue shell killed: there is another, the containers run on"):
        old = helpers(guest)["rescue"]
        guest.type("kill -9 $$\n")
        guest.wait_shell()
        back(guest, "rescue", old)
        untouched(guest, before)


def by_the_kernel(guest):
    """What memory.max takes away is not there for one of them: the kernel kills, whatever its oom_score_adj."""
    before = containers(guest)
    for name in [name for name in helpers(guest) if name not in NOT_HELPERS]:
        with case(f"{name.split('@')[0]} out of memory: the kernel kills it, it is back, the containers run on"):
            pid = helpers(guest)[name]
            file = f"'/sys/fs/cgroup/system/{name}/memory.max'"
            guest.shell(f"echo 4096 >{file}; echo max >{file}", ok=False)
            guest.shell_until("dmesg", rf"Memory cgroup out of memory: Killed process {pid} ", "the kernel's word")
            guest.shell(f"echo max >{file}", ok=False)
            back(guest, name, pid)
            told(guest, name)
            guest.settle()
            untouched(guest, before)


def on_the_way_up(disk):
    """What lives too short to be found is replaced by what is killed as soon as it runs."""
    with Machine("helpers-boot", data=disk, append="coracle.break=data") as guest:
        guest.wait_shell()
        guest.console("printf '#!/bin/sh\\nkill -9 $$\\n' >/run/killed; chmod 755 /run/killed; "
                      "for p in data config; do mount --bind /run/killed /usr/lib/coracle/coracle-$p; done")
        # there is no shell on the console later: this one stays, out of the cgroup that ends with it
        guest.type("(echo 0 >/sys/fs/cgroup/cgroup.procs; until coracle services | grep -q '^engine *running'; do sleep 1; done; "
                   "grep ' /var ' /proc/mounts; echo engine ru''ns) >/dev/console 2>&1 &\nexit 0\n")
        with case("coracle-data and coracle-config killed on the way up: told, /var is in memory, and the engine runs"):
            for name in ("data", "config"):
                guest.wait_for(rf"init: {name} was ended by signal 9", anywhere=True)
            guest.wait_for(r"^tmpfs /var .*^engine runs$")
        with case("...and the machine goes down in order"):
            guest.qmp("system_powerdown")
            guest.wait_exit()
            guest.absent(r"Kernel panic|Oops|BUG:")


with temporary_directory() as folder:
    on_the_way_up(data_disk(folder, "data.img"))
with Machine("helpers", "--watchdog", "i6300esb", "--no-reboot", user_data=USER_DATA, images=[fixtures() / "busybox.oci.tar", fixtures() / "nginx.oci.tar"],
             memory=512, append=f"coracle.watchdog={WATCHDOG_S}", rescue=True) as machine:
    machine.wait_for(r"\bsteady \| steady up$", anywhere=True, limit=480)
    machine.shell_until("dmesg", rf"watchdog armed: i6300ESB timer, {WATCHDOG_S} s", "an armed watchdog")
    began = float(machine.shell("cut -d' ' -f1 /proc/uptime"))
    fetch(machine)
    one_shot(machine)
    machine.settle()
    every_helper(machine)
    by_the_kernel(machine)
    with case("the watchdog was fed all the while, and bites when it is not"):
        check(float(machine.shell("cut -d' ' -f1 /proc/uptime")) - began > 3 * WATCHDOG_S, "too short to see it")
        machine.absent(r"Kernel panic|Oops|BUG:")
        machine.type("echo 1 >/sys/fs/cgroup/init/cgroup.freeze\n")
        machine.wait_exit()
finish()
