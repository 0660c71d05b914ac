"""helpers.py: the programs of the machine killed at a random moment of their work, or given too little memory: in the boot, where nobody is there to help.

Before the boot goes on (coracle.break=data) a script is mounted over the program. It starts a process that kills the program after some time, or
limits its address space, and then becomes the program. So the product needs no hook, and the program's parent sees what it would see: SIGKILL, or
ENOMEM from whatever asked for memory. Afterwards the machine must work, and its next boot, with no fault, must find what was acknowledged.
"""
import dataclasses
import os
import random
import re
import subprocess

from patient import Failure, check_disk, machine, make_disk, power_off
from powercut import Known, EVENT, compare
from harness import check, eventually

WRAPPER = r"""#!/bin/sh
for word in any "$@"; do
    case $word in */*) continue ;; esac
    plan=/run/chaos/NAME.$word
    [ -e $plan ] || continue
    read -r times delay limit < $plan
    [ $times -gt 0 ] || continue
    echo $((times - 1)) $delay $limit > $plan
    [ $limit = - ] || { echo limited >> $plan.done; ulimit -v $limit; }
    [ $delay = - ] || ( ( usleep $delay; kill -0 $$ && echo killed >> $plan.done && kill -9 $$ ) < /dev/null > /dev/null 2>&1 3>&- 4>&- & )
    break
done
exec /run/chaos/NAME.d/NAME "$@"
"""
FOLDERS = {"coracle": "/usr/bin"}


@dataclasses.dataclass
class Plan:
    """What happens to the next `times` starts of a program with that word among its arguments."""
    program: str
    word: str = "any"
    delay: int | None = None	# microseconds until it is killed
    limit: int | None = None	# KiB of address space
    times: int = 1

    def path(self):
        return f"/run/chaos/{self.program}.{self.word}"

    def text(self):
        return f"{self.times} {'-' if self.delay is None else self.delay} {self.limit or '-'}"


def wrap(guest, program):
    """Its neighbours are beside the real one too: the engine looks for them there."""
    folder = FOLDERS.get(program, "/usr/lib/coracle")
    mine = f"/run/chaos/{program}.d"
    lines = " ".join("'" + line.replace("NAME", program).replace("'", "'\\''") + "'" for line in WRAPPER.splitlines())
    guest.shell(f"mkdir -p {mine} && for f in {folder}/*; do [ -e {mine}/${{f##*/}} ] || ln -s $f {mine}; done && rm {mine}/{program}")
    guest.shell(f"touch {mine}/{program} && mount -o bind {folder}/{program} {mine}/{program}")
    guest.shell(f"printf '%s\\n' {lines} > /run/chaos/{program}.sh; chmod 755 /run/chaos/{program}.sh")
    guest.shell(f"mount -o bind /run/chaos/{program}.sh {folder}/{program}")


def arm(guest, plan):
    guest.shell(f"rm -f {plan.path()}.done; echo {plan.text()} > {plan.path()}")


class Ground:
    """The disk that trials begin with: a machine has run from it, and was switched off in order. It is smaller than its device."""

    def __init__(self, folder):
        self.disk, self.known = os.path.join(folder, "ground.img"), Known()
        make_disk(self.disk)
        with machine("chaos-ground", data=self.disk) as guest:
            guest.wait_for(r"pilot: found\n")
            guest.wait_for(r"ledger \| ack \d+\n")
            power_off(guest)
            learn(self.known, guest.text)

    def copy(self, path):
        subprocess.run(["cp", "--sparse=always", self.disk, path], check=True)
        subprocess.run(["truncate", "-s", "128M", path], check=True)
        return dataclasses.replace(self.known)


def learn(known, text):
    for found in EVENT.finditer(text):
        known.take(found.group(0))
    known.ends = ("clean",)


def in_order(text, known):
    """As after a power cut, but for the problems: each of them is to be about what was done."""
    compare(re.sub(r"pilot: problem [^\n]*\n", "", text), known, "after the fault")


def press_until_off(guest):
    """The button is not watched from the first moment on; who presses again only hurries."""
    def off():
        guest.qmp("system_powerdown")
        try:
            guest.process.wait(5)
        except subprocess.TimeoutExpired:
            return False
        return True
    eventually(off, "the machine is switched off")


class Trial:
    """One boot with a fault in it, and the next one without."""

    def __init__(self, name, folder, ground, number, plans, said="", fatal="", **words):
        """said: what must be on the console when /var or the containers are not there; fatal: what ends the boot before the pilot can run."""
        self.name, self.plans, self.said, self.fatal, self.words = name, plans, said, fatal, words
        self.disk = os.path.join(folder, f"trial{number}.img")
        self.log, self.text = f"chaos-trial-{number}", ""
        if ground:
            self.known = ground.copy(self.disk)
        else:
            make_disk(self.disk)
            self.known = Known()

    def set_up(self, guest):
        guest.wait_shell()
        for program in {plan.program for plan in self.plans}:
            wrap(guest, program)
        for plan in self.plans:
            arm(guest, plan)
        guest.type("exit\n")

    def was_hit(self, plan):
        """The pilot says which plans came to something."""
        return f"pilot: done {plan.program}.{plan.word}.done" in self.text

    def hit(self, guest):
        self.text = guest.text
        return all(self.was_hit(plan) for plan in self.plans)

    def boot_with_fault(self):
        """True when the fault was there."""
        with machine(self.log, data=self.disk, append="coracle.break=data", **self.words) as guest:
            self.set_up(guest)
            end = guest.wait_for(rf"pilot: found\n|{self.fatal}" if self.fatal else r"pilot: found\n").group(0)
            if not end.startswith("pilot"):
                # it said what is wrong; what does not depend on that goes on
                press_until_off(guest)
                return True
            if "pilot: var memory" in guest.text or not re.search(r"ledger \| found", guest.text):
                check(re.search(self.said, guest.text), f"something does not run, and nobody says {self.said!r}:\n{guest.tail()}")
                power_off(guest)
                return True
            guest.wait_for(r"ledger \| ack \d+\n", anywhere=True)
            in_order(guest.text, self.known)
            hit = self.hit(guest)
            power_off(guest)
            learn(self.known, guest.text)
        return hit

    def boot_without(self):
        self.known.ends = ()
        with machine(f"{self.log}-after", data=self.disk) as guest:
            guest.wait_for(r"pilot: found\n")
            guest.wait_for(r"ledger \| ack \d+\n", anywhere=True)
            compare(guest.text, self.known, "in the boot after the fault")
            power_off(guest)
        check_disk(self.disk)

    def run(self):
        try:
            hit = self.boot_with_fault()
            self.boot_without()
            return hit
        finally:
            os.unlink(self.disk)


# name: (program, word, about how long it works in microseconds, times in the long form)
KILLED = {
    "kill -9: coracle-data (boot)": ("coracle-data", "any", 60000, 4),
    "kill -9: coracle-config boot": ("coracle-config", "boot", 120000, 4),
    "kill -9: coracle-config final": ("coracle-config", "final", 40000, 2),
    "kill -9: coracle-fetch (import)": ("coracle-fetch", "any", 150000, 4),
    "kill -9: engine (boot)": ("coracle-engine", "any", 500000, 4),
    "kill -9: coracle why --look": ("coracle", "--look", 20000, 2),
}
# name: (program, word, least and most KiB, starts that are limited, what is said, what is fatal to the pilot too, times in the long form)
LIMITED = {
    "ENOMEM: coracle-data": ("coracle-data", "any", 300, 1500, 9, "init: data ", "", 3),
    "ENOMEM: coracle-config boot": ("coracle-config", "boot", 300, 2500, 9, "init: config ", r"init: config exited with code \d+\n|config: user-data: error: out of memory", 4),
    "ENOMEM: coracle-fetch": ("coracle-fetch", "any", 300, 4000, 99, "import ", "", 4),
    "ENOMEM: engine": ("coracle-engine", "any", 600, 5000, 1, r"init: engine |engine: [^\n]*memory", "", 4),
}
SMALL = "ENOMEM: a guest of 56 MiB"
FRESH = ("coracle-fetch", "coracle-config final")	# what only works on a disk that is new


def is_fresh(program, word):
    return program in FRESH or f"{program} {word}" in FRESH


class Trials:
    """Each is a job: two run at once."""

    def __init__(self, folder, numbers, table):
        self.folder, self.random, self.table = folder, numbers, table
        self.ground, self.number = Ground(folder), 0

    def once(self, name, fresh, plans, *said, **words):
        self.number += 1
        return Trial(name, self.folder, None if fresh else self.ground, self.number, plans, *said, **words)

    def attempt(self, name, make):
        """A kill that comes too late does not count: it is tried again, earlier."""
        try:
            for turn in range(6):
                if make(turn).run():
                    self.table.add(name, "survived")
                    return
            self.table.add(name, "lost", "the fault never came in time")
        except (Failure, OSError, AttributeError) as error:
            self.table.add(name, "lost", str(error))

    def kill_job(self, name):
        program, word, most, _ = KILLED[name]
        numbers = random.Random(self.random.random())

        def make(turn):
            plan = Plan(program, word, delay=numbers.randint(0, most >> turn))
            return self.once(name, is_fresh(program, word), [plan])
        return lambda: self.attempt(name, make)

    def limit_job(self, name):
        program, word, least, most, times, said, fatal, _ = LIMITED[name]
        plan = Plan(program, word, limit=self.random.randint(least, most), times=times)

        def make(_):
            return self.once(name, is_fresh(program, word), [plan], said, fatal)
        return lambda: self.attempt(name, make)

    def small_job(self):
        return lambda: self.attempt(SMALL, lambda _: self.once(SMALL, False, [], machine="microvm", memory=56))

    def all_at_once_job(self, names):
        """The short form: one boot in which each of them is killed."""
        def job():
            plans = [Plan(*KILLED[name][:2], delay=self.random.randint(0, KILLED[name][2] // 8)) for name in names]
            trial = self.once("all", True, plans)
            try:
                trial.run()
                for name, plan in zip(names, plans):
                    self.table.add(name, "survived" if trial.was_hit(plan) else "lost", "" if trial.was_hit(plan) else "the fault did not come in time")
            except (Failure, OSError, AttributeError) as error:
                for name in names:
                    self.table.add(name, "lost", str(error))
        return job

    def jobs(self):
        found = [self.kill_job(name) for name, row in KILLED.items() for _ in range(row[-1])]
        found += [self.limit_job(name) for name, row in LIMITED.items() for _ in range(row[-1])]
        return found + [self.small_job()]
