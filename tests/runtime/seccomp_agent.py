#!/usr/bin/env python3
"""seccomp_agent.py SOCKET LOG: takes one listener for each connection, as the specification has it, and answers its calls: mkdir and
mkdirat with ENOMEDIUM, all others "continue". Each state goes to LOG as one line of JSON, with "eof" (nothing came after it) and
"fds_received" added. Prints "ready" when it listens."""
import array
import fcntl
import json
import os
import socket
import struct
import sys
import threading

RECV, SEND = 0xC0502100, 0xC0182101
CONTINUE, ENOMEDIUM = 1, 123
MKDIR, MKDIRAT = 83, 258


def answer(listener):
    while True:
        request = bytearray(80)
        try:
            fcntl.ioctl(listener, RECV, request)
            key, _, _, number = struct.unpack_from("=QIIi", request)
            refused = number in (MKDIR, MKDIRAT)
            fcntl.ioctl(listener, SEND, struct.pack("=QqiI", key, 0, -ENOMEDIUM if refused else 0, 0 if refused else CONTINUE))
        except FileNotFoundError:
            continue  # the caller was killed meanwhile, or all have ended
        except OSError:
            return


def serve(connection, log):
    data, fds = b"", array.array("i")
    while True:
        part, ancillary, _, _ = connection.recvmsg(65536, 1000)
        for _, _, payload in ancillary:
            fds.frombytes(payload[:len(payload) - len(payload) % 4])
            for fd in fds:
                threading.Thread(target=answer, args=(fd,), daemon=True).start()
        if not part:
            break
        data += part
    state = json.loads(data)
    state["fds_received"] = len(fds)
    state["link"] = os.readlink(f"/proc/self/fd/{fds[0]}") if fds else None
    with open(log, "a", encoding="utf-8") as out:
        out.write(json.dumps(state) + "\n")


listening = socket.socket(socket.AF_UNIX)
listening.bind(sys.argv[1])
listening.listen()
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(listening.accept()[0], sys.argv[2]), daemon=True).start()
