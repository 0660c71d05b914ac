#!/usr/bin/env python3
"""raw.py SOCKET: what client libraries hide: order of headers, half-closed connections, pipelined bytes. Prints ok or no per case."""
import json, socket, struct, sys


class Conn:
    def __init__(self):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(20)
        self.s.connect(sys.argv[1])
        self.rest = b""

    def send(self, method, path, body=b"", headers="", more=b""):
        self.s.sendall(f"{method} {path} HTTP/1.1\r\nHost: docker\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body + more)
        return self

    def head(self):
        while b"\r\n\r\n" not in self.rest:
            data = self.s.recv(65536)
            if not data:
                raise EOFError(self.rest)
            self.rest += data
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        return int(lines[0].split()[1]), {k.lower(): v for k, v in (l.split(": ", 1) for l in lines[1:])}

    def until_end(self):
        while True:
            data = self.s.recv(65536)
            if not data:
                return self.rest
            self.rest += data


UPGRADE = "Connection: Upgrade\r\nUpgrade: tcp\r\n"


def call(method, path, body=None):
    c = Conn().send(method, path, json.dumps(body).encode() if body is not None else b"", "Content-Type: application/json\r\nConnection: close\r\n")
    status, headers = c.head()
    data = c.until_end()
    return status, data


def create(name, command, **extra):
    body = {"Image": "busybox", "Cmd": ["sh", "-c", command], "HostConfig": {"NetworkMode": "none"}}
    body.update(extra)
    status, data = call("POST", f"/v1.47/containers/create?name={name}", body)
    assert status == 201, (status, data)
    return json.loads(data)["Id"]


def frames(data):
    out = {1: b"", 2: b""}
    while data:
        stream, n = struct.unpack(">BxxxI", data[:8])
        out[stream] += data[8:8 + n]
        data = data[8 + n:]
    return out


def wait_headers_come_first():
    create("w1", "exit 9")
    c = Conn().send("POST", "/v1.47/containers/w1/wait?condition=next-exit")
    status, headers = c.head()
    assert status == 200 and "content-length" not in headers
    assert call("POST", "/v1.47/containers/w1/start")[0] == 204
    while b"StatusCode" not in c.rest:
        c.rest += c.s.recv(4096)
    assert b'{"StatusCode":9}' in c.rest, c.rest


def attach_before_start_and_half_close():
    create("a1", "echo early; cat; echo after; echo err >&2", OpenStdin=True, StdinOnce=True)
    c = Conn().send("POST", "/v1.47/containers/a1/attach?stream=1&stdin=1&stdout=1&stderr=1", headers=UPGRADE)
    status, headers = c.head()
    assert status == 101 and headers["content-type"] == "application/vnd.docker.multiplexed-stream", headers
    assert call("POST", "/v1.47/containers/a1/start")[0] == 204
    c.s.sendall(b"typed\n")
    c.s.shutdown(socket.SHUT_WR)
    out = frames(c.until_end())
    assert out == {1: b"early\ntyped\nafter\n", 2: b"err\n"}, out


def pipelined_bytes_are_input():
    create("a2", "cat", OpenStdin=True, StdinOnce=True)
    c = Conn().send("POST", "/v1.47/containers/a2/attach?stream=1&stdin=1&stdout=1", headers=UPGRADE, more=b"behind the request\n")
    assert c.head()[0] == 101
    assert call("POST", "/v1.47/containers/a2/start")[0] == 204
    c.s.shutdown(socket.SHUT_WR)
    assert frames(c.until_end())[1] == b"behind the request\n"


def old_versions_say_raw():
    create("a3", "true")
    c = Conn().send("POST", "/v1.41/containers/a3/attach?stream=1&stdout=1", headers=UPGRADE)
    assert c.head()[1]["content-type"] == "application/vnd.docker.raw-stream"
    assert call("DELETE", "/v1.47/containers/a3")[0] == 204
    assert c.until_end() == b""


def start_that_fails():
    create("f1", "", Cmd=["/nosuch"])
    c = Conn().send("POST", "/v1.47/containers/f1/attach?stream=1&stdout=1", headers=UPGRADE)
    assert c.head()[0] == 101
    status, data = call("POST", "/v1.47/containers/f1/start")
    assert status == 400 and b"no such file or directory" in data, (status, data)
    assert c.until_end() == b""
    state = json.loads(call("GET", "/v1.47/containers/f1/json")[1])["State"]
    assert (state["Status"], state["ExitCode"]) == ("created", 127), state


def a_reader_that_does_not_read():
    create("s1", "head -c 20000000 /dev/zero | tr '\\0' x; echo done >&2")
    c = Conn().send("POST", "/v1.47/containers/s1/attach?stream=1&stdout=1", headers=UPGRADE)
    assert c.head()[0] == 101
    assert call("POST", "/v1.47/containers/s1/start")[0] == 204
    assert call("GET", "/v1.47/containers/json")[0] == 200      # the engine goes on
    c.s.shutdown(socket.SHUT_RDWR)                                # it goes: the container goes on
    assert b'"StatusCode":0' in call("POST", "/v1.47/containers/s1/wait")[1]


def a_reader_that_is_slow_gets_all():
    create("s2", "head -c 5000000 /dev/zero | tr '\\0' x")
    c = Conn().send("POST", "/v1.47/containers/s2/attach?stream=1&stdout=1", headers=UPGRADE)
    assert c.head()[0] == 101
    assert call("POST", "/v1.47/containers/s2/start")[0] == 204
    assert len(frames(c.until_end())[1]) == 5000000


def errors_have_dockers_texts():
    assert call("POST", "/v1.47/containers/create", {"Image": "nosuch"}) == (404, b'{"message":"No such image: nosuch:latest"}\n')
    status, data = call("POST", "/v1.47/containers/create?name=w1", {"Image": "busybox", "Cmd": ["true"]})
    assert status == 409 and b'Conflict. The container name \\"/w1\\" is already in use by container' in data, data
    assert call("POST", "/v1.47/containers/create", {"Image": "busybox", "HostConfig": {"Binds": ["x:relative"]}})[0] == 400
    assert call("POST", "/v1.47/containers/nosuch/attach")[0] == 404
    for body in (b"", b"[]", b"{", b"nonsense", b'{"Image":5}', b'{"Image":"busybox","HostConfig":{"Memory":"x"}}'):
        c = Conn().send("POST", "/v1.47/containers/create", body, "Content-Type: application/json\r\nConnection: close\r\n")
        assert c.head()[0] == 400, body


def values_that_mean_unset():
    create("u1", "true", HostConfig={"NetworkMode": "none", "MemorySwappiness": -1, "OomKillDisable": False, "PidsLimit": 0, "ConsoleSize": [0, 0], "Binds": None,
                                    "Memory": 0, "RestartPolicy": {"Name": "", "MaximumRetryCount": 0}, "LogConfig": {"Type": "", "Config": {}}, "Devices": [],
                                    "CgroupnsMode": "", "IpcMode": "", "VolumesFrom": None, "Links": None, "DeviceRequests": None})


for case in (wait_headers_come_first, attach_before_start_and_half_close, pipelined_bytes_are_input, old_versions_say_raw, start_that_fails,
             a_reader_that_does_not_read, a_reader_that_is_slow_gets_all, errors_have_dockers_texts, values_that_mean_unset):
    try:
        case()
        print("ok -", case.__name__)
    except Exception as e:
        print("no -", case.__name__, repr(e)[:300])
    sys.stdout.flush()
