"""inside.py: cloud-init itself, for agreement.py: runs in the chroot, with its Python.

The modules are loaded once; each job is carried out by a child, and each boot stage by a child of that, so nothing is left over from
one to the next. Jobs come as lines of JSON on standard input, answers go as lines of JSON to standard output:
  {"id", "kind": "verdict", "path", "type"}   `cloud-init schema -c PATH -t TYPE`: {"id", "code", "text"}
  {"id", "kind": "apply", "root"}             the four stages in the tree ROOT (a path of the outer root, file descriptor 9): {"id", "code": [4], "text"}
  {"id", "kind": "run", "root", "words"}      `cloud-init WORDS...` in ROOT: {"id", "code", "text"}
  {"id", "kind": "time", "root"}              the four stages as programs of their own: {"id", "seconds": processor time, "code"}

The namespaces (mount, network without a device, pid, uts, ipc) are the caller's. Commands that change files of accounts are run; all
others (mount, hostname, apt-get, the user's own) are only written to /run/oracle-commands, one JSON list each.
"""
import ctypes
import io
import json
import os
import sys
import tempfile
import time
import traceback

os.environ.update(LC_ALL="C.UTF-8", PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
answers = os.fdopen(os.dup(1), "w", buffering=1)
time.sleep = lambda seconds: None  # waits for the network between tries

from cloudinit import subp, util  # noqa: E402

REAL = {"useradd", "usermod", "groupadd", "groupmod", "gpasswd", "passwd", "chpasswd", "chage"}
ABSENT = {"systemd-detect-virt", "running-in-container", "lxc-is-container", "virt-what"}
AT_ONCE = 2
real_subp = subp.subp


def words_of(args):
    if isinstance(args, (str, bytes)):
        args = [args]
    return [a.decode("utf-8", "replace") if isinstance(a, bytes) else a for a in args]


def fake_subp(args, **options):
    """Runs what only changes accounts, notes the rest."""
    if isinstance(args, (list, tuple)):
        subp.raise_on_invalid_command(args)
    words = words_of(args)
    name = os.path.basename(words[0])
    if name in REAL:
        return real_subp(args, **options)
    if name in ABSENT:
        raise subp.ProcessExecutionError(cmd=args, exit_code=1, stdout="", stderr="")
    text = None
    if name == "sh" and len(words) == 2 and os.path.isfile(words[1]):
        with open(words[1], encoding="utf-8", errors="replace") as script:
            text = script.read()
    with open("/run/oracle-commands", "a", encoding="utf-8") as log:
        log.write(json.dumps(words + ([text] if text is not None else [])) + "\n")
    empty = b"" if options.get("decode") is False else ""
    return subp.SubpResult(empty, empty)


subp.subp = fake_subp
util.fork_cb = lambda *args, **kwargs: None  # power_state's child

from cloudinit.cmd import main as cloudinit_main  # noqa: E402
from cloudinit.config import schema  # noqa: E402,F401
from cloudinit.cmd import status  # noqa: E402,F401
from cloudinit.handlers import jinja_template  # noqa: E402,F401
import cloudinit.sources.DataSourceNoCloud  # noqa: E402,F401
import jsonschema  # noqa: E402,F401
for _name in sorted(os.listdir(os.path.dirname(schema.__file__))):
    if _name.startswith("cc_") and _name.endswith(".py"):
        __import__("cloudinit.config." + _name[:-3])
import cloudinit.distros.debian  # noqa: E402,F401

libc = ctypes.CDLL(None, use_errno=True)
MS_RDONLY, MS_BIND, MS_REC, MS_PRIVATE = 1, 4096, 16384, 1 << 18


def mount(source, target, kind=None, flags=0):
    if libc.mount(source.encode(), target.encode(), kind and kind.encode(), flags, None) < 0:
        raise OSError(ctypes.get_errno(), f"mount {target}")


def enter(root):
    """This process's / becomes ROOT, with the devices, /proc and /sys that it may see."""
    os.unshare(os.CLONE_NEWNS)
    os.chroot(".")
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    for name in ("dev", "proc", "sys"):
        os.makedirs(f"{root}/{name}", exist_ok=True)
    mount("dev", f"{root}/dev", "tmpfs")
    for number, name in ((3, "null"), (5, "zero"), (7, "full"), (8, "random"), (9, "urandom")):
        os.mknod(f"{root}/dev/{name}", 0o20666, os.makedev(1, number))
    os.symlink("null", f"{root}/dev/console")
    os.symlink("/proc/self/fd", f"{root}/dev/fd")
    mount("proc", f"{root}/proc", "proc", MS_RDONLY)
    mount("sysfs", f"{root}/sys", "sysfs", MS_RDONLY)
    os.chroot(root)
    os.chdir("/")


def call(words):
    """`cloud-init WORDS`; returns the exit status."""
    try:
        return cloudinit_main.main(["cloud-init", *words]) or 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else 1 if end.code else 0
    except BaseException:  # pylint: disable=broad-except
        traceback.print_exc()
        return 1


def in_child(function):
    """Runs function in a child; returns its exit status."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = function()
        except BaseException:  # pylint: disable=broad-except
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(int(code) & 0xff if isinstance(code, int) else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


STAGES = (["init", "--local"], ["init"], ["modules", "--mode", "config"], ["modules", "--mode", "final"])


def verdict(job):
    return {"code": in_child(lambda: call(["schema", "-c", job["path"], "-t", job["type"]]))}


def apply(job):
    enter(job["root"])
    return {"code": [in_child(lambda stage=stage: call(stage)) for stage in STAGES]}


def run(job):
    enter(job["root"])
    return {"code": in_child(lambda: call(job["words"]))}


def timed(job):
    """As the machine's boot does it: one interpreter for each stage, nothing loaded before."""
    enter(job["root"])
    before = os.times()
    codes = [os.spawnvp(os.P_WAIT, "cloud-init", ["cloud-init", *stage]) for stage in STAGES]
    after = os.times()
    return {"code": codes, "seconds": after.children_user + after.children_system - before.children_user - before.children_system}


def carry_out(job, path):
    """In the job's child. The answer is the file's last line."""
    out = os.open(path, os.O_WRONLY | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.stdout = io.TextIOWrapper(os.fdopen(os.dup(1), "wb", 0), write_through=True)
    sys.stderr = io.TextIOWrapper(os.fdopen(os.dup(2), "wb", 0), write_through=True)
    answer = {"verdict": verdict, "apply": apply, "run": run, "time": timed}[job["kind"]](job)
    os.write(out, b"\n" + json.dumps(answer).encode())
    return 0


def main():
    children = {}
    # the working directory, unlike a descriptor, follows into a child's mount namespace: the way to the trees
    os.fchdir(9)
    os.close(9)

    def reap():
        pid, _status = os.wait()
        if pid not in children:
            return
        job, path = children.pop(pid)
        with open(path, encoding="utf-8", errors="replace") as file:
            text, _, last = file.read().rpartition("\n")
        os.unlink(path)
        try:
            answer = json.loads(last)
        except ValueError:
            answer, text = {"code": -1}, text + "\n" + last
        print(json.dumps({"id": job["id"], **answer, "text": text[-4000:]}), file=answers, flush=True)

    for line in sys.stdin:
        job = json.loads(line)
        while len(children) >= AT_ONCE:
            reap()
        handle, path = tempfile.mkstemp()
        os.close(handle)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                code = carry_out(job, path)
            except BaseException:  # pylint: disable=broad-except
                traceback.print_exc()
            finally:
                os._exit(code)
        children[pid] = (job, path)
    while children:
        reap()


if __name__ == "__main__":
    main()
