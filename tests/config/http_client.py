#!/usr/bin/env python3
"""http_client.py: speaks to coracle-http as coracle-config does, and tries it against servers that misbehave. TAP output.

Usage: http_client.py PROGRAM PORT [HTTPS-PORT]; the servers are clouds.py's `broken` on 127.0.0.1 and 127.0.0.2. Limits are short here, so that
time limits are seen to work in seconds."""
import errno
import os
import socket
import struct
import subprocess
import sys
import time

program, port = sys.argv[1], int(sys.argv[2])
https = int(sys.argv[3]) if len(sys.argv) > 3 else None
count = failed = 0


class Client:
    """One coracle-http."""

    def __init__(self):
        self.socket, other = socket.socketpair()
        self.process = subprocess.Popen([program], stdin=other, stdout=other, stderr=subprocess.DEVNULL, env={})
        other.close()
        self.bytes = b""

    def frame(self, kind, data=b""):
        data = data.encode() if isinstance(data, str) else data
        for at in range(0, len(data), 65536) or (0,):
            piece = data[at:at + 65536]
            self.socket.sendall(kind + struct.pack("<I", len(piece)) + piece)

    def take(self):
        while len(self.bytes) < 5 or len(self.bytes) < 5 + struct.unpack("<I", self.bytes[1:5])[0]:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError
            self.bytes += more
        n = 5 + struct.unpack("<I", self.bytes[1:5])[0]
        one, self.bytes = self.bytes[:n], self.bytes[n:]
        return chr(one[0]), one[5:]

    def fetch(self, url, headers=(), method=None, body=None, maximum=1 << 20, timeout=1000, total=10000, tries=1, redirects=5):
        """Returns (status, body, list of headers, where), or (-errno, text)."""
        self.frame(b"U", url)
        if method:
            self.frame(b"M", method)
        for header in headers:
            self.frame(b"H", header)
        if body is not None:
            self.frame(b"B", body)
        self.frame(b"L", f"{maximum} {timeout} {total} {tries} {redirects}")
        self.frame(b".")
        status, text, lines, where = 0, b"", [], ""
        while True:
            kind, data = self.take()
            if kind == "S":
                status = int(data)
            elif kind == "B":
                text += data
            elif kind == "H":
                lines.append(data.decode())
            elif kind == "W":
                where = data.decode()
            elif kind == "R":
                text, lines = b"", []
            elif kind == "D":
                return status, text.decode(), lines, where
            elif kind == "E":
                code, _, words = data.decode().partition(" ")
                return -int(code), words

    def end(self):
        self.socket.close()
        return self.process.wait(30)


def check(name, good, got=None):
    global count, failed
    count += 1
    failed += not good
    print(("ok" if good else "not ok"), count, "-", name)
    if not good:
        print("#", got)


def timed(call):
    begin = time.monotonic()
    got = call()
    return got, time.monotonic() - begin


base = f"http://127.0.0.1:{port}"
c = Client()
got = c.fetch(base + "/files/x")
check("an answer: status, body, headers, place", got[0] == 200 and got[1] == "GET secret none\n" and got[3] == base + "/files/x" and any(h.startswith("Content-Length:") for h in got[2]), got)
status = open(f"/proc/{c.process.pid}/status", encoding="ascii").read()
if os.geteuid() == 0:
    check("it is nobody, with no privileges and a filter", all(w in status for w in ("Uid:\t65534\t65534\t65534\t65534", "Groups:\t \n", "CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2")), status)
got = c.fetch(base + "/files/x", ["X-Secret: s3"], method="GET")
check("a second request of the same program; a header arrives", got[:2] == (200, "GET secret s3\n"), got)
got = c.fetch(base + "/away/x", ["X-Secret: s3"])
check("a redirect on the same host keeps the headers", got[:2] == (200, "GET secret s3\n") and got[3] == base + "/files/x", got)
got = c.fetch(base + "/leak/x", ["X-Secret: s3"])
check("a redirect to another host gets none of them", got[:2] == (200, "GET secret none\n") and "127.0.0.2" in got[3], got)
got = c.fetch(base + "/loop/x")
check("redirects in a circle", got == (-errno.ELOOP, "too many redirects"), got)
got = c.fetch(base + "/ftp/x")
check("a redirect to ftp", got[0] == -errno.EPROTONOSUPPORT, got)
got = c.fetch("file:///etc/passwd")
check("a file is not fetched", got[0] == -errno.EPROTONOSUPPORT, got)
got = c.fetch(base + "/files/x\r\nX-Injected: 1")
check("a line break in the URL", got[0] == -errno.EINVAL, got)
got = c.fetch(base + "/files/x", ["A: b\nX-Injected: 1"])
check("a line break in a header", got[0] == -errno.EINVAL, got)
got = c.fetch(base + "/big/x", maximum=100000)
check("an answer without end", got[0] == -errno.EFBIG, got)
got = c.fetch(base + "/huge/x", maximum=100000)
check("an answer that says it is too large", got[0] == -errno.EFBIG, got)
got = c.fetch(base + "/truncated/x")
check("an answer that ends too soon", got[0] == -errno.EBADMSG, got)
got = c.fetch(base + "/garbage/x")
check("something that is not HTTP", got[0] == -errno.EBADMSG, got)
got, seconds = timed(lambda: c.fetch(base + "/silent/x"))
check("a server that never answers: its time limit", got[0] == -errno.ETIMEDOUT and seconds < 8, (got, seconds))
got, seconds = timed(lambda: c.fetch(base + "/drip/x", total=3000))
check("a byte now and then: the limit of all of it", got[0] == -errno.ETIMEDOUT and seconds < 8, (got, seconds))
got, seconds = timed(lambda: c.fetch(base + "/twice500/unique", tries=3))
check("two failures, then an answer: one second apart", got[0] == 200 and 2 <= seconds < 10, (got, seconds))
got = c.fetch(base + "/500/x", tries=2)
check("failures to the end: the last one is the answer", got[:2] == (500, "no\n"), got)
got, seconds = timed(lambda: c.fetch(base + "/500/x", tries=100, total=2500))
check("no try begins after the time is over", seconds < 8, (got, seconds))
got, seconds = timed(lambda: c.fetch("http://127.0.0.1:1/", tries=2))
check("nobody listens", got[0] == -errno.ECONNREFUSED and seconds >= 1, (got, seconds))
got = c.fetch(base + "/nothing-of-the-kind", method="PUT", body=b"x" * 300000)
check("a body in several frames", got[0] == 405, got)
if https:
    got = c.fetch(f"https://127.0.0.1:{https}/files/x")
    check("https with a certificate that is known", got[:2] == (200, "GET secret none\n"), got)
    got = c.fetch(f"https://127.0.0.2:{https}/files/x")
    check("https with another host's certificate", got[0] == -errno.EKEYREJECTED, got)
    got = c.fetch(f"https://127.0.0.1:{https}/away-http/x")
    check("a redirect from https to http", got[0] == -errno.EPROTONOSUPPORT, got)
else:
    count += 1
    print("ok", count, "- https # SKIP no openssl here, or no certificates to hide")
check("it ends with its input", c.end() == 0)
bad = Client()
bad.socket.sendall(b"U\xff\xff\xff\x7f")
check("a frame that is too long ends it", bad.process.wait(30) == 1)
print(f"1..{count}")
sys.exit(failed > 0)
