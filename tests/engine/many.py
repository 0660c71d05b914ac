#!/usr/bin/env python3
"""many.py SOCKET N: makes and starts N containers that sleep; prints how long a start took."""
import http.client, json, socket, sys, time


class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])


c = Unix("docker")
times = []
for i in range(int(sys.argv[2])):
    c.request("POST", f"/v1.47/containers/create?name=many{i}", json.dumps({"Image": "busybox", "Cmd": ["sleep", "10000"], "HostConfig": {"NetworkMode": "none"}}),
              {"Content-Type": "application/json"})
    r = c.getresponse()
    id_ = json.loads(r.read())["Id"]
    before = time.monotonic()
    c.request("POST", f"/v1.47/containers/{id_}/start")
    r = c.getresponse()
    r.read()
    assert r.status == 204, r.status
    times.append(time.monotonic() - before)
times.sort()
print(f"median start {times[len(times) // 2] * 1000:.0f} ms")
