#!/usr/bin/env python3
"""start_ratio.py SOCKET ROOT RUNTIME ROUNDS: a stored image's start to its first output through the engine, and by `coracle-runtime run` on the
same root file system, in turns. Prints both medians in ms and their ratio."""
import json, os, shutil, socket, statistics, subprocess, sys, tempfile, time
import http.client

sock, root, runtime, rounds = sys.argv[1:4] + [int(sys.argv[4])]


class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sock)


def call(c, method, path, body=None):
    c.request(method, "/v1.47" + path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
    r = c.getresponse()
    data = r.read()
    assert r.status < 300, (path, r.status, data)
    return json.loads(data) if data else None


api = Unix("docker")


def create(command):
    return call(api, "POST", "/containers/create", {"Image": "busybox", "Cmd": command, "HostConfig": {"NetworkMode": "none"}})["Id"]


holder = create(["sleep", "10000"])
call(api, "POST", f"/containers/{holder}/start")
bundle = tempfile.mkdtemp()
config = json.load(open(f"{root}/containers/{holder}/bundle/config.json"))
config["process"]["args"] = ["echo", "x"]
config["linux"]["cgroupsPath"] = "/coracle/start-ratio"
json.dump(config, open(bundle + "/config.json", "w"))


def by_runtime():
    before = time.monotonic()
    p = subprocess.Popen([runtime, "--root", bundle + "/state", "run", "--bundle", bundle, "start-ratio"], stdout=subprocess.PIPE)
    p.stdout.read(1)
    took = time.monotonic() - before
    p.wait()
    return took


def by_engine():
    id_ = create(["echo", "x"])
    s = socket.socket(socket.AF_UNIX)
    s.connect(sock)
    s.sendall(f"POST /v1.47/containers/{id_}/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += s.recv(4096)
    before = time.monotonic()
    api.request("POST", f"/v1.47/containers/{id_}/start")
    s.recv(1)
    took = time.monotonic() - before
    r = api.getresponse()
    r.read()
    while s.recv(4096):
        pass
    call(api, "POST", f"/containers/{id_}/wait")
    call(api, "DELETE", f"/containers/{id_}?force=1")
    return took


engine, alone = [], []
for _ in range(rounds):
    alone.append(by_runtime())
    engine.append(by_engine())
call(api, "DELETE", f"/containers/{holder}?force=1")
shutil.rmtree(bundle)
e, a = statistics.median(engine) * 1000, statistics.median(alone) * 1000
print(f"engine {e:.1f} ms, coracle-runtime run {a:.1f} ms, ratio {e / a:.2f}")
