"""channel.py: a shell of the guest on a serial line of its own, where nobody else writes: no kernel message and no container's line can fall into
an answer. The harness starts it from the console's shell (Machine.shell); what was said is kept in build/test-logs/NAME.shell.log.

The second serial line is a socket of QEMU's; Channel reads it as a stream of text that is waited on.
"""
import contextlib
import re
import socket
import threading
import time

DEVICE = "/dev/ttyS1"


def options(path):
    """Arguments of QEMU for the second serial line."""
    return ["-chardev", f"socket,id=channel,path={path},server=on,wait=off", "-device", "isa-serial,chardev=channel,index=1"]


def starter(number):
    """What the console's shell is told: end the channel's shell of before, start one, which says hello with its number and the boot's. It reads the line as
    a script: a shell whose input is a terminal would want job control; and is interactive all the same: another one ends when it cannot fork."""
    inner = f"stty -F {DEVICE} raw -echo; echo HELLO-{number} $(cat /proc/sys/kernel/random/boot_id); export PS1= PS2=; exec sh -i +m {DEVICE}"
    return f"kill -9 $CHANNEL 2>/dev/null; sh -c '{inner}' </dev/null >{DEVICE} 2>&1 & CHANNEL=$!\n"


def hello(number):
    return re.compile(rf"^HELLO-{number} (\S+)\n", re.MULTILINE)


class Channel:
    """One connection for the machine's whole life, whatever shell is at the other end."""

    def __init__(self, path, log):
        self.link = socket.socket(socket.AF_UNIX)
        self.link.connect(path)
        self.log = open(log, "wb")
        self.text, self.cursor, self.ended = "", 0, False
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        pending = b""
        while True:
            try:
                block = self.link.recv(65536)
            except OSError:
                block = b""
            self.log.write(block)
            self.log.flush()
            pending += block
            # a character may be cut in two
            whole = pending if not block else pending[:len(pending) - len(re.search(rb"([\xc0-\xff][\x80-\xbf]*)?$", pending).group(0))]
            pending = pending[len(whole):]
            with self.changed:
                self.text += whole.decode("utf-8", "replace").replace("\r", "")
                self.ended = not block
                self.changed.notify_all()
            if not block:
                return

    def send(self, text):
        self.log.write(b"> " + text.encode())
        self.link.sendall(text.encode())

    def wait_for(self, expression, seconds):
        """The match in what came after the last one; None when it does not come, or the machine ends."""
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                found = expression.search(self.text, self.cursor)
                if found:
                    self.cursor = found.end()
                    return found
                left = end - time.monotonic()
                if self.ended or left <= 0:
                    return None
                self.changed.wait(left)

    def close(self):
        with contextlib.suppress(OSError):
            self.link.shutdown(socket.SHUT_RDWR)
        self.link.close()
        self.reader.join(10)
        self.log.close()
