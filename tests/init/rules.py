"""rules.py: rules of process 1 (docs/pid1-coverage.md), as its own system calls show them. For test_rules.sh.

strace writes what init and each of its children do, from the first instruction to the end, while units of all kinds start, end, talk and are stopped. What is
never allowed is looked for in all of it; for what must be there, something in the session makes it happen.
"""
import collections
import os
import pathlib
import re
import signal
import socket

from pid1 import BUILD, Pid1, case, eventually, finish

Call = collections.namedtuple("Call", "name arguments result line")
LINE = re.compile(r"^(\w+)\((.*)\) += (.*)$")
REAP_MAX = 64  # init/pid1/reap.c


def unit(command, *service, head=(), more=""):
    return "[Unit]\n" + "".join(f"{line}\n" for line in head) + f"[Service]\nExecStart={command}\n" + "".join(f"{line}\n" for line in service) + more


def shell(script, *service, **rest):
    quoted = script.replace("%", "%%").replace("$", "$$").replace("\\", "\\\\").replace('"', '\\"')
    return unit(f'/bin/sh -c "{quoted}"', *service, **rest)


UNITS = {
    "steady": unit("/bin/sleep 1000"),
    "output": shell("echo one line; echo another >&2; exec sleep 1000"),
    "again": shell("echo x >>/test/again; [ $(wc -l </test/again) -lt 3 ] && exit 1; exec sleep 1000", "Restart=always", "RestartSec=10ms"),
    "user": shell("cat /proc/self/cgroup >/test/user; exec sleep 1000", "User=web"),
    "missing": unit("/bin/nothing"),
    "ready": unit("/usr/bin/init-notify READY=1 STATUS=well", "Type=notify"),
    "gone": unit("/usr/bin/init-notify READY=1 =0", "Type=notify"),
    "socket": unit("/bin/sleep 1000", head=["OnDemand=yes"], more="[Socket]\nListenStream=/run/test.sock\nListenFIFO=/run/test.fifo\n"),
    "timer": shell("echo x >>/test/timer", "Type=oneshot", more="[Timer]\nOnBootSec=100ms\nOnCalendar=*:*:*\n"),
    "orphans": shell("until [ -e /test/go ]; do sleep 0.1; done; for i in $(seq 300); do (true &) ; done; echo made >/test/orphans; exec sleep 1000"),
    # as a container's process: in another part of the tree of cgroups; nothing but SIGKILL ends it
    "stray": shell("mkdir -p /sys/fs/cgroup/coracle/stray; (echo 0 >/sys/fs/cgroup/coracle/stray/cgroup.procs; trap '' TERM HUP INT; "
                   "echo here >/test/stray; while :; do sleep 5; done) & exec sleep 1000"),
}


def read_trace(path):
    calls = []
    for line in path.read_text(errors="replace").splitlines():
        found = LINE.match(line)
        if found:
            calls.append(Call(*found.groups(), line))
        elif re.match(r"^\w+\(", line):
            calls.append(Call(line.split("(")[0], line.split("(", 1)[1], "?", line))
    return calls


def since_start(calls):
    """Without what unshare and chroot do before they become init."""
    return calls[max(i for i, call in enumerate(calls) if call.name == "execve" and call.arguments.startswith('"/sbin/init"')) + 1:]


def lines(calls):
    return "\n".join(call.line for call in calls[:20])


def live():
    """A whole life. Returns the calls of PID 1, those of each other process, and what was seen meanwhile."""
    with Pid1(UNITS, trace=True) as p:
        folder = pathlib.Path(p.folder)
        seen = {"fds": [os.readlink(f"/proc/{p.pid}/fd/{n}") for n in range(3)]}
        for name, state in (("steady", "running"), ("again", "running"), ("ready", "running"), ("missing", "failed"), ("gone", "done"), ("socket", "listening")):
            became = p.becomes(name, state)
            if became != state:
                case(f"{name} is {state}", False, f"{became}\n{p.log()}")
        seen["user"] = p.read("user")
        p.read("stray")
        # process 1 stands still until they are all there: more than one turn of its loop may reap
        os.kill(p.pid, signal.SIGSTOP)
        (p.root / "test/go").touch()
        p.read("orphans")
        os.kill(p.pid, signal.SIGCONT)
        link = socket.socket(socket.AF_UNIX)
        directory = os.open(p.path("run"), os.O_PATH)
        link.connect(f"/proc/self/fd/{directory}/test.sock")
        os.close(directory)
        p.becomes("socket", "running")
        eventually(lambda: (p.root / "test/timer").exists())
        seen["answers"] = [p.ask(text) for text in ("stop steady", "restart output", "reload", "watch 99999")]
        p.becomes("output", "running")
        # a second after the start
        eventually(lambda: pathlib.Path(f"/proc/{p.pid}/cgroup").read_text().strip().endswith("/init"))
        seen["cgroup"] = pathlib.Path(f"/proc/{p.pid}/cgroup").read_text().strip()
        seen["flags"] = {}
        for entry in pathlib.Path(f"/proc/{p.pid}/fdinfo").iterdir():
            try:
                text = entry.read_text()
            except FileNotFoundError:
                continue  # init, which goes on, has closed it since the folder was read
            seen["flags"][int(entry.name)] = int(re.search(r"flags:\s*(\d+)", text).group(1), 8)

        def zombies():
            found = []
            for entry in p.group.glob("**/cgroup.procs"):
                for pid in entry.read_text().split():
                    with open(f"/proc/{pid}/stat") as stat:
                        if stat.read().rpartition(")")[2].split()[0] == "Z":
                            found.append(pid)
            return found

        seen["reaped"] = eventually(lambda: not zombies())
        seen["poweroff"] = p.ask("poweroff")
        seen["code"] = p.ends()
        seen["log"] = p.log()
        mine = since_start(read_trace(folder / f"trace.{p.pid}"))
        others = {path.name: read_trace(path) for path in folder.glob("trace.*") if path.name != f"trace.{p.pid}"}
    return mine, others, seen


def boot_part(calls):
    """What comes before the first turn of the loop."""
    for i, call in enumerate(calls):
        if call.name.startswith("epoll_") and "wait" in call.name:
            return calls[:i], calls[i:]
    return calls, []


def processes(mine, others, seen):
    def is_end(call):
        return call.name == "reboot" and re.search(r"RESTART|POWER_OFF|HALT|KEXEC", call.arguments)
    inside = [call for calls in others.values() for call in calls]
    case("rule 2: reboot(2) is called by a child of process 1, and not by it", not list(filter(is_end, mine)) and list(filter(is_end, inside)), lines(list(filter(is_end, mine))))
    before, loop = boot_part(mine)
    # `reload` keeps a copy of the tables while it reads, and refuses when there is no room for one
    given_back = [c.arguments.split(",")[0] for c in loop if c.name == "munmap"]
    memory = [c for c in loop if c.name in ("brk", "mremap") or c.name == "mmap" and "MAP_SHARED" not in c.arguments and c.result not in given_back]
    case("rule 3: once its loop runs, process 1 asks for no memory that it keeps", loop and not memory, lines(memory))
    made = [c for c in mine if c.name == "clone3"]
    case("rule 5: no child has the handlers of process 1", made and all("CLONE_CLEAR_SIGHAND" in c.arguments for c in made) and
         not [c for c in mine if c.name in ("fork", "vfork", "clone")], lines(made))
    turns, most, reaped = 0, 0, 0
    for call in mine:
        if "epoll" in call.name and "wait" in call.name:
            turns, most, reaped = turns + 1, max(most, reaped), 0
        reaped += call.name == "wait4" and call.result.split()[0] not in ("0", "-1")
    case(f"rule 6: 300 orphans at once: all are reaped, at most {REAP_MAX} in a turn", seen["reaped"] and 1 < most <= REAP_MAX, f"{most} in one of {turns} turns")
    wrong, looked, looks = [], None, 0
    for i, call in enumerate(mine):
        if call.name == "waitid":
            found = re.search(r"si_pid=(\d+)", call.arguments)
            looked = found.group(1) if found and "WNOWAIT" in call.arguments else None
            looks += looked is not None
        failed_start = i > 0 and mine[i - 1].name == "clone3"
        if call.name == "wait4" and call.result.split()[0] not in ("0", "-1", looked) and not failed_start:
            wrong.append(call)
    case("rule 7: who has ended is looked at first, and reaped then", not wrong and looks > 300, f"{looks}\n{lines(wrong)}")
    starts = [c for c in made if "CLONE_INTO_CGROUP" in c.arguments]
    copies = [c for c in starts if "CLONE_VM" not in c.arguments or "CLONE_VFORK" not in c.arguments]
    case("rule 7: a service is in its cgroup from its first instruction", len(starts) > 10 and seen["user"] and seen["user"].endswith("/system/user"), seen["user"])
    case("rule 8: a start copies no memory, but for a service with User=", len(copies) == 1, lines(copies))
    # between the start and the program
    harmless = set("setsid dup2 dup3 fcntl openat open write close ioctl prlimit64 setpriority umask prctl setgroups setresgid setresuid chdir getpid "
                   "rt_sigprocmask execve exit exit_group".split())
    strange, services = [], 0
    for calls in others.values():
        first = next((i for i, c in enumerate(calls) if c.name == "execve"), None)
        if first and any(c.name == "setsid" for c in calls[:first]):
            services += 1
            strange += [c for c in calls[:first] if c.name not in harmless]
    case("rule 8: between the start and the program only system calls that do not wait", services > 8 and not strange, f"{services}\n{lines(strange)}")
    sync = [c for c in mine if c.name in ("sync", "syncfs", "fsync", "fdatasync", "umount2")]
    case("rule 22: disks are waited for by children", not sync and [c for c in inside if c.name == "sync"], lines(sync))


def files(mine, seen):
    opened = [c for c in mine if c.name in ("open", "openat", "openat2")]
    terminal = [c for c in opened if re.search(r'"/dev/(console|tty)', c.arguments)]
    log = [c for c in opened if '"/dev/kmsg"' in c.arguments]
    case("rule 10: process 1 does not open the console, and waits for nobody at the kernel's log", log and not terminal and
         all("O_NONBLOCK" in c.arguments for c in log), lines(terminal + log))
    case("rule 11: it reads no standard input: 0 to 2 are /dev/null", seen["fds"] == ["/dev/null"] * 3 and not [c for c in mine if c.name == "read" and
         c.arguments.startswith("0,")], seen["fds"])
    talks = [c for c in mine if c.name == "connect" or re.search(r'"[^"]*(nsswitch|resolv\.conf|nscd|/etc/hosts)', c.arguments)]
    case("rule 13: users are read from /etc/passwd: process 1 connects to nobody", not talks and [c for c in opened if '"/etc/passwd"' in c.arguments] and
         b"nscd" not in (BUILD / "bin/init").read_bytes(), lines(talks))
    wanted = {"open": "O_CLOEXEC", "openat": "O_CLOEXEC", "openat2": "O_CLOEXEC", "socket": "SOCK_CLOEXEC", "socketpair": "SOCK_CLOEXEC", "accept4": "SOCK_CLOEXEC",
              "pipe2": "O_CLOEXEC", "epoll_create1": "EPOLL_CLOEXEC", "signalfd4": "SFD_CLOEXEC", "memfd_create": "MFD_CLOEXEC", "dup3": "O_CLOEXEC",
              "timerfd_create": "TFD_CLOEXEC", "eventfd2": "EFD_CLOEXEC", "inotify_init1": "IN_CLOEXEC", "recvmsg": "MSG_CMSG_CLOEXEC"}
    never = {"creat", "accept", "pipe", "epoll_create", "signalfd", "dup", "eventfd", "inotify_init"}
    open_later = [c for c in mine if not c.result.startswith("-1") and (c.name in never or c.name in wanted and wanted[c.name] not in c.arguments or
                                                                         c.name == "fcntl" and "F_DUPFD," in c.arguments)]
    case("rule 14: every descriptor is close-on-exec from its birth", not open_later, lines(open_later))
    stay = {n: oct(flags) for n, flags in seen["flags"].items() if n > 2 and not flags & os.O_CLOEXEC}
    case("rule 14: and stays it", len(seen["flags"]) > 8 and not stay, stay)


def rest(mine, others, seen):
    def at(test):
        return next((i for i, call in enumerate(mine) if test(call)), None)
    killed = at(lambda c: c.name == "kill" and c.arguments == "-1, SIGKILL")
    after = [c.name for c in mine[killed:]] if killed is not None else []
    case("rule 18: process 1 kills all others itself and goes on", killed is not None and "clone3" in after, after[:20])
    case("rule 18: ...to the orderly end", seen["code"] in (130, -signal.SIGINT), seen["code"])
    off = at(lambda c: c.name == "reboot" and "CAD_OFF" in c.arguments)
    on = at(lambda c: c.name == "reboot" and "CAD_ON" in c.arguments)
    start = at(lambda c: c.name == "clone3")
    case("rule 23: Ctrl-Alt-Del is a signal from before the first start to the last step, where it forces the end", off is not None and on is not None and
         off < start < killed < on, (off, start, killed, on))
    case("rule 26: process 1 has a cgroup of its own, beside those of services and containers", seen["cgroup"].endswith("/init"), seen["cgroup"])
    for name, pattern in {"descriptors": r"RLIMIT_NOFILE, \{", "core files": r"RLIMIT_CORE, \{"}.items():
        found = [c for c in mine[:start] if c.name == "prlimit64" and re.search(pattern, c.arguments)]
        case(f"rule 29: the limit of {name} is set once, before anything is started", len(found) == 1, lines(found))
    masks = [c.arguments for c in mine if c.name == "umask"]
    case("rule 29: the umask is set before anything is started, and again after each socket that has another", masks[::2] == ["022"] * (len(masks) // 2 + 1), masks)
    random = [c for c in mine if c.name == "getrandom" and "GRND_NONBLOCK" not in c.arguments or re.search(r'"/dev/u?random"', c.arguments)]
    case("rule 30: process 1 does not wait for randomness", not random, lines(random))


def signals():
    """What any process of root may send. Signals that mean a way down are left out."""
    down = {signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPWR}
    sent = [number for number in range(1, 65) if number not in down and number not in (32, 33)]
    script = "".join(f"kill -{number} 1; " for number in sent) + "echo sent >/test/sent; exec sleep 1000"
    with Pid1({"steady": unit("/bin/sleep 1000"), "signals": shell(script)}) as p:
        case("rule 1: no signal ends process 1 or makes it execute itself", p.read("sent") == "sent" and p.ask("services") and "crashed" not in p.log(), p.log())
    for number, way, code in ((signal.SIGPWR, "poweroff: power failure (SIGPWR)", 130), (signal.SIGINT, "reboot: Ctrl-Alt-Del", 129)):
        with Pid1({"steady": unit("/bin/sleep 1000"), "ask": shell(f"kill -{int(number)} 1; exec sleep 1000")}) as p:
            ended = p.ends()
            case(f"rule 23: {number.name}: {way}", ended in (code, 128 - code) and p.says(way), f"{ended}\n{p.log()}")


def press(p, times):
    """Ctrl-Alt-Del, as the kernel tells it; one that is pending swallows the next."""
    def taken():
        try:
            return "ShdPnd:\t0000000000000000" in pathlib.Path(f"/proc/{p.pid}/status").read_text()
        except OSError:
            return True # it has ended

    for _ in range(times):
        os.kill(p.pid, signal.SIGINT)
        eventually(taken)


def bursts():
    slow = shell("trap 'sleep 3; echo end >/test/end; exit' TERM; echo ready >/test/ready; while :; do sleep 0.1; done")
    with Pid1({"slow": slow}) as p:
        p.read("ready")
        press(p, 6)
        ended = p.ends()
        case("rule 23: six Ctrl-Alt-Del within two seconds: the service has its time", ended in (129, -signal.SIGHUP) and (p.root / "test/end").exists() and
             "stopping at once" not in p.log(), f"{ended}\n{p.log()}")
    with Pid1({"slow": slow}) as p:
        p.read("ready")
        press(p, 7)
        ended = p.ends()
        case("rule 23: seven: nobody is waited for", ended in (129, -signal.SIGHUP) and not (p.root / "test/end").exists() and
             p.says("Ctrl-Alt-Del 7 times: stopping at once"), f"{ended}\n{p.log()}")


def restarts():
    loop = unit("/bin/false", "Restart=always", "RestartSec=20ms", "RestartMaxDelaySec=50ms", head=["Critical=yes", "FailureAction=reboot", "FailureBurst=5"])
    with Pid1({"steady": unit("/bin/sleep 1000"), "loop": loop}) as p:
        ended = p.ends()
        found = re.findall(r"init: loop exited with code 1; started again (.*)", p.log())
        case("rule 27: the first restart is at once, then the delay doubles up to its bound", found[:4] == ["at once", "in 20 ms", "in 40 ms", "in 50 ms"], p.log())
        case("rule 27: a critical service that keeps failing reboots the machine, and is named", ended in (129, -signal.SIGHUP) and
             "init: loop failed 5 times in a row: " in p.log(), f"{ended}\n{p.log()}")


mine, others, seen = live()
case("all was asked and answered", seen["answers"][:3] == ["ok"] * 3 and seen["poweroff"] == "ok", seen["answers"])
processes(mine, others, seen)
files(mine, seen)
rest(mine, others, seen)
signals()
bursts()
restarts()
finish()
