#!/usr/bin/env python3
"""bad_input.py RUNTIME WORK BUNDLE: what test_bad_input.sh runs for config.json. A configuration with (nearly) every property works; then each
property in turn has a wrong type, is null, is empty, is far too large, is a word that nobody knows. `create` either works or says in one line
which property is wrong, with exit code 1; nothing is left either way. Speaks TAP: one case for each property."""
import copy
import json
import os
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
# any text will do, or (seccomp names, capabilities) unknown ones are no error by the specification
FREE_TEXT = {"hostname", "domainname", "annotations", "args", "env", "cwd", "sysctl", "maskedPaths", "readonlyPaths", "names", "capabilities",
             "bounding", "effective", "permitted", "inheritable", "ambient", "source", "options", "cgroupsPath", "ociVersion", "path", "destination",
             "initial", "final", "cpus", "mems"}


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


def problem(config, at, what, new, refuse, clean):
    changed = copy.deepcopy(config)
    look(changed, at[:-1])[at[-1]] = new
    status, said = create(json.dumps(changed))
    name = next(str(k) for k in reversed(at) if isinstance(k, str))
    if status not in (0, 1):
        return f"{what}: exit code {status}: {said}"
    if status == 0 and refuse:
        return f"{what}: was accepted"
    lines = said.strip().split("\n")
    if status and (len(lines) != 1 or "level=error" not in lines[0]):
        return f"{what}: said {said}"
    # "mounts" is named as "mount /dev"; a program that is not there in runc's words; without linux there is no uts namespace
    named = any(str(k).rstrip("s") in said for k in at[-3:] if isinstance(k, str)) or (name == "args" and "exec:" in said)
    if status and not named and not (name == "linux" and "hostname" in said):
        return f"{what}: does not name {name}: {said}"
    now = watch.host(WORK, STATE, GROUP)
    return "" if now == clean else f"{what}: left {now}"


def main():
    watch.become_subreaper()
    made = subprocess.run([sys.executable, os.path.dirname(os.path.abspath(__file__)) + "/config.py", 'p["args"] = ["/bin/true"]', FULL],
                          stdout=subprocess.PIPE, check=True)
    config = json.loads(made.stdout)
    os.makedirs(STATE, mode=0o700, exist_ok=True)
    status, said = create(json.dumps(config))
    if status:
        print(f"1..1\nnot ok 1 - a configuration with every property\n# {said}")
        return 1
    clean = watch.host(WORK, STATE, GROUP)
    count = failed = 0
    for at in paths(config):
        found = [x for x in (problem(config, at, what, new, refuse, clean)
                             for what, new, refuse in variants(look(config, at), next(k for k in reversed(at) if isinstance(k, str)))) if x]
        count += 1
        failed += bool(found)
        where = "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in at).lstrip(".")
        print("not ok" if found else "ok", count, "-", where + ": wrong types, null, empty, too large, unknown", flush=True)
        for line in "\n".join(found).splitlines():
            print("#", line[:400], flush=True)
    print(f"1..{count}")
    return failed > 0


sys.exit(main())
