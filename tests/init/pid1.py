"""pid1.py: init as PID 1 of namespaces on this machine, with unit files of a test. For tests/init/test_*.sh; needs root.

Pid1 makes a root of busybox and init in a folder, writes unit files, starts it in namespaces of its own, and talks to its control socket
through /proc/PID/root. Paths of the root are seen from here through `path`; the kernel log is this machine's, read from a mark on.
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("CORACLE_BUILD", TOP / "build"))
SLOW = float(os.environ.get("CORACLE_TEST_SLOW", "1"))
LIMIT = 30
PASSWD = "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1001:Web:/var/web:/bin/false\n"
GROUP = "root:x:0:\nweb:x:1001:\nlog:x:4:web\nvideo:x:44:a,web\nother:x:45:webx\n"

count = failed = 0


def case(name, good, detail=""):
    global count, failed
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)
    if not good:
        failed += 1
        for line in str(detail).splitlines():
            print(f"# {line}", flush=True)


def finish():
    print(f"1..{count}")
    sys.exit(1 if failed else 0)


def eventually(probe, limit=LIMIT):
    """What the probe gives as soon as it is true; the last that it gave when the time is over."""
    end = time.monotonic() + limit * SLOW
    while True:
        value = probe()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.02)


def wait_for(seconds):
    """For what must not happen within a time."""
    time.sleep(seconds)


class Pid1:
    """One init. units: {name: text} of the image, local: what the boot configuration writes to /etc/coracle/units. trace: strace writes every
    process's system calls to trace.PID of the folder."""

    def __init__(self, units, local=None, cmdline="", files=None, trace=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="coracle-test."))
        self.root = self.folder / "root"
        for name in "dev proc sys run tmp var etc usr/bin usr/lib/coracle/units test".split():
            (self.root / name).mkdir(parents=True)
        for name in ("bin", "sbin"):
            (self.root / name).symlink_to("usr/bin")
        shutil.copy(BUILD / "bin/init", self.root / "usr/bin/init")
        shutil.copy(BUILD / "sysroot/target/busybox", self.root / "usr/bin/busybox")
        for name in "sh sleep cat env ls touch true false setsid cp mkdir mv wc kill".split():
            (self.root / "usr/bin" / name).symlink_to("busybox")
        (self.root / "etc/passwd").write_text(PASSWD)
        (self.root / "etc/group").write_text(GROUP)
        shutil.copy(BUILD / "tools/init-notify", self.root / "usr/bin")
        for name, text in (files or {}).items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
            os.chmod(self.root / name, 0o755)
        os.chmod(self.root / "test", 0o777)
        for name, text in units.items():
            (self.root / f"usr/lib/coracle/units/{name}.unit").write_text(text)
        if local is not None:
            (self.root / "test/local").mkdir()
            for name, text in local.items():
                (self.root / f"test/local/{name}.unit").write_text(text)
        self.cgroup = self.folder / "cgroup"
        self.cgroup.mkdir()
        self.cmdline = cmdline
        self.tracer = f"strace -qq -ff -s 200 -o {self.folder}/trace" if trace else ""
        self.process = self.sock = None

    def __enter__(self):
        subprocess.run(["mount", "-t", "cgroup2", "none", self.cgroup], check=True)
        self.group = self.cgroup / f"coracle-test-{os.getpid()}-{id(self)}"
        self.group.mkdir()
        self.mark = f"pid1.py {os.getpid()} {time.monotonic_ns()}"
        pathlib.Path("/dev/kmsg").write_text(self.mark + "\n")
        cmdline = self.folder / "cmdline"
        cmdline.write_text(f"quiet {self.cmdline}\n")
        script = ("mount --make-rprivate /; echo $$ >\"$1/cgroup.procs\"; mount --bind \"$2\" \"$2\"; "
                  "exec $4 unshare -p -n -C -i -u --fork --kill-child bash -c '"
                  "cd \"$1\"; mount -t proc proc proc; mount --bind \"$2\" proc/cmdline; mount --move . /; exec chroot . /sbin/init' - \"$2\" \"$3\"")
        # as the kernel starts it, whatever is ignored by who runs the tests (nohup)
        self.process = subprocess.Popen(["env", "--default-signal", "unshare", "-m", "bash", "-c", script, "-", self.group, self.root, cmdline, self.tracer], stdin=subprocess.DEVNULL)
        self.pid = int(eventually(self._child) or 0)
        eventually(lambda: self.path("run/coracle/init.sock").exists())
        return self

    def _child(self):
        """The first process of the pid namespace, as seen from here."""
        for entry in self.group.glob("**/cgroup.procs"):
            for pid in entry.read_text().split():
                try:
                    status = pathlib.Path(f"/proc/{pid}/status").read_text()
                except OSError:
                    continue
                if re.search(r"^NSpid:\s+\d+\s+1$", status, re.M):
                    return pid
        return None

    def __exit__(self, *args):
        if self.sock:
            self.sock.close()
        if self.process.poll() is None:
            self.process.kill()
            (self.group / "cgroup.kill").write_text("1")
        self.process.wait()
        eventually(lambda: "populated 0" in (self.group / "cgroup.events").read_text())
        for folder in sorted(self.group.glob("**/"), key=lambda p: -len(str(p))):
            folder.rmdir()
        subprocess.run(["umount", self.cgroup], check=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def ends(self):
        """Waits until init has ended: the exit code."""
        try:
            return self.process.wait(LIMIT * SLOW)
        except subprocess.TimeoutExpired:
            return None

    def path(self, name):
        return pathlib.Path(f"/proc/{self.pid}/root") / name

    def read(self, name):
        """A file of the test's folder, waited for; without its last newline."""
        path = self.root / "test" / name
        eventually(lambda: path.exists() and path.read_text().endswith("\n"))
        return path.read_text().rstrip("\n") if path.exists() else None

    def connect(self):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.settimeout(LIMIT * SLOW)
        folder = os.open(self.path("run/coracle"), os.O_PATH)
        sock.connect(f"/proc/self/fd/{folder}/init.sock")
        os.close(folder)
        return sock

    def ask(self, text):
        self.sock = self.sock or self.connect()
        self.sock.send(text.encode())
        return self.sock.recv(4096).decode()

    def services(self, own=None):
        """own: a connection that is closed then."""
        rows = {}
        if not own:
            self.sock = self.sock or self.connect()
        sock = own or self.sock
        sock.send(b"services")
        while (line := sock.recv(4096).decode()) != "end":
            words = line.split()
            rows[words[0]] = words[1:]
        if own:
            own.close()
        return rows

    def state(self, name):
        return self.services().get(name, ["absent"])[0]

    def becomes(self, name, state):
        """Waits until the service is in that state; returns the one that it is in."""
        return state if eventually(lambda: self.state(name) == state) else self.state(name)

    def log(self):
        text = subprocess.run(["dmesg"], stdout=subprocess.PIPE, check=True).stdout.decode("utf-8", "replace")
        return text[text.rindex(self.mark):]

    def says(self, text):
        return eventually(lambda: text in self.log())
