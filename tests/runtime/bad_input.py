#!/usr/bin/env python3
"""bad_input.py RUNTIME WORK BUNDLE: what test_bad_input.sh runs for config.json. A configuration with (nearly) every property works; then each
property in turn has a wrong type, is null, is empty, is far too large, is a word that nobody knows. `create` either works or says in one line
which property is wrong, with exit code 1; nothing is left either way. Then what not every host has, and `update --resources` on a running
container. Speaks TAP: one case for each property."""
import copy
import json
import os
import re
import subprocess
import sys

import watch

RUNTIME, WORK, BUNDLE = sys.argv[1:4]
STATE, ERRORS = WORK + "/state", WORK + "/errors"
GROUP = os.environ["CGROUP"]
FULL = r'''
c["domainname"] = "example"
c["annotations"].clear(); c["annotations"]["a"] = "b"
p.update({"terminal": False, "consoleSize": {"height": 3, "width": 4}, "noNewPrivileges": True, "oomScoreAdj": 5,
  "user": {"uid": 1, "gid": 2, "umask": 18, "additionalGids": [3]}, "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 64, "hard": 100}],
  "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4}, "scheduler": {"policy": "SCHED_OTHER", "nice": 1},
  "execCPUAffinity": {"initial": "0", "final": "0"}})
for s in ("inheritable", "ambient"): p["capabilities"][s] = ["CAP_KILL"]
for s in p["capabilities"]: p["capabilities"][s] = ["CAP_KILL"]
c["mounts"] = c["mounts"][:2]
c["hooks"] = {n: [{"path": "/bin/true", "args": ["true"], "env": ["A=b"], "timeout": 50}] for n in ("createRuntime", "poststop")}
l["namespaces"].append({"type": "time"})
l["timeOffsets"] = {"boottime": {"secs": 5, "nanosecs": 6}}
l["devices"] = [{"path": "/dev/mine", "type": "c", "major": 1, "minor": 3, "fileMode": 416, "uid": 7, "gid": 8}]
l["resources"].update({"memory": {"limit": 67108864, "reservation": 33554432}, "pids": {"limit": 100},
  "cpu": {"shares": 512, "quota": 20000, "period": 50000, "cpus": "0"},
  "devices": [{"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rwm"}]})
l["sysctl"] = {"net.ipv4.ip_forward": "1"}
l["maskedPaths"] = ["/proc/keys"]; l["readonlyPaths"] = ["/proc/sys"]
l["rootfsPropagation"] = "private"; l["personality"] = {"domain": "LINUX"}
l["seccomp"] = {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "architectures": ["SCMP_ARCH_X86_64"], "flags": ["SECCOMP_FILTER_FLAG_LOG"],
  "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ERRNO", "errnoRet": 2, "args": [{"index": 0, "value": 1, "valueTwo": 2, "op": "SCMP_CMP_EQ"}]}]}
'''
DISK = next((open(f"/sys/block/{name}/dev", encoding="ascii").read().strip() for name in sorted(os.listdir("/sys/block"))), "7:0").split(":")
DEVICE = f'"major": {DISK[0]}, "minor": {DISK[1]}'
# What this host may lack: then the configuration as it stands is refused, and a wrong value must be refused for another reason.
EXTRA = {
    ("linux", "netDevices"): 'l["netDevices"] = {"nosuch0": {"name": "eth0"}}',
    ("linux", "memoryPolicy"): 'l["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}',
    ("linux", "intelRdt"): 'l["intelRdt"] = {"closID": "gold", "l3CacheSchema": "L3:0=f", "memBwSchema": "MB:0=20", "schemata": ["L2:0=f"], "enableMonitoring": True}',
    ("linux", "resources", "blockIO", "weightDevice"): 'l["resources"]["blockIO"] = {"weight": 500, "leafWeight": 10, "weightDevice": [{%s, "weight": 500}]}' % DEVICE,
    ("linux", "resources", "blockIO"): 'l["resources"]["blockIO"] = {%s}' % (
        ", ".join(f'"throttle{k}Device": [{{{DEVICE}, "rate": 1000000}}]' for k in ("ReadBps", "WriteBps", "ReadIOPS", "WriteIOPS"))),
    ("linux", "resources", "hugepageLimits"): 'l["resources"]["hugepageLimits"] = [{"pageSize": "2MB", "limit": 4194304}]',
    ("linux", "resources", "rdma"): 'l["resources"]["rdma"] = {"mlx5_0": {"hcaHandles": 3, "hcaObjects": 4}}',
    ("linux", "resources", "unified"): 'l["resources"]["unified"] = {"memory.high": "1000000"}',
    ("linux", "resources", "network"): 'l["resources"]["network"] = {"classID": 5, "priorities": [{"name": "lo", "priority": 3}]}',
}
UPDATE = {"memory": {"limit": 67108864, "reservation": 33554432, "swap": 134217728, "swappiness": 10, "disableOOMKiller": False, "checkBeforeUpdate": False},
          "cpu": {"shares": 512, "quota": 20000, "period": 50000, "burst": 1000, "idle": 0, "cpus": "0", "mems": "0"}, "pids": {"limit": 100}}
# any text will do, or (seccomp names, capabilities) unknown ones are no error by the specification
FREE_TEXT = {"hostname", "domainname", "annotations", "args", "env", "cwd", "sysctl", "maskedPaths", "readonlyPaths", "names", "capabilities",
             "bounding", "effective", "permitted", "inheritable", "ambient", "source", "options", "cgroupsPath", "ociVersion", "path", "destination",
             "initial", "final", "cpus", "mems", "nodes", "closID", "l3CacheSchema", "memBwSchema", "schemata", "memory.high", "pageSize", "name"}


def paths(value, at=()):
    if at:
        yield at
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from paths(value[key], at + (key,))


def look(value, at):
    for key in at:
        value = value[key]
    return value


def variants(value, name):
    """(what, new value, whether it must be refused)"""
    wrong = {bool: ["true", 1, [], {}], int: ["7", True, [], {}, 1.5], str: [7, True, [], {}, "nul\0inside"], list: ["x", 7, True, {}],
             dict: ["x", 7, True, []]}[type(value)]
    for new in wrong:
        yield f"as {json.dumps(new)}", new, True
    yield "null", None, False
    if isinstance(value, (list, dict, str)):
        yield "empty", type(value)(), False
    if isinstance(value, int) and not isinstance(value, bool):
        for huge in (2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1, -1, -2**63):
            yield f"{huge}", huge, False
        for huge in (2**64, -2**63 - 1, 10**30):
            yield f"{huge}", huge, True
    if isinstance(value, str) and name not in FREE_TEXT and name != "a":
        yield "unknown", "NO_SUCH_WORD", True
    if isinstance(value, str):
        yield "long", "x" * 100000, False


def create(text):
    with open(BUNDLE + "/config.json", "w", encoding="utf-8") as out:
        out.write(text)
    with open(ERRORS, "w", encoding="utf-8") as errors:
        status = subprocess.run([RUNTIME, "--root", STATE, "create", "--bundle", BUNDLE, "c1"], stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                                timeout=60, check=False).returncode
    if status == 0:
        subprocess.run([RUNTIME, "--root", STATE, "delete", "--force", "c1"], check=True, timeout=60)
    with open(ERRORS, encoding="utf-8") as errors:
        return status, errors.read()


def update(text):
    with open(WORK + "/resources.json", "w", encoding="utf-8") as out:
        out.write(text)
    done = subprocess.run([RUNTIME, "--root", STATE, "update", "--resources", WORK + "/resources.json", "c1"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    return done.returncode, done.stdout.decode()


def reason(said):
    return re.sub(r'time="[^"]*"', "", said)


def problem(do, config, at, what, new, refuse, clean, already):
    """already: what is said of the configuration as it stands, where this host lacks something"""
    changed = copy.deepcopy(config)
    look(changed, at[:-1])[at[-1]] = new
    status, said = do(json.dumps(changed))
    name = next(str(k) for k in reversed(at) if isinstance(k, str))
    if status not in (0, 1):
        return f"{what}: exit code {status}: {said}"
    if refuse and (status == 0 or reason(said) == already):
        return f"{what}: was accepted: {said}"
    lines = [x for x in said.strip().split("\n") if "level=warning" not in x]
    if status and (len(lines) != 1 or "level=error" not in lines[0]):
        return f"{what}: said {said}"
    # "mounts" is named as "mount /dev"; a program that is not there in runc's words; without linux there is no uts namespace
    named = any(str(k).rstrip("s") in said for k in at[-3:] if isinstance(k, str)) or (name == "args" and "exec:" in said)
    # what the kernel refuses: the property, and what was written; or what this host lacks
    named = named or (len(at) > 3 and f"{at[2]}: write" in said) or reason(said) == already
    if status and not named and not (name == "linux" and "hostname" in said):
        return f"{what}: does not name {name}: {said}"
    now = watch.host(WORK, STATE, GROUP)
    return "" if now == clean else f"{what}: left {now}"


class Cases:
    def __init__(self):
        self.count = self.failed = 0

    def case(self, name, found):
        self.count += 1
        self.failed += bool(found)
        print("not ok" if found else "ok", self.count, "-", name, flush=True)
        for line in "\n".join(found).splitlines():
            print("#", line[:400], flush=True)

    def each(self, do, config, clean, below=(), prefix="", already=None):
        for at in paths(config):
            if at[:len(below)] != below:
                continue
            name = next(k for k in reversed(at) if isinstance(k, str))
            found = [problem(do, config, at, what, new, refuse, clean, already) for what, new, refuse in variants(look(config, at), name)]
            where = "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in at).lstrip(".")
            self.case(prefix + where + ": wrong types, null, empty, too large, unknown", [x for x in found if x])


def configuration(*statements):
    made = subprocess.run([sys.executable, os.path.dirname(os.path.abspath(__file__)) + "/config.py", *statements], stdout=subprocess.PIPE, check=True)
    return json.loads(made.stdout)


def updates(cases):
    """A container that sleeps; each update is refused and changes nothing, or succeeds."""
    with open(BUNDLE + "/config.json", "w", encoding="utf-8") as out:
        json.dump(configuration('p["args"] = ["sleep", "1000"]'), out)
    subprocess.run([RUNTIME, "--root", STATE, "run", "--detach", "--bundle", BUNDLE, "c1"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    status, said = update(json.dumps(UPDATE))
    cases.case("update --resources: an object with every property", [said] if status else [])
    cases.each(update, UPDATE, watch.host(WORK, STATE, GROUP), prefix="update --resources: ")
    subprocess.run([RUNTIME, "--root", STATE, "delete", "--force", "c1"], check=True)


def main():
    watch.become_subreaper()
    config = configuration('p["args"] = ["/bin/true"]', FULL)
    os.makedirs(STATE, mode=0o700, exist_ok=True)
    status, said = create(json.dumps(config))
    if status:
        print(f"1..1\nnot ok 1 - a configuration with every property\n# {said}")
        return 1
    clean = watch.host(WORK, STATE, GROUP)
    cases = Cases()
    cases.each(create, config, clean)
    for below, statement in EXTRA.items():
        config = configuration('p["args"] = ["/bin/true"]', statement)
        status, said = create(json.dumps(config))
        if status and below[:3][-1] not in said:
            cases.case(".".join(below) + ": as it stands", [said])
        cases.each(create, config, clean, below, already=reason(said) if status else None)
    updates(cases)
    print(f"1..{cases.count}")
    return cases.failed > 0


sys.exit(main())
