#!/usr/bin/env python3
"""killed.py WORK SEED ROUNDS: kills the engine (by the pid in WORK/run/engine.pid) at random moments while a client creates, starts,
execs, logs and removes. Prints what is wrong, then `killed N times`."""
import http.client, json, os, random, signal, socket, sys, threading, time

work, seed, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
wrong = []


class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(work + "/docker.sock")


def call(method, path, body=None):
    c = Unix("docker")
    try:
        c.request(method, "/v1.47" + path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
        r = c.getresponse()
        return r.status, r.read()
    except (OSError, http.client.HTTPException):
        return 0, b""           # the engine died: the client knows nothing
    finally:
        c.close()


def engine_pid():
    return int(open(work + "/run/engine.pid").read())


def until_ready(before):
    end = time.time() + 60
    while time.time() < end:
        if len(open(work + "/run/ready").readlines()) > before and call("GET", "/_ping")[0] == 200:
            return
        time.sleep(0.02)
    sys.exit("the engine did not come back")


def alive(pid):
    try:
        os.kill(pid, 0)
        return True
    except OSError:
        return False


SPEC = {"Image": "busybox", "Cmd": ["sh", "-c", "i=0; while true; do i=$((i+1)); echo $i; sleep 0.01; done"], "HostConfig": {"NetworkMode": "none"}}
acknowledged, removed = {}, set()       # name -> "created" or "started"
stop = False


def client():
    n = 0
    while not stop:
        n += 1
        name = f"r{n}"
        status, data = call("POST", f"/containers/create?name={name}", SPEC)
        if status == 201:
            acknowledged[name] = "created"
        status, data = call("POST", f"/containers/{name}/start")
        if status == 204:
            acknowledged[name] = "started"
        status, data = call("POST", f"/containers/{name}/exec", {"Cmd": ["echo", "x"], "AttachStdout": True})
        if status == 201:
            call("POST", f"/exec/{json.loads(data)['Id']}/start", {"Detach": True})
        call("GET", f"/containers/{name}/logs?stdout=1&tail=5")
        if n % 2:
            if name in acknowledged:
                acknowledged[name] += "?"       # unless the answer comes it may be gone or not
            if call("DELETE", f"/containers/{name}?force=1")[0] in (204, 404):
                acknowledged.pop(name, None)
                removed.add(name)
        elif n > 6:
            old = f"r{n - 6}"
            if old in acknowledged:
                acknowledged[old] += "?"
            if call("DELETE", f"/containers/{old}?force=1")[0] in (204, 404):
                acknowledged.pop(old, None)
                removed.add(old)


status, data = call("POST", "/containers/create?name=talker", SPEC)
assert status == 201, data
assert call("POST", "/containers/talker/start")[0] == 204
talker = json.loads(call("GET", "/containers/talker/json")[1])["State"]["Pid"]
thread = threading.Thread(target=client)
thread.start()
for _ in range(rounds):
    before = len(open(work + "/run/ready").readlines())
    time.sleep(rng.random() * 0.25)
    os.kill(engine_pid(), signal.SIGKILL)
    until_ready(before)
    if not alive(talker):
        wrong.append("the talker died")
        break
stop = True
thread.join()
names = {c["Names"][0][1:]: c for c in json.loads(call("GET", "/containers/json?all=1")[1])}
for name, state in acknowledged.items():
    if state.endswith("?"):
        continue
    if name not in names:
        wrong.append(f"{name} was acknowledged as {state} and is lost")
    elif state == "started" and names[name]["State"] != "running":
        wrong.append(f"{name} was started and is {names[name]['State']}: {names[name]['Status']}")
for name in removed & set(names):
    wrong.append(f"{name} was removed and is there")
ids = {c["Id"] for c in names.values()}
end = time.time() + 20
while time.time() < end and {d for d in os.listdir(work + "/root/containers")} - ids:
    time.sleep(0.1)
for d in set(os.listdir(work + "/root/containers")) - ids:
    wrong.append(f"containers/{d} belongs to nobody")
call("POST", "/containers/talker/kill")
log = [json.loads(l)["log"] for f in sorted((f for f in os.listdir(f"{work}/root/containers/{names['talker']['Id']}") if "-json.log" in f), reverse=True)
       for l in open(f"{work}/root/containers/{names['talker']['Id']}/{f}")]
numbers = [int(l) for l in log if l.strip().isdigit()]
if numbers != list(range(1, len(numbers) + 1)):
    gaps = [(a, b) for a, b in zip(numbers, numbers[1:]) if b != a + 1]
    wrong.append(f"the log has gaps or repetitions: {gaps[:5]}")
for line in wrong:
    print(line)
print(f"killed {rounds} times, {len(removed)} removed, {len(numbers)} lines")
