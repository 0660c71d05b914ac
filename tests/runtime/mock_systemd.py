#!/usr/bin/env python3
"""mock_systemd.py: as much of systemd's D-Bus interface as a runtime needs, for tests.

Usage: mock_systemd.py SOCKET LOG MODE [bus]
Makes the unit's control group in systemd's hierarchy and moves the processes there, as systemd does. Each call is a line of
JSON in LOG. MODE: ok, silent (never answers), refuse (StartTransientUnit is an error), failed (the job fails), exists (a failed
unit of that name is in the way). With `bus` it speaks as a bus daemon: Hello, destinations, signals only to those who ask.
"""
import json
import os
import select
import socket
import struct
import sys

path, log, mode = sys.argv[1:4]
bus = "bus" in sys.argv[4:]
units = {}
state = {"stale": mode == "exists"}
ROOT = "/sys/fs/cgroup/systemd" if os.path.exists("/sys/fs/cgroup/systemd/cgroup.procs") else "/sys/fs/cgroup"
ALIGN = {"y": 1, "b": 4, "u": 4, "i": 4, "t": 8, "s": 4, "o": 4, "g": 1, "a": 4, "(": 8, "v": 1}


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def align(self, n):
        while self.at % n:
            assert self.data[self.at] == 0, "padding is not zero"
            self.at += 1

    def take(self, fmt):
        size = struct.calcsize("<" + fmt)
        self.align(size)
        value, = struct.unpack_from("<" + fmt, self.data, self.at)
        self.at += size
        return value

    def text(self, n):
        value = self.data[self.at:self.at + n]
        assert self.data[self.at + n] == 0, "text without its end"
        self.at += n + 1
        return value.decode()

    def one(self, sig):
        """(value, rest of the signature)"""
        kind, rest = sig[0], sig[1:]
        if kind in "ybuit":
            value = self.take({"y": "B", "b": "I", "u": "I", "i": "i", "t": "Q"}[kind])
            assert kind != "b" or value in (0, 1)
            return value, rest
        if kind in "so":
            return self.text(self.take("I")), rest
        if kind == "g":
            return self.text(self.take("B")), rest
        if kind == "v":
            inner = self.text(self.take("B"))
            value, left = self.one(inner)
            assert not left
            return [inner, value], rest
        if kind == "a":
            size = self.take("I")
            self.align(ALIGN[rest[0]])
            end, values = self.at + size, []
            element = rest[:self.length(rest)]
            while self.at < end:
                values.append(self.one(element)[0])
            assert self.at == end, "an array's length is wrong"
            return values, rest[len(element):]
        if kind == "(":
            self.align(8)
            values = []
            while rest[0] != ")":
                value, rest = self.one(rest)
                values.append(value)
            return values, rest[1:]
        raise ValueError(sig)

    @staticmethod
    def length(sig):
        if sig[0] == "a":
            return 1 + Reader.length(sig[1:])
        if sig[0] != "(":
            return 1
        depth = 0
        for i, c in enumerate(sig):
            depth += (c == "(") - (c == ")")
            if not depth:
                return i + 1
        raise ValueError(sig)


def marshal(sig, values):
    out = b""
    for kind, v in zip(sig, values):
        out += b"\0" * (-len(out) % ALIGN[kind])
        if kind == "u":
            out += struct.pack("<I", v)
        else:
            out += struct.pack("<I", len(v)) + v.encode() + b"\0"
    return out


def message(kind, serial, fields, sig="", values=()):
    body, head = marshal(sig, values), b""
    for code, s, value in fields + ([(8, "g", sig)] if sig else []):
        head += b"\0" * (-len(head) % 8) + bytes([code, 1]) + s.encode() + b"\0"
        head += struct.pack("<I", value) if s == "u" else bytes([len(value)]) + value.encode() + b"\0" if s == "g" else \
            struct.pack("<I", len(value)) + value.encode() + b"\0"
    out = struct.pack("<cBBBIII", b"l", kind, 0, 1, len(body), serial, len(head)) + head
    return out + b"\0" * (-len(out) % 8) + body


def exact(c, n):
    data = b""
    while len(data) < n:
        part = c.recv(n - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def group(slice_name, unit):
    parts, names = slice_name[:-6].split("-"), []
    for i in range(len(parts)):
        names.append("-".join(parts[:i + 1]) + ".slice")
    return "/".join([ROOT] + names + [unit])


def remove(directory):
    while directory != ROOT:
        try:
            os.rmdir(directory)
        except OSError:
            return
        directory = os.path.dirname(directory)


class Client:
    def __init__(self, c):
        self.c, self.serial, self.listens = c, 0, not bus

    def send(self, kind, fields, sig="", values=()):
        self.serial += 1
        self.c.sendall(message(kind, self.serial, fields, sig, values))

    def handshake(self):
        line = b""
        while not line.endswith(b"\r\n"):
            line += exact(self.c, 1)
        if mode == "silent":
            while True:
                exact(self.c, 1)
        want = b"\0AUTH EXTERNAL " + b"".join(b"%02x" % b for b in str(os.getuid()).encode()) + b"\r\n"
        assert line == want, line
        # systemd leaves lying what it reads together with BEGIN: no message before the answer
        assert exact(self.c, 7) == b"BEGIN\r\n"
        assert not select.select([self.c], [], [], 0.05)[0], "a message before OK"
        self.c.sendall(b"OK 0123456789abcdef\r\n")

    def serve(self):
        self.handshake()
        while True:
            start = exact(self.c, 16)
            _, kind, _, version, size, serial, fields = struct.unpack("<cBBBIII", start)
            assert kind == 1 and version == 1
            r = Reader(start + exact(self.c, (fields + 7) // 8 * 8))
            r.at = 12
            head = dict((code, v[1]) for code, v in r.one("a(yv)")[0])
            body, sig, args = Reader(exact(self.c, size)), head.get(8, ""), []
            while sig:
                value, sig = body.one(sig)
                args.append(value)
            assert body.at == size, "bytes beyond the signature"
            self.call(serial, head, args)

    def call(self, serial, head, args):
        member = head[3]
        with open(log, "a") as f:
            f.write(json.dumps({"member": member, "destination": head.get(6), "args": args}) + "\n")
        reply = [(5, "u", serial)]
        if bus and self.serial == 0 and member != "Hello":
            raise SystemExit("no Hello first")
        if member == "StartTransientUnit":
            unit, properties = args[0], dict((k, v[1]) for k, v in args[2])
            if mode == "refuse":
                return self.send(3, reply + [(4, "s", "org.freedesktop.DBus.Error.AccessDenied")], "s", ["Permission denied"])
            if state["stale"]:
                return self.send(3, reply + [(4, "s", "org.freedesktop.systemd1.UnitExists")], "s", ["Unit %s was already loaded" % unit])
            if mode != "failed":
                units[unit] = group(properties.get("Slice", "-.slice"), unit)
                os.makedirs(units[unit], exist_ok=True)
                for pid in properties["PIDs"]:
                    with open(units[unit] + "/cgroup.procs", "w") as f:
                        f.write(str(pid))
            if self.listens:
                # one for another unit, and ours before the answer: both may happen
                self.signal("JobRemoved", "uoss", [6, "/job/6", "other.service", "done"])
                self.signal("JobRemoved", "uoss", [7, "/job/7", unit, "failed" if mode == "failed" else "done"])
            return self.send(2, reply, "o", ["/org/freedesktop/systemd1/job/7"])
        if member == "ResetFailedUnit":
            state["stale"] = False
        if member == "Subscribe":
            self.listens = True
        if member == "StopUnit" and args[0] in units:
            remove(units.pop(args[0]))
        return self.send(2, reply)

    def signal(self, member, sig, values):
        self.send(4, [(1, "o", "/org/freedesktop/systemd1"), (2, "s", "org.freedesktop.systemd1.Manager"), (3, "s", member)], sig, values)


s = socket.socket(socket.AF_UNIX)
s.bind(path)
s.listen()
print("ready", flush=True)
while True:
    client, _ = s.accept()
    try:
        Client(client).serve()
    except EOFError:
        pass
    except AssertionError as e:
        with open(log, "a") as f:
            f.write(json.dumps({"member": "BROKEN", "args": [str(e)]}) + "\n")
    client.close()
