"""watch.py: what a container of ours leaves on the host, for tests in Python: mounts, groups, directories and processes."""
import ctypes
import os

HIERARCHIES = [d for d in ("/sys/fs/cgroup/" + n for n in os.listdir("/sys/fs/cgroup")) if os.path.isdir(d) and os.path.ismount(d)] or ["/sys/fs/cgroup"]


def become_subreaper():
    """What a command leaves running becomes our child, and reap() sees it."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def reap():
    """Collects what has ended; returns what is still there."""
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as children:
        alive = children.read().split()
    for pid in alive[:]:
        try:
            if os.waitpid(int(pid), os.WNOHANG)[0]:
                alive.remove(pid)
        except ChildProcessError:
            alive.remove(pid)
    return alive


def host(work, state, group):
    """work: the test's folder, state: --root, group: linux.cgroupsPath."""
    groups = [h + group for h in HIERARCHIES if os.path.exists(h + group)]
    members = set()
    for g in groups:
        with open(g + "/cgroup.procs", encoding="ascii") as procs:
            members.update(procs.read().split())
    with open("/proc/self/mountinfo", encoding="utf-8") as mountinfo:
        mounts = [line for line in mountinfo if work in line]
    names = sorted(os.listdir(state)) if os.path.exists(state) else []
    inside = sorted(n for n in os.listdir(state + "/c1") if n != "start.sock") if "c1" in names else []
    return {"processes": sorted(set(reap())), "groups": groups, "members": sorted(members), "mounts": mounts, "state": names, "files": inside}
