"""powercut.py: the power fails at random moments of boot, container start, log writing and shutdown, and the next boot must hold what was acknowledged.

A container appends numbers to a file on a volume, calls fsync, and then prints the number: that is the acknowledgement. After each cut the next boot's container
prints what it found. Lost is a cut after which an acknowledged number is missing, the file is damaged, or the machine does not come up with its container.
"""
import os
import re
import shutil
import subprocess
import time

from disklog import cut, qemu_arguments
from harness import BUILD, Failure, Machine, equal, fixtures

USER_DATA = """#cloud-config
hostname: ledger
containers:
  services:
    ledger:
      image: busybox
      command:
        - sh
        - -c
        - |
          awk '$$1 != NR {bad = 1} END {print "found " NR (bad ? " damaged" : " whole")}' /keep/ledger 2>/dev/null || echo "found 0 whole"
          n=$$(wc -l < /keep/ledger 2>/dev/null || echo 0)
          while :; do n=$$((n + 1)); echo $$n >> /keep/ledger; sync /keep/ledger || exit 9; echo "ack $$n"; done
      volumes: ["keep:/keep"]
      stop_signal: SIGKILL
      restart: always
    chatter:
      image: busybox
      command: [sh, -c, 'n=0; while :; do n=$$((n+1)); echo "line $$n of many, to be written to the log file"; usleep 20000; done']
      stop_signal: SIGKILL
      restart: always
  volumes: {keep: {}}
"""
WHOLE_EVERY = 5  # cuts, then a boot that is left alone; the others are looked at by the next boot that gets so far
# a moment: what the console shows before it, and at most how many seconds later
MOMENTS = {
    "boot": (None, 2.5),
    "container start": (r"coracle-engine|engine:|\bledger \|", 1.0),
    "log writing": (r"\bledger \| ack \d+", 2.0),
    "shutdown": (r"\bledger \| ack \d+", 1.5),
}


def make_disk(path, size="96M"):
    subprocess.run(["truncate", "-s", size, path], check=True)
    subprocess.run([str(BUILD / "sysroot/target/mke2fs"), "-q", "-F", "-t", "ext4", "-L", "CORACLE-DATA",
                    "-E", "assume_storage_prezeroed=1", path], check=True)


class Chain:
    """One disk through many boots, each of which ends in a power cut."""

    def __init__(self, folder, random):
        self.random = random
        self.disk, self.before, self.log = (os.path.join(folder, name) for name in ("disk", "before", "log"))
        self.acknowledged = 0
        self.lines = []
        make_disk(self.disk)

    def machine(self, name):
        subprocess.run(["cp", "--sparse=always", self.disk, self.before], check=True)
        return Machine(name, *qemu_arguments(self.disk, self.log), user_data=USER_DATA, images=[fixtures() / "busybox.oci.tar"])

    def check_found(self, text):
        """What the container found, if this boot got so far."""
        found = re.search(r"\bledger \| found (\d+) (\w+)", text)
        if found:
            equal(found.group(2), "whole", "the ledger after the cut")
            if int(found.group(1)) < self.acknowledged:
                raise Failure(f"{self.acknowledged} was acknowledged, {found.group(1)} is what the next boot found")
        return bool(found)

    def note_acknowledged(self, text):
        numbers = [int(n) for n in re.findall(r"\bledger \| ack (\d+)\n", text)]
        self.acknowledged = max([self.acknowledged, *numbers])

    def kill_at(self, guest, moment):
        pattern, most = MOMENTS[moment]
        delay = self.random.uniform(0, most)
        if pattern:
            guest.wait_for(pattern, anywhere=True)
        if moment == "shutdown":
            guest.qmp("system_powerdown")
        # the moment is meant to be any: nothing is waited for
        time.sleep(delay)
        guest.kill()

    def boot_and_cut(self, moment):
        with self.machine("chaos-cut") as guest:
            self.kill_at(guest, moment)
            text = guest.text
        self.check_found(text)
        self.note_acknowledged(text)
        kept, lost = cut(self.before, self.log, self.random)
        shutil.move(self.before, self.disk)
        return kept, lost

    def boot_whole(self):
        """A boot that must come up and find everything; then an orderly power-off."""
        with self.machine("chaos-whole") as guest:
            guest.wait_for(r"\bledger \| found (\d+) (\w+)", anywhere=True)
            self.check_found(guest.text)
            guest.wait_for(r"\bledger \| ack \d+\n")
            guest.qmp("system_powerdown")
            guest.wait_exit()
            self.note_acknowledged(guest.text)
        checked = subprocess.run([str(BUILD / "sysroot/target/e2fsck"), "-fn", self.disk], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        equal(checked.returncode, 0, f"e2fsck after an orderly power-off: {checked.stdout.decode()[-500:]}")


def run(count, folder, random, say):
    """`count` cuts, spread over the moments. Returns {moment: [survived, lost]} and what went wrong."""
    chain = Chain(folder, random)
    chain.boot_whole()
    result = {moment: [0, 0] for moment in MOMENTS}
    faults = []
    for number in range(count):
        moment = list(MOMENTS)[number % len(MOMENTS)]
        try:
            kept, lost = chain.boot_and_cut(moment)
            if number % WHOLE_EVERY == WHOLE_EVERY - 1 or number == count - 1:
                chain.boot_whole()
            result[moment][0] += 1
            say(f"power cut {number + 1} of {count}: {moment}: {kept} writes kept, {lost} lost; {chain.acknowledged} acknowledged, all found")
        except Failure as error:
            result[moment][1] += 1
            faults.append(f"{moment}: {error}")
            say(f"power cut {number + 1} of {count}: {moment}: LOST: {error}")
            chain = Chain(folder, random)
    return result, faults
