"""patient.py: the machine that faults are done to, and what it has acknowledged.

Four things in it acknowledge something. The container `ledger` appends numbers to a file on a volume, calls fsync, and then prints the number. runcmd runs
once per instance and says so. The unit `pilot` says what it finds after each boot; with chaos.record on the command line it stops and starts the container
`parked` by the engine's API, and syncs what `chatter` has printed. Lost is what was said and is not there afterwards.
"""
import os
import re
import subprocess

from harness import BUILD, Failure, Machine, check, eventually, fixtures

PILOT = """\
exec 3<>/dev/ttyS0
say() { echo "pilot: $*" >&3; }
# the answer comes when everything up to here has been seen
ask() { say "$*"; read -r answer <&3; }
lines() { coracle logs chatter | wc -l; }
cd /
if grep -q ' /var ext4 ' /proc/mounts; then say var ext4; else say var memory; fi
if coracle ps | grep -q '^parked '; then say parked up; else say parked down; fi
say log $(coracle logs chatter | awk '
    !/^line [0-9]+ of many, to be written to the log file$/ || ($2 != last + 1 && $2 != 1) { bad = bad " " NR ":" substr($0, 1, 60) }
    { last = $2 } END { print NR, bad ? "damaged" bad : "whole" }')
until coracle why | grep -q '^last boot '; do usleep 50000; done
say why $(coracle why | sed -n 's/^last boot *\\([a-z-]*\\):.*/\\1/p')
[ ! -e /run/coracle/problems ] || sed 's/^/pilot: problem /' /run/coracle/problems >&3
for f in /run/chaos/*.done; do [ ! -e $f ] || say done ${f##*/} $(wc -l < $f); done
say found
rounds=$(sed -n 's/.*chaos.record=\\([0-9]*\\).*/\\1/p' /proc/cmdline)
[ "$rounds" ] || exit 0
while [ $rounds -gt 0 ]; do
    if [ $((rounds % 2)) = 1 ]; then do=stop is=down; else do=start is=up; fi
    ask parked asked
    coracle $do parked >/dev/null && say parked $is
    n=$(lines); sync; say logged $n
    rounds=$((rounds - 1))
done
say writing
for i in 1 2 3 4 5 6 7 8; do n=$(lines); sync; say logged $n; done
ask written
"""

USER_DATA = """#cloud-config
hostname: ledger
write_files:
  - path: /etc/coracle/units/pilot.unit
    content: |
      [Unit]
      After=engine final
      [Service]
      Type=oneshot
      ExecStart=/bin/sh /etc/pilot
  - path: /etc/pilot
    content: |
""" + "".join(f"      {line}\n" for line in PILOT.splitlines()) + """\
bootcmd:
  - 'echo "pilot: configured" > /dev/ttyS0'
runcmd:
  - 'echo "pilot: ran" > /dev/ttyS0'
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
          while :; do printf '%7d\\n' $$((n + 1)) >> /keep/ledger || { usleep 200000; continue; }
          n=$$((n + 1)); sync /keep/ledger || exit 9; echo "ack $$n"; usleep 20000; done
      volumes: ["keep:/keep"]
      stop_signal: SIGKILL
      restart: always
    chatter:
      image: busybox
      command: [sh, -c, 'n=0; while :; do n=$$((n+1)); echo "line $$n of many, to be written to the log file"; usleep 50000; done']
      stop_signal: SIGKILL
      restart: always
    parked:
      image: busybox
      command: [sleep, "1000000"]
      stop_signal: SIGKILL
      restart: unless-stopped
  volumes: {keep: {}}
"""


def images():
    return [fixtures() / "busybox.oci.tar"]


def make_disk(path, size="96M"):
    subprocess.run(["truncate", "-s", size, path], check=True)
    subprocess.run([str(BUILD / "sysroot/target/mke2fs"), "-q", "-F", "-t", "ext4", "-L", "CORACLE-DATA",
                    "-E", "assume_storage_prezeroed=1", path], check=True)


def check_disk(path):
    """After an orderly power-off the file system is clean."""
    done = subprocess.run([str(BUILD / "sysroot/target/e2fsck"), "-fn", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    check(done.returncode == 0, f"e2fsck after an orderly power-off: {done.stdout.decode()[-500:]}")


def tools_disk(folder):
    """The disk with the injector of faults, as options of qemu/run; made once."""
    disk = os.path.join(folder, "tools.img")
    if not os.path.exists(disk):
        root = os.path.join(folder, "tools")
        os.mkdir(root)
        subprocess.run(["cp", str(BUILD / "tools/init-fault"), root], check=True)
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-L", "TOOLS", "-d", root, disk, "16M"], stdout=subprocess.DEVNULL, check=True)
    words = ["-drive", f"file={disk},if=none,id=extra,format=raw,readonly=on", "-device", "virtio-blk-pci,drive=extra"]
    return [word for argument in words for word in ("--qemu-arg", argument)]


class Patient:
    """The machine under test, and what it acknowledged."""

    def __init__(self, guest, random):
        self.guest, self.random = guest, random
        self.crashes = 0
        self.wrapped = False

    def wait_ready(self):
        self.guest.wait_for(r"ledger \| ack \d+\n", anywhere=True)
        self.guest.type("\n")
        self.guest.wait_shell()
        self.guest.settle()
        self.guest.wait_for(r"pilot: found\n", anywhere=True)

    def mount_tools(self):
        self.shell("mkdir -p /run/tools; mountpoint -q /run/tools || for d in /dev/vd?; do "
                         "mount -t ext4 -o ro,noload $d /run/tools 2>/dev/null && [ -x /run/tools/init-fault ] && break; done; test -x /run/tools/init-fault")

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
        kept = int(self.value("wc -l < /var/lib/coracle/volumes/keep/_data/ledger"))
        check(kept >= before, f"{before} was acknowledged, {kept} lines are there")
        for number, state in re.findall(r"ledger \| found (\d+) (\w+)", guest.text):
            check(state == "whole", f"the ledger's {number} lines are {state}")
        guest.absent(r"Kernel panic|Oops|BUG:|EXT4-fs error")

    def value(self, command):
        """What a command prints, on one line."""
        return " ".join(self.guest.shell(command, ok=False).split())

    def shell(self, command, ok=True, limit=180):
        return self.guest.shell(command, limit, ok)

    def pids_of(self, words):
        return self.value(f"pgrep -f '{words}'").split()


def power_off(guest, limit=180):
    guest.qmp("system_powerdown")
    guest.wait_exit(limit)


def machine(name, *options, **words):
    """With the patient's configuration and images."""
    return Machine(name, *options, user_data=USER_DATA, images=images(), **words)


__all__ = ["BUILD", "Failure", "Machine", "Patient", "USER_DATA", "check_disk", "images", "machine", "make_disk", "power_off", "tools_disk"]
