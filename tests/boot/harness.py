"""harness.py: what the boot tests are made of.

Machine starts qemu/run, reads the serial console as a stream of text that a test waits on, types into the rescue shell, has commands
run by a second shell on a line of its own (channel.py), and talks QMP. case() turns a block of a test into one TAP case. Waiting is always for an event (text, exit, a socket that
answers), with a limit that only matters when something is broken; CORACLE_TEST_SLOW multiplies every limit.
The transcript of each machine is kept in build/test-logs/NAME.log.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import channel

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("CORACLE_BUILD", TOP / "build"))
SLOW = float(os.environ.get("CORACLE_TEST_SLOW", "1"))
LIMIT = 90
KERNEL_LINE = re.compile(r"\[ *\d+\.\d+\] [^\n]*\n")
ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")
ESCAPE_BEGUN = re.compile(rb"(\x1b(\[[0-9;?]*)?|[\xc0-\xff][\x80-\xbf]*)$")

_results = {"count": 0, "failed": 0}


class Failure(Exception):
    """Something that the test expected did not happen."""


def fixtures():
    """The folder with the images, made on first use."""
    if "CORACLE_FIXTURES" not in os.environ:
        made = subprocess.run([str(TOP / "tests/fixtures/make")], stdout=subprocess.PIPE, check=True)
        os.environ["CORACLE_FIXTURES"] = made.stdout.decode().strip()
    return pathlib.Path(os.environ["CORACLE_FIXTURES"])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def temporary_directory():
    return tempfile.TemporaryDirectory(prefix="coracle-test.")


@contextlib.contextmanager
def case(name):
    """One TAP case: fails with what the block raised, and the test goes on."""
    _results["count"] += 1
    try:
        yield
        print(f"ok {_results['count']} - {name}", flush=True)
    except (Failure, AssertionError, ValueError, OSError, subprocess.SubprocessError) as error:
        _results["failed"] += 1
        print(f"not ok {_results['count']} - {name}", flush=True)
        for line in (str(error) or repr(error)).splitlines():
            print(f"# {line}", flush=True)


def skip(name, reason):
    _results["count"] += 1
    print(f"ok {_results['count']} - {name} # SKIP {reason}", flush=True)


def finish():
    print(f"1..{_results['count']}", flush=True)
    sys.exit(1 if _results["failed"] else 0)


def check(condition, text):
    if not condition:
        raise Failure(text)


def equal(got, expected, what):
    if got != expected:
        raise Failure(f"{what}: expected {expected!r}, got {got!r}")


def eventually(probe, what, limit=LIMIT):
    """Calls probe until it returns something true. For peers that cannot tell when they are ready, such as a TCP port."""
    end = time.monotonic() + limit * SLOW
    last = None
    while time.monotonic() < end:
        try:
            last = probe()
            if last:
                return last
        except OSError as error:
            last = error
        time.sleep(0.05)
    raise Failure(f"{what}: not within {limit * SLOW:.0f} s (last: {last!r})")


def data_disk(folder, name, *files):
    """A data file system of 96 MiB with these files on it."""
    tree, disk = pathlib.Path(folder) / f"{name}.d", pathlib.Path(folder) / name
    tree.mkdir()
    for file in files:
        shutil.copy(file, tree)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-L", "CORACLE-DATA", "-d", tree, disk, "96M"], stdout=subprocess.DEVNULL, check=True)
    return disk


class Machine:
    """One virtual machine. Options are those of qemu/run; `user_data` is text. Use it as a context manager."""

    def __init__(self, name, *options, user_data=None, seed=None, images=(), machine="q35", memory=256,
                 data=None, append="", publish=(), rescue=False, logs=True, boot_disk=False):
        self.name = name
        self.text = ""
        self.cursor = 0
        self.changed = threading.Condition()
        self.ended = False
        self.hearing = threading.Event()
        self.hearing.set()
        self.commands = 0
        self.channel = None
        self.channel_works = False
        self.boot_id = None
        self.folder = tempfile.mkdtemp(prefix="coracle-test.")
        self.qmp_path = os.path.join(self.folder, "qmp")
        self.channel_path = os.path.join(self.folder, "channel")
        self.qmp_file = None
        command = [str(TOP / "qemu/run"), "--machine", machine, "--memory", str(memory), "--monitor", self.qmp_path]
        words = [append] if append else []
        if logs and not boot_disk:
            words.append("coracle.console=logs")
        if rescue:
            words.append("coracle.rescue")
        if words:
            command += ["--append", " ".join(words)]
        if user_data is not None:
            path = os.path.join(self.folder, "user-data")
            pathlib.Path(path).write_text(user_data, encoding="utf-8")
            command += ["--user-data", path]
        if seed:
            command += ["--seed", seed]
        for image in images:
            command += ["--image", str(image)]
        for pair in publish:
            command += ["--publish", pair]
        if data:
            command += ["--data", str(data)]
        command += [f"--qemu-arg={word}" for word in channel.options(self.channel_path)]
        self.command = command + list(options)

    def __enter__(self):
        logs = BUILD / "test-logs"
        logs.mkdir(parents=True, exist_ok=True)
        self.log = open(logs / f"{self.name}.log", "wb")
        # a test that is killed at its time limit leaves no machine behind
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "--", *self.command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, kind, value, trace):
        self.hearing.set()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.process.stdin.close()
        self.reader.join(10)
        self.log.close()
        if self.channel:
            self.channel.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self):
        stream = self.process.stdout.fileno()
        pending = b""
        while True:
            self.hearing.wait()
            block = os.read(stream, 65536)
            self.log.write(block)
            self.log.flush()
            pending += block
            complete = pending if not block or pending[-1:] == b"\n" else ESCAPE_BEGUN.sub(b"", pending)
            pending = pending[len(complete):]
            with self.changed:
                self.text += ESCAPE.sub(b"", complete).decode("utf-8", "replace").replace("\r", "")
                self.ended = not block
                self.heard()
                self.changed.notify_all()
            if not block:
                return

    def heard(self):
        """Called for each piece of text, before anybody who waits sees it: for a machine that notes something else at that moment."""

    @contextlib.contextmanager
    def deaf(self):
        """Nobody reads the console meanwhile: the pipe fills up, and then the serial line takes nothing any more."""
        self.hearing.clear()
        try:
            yield
        finally:
            self.hearing.set()

    def tail(self, lines=25):
        return "\n".join(self.text.splitlines()[-lines:])

    def wait_for(self, pattern, limit=LIMIT, anywhere=False):
        """Waits until the console shows the pattern after what was waited for before (or anywhere since the start)."""
        expression = re.compile(pattern, re.MULTILINE | re.DOTALL)
        end = time.monotonic() + limit * SLOW
        with self.changed:
            while True:
                found = expression.search(self.text, 0 if anywhere else self.cursor)
                if found:
                    if not anywhere:
                        self.cursor = found.end()
                    return found
                left = end - time.monotonic()
                if self.ended or left <= 0:
                    why = "the machine ended" if self.ended else f"not within {limit * SLOW:.0f} s"
                    raise Failure(f"console: {pattern!r}: {why}; its last lines:\n{self.tail()}")
                self.changed.wait(left)

    def quiet_for(self, seconds):
        """No text may appear on the console for that long; the end of the last line may still come."""
        with self.changed:
            before = len(self.text)
            self.changed.wait_for(lambda: self.ended or self.text[before:].strip(), seconds)
            check(not self.ended and not self.text[before:].strip(), f"the console is not quiet: {self.text[before:]!r}")

    def absent(self, pattern):
        found = re.search(pattern, self.text, re.MULTILINE)
        check(not found, f"console: unexpected {pattern!r}: {found and found.group(0)!r}")

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def wait_shell(self, limit=LIMIT):
        """Waits for a prompt of the rescue shell on the console. It may be another shell than the last one: so may be the one that shell() asks."""
        self.channel_works = False
        # after a reset it stands behind the last one of the boot before
        self.wait_for(r"(?:^|(?<=# ))\S*:\S* ?# ", limit)

    def wait_boot(self, limit=LIMIT):
        """Waits for the rescue shell of another boot than the one that shell() asked last: while a machine goes down, its shell may show one
        prompt more, and answer once more."""
        before, end = self.boot_id, time.monotonic() + limit * SLOW
        check(before, "wait_boot() needs an answer of shell() from the boot before")
        while self.boot_id == before:
            self.wait_shell((end - time.monotonic()) / SLOW)
            self._open_channel((end - time.monotonic()) / SLOW)

    def _open_channel(self, limit):
        """Has the console's shell start the one that shell() asks. What is typed while none is there may be lost: then it is typed again. A container's
        line may stand right behind a part of its echo: who counts lines must not ask for a word's beginning before them."""
        end, patience = time.monotonic() + limit * SLOW, 5
        if not self.channel:
            self.channel = eventually(lambda: channel.Channel(self.channel_path, BUILD / f"test-logs/{self.name}.shell.log"), "second serial line")
        while time.monotonic() < end:
            self.commands += 1
            self.type(channel.starter(self.commands))
            found = self.channel.wait_for(channel.hello(self.commands), min(patience * SLOW, end - time.monotonic()))
            if found:
                self.boot_id, self.channel_works = found.group(1), True
                return
            check(not self.ended, f"the machine ended; its last lines:\n{self.tail()}")
            patience *= 2
        raise Failure(f"no shell on the second serial line within {limit * SLOW:.0f} s; the console's last lines:\n{self.tail()}")

    def shell(self, command, limit=LIMIT, ok=True):
        """Runs a command in the guest; its output. Needs a rescue shell on the console. One shell runs all of a boot's commands, so variables and jobs
        stay. What the console says from now on is found by wait_for()."""
        if not self.channel_works:
            self._open_channel(limit)
        self.commands += 1
        number = self.commands
        self.cursor = max(self.cursor, len(self.text))
        self.channel.send(f"echo BEGIN-{number}; {command}; echo END-{number}-$?\n")
        found = self.channel.wait_for(re.compile(rf"\bBEGIN-{number}\n(.*?)\bEND-{number}-(\d+)\n", re.DOTALL), limit * SLOW)
        if not found:
            # a shell that did not even begin is perhaps not there any more
            self.channel_works = f"BEGIN-{number}\n" in self.channel.text
            why = "the machine ended" if self.ended else f"no answer within {limit * SLOW:.0f} s"
            raise Failure(f"in the guest: {command}: {why}; the console's last lines:\n{self.tail()}")
        if ok:
            check(found.group(2) == "0", f"in the guest: {command}: exit code {found.group(2)}: {found.group(1)}")
        return found.group(1)

    def console(self, command, limit=LIMIT):
        """Runs a command in the console's own shell, for tests of that one; its output. Needs wait_shell(), and containers that are quiet there."""
        self.commands += 1
        number = self.commands
        # The quotes keep the shell's echo of this line from looking like the answer.
        self.type(f"echo BE''GIN-{number}; {command}; echo E''ND-{number}\n")
        found = self.wait_for(rf"\bBEGIN-{number}\b(.*?)\bEND-{number}\n", limit)
        return KERNEL_LINE.sub("", found.group(1)).removeprefix("\n")

    def shell_until(self, command, pattern, what, limit=LIMIT):
        """Repeats a command in the guest until its output shows the pattern."""
        def probe():
            try:
                return re.search(pattern, self.shell(command, 15, ok=False), re.MULTILINE | re.DOTALL)
            except Failure:
                check(not self.ended, f"the machine ended; its last lines:\n{self.tail()}")
                return None
        return eventually(probe, what, limit)

    def why(self, pattern):
        """`coracle why` when it knows: init writes it down a moment after /var is there. Fails when it says something else."""
        self.shell_until("coracle why", r"^last boot ", "init's record of the last boot")
        text = self.shell("coracle why")
        check(re.search(pattern, text, re.MULTILINE | re.DOTALL), f"coracle why does not say {pattern!r}:\n{text}")
        return text

    def settle(self):
        """Waits until the engine has started every container or given up: nothing more is reported then."""
        self.shell_until("cat /run/coracle/boot-times", "engine-ready", "the engine's READY")

    def problems(self):
        """Everything that components reported since the boot."""
        lines = self.shell("cat /run/coracle/problems 2>/dev/null", ok=False).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def qmp(self, command, **arguments):
        if not self.qmp_file:
            link = socket.socket(socket.AF_UNIX)
            link.settimeout(LIMIT * SLOW)
            eventually(lambda: link.connect(self.qmp_path) or True, "QMP socket")
            self.qmp_file = link.makefile("rw")
            self.qmp_file.readline()
            self._qmp_send({"execute": "qmp_capabilities"})
        return self._qmp_send({"execute": command, "arguments": arguments})

    def _qmp_send(self, message):
        self.qmp_file.write(json.dumps(message) + "\n")
        self.qmp_file.flush()
        while True:
            answer = json.loads(self.qmp_file.readline())
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise Failure(f"QMP {message['execute']}: {answer['error']['desc']}")

    def kill(self):
        """The power fails: QEMU gets SIGKILL. qemu/run stays to clean up; afterwards `text` is complete."""
        for pid in pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            if pathlib.Path(f"/proc/{pid}/comm").read_text().startswith("qemu-system"):
                os.kill(int(pid), signal.SIGKILL)
        self.process.wait(LIMIT * SLOW)
        self.reader.join(LIMIT * SLOW)

    def wait_exit(self, limit=LIMIT, code=0):
        """Waits until the machine has powered itself off, and checks the exit code of qemu/run."""
        try:
            got = self.process.wait(limit * SLOW)
        except subprocess.TimeoutExpired:
            raise Failure(f"still running after {limit * SLOW:.0f} s; its last lines:\n{self.tail()}") from None
        equal(got, code, "exit code of qemu/run")


def http_get(port, path="/"):
    """The body of one HTTP answer from a published port, fetched with curl."""
    done = subprocess.run(["curl", "-sS", "--fail", "--max-time", str(10 * SLOW), f"http://127.0.0.1:{port}{path}"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise OSError(done.stderr.decode().strip())
    return done.stdout.decode()


def redis_command(port, *words):
    """One command to a redis server; the first line of its answer."""
    request = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
    with socket.create_connection(("127.0.0.1", port), 10 * SLOW) as link:
        link.sendall(request.encode())
        answer = link.makefile("rb").readline()
    if not answer:
        raise OSError("connection closed")
    return answer.decode().strip()
