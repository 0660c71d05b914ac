#!/usr/bin/env python3
"""faults.py RUNTIME WORK BUNDLE: what test_faults.sh runs. Every system call of every command fails once, in the runtime and in the
process that it makes, for containers of six kinds. After each one the host must be as before, or as the container had it, and
`delete --force` must succeed. Speaks TAP.

The runtime is the build with faults (lib/sys.h, fault_calls.c): CORACLE_FAULT=N:ERRNO[:child]. It adds a byte to a file when the fault
struck; a command is through when it no longer does. We are the subreaper: what a failed command leaves running becomes our child."""
import array
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading

import watch

RUNTIME, WORK, BUNDLE = sys.argv[1:4]
STATE, TOLD, ERRORS = WORK + "/state", WORK + "/told", WORK + "/errors"
GROUP = os.environ["CGROUP"]
EIO = 5
LIMIT = 2000  # calls of one command: beyond it something repeats for ever

USERNS = ('l["namespaces"].append({"type": "user"}); l["uidMappings"] = l["gidMappings"] = '
          '[{"containerID": 0, "hostID": 100000, "size": 65536}]')
HOOKS = ('c["hooks"] = {n: [{"path": "/bin/true", "timeout": 50}] for n in '
         '("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")}')
LIMITS = ('l["resources"].update({"memory": {"limit": 67108864}, "cpu": {"shares": 512, "quota": 20000, "period": 50000}, "pids": {"limit": 100}}); '
          'p["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 64, "hard": 100}]; p["oomScoreAdj"] = 500; p["user"] = {"uid": 1000, "gid": 1000, '
          '"additionalGids": [27]}; p["ioPriority"] = {"class": "IOPRIO_CLASS_BE", "priority": 4}; l["personality"] = {"domain": "LINUX32"}')
KINDS = {
    "docker-default": ['c["mounts"].append(mount("/mnt", "bind", "rootfs/etc", "bind", "ro"))',
                       'l["sysctl"] = {"net.ipv4.ip_forward": "1"}', 'c["root"]["readonly"] = True'],
    "user namespace": [USERNS],
    "all hooks": [HOOKS],
    "terminal": ['p["terminal"] = True; p["consoleSize"] = {"height": 33, "width": 99}'],
    "limits": [LIMITS],
    "notify": ['p["args"] = ["/bin/true"]'],
}
count = failed = 0


def report(good, name, detail=""):
    global count, failed
    count += 1
    failed += not good
    print(("ok" if good else "not ok"), count, "-", name, flush=True)
    for line in detail.splitlines():
        print("#", line, flush=True)


terminals = []
manager = {}  # of the environment: a service manager, which is not there


def console():
    """Takes every terminal that comes. They stay open: the end of one is a SIGHUP to its container."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(WORK + "/console.sock")
    server.listen(50)
    while True:
        connection, _ = server.accept()
        try:
            _, ancillary, _, _ = connection.recvmsg(100, 100)
        except OSError:
            ancillary = []
        for _, _, payload in ancillary:
            fds = array.array("i")
            fds.frombytes(payload[:len(payload) - len(payload) % 4])
            terminals.extend(fds)
        connection.close()


def runtime(*arguments, fault=None):
    """Runs it; returns the exit status (negative: a signal)."""
    environment = dict(os.environ, **manager)
    if fault:
        environment.update(CORACLE_FAULT=fault, CORACLE_FAULT_TOLD=TOLD)
        os.truncate(TOLD, 0)
    with open(ERRORS, "w", encoding="utf-8") as errors:
        child = subprocess.Popen([RUNTIME, "--root", STATE, *arguments], stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, env=environment)
        try:
            return child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            return "does not end"


def host():
    return watch.host(WORK, STATE, GROUP)


def said():
    return open(ERRORS, encoding="utf-8").read()


def create_options(kind):
    return ["--bundle", BUNDLE] + (["--console-socket", WORK + "/console.sock"] if kind == "terminal" else [])


def make(kind, *command):
    """Without a fault."""
    status = runtime(*command, *create_options(kind), "c1")
    if status != 0:
        raise RuntimeError(f"{command}: {status}: {said()}")


class Problem(Exception):
    pass


def expect(good, text):
    if not good:
        raise Problem(text)


def settled(want, what):
    """A process that was killed takes a moment to be gone from the kernel's lists."""
    got = host()
    for pid in got["processes"]:
        if pid not in want["processes"] and open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()[0] in "ZX":
            os.waitpid(int(pid), 0)
            got = host()
    expect(got == want, f"{what}: " + "; ".join(f"{k}: {want[k]} -> {got[k]}" for k in want if want[k] != got[k]))


def deleted():
    status = runtime("delete", "--force", "c1")
    expect(status == 0, f"delete --force: {status}: {said()}")


def fault_in_creation(command):
    def once(kind, fault, clean, _):
        status = runtime(*command, *create_options(kind), "c1", fault=fault)
        if status == 0:
            # a created container may end while it waits for start
            expect(runtime("state", "c1") == 0 and (json.loads(said())["status"] in ("created", "running") or ":child" in fault or manager), "state: " + said())
            deleted()
        else:
            expect(status == 1 and 'level=error msg="' in said(), f"status {status}, said: {said()}")
        settled(clean, f"after {command[0]} (status {status})")
    return once


def fault_in_start(kind, fault, clean, _):
    make(kind, "create")
    status = runtime("start", "c1", fault=fault)
    text = said()
    expect(status == 0 or (status == 1 and "level=error" in text), f"status {status}, said: {text}")
    # a poststart hook that fails ends the container and removes it
    expect(runtime("state", "c1") == 0 or (status == 1 and "container does not exist" in said()), f"state after start (status {status}): {said()}")
    deleted()
    settled(clean, f"after start (status {status})")


def fault_in_delete(kind, fault, clean, _):
    make(kind, "run", "--detach")
    status = runtime("delete", "--force", "c1", fault=fault)
    text = said()
    expect(status == 0 or (status == 1 and "level=error" in text), f"status {status}, said: {text}")
    deleted()
    settled(clean, f"after delete (status {status}) and once more")


def in_running(*command):
    """Commands that leave a running container as it is."""
    def once(kind, fault, _, running):
        options = ["--console-socket", WORK + "/console.sock", "--tty", "--detach"] if kind == "terminal" and command[0] == "exec" else []
        if command[0] == "resume":
            expect(runtime("pause", "c1") == 0, "pause: " + said())
        status = runtime(command[0], *options, *command[1:], fault=fault)
        text = said()
        expect(status == 0 or (isinstance(status, int) and status > 0 and "level=error" in text), f"status {status}, said: {text}")
        if command[0] in ("pause", "resume"):
            runtime("resume", "c1")
            expect(runtime("state", "c1") == 0 and json.loads(said())["status"] == "running", "state after pause and resume: " + said())
        if options:
            wait_for_detached(running)
        settled(running, f"after {command[0]} (status {status}: {text.strip()})")
    return once


def limits():
    """What the kernel has, of v2 or v1."""
    found = [h + GROUP + "/" + f for h in watch.HIERARCHIES for f in ("memory.max", "memory.limit_in_bytes", "cpu.weight", "cpu.shares", "pids.max")]
    return {name: open(name, encoding="ascii").read() for name in found if os.path.exists(name)}


def fault_in_update(_, fault, __, running):
    """All of it, or nothing."""
    expect(runtime("update", "--memory", "64M", "--cpu-share", "512", "--pids-limit", "40", "c1") == 0, "update: " + said())
    before = limits()
    status = runtime("update", "--memory", "96M", "--cpu-share", "1024", "--pids-limit", "50", "c1", fault=fault)
    text = said()
    expect(status == 0 or (status == 1 and "level=error" in text), f"status {status}, said: {text}")
    same = [name for name, value in limits().items() if before[name] == value]
    expect(len(same) == (0 if status == 0 else len(before)), f"status {status} ({text.strip()}): as before are {same}")
    settled(running, f"after update (status {status}: {text.strip()})")


def wait_for_detached(running):
    for pid in set(watch.reap()) - set(running["processes"]):
        os.waitpid(int(pid), 0)


def executed_once_more(clean):
    """From a writable place the runtime first executes itself through a read-only mount (protect.c): the calls up to there."""
    global RUNTIME
    RUNTIME, kept = os.environ["WRITABLE"], RUNTIME
    struck, text, n = 0, "", 0
    try:
        for n in range(1, 13):
            fault_in_creation(["create"])("docker-default", f"{n}:{EIO}", clean, None)
            struck += os.path.getsize(TOLD) > 0
    except Problem as problem:
        text = f"call {n}: {problem}"
        rescue()
    report(struck == 12 and not text, "create from a writable file system: the first calls fail", text or f"{struck} of 12 struck")
    RUNTIME = kept


def through(name, kind, once, clean, running=None):
    """All calls of one command in turn, here and in its child."""
    struck = {"": 0, ":child": 0}
    try:
        for side in ("", ":child"):
            n = 0
            while True:
                n += 1
                once(kind, f"{n}:{EIO}{side}", clean, running)
                if not os.path.getsize(TOLD):
                    break
                struck[side] += 1
                expect(n < LIMIT, "there is no end of calls")
        while terminals:
            os.close(terminals.pop())
        few = struck[""] < 8 or (struck[":child"] < 8 and name in ("create", "run", "exec"))
        report(not few, f"{name}, {kind}: {struck['']} calls fail, and {struck[':child']} of its child", "hardly any call failed" if few else "")
    except Problem as problem:
        report(False, f"{name}, {kind}: call {n}{side or ' of the runtime'} fails", str(problem))
        rescue()


def rescue():
    """After a failure: the next command shall have a clean beginning all the same."""
    runtime("delete", "--force", "c1")
    for pid in watch.reap():
        os.kill(int(pid), signal.SIGKILL)
        os.waitpid(int(pid), 0)
    for hierarchy in watch.HIERARCHIES:
        if os.path.exists(hierarchy + GROUP):
            os.rmdir(hierarchy + GROUP)


def main():
    watch.become_subreaper()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, max(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    threading.Thread(target=console, daemon=True).start()
    with open(TOLD, "w", encoding="ascii"):
        pass
    wanted = sys.argv[4:]
    os.makedirs(STATE, mode=0o700, exist_ok=True)
    for kind, statements in KINDS.items():
        if wanted and kind not in wanted:
            continue
        manager.clear()
        if kind == "notify":
            manager["NOTIFY_SOCKET"] = WORK + "/manager.sock"
        subprocess.run([sys.executable, os.path.dirname(os.path.abspath(__file__)) + "/config.py", 'p["args"] = ["/bin/sleep", "1000"]', *statements],
                       stdout=open(BUNDLE + "/config.json", "w", encoding="utf-8"), check=True)
        make(kind, "run", "--detach")  # makes mount points in the rootfs
        deleted()
        clean = host()
        if kind == "docker-default":
            executed_once_more(clean)
        through("create", kind, fault_in_creation(["create"]), clean)
        through("run", kind, fault_in_creation(["run", "--detach"]), clean)
        through("start", kind, fault_in_start, clean)
        if manager:
            continue
        through("delete", kind, fault_in_delete, clean)
        for command in (("exec", "c1", "true"), ("kill", "c1", "WINCH"), ("pause", "c1"), ("resume", "c1"), ("state", "c1"), ("ps", "c1"), ("list",),
                        ("events", "--stats", "c1"), ("update",)):
            make(kind, "run", "--detach")
            through(command[0], kind, fault_in_update if command == ("update",) else in_running(*command), clean, host())
            deleted()
            settled(clean, kind)
    print(f"1..{count}")
    return failed > 0


sys.exit(main())
