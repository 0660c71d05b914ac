"""units.py: what unit files say, done by init to real programs. For test_units.sh.

What needs controllers of cgroup v2 (memory, cpu, io, pids) or a machine of its own is tried by tests/boot/test_units.py.
"""
import os
import re
import signal
import subprocess
import threading
import time

from pid1 import TOP, BUILD, Pid1, case, eventually, finish

# 32 and 33 are the C library's own: make, by its posix_spawn(3), leaves them ignored, and no program can set them back
OWN_SIGNALS = 0x180000000

CONFIG = """[Service]
Type=oneshot
ExecStart=/bin/sh -c 'mkdir -p /etc/coracle; [ ! -d /test/local ] || cp -r /test/local /etc/coracle/units'
"""


def unit(command, *service, head=()):
    return "[Unit]\n" + "".join(f"{line}\n" for line in head) + f"[Service]\nExecStart={command}\n" + "".join(f"{line}\n" for line in service)


def shell(script, *service, head=()):
    quoted = script.replace("%", "%%").replace("$", "$$").replace("\\", "\\\\").replace('"', '\\"')
    return unit(f'/bin/sh -c "{quoted}"', *service, head=head)


def lines_of(p, name):
    path = p.root / "test" / name
    return path.read_text().split() if path.exists() else []


def field(text, name):
    found = re.search(rf"^{name}:\s*(.*)$", text or "", re.M)
    return found.group(1).split() if found else None


# ---- who, where and with what

SHOW = "{ cat /proc/self/status; echo umask $(umask); echo pwd $(pwd); echo fds $(ls /proc/self/fd); read stat </proc/self/stat; set -- $stat; echo nice ${19}; } >/test/T.new; mv /test/T.new /test/T"
IDENTITY = {
    "web": shell(SHOW.replace("T", "web"), "User=web", "UMask=0027", "Nice=7", "WorkingDirectory=/var", "NoNewPrivileges=yes", "Type=oneshot",
                 "LimitNOFILE=50:60", "LimitCORE=1M", "LimitNPROC=100"),
    "limits": shell("cat /proc/self/limits >/test/limits", "User=web", "Type=oneshot", "LimitNOFILE=50:60", "LimitCORE=1M"),
    "root": shell(SHOW.replace("T", "root"), "Type=oneshot"),
    "group": shell(SHOW.replace("T", "group"), "Type=oneshot", "Group=video"),
    "both": shell(SHOW.replace("T", "both"), "Type=oneshot", "User=1000", "Group=4711"),
    "usual": shell("cat /proc/self/limits >/test/usual", "Type=oneshot"),
    "nouser": unit("/bin/true", "User=nobody1"),
    "nogroup": unit("/bin/true", "Group=nogroup1"),
    "nodir": unit("/bin/true", "WorkingDirectory=/nowhere"),
    "nodirweb": unit("/bin/true", "WorkingDirectory=/nowhere", "User=web"),
    "noexec": unit("/bin/nothing"),
    "noexecweb": unit("/bin/nothing", "User=web"),
    "noenv": unit("/bin/true", "EnvironmentFile=/etc/none"),
    "badenv": unit("/bin/true", "EnvironmentFile=/etc/bad.env"),
    "env": shell("env >/test/env", "Type=oneshot", "Environment=A=1 B=2 \"C=3 4\"", "EnvironmentFile=/etc/good.env", "WatchdogSec=2.5"),
    "envweb": shell("env >/test/envweb", "Type=oneshot", "User=web", "EnvironmentFile=-/etc/none"),
    "tmpl@one": unit("/bin/sh -c 'echo %i %n 100%% >/test/tmpl'", "Type=oneshot"),
}


def identity():
    files = {"etc/good.env": "# variables\nB=\"two 2\"\nD='x y'\nPATH=/bin\n", "etc/bad.env": "nonsense\n"}
    with Pid1(IDENTITY, files=files) as p:
        status = p.read("web")
        case("User= with its group and the groups that name it", field(status, "Uid") == ["1000"] * 4 and field(status, "Gid") == ["1001"] * 4 and
             sorted(field(status, "Groups")) == ["1001", "4", "44"], status)
        case("no capability is left", field(status, "CapEff") == ["0" * 16] and field(status, "CapPrm") == ["0" * 16], status)
        case("NoNewPrivileges=", field(status, "NoNewPrivs") == ["1"], status)
        case("UMask=, Nice=, WorkingDirectory=", all(line in status for line in ("umask 0027", "nice 7", "pwd /var")), status)
        limits = p.read("limits")
        case("LimitX=", re.search(r"Max open files +50 +60 ", limits) and re.search(r"Max core file size +1048576 +1048576 ", limits), limits)
        usual = p.read("usual")
        case("rule 29: PID 1's own limits are not the services'", re.search(r"Max open files +1024 ", usual), usual)
        status = p.read("root")
        case("without User= it is root, in /", field(status, "Uid") == ["0"] * 4 and "pwd /\n" in status and "umask 0022" in status, status)
        case("rule 9: no signal is blocked or ignored, nothing is open but 0 to 2",
             field(status, "SigBlk") == ["0" * 16] and int(field(status, "SigIgn")[0], 16) & ~OWN_SIGNALS == 0 and re.search(r"^fds 0 1 2 3$", status, re.M), status)
        status = p.read("group")
        case("Group= alone", field(status, "Gid") == ["44"] * 4 and field(status, "Groups") == ["44"] and field(status, "Uid") == ["0"] * 4, status)
        status = p.read("both")
        case("User= by number, Group= takes the place of the user's", field(status, "Uid") == ["1000"] * 4 and field(status, "Gid") == ["4711"] * 4 and
             "4711" in field(status, "Groups"), status)
        for name, text in (("nouser", "there is no user nobody1"), ("nogroup", "there is no group nogroup1"),
                           ("nodir", "WorkingDirectory=/nowhere: No such file or directory"), ("nodirweb", "WorkingDirectory=/nowhere: No such file or directory"),
                           ("noexec", "/bin/nothing: No such file or directory"), ("noexecweb", "/bin/nothing: No such file or directory"),
                           ("noenv", "EnvironmentFile=/etc/none: No such file or directory"), ("badenv", "EnvironmentFile=/etc/bad.env: Invalid argument")):
            case(f"the step that failed is named: {name}", p.says(f"init: {name} could not be started: {text}"), p.log())
        environment = p.read("env").split("\n")
        case("Environment= and EnvironmentFile=, which wins", all(line in environment for line in ("A=1", "B=two 2", "C=3 4", "D=x y", "PATH=/bin", "HOME=/root")) and
             "B=2" not in environment, environment)
        pid = re.search(r"WATCHDOG_PID=(\d+)", "\n".join(environment))
        case("WATCHDOG_USEC and WATCHDOG_PID, NOTIFY_SOCKET", "WATCHDOG_USEC=2500000" in environment and pid and
             "NOTIFY_SOCKET=/run/coracle/notify" in environment, environment)
        environment = p.read("envweb").split("\n")
        case("HOME, USER, LOGNAME, SHELL of a user", all(line in environment for line in ("HOME=/var/web", "USER=web", "LOGNAME=web", "SHELL=/bin/false")), environment)
        case("%i and %n", p.read("tmpl") == "one tmpl@one 100%", p.read("tmpl"))


# ---- order

def stamp(name, *service, wait="", head=(), code=0):
    return shell(f"{wait}echo {name} >>/test/order; exit {code}", *service, head=head)


ORDER = {
    "config": CONFIG,
    "slow": stamp("slow", "Type=oneshot", wait="sleep 0.4; "),
    "after": stamp("after", "Type=oneshot", head=["After=slow"]),
    "before": stamp("before", "Type=oneshot", head=["Before=slow"]),
    "requires": stamp("requires", "Type=oneshot", head=["Requires=slow"]),
    "finished": stamp("finished", "Type=oneshot", head=["RequiresFinished=slow"]),
    "bad": stamp("bad", "Type=oneshot", code=3),
    "afterbad": stamp("afterbad", "Type=oneshot", head=["After=bad"]),
    "needsbad": stamp("needsbad", "Type=oneshot", head=["Requires=bad"]),
    "finishedbad": stamp("finishedbad", "Type=oneshot", head=["RequiresFinished=bad"]),
    "daemon": unit("/bin/sleep 1000"),
    "finisheddaemon": stamp("finisheddaemon", "Type=oneshot", head=["RequiresFinished=daemon"]),
    "ready": unit("/usr/bin/init-notify +300 READY=1", "Type=notify"),
    "afterready": stamp("afterready", "Type=oneshot", head=["Requires=ready"]),
    "healthy": unit("/usr/bin/init-notify READY=1 +300 WATCHDOG=1", "Type=notify", "WatchdogSec=60"),
    "afterhealthy": stamp("afterhealthy", "Type=oneshot", head=["RequiresHealthy=healthy"]),
    "never": unit("/usr/bin/init-notify", "Type=notify", "TimeoutStartSec=infinity"),
    "impatient": stamp("impatient", "Type=oneshot", head=["After=never", "AfterTimeoutSec=200ms"]),
    "ondemand": stamp("ondemand", "Type=oneshot", head=["OnDemand=yes"]),
    "wanted": stamp("wanted", "Type=oneshot", head=["OnDemand=yes"]),
    "wants": stamp("wants", "Type=oneshot", head=["Requires=wanted"]),
    "there": stamp("there", "Type=oneshot", head=["ConditionPathExists=/etc/passwd", "ConditionPathExists=!/nowhere"]),
    "notthere": stamp("notthere", "Type=oneshot", head=["ConditionPathExists=/nowhere"]),
    "notnot": stamp("notnot", "Type=oneshot", head=["ConditionPathExists=!/etc/passwd"]),
}


def order():
    with Pid1(ORDER) as p:
        expected = "slow after before requires finished bad afterbad afterready afterhealthy impatient wanted wants there".split()
        eventually(lambda: set(expected) <= set(lines_of(p, "order")))
        got = lines_of(p, "order")
        place = {name: i for i, name in enumerate(got)}
        case("each ran once, and only those", sorted(got) == sorted(expected), got)
        case("After=, Requires=, RequiresFinished= a slow one-shot; Before= it", all(place.get(name, -1) > place["slow"] for name in ("after", "requires", "finished")) and
             place.get("before", 99) < place["slow"], got)
        case("Requires= starts what is on demand, first", place.get("wants", -1) > place.get("wanted", 99), got)
        states = p.services()
        case("a failed one-shot fails those that require it, not those after it", states["needsbad"][0] == "failed" and states["finishedbad"][0] == "failed" and
             "afterbad" in got and p.says("init: needsbad was not started: it needs bad"), states)
        case("RequiresFinished= a daemon waits until it has ended", states["finisheddaemon"][0] in ("waiting", "failed"), states)
        case("a condition that does not hold: skipped", states["notthere"][0] == "skipped" and states["notnot"][0] == "skipped", states)
        case("OnDemand= waits for a command", states["ondemand"][0] == "off" and p.ask("start ondemand") == "ok" and
             eventually(lambda: "ondemand" in lines_of(p, "order")), states)
        case("AfterTimeoutSec= ends the wait", "impatient" in got and states["never"][0] == "starting", states)


# ---- ends

def run(name, rest, *service, head=()):
    return shell(f"echo {name} >>/test/{name}; {rest}", *service, "RestartSec=10ms", "RestartMaxDelaySec=20ms", head=head)


ENDS = {
    "never": run("never", "exit 3"),
    "failure": run("failure", "[ $(wc -l </test/failure) -ge 3 ] || exit 3", "Restart=on-failure"),
    "success": run("success", "[ $(wc -l </test/success) -lt 3 ] || exit 3", "Restart=on-success"),
    "always": run("always", "[ $(wc -l </test/always) -lt 4 ] || exec sleep 1000", "Restart=always"),
    "abnormal": run("abnormal", "[ $(wc -l </test/abnormal) -ge 3 ] && exit 3; kill -SEGV $$", "Restart=on-abnormal"),
    "clean": run("clean", "exit 75", "Restart=on-failure", "SuccessExitStatus=74 75"),
    "cleansignal": run("cleansignal", "kill -USR1 $$", "Restart=on-failure", "SuccessExitStatus=USR1"),
    "giveup": run("giveup", "exit 1", "Restart=always", head=["StartLimitBurst=4"]),
    "toolong": run("toolong", "exec sleep 1000", "Type=oneshot", "TimeoutStartSec=200ms"),
    "runtime": run("runtime", "exec sleep 1000", "RuntimeMaxSec=200ms"),
    "stubborn": run("stubborn", "trap '' TERM; echo ready >/test/stubborn.ready; while :; do sleep 1; done", "TimeoutStopSec=300ms"),
    "interrupt": run("interrupt", "trap 'echo INT >/test/interrupt.end; exit 0' INT; echo ready >/test/interrupt.ready; while :; do sleep 0.1; done", "KillSignal=INT"),
    "family": run("family", "setsid sleep 2000 & setsid sleep 2001 & echo ready >/test/family.ready; exec sleep 2002"),
    "leaves": run("leaves", "setsid sleep 2100 & [ $(wc -l </test/leaves) -lt 2 ] || exec sleep 2101; exit 1", "Restart=always"),
    "keeps": run("keeps", "setsid sleep 2200 & echo ready >/test/keeps.ready; exec sleep 2201", "KillMode=process"),
}


def processes(p, argument):
    found = []
    for entry in p.group.glob("**/cgroup.procs"):
        try:
            pids = entry.read_text().split()
        except OSError:
            continue
        for pid in pids:
            try:
                words = open(f"/proc/{pid}/cmdline", "rb").read().split(b"\0")
            except OSError:
                continue
            if argument.encode() in words:
                found.append(int(pid))
    return found


def ends():
    with Pid1(ENDS) as p:
        for name, state, runs in (("never", "failed", 1), ("failure", "done", 3), ("success", "failed", 3), ("always", "running", 4), ("abnormal", "failed", 3),
                                  ("clean", "done", 1), ("cleansignal", "done", 1), ("giveup", "failed", 4), ("toolong", "failed", 1), ("runtime", "failed", 1)):
            became = p.becomes(name, state)
            eventually(lambda n=name, r=runs: len(lines_of(p, n)) >= r)
            case(f"{name}: {state} after {runs}", became == state and len(lines_of(p, name)) == runs, f"{became}, {lines_of(p, name)}\n{p.log()}")
        case("the end is said", p.says("init: never exited with code 3") and p.says("init: abnormal was ended by signal 11"), p.log())
        p.read("stubborn.ready")
        asked = p.ask("stop stubborn")
        case("TimeoutStopSec=: then it is killed", asked == "ok" and p.becomes("stubborn", "off") == "off", p.state("stubborn"))
        p.read("interrupt.ready")
        p.ask("stop interrupt")
        case("KillSignal=", p.read("interrupt.end") == "INT" and p.becomes("interrupt", "off") == "off", p.state("interrupt"))
        p.read("family.ready")
        before = [len(processes(p, f"{n}")) for n in (2000, 2001, 2002)]
        p.ask("stop family")
        case("rule 20: a stop ends its whole cgroup", before == [1, 1, 1] and p.becomes("family", "off") == "off" and
             not any(processes(p, f"{n}") for n in (2000, 2001, 2002)), before)
        eventually(lambda: processes(p, "2101"))
        case("a restart waits until nothing of the last run is left", len(processes(p, "2100")) == 1 and len(processes(p, "2101")) == 1, processes(p, "2100"))
        p.read("keeps.ready")
        p.ask("stop keeps")
        case("KillMode=process leaves the others alone", p.becomes("keeps", "off") == "off" and len(processes(p, "2200")) == 1 and not processes(p, "2201"),
             p.state("keeps"))
        p.ask("start keeps")
        case("...and it can be started beside them", eventually(lambda: len(processes(p, "2200")) == 2) and p.state("keeps") == "running", p.state("keeps"))


# ---- second load

IMAGE = {
    "config": CONFIG,
    "one": unit("/bin/sleep 3001", head=["After=config"]),
    "two": unit("/bin/sleep 3002", head=["After=config"]),
    "three": unit("/bin/sleep 3003", head=["After=config"]),
    "broken": "[Service]\nExecStart=/bin/true\nColour=blue\n",
}
LOCAL = {
    "one": unit("/bin/sleep 3101", head=["After=first"]),
    "two": "[Service]\nExecStart=/bin/sleep 3102\nRestart=perhaps\n",
    "three": unit("/bin/sleep 3103", head=["After=loop"]),
    "loop": unit("/bin/sleep 3104", head=["After=three"]),
    "first": shell("sleep 0.3; echo first >/test/first", "Type=oneshot"),
    "lost": unit("/bin/sleep 3105", head=["Requires=nobody"]),
    "follows": unit("/bin/sleep 3106", head=["After=lost"]),
}


def command_line(p, name):
    pid = int(p.services()[name][1])
    for entry in (p.group / "system" / name / "cgroup.procs",):
        for host in entry.read_text().split():
            if re.search(rf"^NSpid:.*\s{pid}$", open(f"/proc/{host}/status").read(), re.M):
                return open(f"/proc/{host}/cmdline", "rb").read().replace(b"\0", b" ").decode().strip()
    return None


def second_load():
    with Pid1(IMAGE, local=LOCAL) as p:
        p.becomes("one", "running")
        case("a file of the machine takes the place of the image's", command_line(p, "one") == "/bin/sleep 3101" and p.read("first") == "first", p.services())
        case("a wrong one does not", p.becomes("two", "running") == "running" and command_line(p, "two") == "/bin/sleep 3002", p.services())
        for text in ("init: /usr/lib/coracle/units/broken.unit:3: Colour=blue: unknown in section [Service]; it is left out",
                     "init: /etc/coracle/units/two.unit:3: Restart=perhaps: not one of: no on-success",
                     "/etc/coracle/units/lost.unit:2: there is no unit \"nobody\"; it is left out",
                     "/etc/coracle/units/follows.unit:2: there is no unit \"lost\"; it is left out",
                     "the order is circular: "):
            case(f"says: {text}", p.says(text), p.log())
        states = p.services()
        case("of a circle one file is left out, the others run", ("loop" in states) != (command_line(p, "three") == "/bin/sleep 3103") or
             {"loop", "three"} <= set(states), states)
        case("what is wrong is not there", not {"lost", "follows", "broken"} & set(states), states)
        problems = p.path("run/coracle/problems").read_text()
        case("each is a problem, once", problems.count("lost.unit:2") == 1 and problems.count("two.unit:3") == 1 and problems.count("circular") == 1, problems)
        reloads(p)


def reloads(p):
    folder = p.path("etc/coracle/units")
    before = p.services()
    answer = p.ask("reload")
    case("reload refuses all while one is wrong, and says which", answer.startswith("error /etc/coracle/units/") and p.services() == before, answer)
    for name in ("two", "loop", "lost", "follows"):
        (folder / f"{name}.unit").unlink()
    (p.root / "usr/lib/coracle/units/broken.unit").unlink()
    (folder / "new.unit").write_text(unit("/bin/sleep 3200", "Restart=always", head=["After=one"]))
    (folder / "three.unit").write_text(unit("/bin/sleep 3203"))
    answer = p.ask("reload")
    after = p.services()
    case("reload takes a new file and starts it", answer == "ok" and p.becomes("new", "running") == "running" and command_line(p, "new") == "/bin/sleep 3200", answer)
    case("what runs goes on", all(after[name][1] == before[name][1] for name in ("one", "two", "three")), f"{before}\n{after}")
    old = int(after["three"][1])
    p.ask("restart three")
    case("and is as its file says from its next start on", eventually(lambda: p.state("three") == "running" and int(p.services()["three"][1]) != old) and
         command_line(p, "three") == "/bin/sleep 3203", p.services())
    (folder / "new.unit").write_text("[Service]\nExecStart=/bin/sleep 3300\nRestart=always\n[Unit]\nAfter=new\n")
    answer = p.ask("reload")
    case("a circle is refused and named", answer == "error /etc/coracle/units/new.unit: the order is circular: new after new", answer)
    pid = processes(p, "3200")[0]
    os.kill(pid, signal.SIGKILL)
    case("...and everything is as it was", eventually(lambda: [other for other in processes(p, "3200") if other != pid]), p.services())
    (folder / "new.unit").unlink()
    answer = p.ask("reload")
    case("without its file it runs on", answer == "ok" and p.state("new") == "running", answer)
    p.ask("stop new")
    stopped = p.becomes("new", "off")
    p.ask("start new")
    case("...can be stopped, and is not started again", stopped == "off" and p.becomes("new", "skipped") == "skipped", p.services())


def no_units():
    """PID 1 without a unit directory goes on, answers and goes down."""
    with Pid1({}) as p:
        os.rmdir(p.root / "usr/lib/coracle/units")
        case("no unit at all: init answers", p.ask("services") == "end", "")
    with Pid1({"config": CONFIG}, files={"usr/lib/coracle/units/huge.unit": "#" * 20000, "usr/lib/coracle/units/x": "nothing"}) as p:
        case("a file that is too long is left out", p.says("init: /usr/lib/coracle/units/huge.unit: longer than 16384 bytes; it is left out") and
             p.becomes("config", "done") == "done", p.log())


def image_units():
    """The image's own files, with stand-ins for their programs."""
    units = {path.stem: path.read_text() for path in (TOP / "rootfs/skel/usr/lib/coracle/units").glob("*.unit")}
    stand_in = "#!/bin/sh\necho ${0##*/} $* >>/test/order\n"
    files = {f"usr/lib/coracle/coracle-{name}": stand_in for name in ("config", "data")}
    files["usr/lib/coracle/coracle-engine"] = stand_in + "touch /run/coracle/final\nexec /usr/bin/init-notify READY=1\n"
    with Pid1(units, files=files) as p:
        eventually(lambda: len(p.log()) and "coracle-config final" in " ".join(lines_of(p, "order")))
        ran = (p.root / "test/order").read_text().split("\n")
        case("config, engine, final in this order; no data without a disk", ran == ["coracle-config boot", "coracle-engine", "coracle-config final", ""], ran)
        states = p.services()
        case("rescue and data are skipped", states["rescue"][0] == "skipped" and states["data"][0] == "skipped" and states["engine"][0] == "running", states)
        stamps = p.path("run/coracle/boot-times").read_text()
        eventually(lambda: " final\n" in p.path("run/coracle/boot-times").read_text())
        stamps = p.path("run/coracle/boot-times").read_text()
        case("RecordTimes=", all(f" {name}\n" in stamps for name in ("data", "config", "engine-started", "engine-ready", "final")), stamps)


HUNG = {
    "envhung": unit("/bin/true", "Type=oneshot", "EnvironmentFile=/var/hung/env", "TimeoutStartSec=500ms", head=["OnDemand=yes"]),
    "there": shell("echo ran >/test/there", "Type=oneshot", head=["OnDemand=yes", "ConditionPathExists=/var/hung/file"]),
    "absent": shell("echo ran >/test/absent", "Type=oneshot", head=["OnDemand=yes", "ConditionPathExists=!/var/hung/other"]),
    "stopped": shell("echo ran >/test/stopped", "Type=oneshot", "TimeoutStopSec=100ms", head=["OnDemand=yes", "ConditionPathExists=/var/hung/third"]),
    "outside": shell("echo ran >/test/outside", "Type=oneshot", head=["OnDemand=yes", "ConditionPathExists=/test", "ConditionPathExists=!/test/nothing"]),
}


def hung_disk():
    """A file system that answers nothing: FUSE whose server never reads."""
    if not os.path.exists("/dev/fuse"):
        print("# no /dev/fuse: a hung file system is not tried")
        return
    with Pid1(HUNG) as p:
        case("ConditionPathExists= outside of the image", p.ask("start outside") == "ok" and p.read("outside") == "ran", p.log())
        server = os.open("/dev/fuse", os.O_RDWR)
        p.path("var/hung").mkdir()
        subprocess.run(["nsenter", "-t", str(p.pid), "-m", "-r", "/usr/bin/busybox", "mount", "-t", "fuse", "-o",
                        f"fd={server},rootmode=40000,user_id=0,group_id=0", "fuse", "/var/hung"], pass_fds=[server], check=True)
        p.ask("start envhung")
        case("an EnvironmentFile= that cannot be read holds its unit and not PID 1", p.state("envhung") == "starting", p.services())
        case("... and the unit's time to start is its limit", p.becomes("envhung", "failed") == "failed" and
             p.says("init: envhung took too long and was stopped"), p.log())
        p.ask("start stopped")
        case("a ConditionPathExists= that cannot be answered holds its unit and not PID 1", p.state("stopped") == "starting", p.services())
        p.ask("stop stopped")
        case("... which can be stopped", p.becomes("stopped", "off") == "off", p.services())
        for name in ("there", "absent"):
            p.ask(f"start {name}")
        p.ask("reload-init")
        os.close(server)
        case("... it is answered when the file system is", p.becomes("there", "skipped") == "skipped" and p.read("absent") == "ran" and
             p.becomes("absent", "done") == "done", p.services())
        case("what was stopped or skipped has not run", not (p.root / "test/there").exists() and not (p.root / "test/stopped").exists(), "")


BUSY = {"busy": unit("/bin/true", "Restart=always", "RestartSec=10ms", "RestartMaxDelaySec=10ms")}
REPLACED = 60


def replaced_while_busy():
    """The next image reads the state that this one goes on changing."""
    with Pid1(BUSY) as p:
        over = threading.Event()

        def ask_always():
            while not over.is_set():
                p.services(p.connect())

        askers = [threading.Thread(target=ask_always) for _ in range(2)]
        for thread in askers:
            thread.start()
        answers = [p.ask("reload-init") for _ in range(REPLACED)]
        over.set()
        for thread in askers:
            thread.join()
        case(f"reload-init while others ask and a service is always started again: {REPLACED} of {REPLACED}", answers == ["ok"] * REPLACED, set(answers))


for part in (identity, order, ends, second_load, no_units, image_units, hung_disk, replaced_while_busy):
    part()
finish()
