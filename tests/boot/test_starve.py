#!/usr/bin/env python3
"""test_starve.py: what takes a machine's breath, and init goes on answering: 20,000 orphans, a full /run, no memory, a fork bomb in a
container until there is no process left, a console that takes nothing; and feeds a hardware watchdog all the while. PID 1 rules 3, 6, 10, 15.
tests/init/starve.c makes it and asks."""
# timeout: 900
import contextlib
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time

from harness import BUILD, Failure, Machine, case, check, eventually, finish, fixtures, free_port, temporary_directory

# For each answer, in the guest's time, under TCG with one processor that all of it shares: a turn of the loop is some milliseconds, and
# the asking process has to get its turns as well. What hangs takes minutes.
BOUND_MS = 15000
# Hardware that resets the machine, which is then not started again, when PID 1 does not feed it for so long.
WATCHDOG_S = 30
USER_DATA = """#cloud-config
hostname: starve
write_files:
  - path: /run/bomb/readme
    content: here the bomb comes
  - path: /etc/coracle/units/beat.unit
    content: |
      [Service]
      ExecStart=/bin/sh /run/beat.sh
      Restart=always
  - path: /run/beat.sh
    content: |
      while :; do read line; done < /run/never
containers:
  services:
    bomb:
      image: busybox
      command: [sh, -c, 'echo bomb waits; while [ ! -x /bomb/starve-probe ]; do sleep 1; done; exec /bomb/starve-probe bomb']
      volumes: ["/run/bomb:/bomb"]
      stop_signal: SIGKILL
"""


class Asker(threading.Thread):
    """Asks again and again while a block runs; every answer counts."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.answers, self.errors, self.going = port, [], [], True

    def once(self):
        with socket.create_connection(("127.0.0.1", self.port), 300) as link:
            link.settimeout(300)
            words = link.makefile("rb").readline().split()
            if len(words) != 3:
                raise OSError(f"no answer: {words}")
            return [int(word) for word in words]

    def run(self):
        while self.going:
            try:
                self.answers.append(self.once())
            except Exception as error:  # pylint: disable=broad-except
                self.errors.append(repr(error))
            time.sleep(0.1)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, value, trace):
        self.going = False
        self.join(300)

    def wait(self, count):
        eventually(lambda: len(self.answers) >= count or self.errors, f"{count} answers", 400)

    def verdict(self, what, at_least=3):
        old, new = max(a[1] for a in self.answers), max(a[2] for a in self.answers)
        print(f"# {what}: {len(self.answers)} answers, the slowest after {old} ms on an old and {new} ms on a new connection", flush=True)
        check(not self.errors, f"{self.errors}")
        check(len(self.answers) >= at_least, f"only {len(self.answers)} answers")
        for rows, old, new in self.answers:
            check(rows > 3 and 0 <= old <= BOUND_MS and 0 <= new <= BOUND_MS, f"{rows} rows, {old} ms, {new} ms")


def tools_disk(folder):
    root, disk = folder / "tools", folder / "tools.img"
    root.mkdir()
    for name in ("init-fault", "starve-probe"):
        shutil.copy(BUILD / "tools" / name, root)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-L", "TOOLS", "-d", str(root), str(disk), "16M"], check=True)
    return disk


def begin(guest, port):
    guest.wait_for(r"\bbomb \| bomb waits$", anywhere=True, limit=240)
    guest.cursor = len(guest.text)
    guest.settle()
    guest.shell_until("dmesg", rf"watchdog armed: i6300ESB timer, {WATCHDOG_S} s", "an armed watchdog")
    guest.shell("mkdir -p /run/tools && for d in /dev/vd?; do mount -t ext4 -o ro,noload $d /run/tools 2>/dev/null && "
                "[ -x /run/tools/starve-probe ] && break; done; mkfifo /run/never 2>/dev/null; test -x /run/tools/starve-probe")
    # none of what follows may choose it for lack of memory
    guest.shell("/run/tools/starve-probe serve 7000 > /dev/null 2>&1 & echo -1000 > /proc/$!/oom_score_adj")
    eventually(lambda: Asker(port).once(), "the asking process", 120)


def storm(guest, port):
    with case("rule 6: 20,000 orphans: init answers all the while, and all are reaped"):
        with Asker(port) as asker:
            guest.shell("/run/tools/starve-probe orphans 20000", limit=400)
        asker.verdict("orphans")
        guest.shell_until("cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z ' ; true", r"^0$", "no zombie")


def full_run(guest, port):
    with case("rule 15: /run is full: init answers, reports, restarts a service, is executed again and replaced"):
        guest.shell("dd if=/dev/zero of=/run/fill bs=64k 2>/dev/null; ! echo x > /run/one-more")
        before = guest.shell("pgrep -f beat.sh").strip()
        with Asker(port) as asker:
            guest.shell(f"kill -9 {before}")
            guest.shell_until(f"pgrep -f beat.sh | grep -v '^{before}$'", r"^\d+$", "the service started again")
            guest.shell("/run/tools/init-fault null")
            guest.wait_for("and was executed again", anywhere=True)
            guest.shell("coracle reload-init")
            asker.wait(3)
        asker.verdict("full /run")
        guest.shell("rm /run/fill /run/one-more; coracle services | grep -q engine")


def no_memory(guest, port):
    with case("rule 3: no memory: the kernel kills the eater, init answers"):
        with Asker(port) as asker:
            guest.shell("sh -c 'echo 1000 > /proc/self/oom_score_adj; exec /run/tools/starve-probe eat'; true", limit=400)
            asker.wait(3)
        guest.wait_for(r"Out of memory: Killed process \d+ \(starve-probe\)", anywhere=True)
        asker.verdict("no memory")


def bomb(guest, port):
    with case("rule 3: a fork bomb in a container until there is no process left: init answers, and retries what it cannot start"):
        victim = guest.shell("most=$(cat /proc/sys/kernel/threads-max); pgrep -f beat.sh").strip()
        guest.shell("cp /run/tools/starve-probe /run/bomb/new && mv /run/bomb/new /run/bomb/starve-probe")
        with Asker(port) as asker:
            # the shell's own words from here on: it cannot make a process either
            guest.shell_until("read a b c tasks e </proc/loadavg; echo $((most - ${tasks#*/})) are left", r"^-?[0-3] are left$", "no process is left", 600)
            guest.shell(f"kill -9 {victim}", limit=200)
            guest.wait_for("there is no process for beat", anywhere=True, limit=300)
            asker.wait(len(asker.answers) + 3)
            guest.shell("for f in /sys/fs/cgroup/coracle/*/cgroup.kill; do echo 1 > $f; done", limit=300)
        asker.verdict("fork bomb")
        guest.shell_until("pgrep -f beat.sh", r"^\d+$", "the service started again", 200)
        rows = guest.shell("coracle services")
        check(re.search(r"^beat +running", rows, re.MULTILINE), rows)


def wedged(guest, port):
    with case("rule 10: a console that takes nothing: init answers, though it reports there itself"):
        guest.shell("(while sleep 1; do pkill -9 -f beat.sh; done) > /dev/null 2>&1 & /run/tools/starve-probe flood & :")
        with guest.deaf(), Asker(port) as asker:
            asker.wait(30)
        asker.verdict("wedged console", 30)
    with case("the console works again when somebody reads it"):
        guest.shell("kill -9 $(jobs -p); pkill -9 starve-probe", ok=False)

        def answer():
            """What the kernel had still to print may tear one apart."""
            guest.type("\necho he''re\n")
            with contextlib.suppress(Failure):
                return guest.wait_for("^here$", 15)
        eventually(answer, "an answer on the console", 300)
        said = guest.shell("grep -c 'console takes no text' /run/coracle/problems", ok=False).strip()
        print(f"# init lowered the console's level {said} times", flush=True)


with temporary_directory() as name:
    where = pathlib.Path(name)
    disk = tools_disk(where)
    published = free_port()
    with Machine("starve", "--qemu-arg=-drive", f"--qemu-arg=file={disk},if=none,id=extra,format=raw,readonly=on",
                 "--qemu-arg=-device", "--qemu-arg=virtio-blk-pci,drive=extra", "--watchdog", "i6300esb", "--no-reboot", user_data=USER_DATA,
                 images=[fixtures() / "busybox.oci.tar"], memory=512, publish=[f"{published}:7000"], append=f"coracle.watchdog={WATCHDOG_S}",
                 rescue=True) as machine:
        begin(machine, published)
        storm(machine, published)
        full_run(machine, published)
        no_memory(machine, published)
        bomb(machine, published)
        wedged(machine, published)
        with case("the machine powers off"):
            machine.type("poweroff\n")
            machine.wait_exit(300)
            machine.absent(r"Kernel panic|Oops|BUG:")
finish()
