"""powercut.py: the power fails at random moments of boot, container start, log writing and shutdown, and the next boot must hold what was acknowledged.

A few whole runs of the machine are recorded, each write and flush of its disk (disklog.py). A moment is a place in such a record: for the disk there
are no others. Half of the moments are any place, half are right behind something that was acknowledged, where a write that was forgotten
to be flushed shows. Of what was not flushed there, none, all or some is on the disk. Then the machine boots from that disk, once per cut, two at once, and
says what it finds (patient.py). Lost is a cut after which something acknowledged is missing or damaged, anything is reported as a problem, or the machine does
not come up with its containers. Records begin with an empty disk that grows, a disk after a clean end, and disks after a power cut.
"""
import concurrent.futures
import dataclasses
import os
import pathlib
import random
import re
import shutil
import subprocess
import time

import disklog
from patient import BUILD, Failure, USER_DATA, Machine, check_disk, images, make_disk, power_off
from harness import check, equal

MOMENTS = ("boot", "container start", "log writing", "shutdown")
NAMES = {moment: f"power cut: {moment}" for moment in MOMENTS}
ORDERLY_EVERY = 10	# boots after a cut, the machine is switched off in order and its file system checked
MEMORY = 96
ROUNDS = 5	# of stop and start; an odd number leaves the container stopped
EVENT = re.compile(r"ledger \| (found|ack) (\d+)|pilot: (ran|found|logged \d+|parked asked|parked up|parked down|written)\n")


@dataclasses.dataclass
class Known:
    """What was acknowledged up to some moment. None: nobody can know, it was being changed."""
    ledger: int = 0
    logged: int = 0
    parked: str | None = "up"
    ran: bool = False
    imported: bool = False
    ends: tuple = ()	# how the boot may be said to have ended; empty: not known yet

    def take(self, event):
        found = EVENT.match(event)
        if found.group(1):
            self.imported = True
            if found.group(1) == "ack":
                self.ledger = max(self.ledger, int(found.group(2)))
            return
        words = found.group(3).split()
        if words[0] == "ran":
            self.ran = True
        elif words[0] == "found":
            self.ends = ("power-loss",)
        elif words[0] == "logged":
            self.logged = max(self.logged, int(words[1]))
        elif words[0] == "parked":
            self.parked = None if words[1] == "asked" else words[1]
        elif words[0] == "written":
            self.ends = ("power-loss", "clean")


class Observed(Machine):
    """Notes how many writes the disk had seen when each piece of text came."""

    def __init__(self, name, disk, log, append="", with_images=True):
        super().__init__(name, *disklog.qemu_arguments(disk, log, "microvm"), user_data=USER_DATA, images=images() if with_images else (),
                         machine="microvm", memory=MEMORY, append=append)
        self.disk_log, self.moments = log, []

    def heard(self):
        self.moments.append((len(self.text), disklog.count(self.disk_log)))

    def writes_at(self, offset):
        return next(writes for length, writes in self.moments if length >= offset)


class Record:
    """One run of the machine from power-on to power-off on the disk `before`, of which `known` is known."""

    def __init__(self, name, folder, before, known, rounds):
        self.name, self.before, self.known = name, before, known
        self.log, self.disk = (os.path.join(folder, f"{name}.{part}") for part in ("log", "img"))
        self.events, self.phases = [], {}
        subprocess.run(["cp", "--sparse=always", before, self.disk], check=True)
        with Observed(f"chaos-record-{name}", self.disk, self.log, f"chaos.record={rounds}") as guest:
            self.run(guest)
            self.read(guest)
        self.end = dataclasses.replace(self.known_at(self.writes), ends=("clean",))

    def run(self, guest):
        while guest.wait_for(r"pilot: (parked asked|written)\n").group(1) != "written":
            guest.type("\n")
        power_off(guest)
        check_disk(self.disk)

    def read(self, guest):
        def place(pattern):
            return guest.writes_at(guest.wait_for(pattern, anywhere=True).end())
        self.writes = disklog.count(self.log)
        configured, writing, written = place(r"pilot: configured\n"), place(r"pilot: writing\n"), place(r"pilot: written\n")
        self.phases = dict(zip(MOMENTS, ((0, configured), (configured, writing), (writing, written), (written, self.writes))))
        self.events = [(guest.writes_at(found.end()), found.group(0)) for found in EVENT.finditer(guest.text)]

    def known_at(self, writes):
        """A question was seen before it was answered: what it leads to comes after those writes. The rest was there at the latest then."""
        known = dataclasses.replace(self.known, ends=())
        for at, event in self.events:
            if at < writes or (at == writes and "asked" not in event and "written" not in event):
                known.take(event)
        return known

    def choose(self, moment, random_numbers):
        first, last = self.phases[moment]
        behind = [at for at, event in self.events if first <= at <= last and "asked" not in event]
        if behind and random_numbers.random() < 0.5:
            return random_numbers.choice(behind)
        return random_numbers.randint(first, last)


def compare(text, known, after):
    """What the machine says it found, and what was acknowledged."""
    number, state = re.search(r"ledger \| found (\d+) (\w+)", text).groups()
    equal(state, "whole", "the ledger")
    check(int(number) >= known.ledger, f"ledger: {known.ledger} was acknowledged, {number} is what the next boot found")
    equal(re.search(r"pilot: var (\w+)", text).group(1), "ext4", "/var")
    count, state = re.search(r"pilot: log (\d+) ([^\n]+)", text).groups()
    equal(state, "whole", "the log")
    check(int(count) >= known.logged, f"log: {known.logged} lines were synced, {count} are there")
    if known.parked:
        equal(re.search(r"pilot: parked (\w+)", text).group(1), known.parked, "what was stopped, or started, by hand")
    check(not known.ran or "pilot: ran\n" not in text, "runcmd had been run, and was run again")
    if known.ends:
        how = re.search(r"pilot: why ([\w-]+)", text).group(1)
        check(how in known.ends, f"coracle why: the last boot ended by {how}; expected: {' or '.join(known.ends)}")
    problems = re.findall(r"pilot: problem ([^\n]*)", text)
    check(not problems, f"reported as a problem: {problems}")
    found = re.search(r"Kernel panic|Oops|BUG:|EXT4-fs error|JBD2: [^\n]*rror", text)
    check(not found, f"the console says {found and found.group(0)!r} {after}")


class Cut:
    """The power cut number `number`: where, and what came of it."""

    def __init__(self, number, moment, record, folder, seed):
        self.number, self.record, self.moment = number, record, moment
        self.random = random.Random(f"{seed}/{number}")
        self.disk = os.path.join(folder, f"cut{number}.img")
        self.log = os.path.join(folder, f"cut{number}.log")
        self.at = record.choose(self.moment, self.random)
        self.known = record.known_at(self.at)
        self.random_before = self.random.getstate()
        self.kept, self.lost_writes = disklog.cut(record.before, record.log, self.at, self.random, self.disk)
        self.boot_name = f"chaos-cut-{number}"

    def boot(self):
        """The machine must come up from that disk alone when the import was acknowledged."""
        orderly = self.number % ORDERLY_EVERY == ORDERLY_EVERY - 1
        with Observed(self.boot_name, self.disk, self.log, with_images=not self.known.imported) as guest:
            guest.wait_for(r"pilot: found\n")
            guest.wait_for(r"ledger \| ack \d+\n", anywhere=True)
            compare(guest.text, self.known, "after the cut")
            if orderly:
                power_off(guest)
                check_disk(self.disk)
            else:
                guest.kill()

    def keep(self):
        """For who wants to know why."""
        kept = BUILD / "chaos-lost"
        kept.mkdir(exist_ok=True)
        disklog.cut(self.record.before, self.record.log, self.at, self.same_random(), str(kept / f"{self.number}.img"))
        shutil.copy(BUILD / "test-logs" / f"{self.boot_name}.log", kept / f"{self.number}.log")
        return f"(its disk and console are {kept}/{self.number}.*)"

    def same_random(self):
        again = random.Random()
        again.setstate(self.random_before)
        return again

    def forget(self):
        for path in (self.disk, self.log, BUILD / "test-logs" / f"{self.boot_name}.log"):
            pathlib.Path(path).unlink(missing_ok=True)

    def describe(self):
        return f"cut {self.number + 1} in {self.record.name} behind write {self.at} of {self.record.writes}"


def make_records(folder, seed, many):
    """From an empty disk that is larger than its file system; from there after a clean end; after a cut."""
    fresh = os.path.join(folder, "fresh.img")
    make_disk(fresh)
    subprocess.run(["truncate", "-s", "128M", fresh], check=True)
    first = Record("first", folder, fresh, Known(), ROUNDS)
    yield first
    if not many:
        return
    numbers = random.Random(f"{seed}/records")
    torn = os.path.join(folder, "torn.img")
    at = numbers.randint(first.phases["container start"][0], first.writes)
    disklog.cut(first.before, first.log, at, numbers, torn)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        later = [pool.submit(Record, "second", folder, first.disk, first.end, ROUNDS + 1),
                 pool.submit(Record, "after-a-cut", folder, torn, first.known_at(at), ROUNDS)]
        for record in later:
            yield record.result()


def run(count, folder, seed, table, many=True, moments=MOMENTS):
    """`count` cuts, spread over the moments and the records."""
    table.expect(*(NAMES[moment] for moment in moments))
    begun = time.monotonic()
    try:
        records = list(make_records(folder, seed, many))
    except Failure as error:
        table.add("power cut: record", "lost", str(error))
        return
    table.say("power cuts: " + "; ".join(
        f"{record.name}: {', '.join(f'{moment} {last - first}' for moment, (first, last) in record.phases.items())} writes" for record in records)
        + f"; recorded in {time.monotonic() - begun:.0f} s")
    begun = time.monotonic()

    def one(number):
        turn, moment = divmod(number, len(moments))
        cut = Cut(number, moments[moment], records[turn % len(records)], folder, seed)
        try:
            cut.boot()
            outcome, detail = "survived", f"{cut.describe()}: {cut.kept} writes kept, {cut.lost_writes} lost, {cut.known.ledger} acknowledged"
        except (Failure, OSError, AttributeError) as error:
            outcome, detail = "lost", f"{cut.describe()}: {error} {cut.keep()}"
        table.add(NAMES[cut.moment], outcome, detail)
        cut.forget()

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(one, range(count)))
    if count:
        took = time.monotonic() - begun
        table.say(f"power cuts: {count} in {took:.0f} s, {took / count:.1f} s each with two machines at once")
