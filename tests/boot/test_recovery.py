#!/usr/bin/env python3
"""test_recovery.py: PID 1 faults, three times in a row and under load, while redis answers a client on the host; nothing that was
acknowledged is lost. tests/init/fault.c makes the faults, tests/init/test_recovery.sh tries what is inside of one request. PID 1 rules 4, 5, 15."""
# timeout: 1800
import pathlib
import re
import shutil
import socket
import subprocess
import threading

from harness import BUILD, KERNEL_LINE, Machine, case, check, equal, eventually, finish, fixtures, free_port, redis_command, temporary_directory

USER_DATA = """#cloud-config
hostname: recovery
write_files:
  - path: /etc/coracle/units/beat.unit
    content: |
      [Service]
      ExecStart=/bin/sh /run/beat.sh
      Restart=always
  - path: /run/beat.sh
    content: |
      n=0
      while :; do n=$((n+1)); echo "beat $n"; sleep 0.3; done
containers:
  services:
    cache:
      image: redis
      network_mode: host
      restart: always
    ticker:
      image: busybox
      command: [sh, -c, 'n=0; while :; do n=$$((n+1)); echo tick $$n; sleep 0.5; done']
      stop_signal: SIGKILL
      restart: always
"""
LOAD = "for i in 1 2; do (while :; do (true & true & true &); done) & done"


class Client(threading.Thread):
    """Counts with INCR over one connection: every request gets the one reply that is right, or there is an error."""

    def __init__(self, port, key):
        super().__init__(daemon=True)
        self.link = socket.create_connection(("127.0.0.1", port), 60)
        self.link.settimeout(60)
        self.key, self.sent, self.replies, self.error, self.going = key, 0, 0, None, True

    def run(self):
        answers = self.link.makefile("rb")
        try:
            while self.going:
                self.sent += 1
                self.link.sendall(f"*2\r\n$4\r\nINCR\r\n${len(self.key)}\r\n{self.key}\r\n".encode())
                got = answers.readline()
                if got != f":{self.sent}\r\n".encode():
                    self.error = f"request {self.sent}: {got!r}"
                    return
                self.replies += 1
        except OSError as error:
            self.error = f"request {self.sent}: {error}"

    def stop(self):
        self.going = False
        self.join(90)
        self.link.close()


def tools_disk(folder):
    """A file system with the injector, for the machine to mount read-only."""
    root, disk = folder / "tools", folder / "tools.img"
    root.mkdir()
    shutil.copy(BUILD / "tools/init-fault", root)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-L", "TOOLS", "-d", str(root), str(disk), "16M"], check=True)
    return disk


def machine(name, folder, port, *options):
    disk = folder / "tools.img"
    return Machine(f"recovery-{name}", f"--qemu-arg=-drive", f"--qemu-arg=file={disk},if=none,id=extra,format=raw,readonly=on",
                   "--qemu-arg=-device", "--qemu-arg=virtio-blk-pci,drive=extra", "--no-reboot", *options, user_data=USER_DATA,
                   images=[fixtures() / "redis.oci.tar", fixtures() / "busybox.oci.tar"], memory=512, publish=[f"{port}:6379"], rescue=True)


def begin(guest, port):
    """Everything runs, and the injector is there."""
    guest.wait_for(r"\bticker \| tick 3$", anywhere=True, limit=480)
    eventually(lambda: redis_command(port, "PING") == "+PONG", "redis", 480)
    guest.cursor = len(guest.text)
    guest.settle()
    guest.shell("mkdir -p /run/tools && for d in /dev/vd?; do mount -t ext4 -o ro,noload $d /run/tools 2>/dev/null && "
                "[ -x /run/tools/init-fault ] && break; done; test -x /run/tools/init-fault")


def pids(guest):
    return guest.shell("for n in coracle-engine redis-server udhcpc; do echo $n $(pidof $n); done; echo sh $(pidof sh | wc -w)")


def numbers(text, word):
    """At the ends of lines. The kernel may have its say at the end of any."""
    text = KERNEL_LINE.sub("\n", text)
    return [int(n) for n in re.findall(rf"{word} (\d+)$", text, re.MULTILINE)]


def fault(guest, name):
    """Returns when the shell's next command has been run; init answers it on its socket."""
    before = len(re.findall("and was executed again", guest.text))
    guest.shell(f"/run/tools/init-fault {name} && coracle services > /run/services")
    guest.wait_for(r"and was executed again", anywhere=True)
    eventually(lambda: len(re.findall("and was executed again", guest.text)) > before, "the report of the crash")


def survive(name, folder, faults, load=""):
    port = free_port()
    with machine(name, folder, port) as guest:
        begin(guest, port)
        clients = [Client(port, "one"), Client(port, "two")]
        before = pids(guest)
        descriptors = guest.shell("ls /proc/1/fd | wc -l")
        if load:
            guest.shell(load)
        for client in clients:
            client.start()
        for word in faults:
            with case(f"{name}: {word}: init is executed again, and answers"):
                fault(guest, word)
        last = numbers(guest.text, r"ticker \| tick")[-1]
        with case(f"{name}: the containers' output goes on, and no line is lost"):
            guest.wait_for(rf"ticker \| tick {last + 5}$", limit=180)
            ticks = numbers(guest.text, r"ticker \| tick")
            equal(ticks, list(range(1, len(ticks) + 1)), "lines")
        for client in clients:
            client.stop()
        print(f"# {name}: {[(c.sent, c.replies) for c in clients]} requests and replies", flush=True)
        with case(f"{name}: redis answered every request, and no connection was cut"):
            for client in clients:
                check(not client.error and client.replies > 10 and client.sent == client.replies, f"{client.error}: {client.sent} and {client.replies}")
        if load:
            guest.shell("kill $(jobs -p)", ok=False)
        with case(f"{name}: every service and container is the process it was"):
            equal(pids(guest), before, "pids")
        with case(f"{name}: what a service prints is in the log once, each line"):
            beats = numbers(guest.shell("dmesg | grep -o 'beat: beat .*'"), "beat")
            check(len(beats) > 5, f"only {len(beats)}")
            equal(beats, list(range(beats[0], beats[0] + len(beats))), "lines")
        with case(f"{name}: no descriptor of init is lost or left"):
            equal(guest.shell("ls /proc/1/fd | wc -l"), descriptors, "descriptors")
        with case(f"{name}: a container that ends is still noticed"):
            pid = guest.shell("pidof redis-server").strip()
            guest.shell(f"kill -9 {pid}")
            eventually(lambda: guest.shell("pidof redis-server", ok=False).strip() not in ("", pid), "redis started again")
        with case(f"{name}: the machine powers off"):
            guest.type("poweroff\n")
            guest.wait_exit()
            guest.absent(r"Kernel panic|Oops|BUG:|WARNING:")


def ends_meanwhile(folder):
    port = free_port()
    with machine("end", folder, port) as guest:
        begin(guest, port)
        with case("a service that ends during the recovery: its status is known, and it is started again"):
            pid = guest.shell("pgrep -f beat.sh").strip()
            guest.shell("/run/tools/init-fault -a waitid,pwrite64 null > /run/armed & until grep -q armed /run/armed; do :; done")
            guest.shell(f"kill -USR1 {pid}")
            guest.wait_for(r"beat was ended by signal 10", anywhere=True)
            guest.shell_until("pgrep -f beat.sh", r"^\d+$", "beat")
        with case("reload-init: init is replaced by its own file, and goes on"):
            guest.shell("coracle reload-init")
            guest.shell("coracle services > /run/services && grep -q engine /run/services")
        # each when init is whole again: in the first instructions of a program there is no handler yet
        for _ in range(3):
            fault(guest, "abort")
        guest.shell("/run/tools/init-fault abort", ok=False)
        with case("five crashes within 60 s: the machine reboots in order and says why"):
            guest.wait_for(r"init crashed \(5 within 60 s\): signal 6 \(Aborted\) at 0x[0-9a-f]+, address 0x[0-9a-f]+: rebooting", anywhere=True)
            guest.wait_for(r"reboot: Restarting system", anywhere=True)
            guest.wait_exit()
            guest.absent(r"Kernel panic|Oops|BUG:|WARNING:")


with temporary_directory() as name:
    where = pathlib.Path(name)
    tools_disk(where)
    survive("first", where, ("null", "jump", "ud2"))
    survive("load", where, ("stack", "division", "bus", "abort"), LOAD)
    ends_meanwhile(where)
finish()
