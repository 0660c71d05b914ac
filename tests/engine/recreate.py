#!/usr/bin/env python3
"""recreate.py SOCKET NAME [NEW]: prints what matters of a container's inspect output; with NEW makes another of it, as Watchtower does."""
import http.client, json, socket, sys


class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])


def call(method, path, body=None):
    c = Unix("docker")
    c.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
    r = c.getresponse()
    data = r.read()
    if r.status >= 300:
        sys.exit(f"{method} {path}: {r.status} {data.decode()}")
    return json.loads(data)


info = call("GET", f"/containers/{sys.argv[2]}/json")
if len(sys.argv) > 3:
    call("POST", f"/containers/create?name={sys.argv[3]}", dict(info["Config"], HostConfig=info["HostConfig"]))
else:
    print(json.dumps([info["Config"], info["HostConfig"]], sort_keys=True, indent=1))
