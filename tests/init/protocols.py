"""protocols.py: real programs that speak systemd's service protocols, under init. For test_protocols.sh.

redis and systemd-notify say that they are ready; gpg-agent and systemd-socket-proxyd are started by who comes to their sockets; systemd-journald takes
its sockets, feeds its watchdog and stores the streams of its clients. What no program at hand does, init-notify does.
"""
import os
import pathlib
import signal
import socket
import subprocess
import time

from pid1 import BUILD, Pid1, case, eventually, finish, wait_for

REDIS = "/usr/bin/redis-check-rdb"	# the server under the name of one of its tools: so no package starts a server on the host
TOOLS = "/lib/systemd/"


def unit(command, *service, head=(), sockets=(), timers=()):
    text = "[Unit]\n" + "".join(f"{line}\n" for line in head) + f"[Service]\nExecStart={command}\n" + "".join(f"{line}\n" for line in service)
    for name, lines in (("Socket", sockets), ("Timer", timers)):
        text += f"[{name}]\n" + "".join(f"{line}\n" for line in lines) if lines else ""
    return text


def shell(script, *service, **more):
    quoted = script.replace("%", "%%").replace("$", "$$").replace("\\", "\\\\").replace('"', '\\"')
    return unit(f'/bin/sh -c "{quoted}"', *service, **more)


def bring(p, *programs):
    """Programs of this machine and the libraries that they need."""
    for program in programs:
        libraries = subprocess.run(["ldd", program], stdout=subprocess.PIPE, check=True).stdout.decode().split()
        for name in [program] + [word for word in libraries if word.startswith("/")]:
            path = p.root / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_bytes(pathlib.Path(name).read_bytes())
                path.chmod(0o755)


def connect(p, name, kind=socket.SOCK_STREAM):
    """Connects to a socket of the root: its path from here is too long for an address."""
    folder = os.open(p.path(os.path.dirname(name)), os.O_PATH)
    s = socket.socket(socket.AF_UNIX, kind)
    s.settimeout(30)
    s.connect(f"/proc/self/fd/{folder}/{os.path.basename(name)}")
    os.close(folder)
    return s


def inside(p, *command):
    """A program of this machine in the network of init."""
    return subprocess.run(["nsenter", f"--net=/proc/{p.pid}/ns/net", *command], stdout=subprocess.PIPE, check=False).stdout.decode()


def runs(p, name):
    """How often a service has written a line."""
    path = p.root / "test" / name
    return len(path.read_text().split()) if path.exists() else 0


def status(p, name):
    return " ".join(p.services()[name][3:])


def pid_of(p, name):
    """The main process as seen from here: its number in the other namespace is the last of NSpid."""
    number = p.services()[name][1]
    for entry in p.group.glob(f"**/{name}/cgroup.procs"):
        try:
            for pid in entry.read_text().split():
                if f"\t{number}\n" in pathlib.Path(f"/proc/{pid}/status").read_text().split("NSpid:")[1].split("\n")[0] + "\n":
                    return int(pid)
        except OSError:
            pass # it has ended, or its cgroup was replaced
    return 0


# ---- sd_notify

NOTIFY = {
    "redis": unit("/usr/bin/redis-server --supervised systemd --port 6399 --bind 127.0.0.1 --unixsocket /run/redis.sock --save ''", "Type=notify"),
    # it may connect at once, or the readiness was a lie
    "client": shell("echo PING | nc 127.0.0.1 6399 >/test/pong", "Type=oneshot", head=["Requires=redis"]),
    "barrier": shell("systemd-notify --ready --status='as far as this' && echo done >/test/barrier; exec sleep 1000", "Type=notify"),
    "trigger": unit("/usr/bin/init-notify READY=1 WATCHDOG=trigger", "Type=notify", "WatchdogSec=1h", "Restart=no"),
    "late": unit("/usr/bin/init-notify EXTEND_TIMEOUT_USEC=20000000 +1500 READY=1", "Type=notify", "TimeoutStartSec=1s"),
    "toolate": unit("/usr/bin/init-notify +60000 READY=1", "Type=notify", "TimeoutStartSec=300ms", "Restart=no"),
    "hungry": unit("/usr/bin/init-notify WATCHDOG_USEC=300000 READY=1 WATCHDOG=1", "Type=notify", "Restart=no"),
    "words": unit("/usr/bin/init-notify RELOADING=1 MONOTONIC_USEC=1 +200 ERRNO=2 BUSERROR=x.y EXIT_STATUS=7 READY=1 FDNAME=a:b WATCHDOG_USEC=x", "Type=notify"),
    "reloads": unit("/usr/bin/init-notify @1", "Type=notify-reload"),
    "by-usr1": unit("/usr/bin/init-notify @10", "ReloadSignal=USR1", "Type=notify-reload"),
    "dies": unit("/usr/bin/init-notify READY=1", "Type=notify-reload", "Restart=no"),
    "quits": unit("/usr/bin/init-notify READY=1 STOPPING=1 +200 =0", "Type=notify", "WatchdogSec=100ms", "Restart=on-failure"),
    "early": unit("/bin/true", "Type=notify", "Restart=no"),
    "once": unit("/bin/true", "Type=oneshot"),
    "after-once": shell("echo >/test/after-once ran", "Type=oneshot", head=["RequiresFinished=once"]),
    "healthy": unit("/usr/bin/init-notify READY=1 +500 WATCHDOG=1", "Type=notify"),
    "after-healthy": shell("echo >/test/after-healthy ran", "Type=oneshot", head=["RequiresHealthy=healthy"]),
}


def notify():
    p = Pid1(NOTIFY)
    bring(p, REDIS, "/usr/bin/systemd-notify")
    (p.root / "usr/bin/redis-server").symlink_to("redis-check-rdb")
    (p.root / "usr/bin/nc").symlink_to("busybox")
    with p:
        case("redis says READY=1, and then it is running", p.becomes("redis", "running") == "running", p.services())
        case("...what requires it comes to a server that answers", p.read("pong") == "+PONG", p.read("pong"))
        case("...its STATUS= is in the list of services", "Ready to accept connections" in status(p, "redis"), p.services())
        case("systemd-notify's barrier is answered", p.read("barrier") == "done" and p.state("barrier") == "running", p.services())
        case("...and what it said before that is there", status(p, "barrier") == "as far as this", p.services())
        case("WATCHDOG=trigger", p.becomes("trigger", "failed") == "failed" and p.says("init: trigger did not feed its watchdog and was stopped"), p.log())
        case("EXTEND_TIMEOUT_USEC=", p.becomes("late", "running") == "running", p.services())
        case("TimeoutStartSec=", p.becomes("toolate", "failed") == "failed" and p.says("init: toolate takes longer than 300 ms: stopping it"), p.log())
        case("WATCHDOG_USEC= and then no WATCHDOG=1", p.becomes("hungry", "failed") == "failed" and
             p.says("init: hungry did not feed its watchdog for 300 ms: stopping it"), p.log())
        case("what has no meaning here is ignored, what is malformed reported once", p.becomes("words", "running") == "running" and
             p.says("init: words notified init of a FDNAME that is malformed"), p.log())
        reload(p)
        case("STOPPING=1: the end is its own, and the watchdog sleeps", p.becomes("quits", "done") == "done", p.services())
        case("an end before READY=1 is a failure, whatever the code", p.becomes("early", "failed") == "failed" and
             p.says("init: early exited with code 0 before it said that it was ready"), p.log())
        case("RequiresFinished=", p.read("after-once") == "ran", p.services())
        case("RequiresHealthy= waits for the first WATCHDOG=1", p.read("after-healthy") == "ran", p.services())
        p.ask("stop redis")
        case("redis stops", p.becomes("redis", "off") == "off", p.services())


def coracle(p, *words):
    done = subprocess.run([BUILD / "bin/coracle", *words], env={"CORACLE_RUN": f"/proc/{p.pid}/root/run/coracle"}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode().strip()


def reload(p):
    """Type=notify-reload. The service says first what it would have said of an earlier reload."""
    for name in ("reloads", "by-usr1"):
        p.becomes(name, "running")
        before = p.services()[name]
        case(f"reload {name}: init answers, and the service is reloading", p.ask(f"reload {name}") == "ok" and p.state(name) == "reloading", p.services())
        eventually(lambda: status(p, name) == "too late")
        case("...a READY=1 of an earlier reload is not the end of this one", p.state(name) == "reloading", p.services())
        p.becomes(name, "running")
        case("...RELOADING=1 with a time after the signal, and READY=1, are", status(p, name) == "reload 1" and p.services()[name][:3] == before[:3], p.services())
        answer = coracle(p, "reload", name)
        case(f"coracle reload {name} returns when it has reloaded", answer == (0, "") and status(p, name) == "reload 2" and p.state(name) == "running", answer)
    answer = coracle(p, "reload", "dies")
    case("a service that dies of it: coracle reload says so", answer == (1, "coracle: dies ended when it was to reload, and is done"), answer)
    answer = p.ask("reload redis")
    case("one that cannot is told from one that can", answer == "error it is not of Type=notify-reload, or does not run", answer)
    answer = p.ask("reload nobody")
    case("and from one that is not there", answer == "error no service nobody", answer)


# ---- socket activation

SOCKETS = {
    "redis": unit("/usr/bin/redis-server --port 6399 --bind 127.0.0.1 --unixsocket /run/redis.sock --save ''"),
    "proxy": unit(TOOLS + "systemd-socket-proxyd --exit-idle-time=1s /run/redis.sock",
                  head=["OnDemand=yes", "After=redis"], sockets=["ListenStream=/run/proxy/s.sock", "SocketMode=0620", "SocketUser=web", "SocketGroup=log"]),
    "agent": unit("/usr/bin/gpg-agent --supervised --homedir /test/gpg", head=["OnDemand=yes"],
                  sockets=["ListenStream=/test/gpg/S.gpg-agent", "FileDescriptorName=std", "SocketMode=0600"]),
    "fifo": shell("read line <&3; echo $line >>/test/fifo", head=["OnDemand=yes"], sockets=["ListenFIFO=/run/in.fifo", "SocketMode=0600"]),
    "many": shell("env >/test/many.env; echo $$ >/test/many.pid; exec sleep 1000", head=["OnDemand=yes"],
                  sockets=["ListenStream=7001", "ListenDatagram=127.0.0.1:7002", "ListenStream=[::1]:7003", "ListenStream=@hidden", "ListenSequentialPacket=/run/seq",
                           "ListenDatagram=/run/dgram", "FileDescriptorName=x"]),
    "vain": shell("echo >>/test/vain start", head=["OnDemand=yes"], sockets=["ListenStream=/run/vain.sock"]),
    "wrong": unit("/bin/sleep 1000", sockets=["ListenStream=192.0.2.1:1", "ListenStream=/proc/none/s"]),
}


def ping(s):
    s.sendall(b"PING\r\n")
    return s.recv(100)


def sockets():
    p = Pid1(SOCKETS)
    bring(p, REDIS, TOOLS + "systemd-socket-proxyd", "/usr/bin/gpg-agent")
    (p.root / "usr/bin/redis-server").symlink_to("redis-check-rdb")
    (p.root / "test/gpg").mkdir(mode=0o700)
    with p:
        case("nobody has come: it listens", p.becomes("proxy", "listening") == "listening" and p.state("agent") == "listening", p.services())
        st = p.path("run/proxy/s.sock").stat()
        case("SocketMode=, SocketUser=, SocketGroup=", (st.st_mode & 0o777, st.st_uid, st.st_gid) == (0o620, 1000, 4), st)
        eventually(lambda: p.path("run/redis.sock").exists())
        s = connect(p, "run/proxy/s.sock")
        case("systemd-socket-proxyd is started by who comes, and serves him", ping(s) == b"+PONG\r\n" and p.becomes("proxy", "running") == "running", p.services())
        s.close()
        case("it exits when it is idle, and listens again", p.becomes("proxy", "listening") == "listening", p.services())
        answers = []
        for _ in range(3):
            s = connect(p, "run/proxy/s.sock")
            answers.append(ping(s))
            s.close()
            p.ask("stop proxy")
        case("nobody is lost while it stops and starts", answers == [b"+PONG\r\n"] * 3, answers)
        s = connect(p, "test/gpg/S.gpg-agent")
        case("gpg-agent --supervised finds its socket by name", s.recv(100).startswith(b"OK "), p.services())
        s.sendall(b"BYE\n")
        for text in ("one", "two"):
            with open(p.path("run/in.fifo"), "w") as f:
                f.write(text + "\n")
            eventually(lambda: text in (p.read("fifo") or ""))
            p.becomes("fifo", "listening")
        case("ListenFIFO=", p.read("fifo") == "one\ntwo", p.read("fifo"))
        every_kind(p)
        connect(p, "run/vain.sock")
        case("a service that leaves there who has come: twenty starts", p.becomes("vain", "failed") == "failed" and runs(p, "vain") == 20,
             (p.services(), runs(p, "vain")))
        case("...and a problem", p.says("init: vain was started 20 times within 2 s and left its sockets unserved"), p.log())
        case("a socket that cannot be opened is a problem, an address that is not there yet is none",
             p.says("init: open the socket /proc/none/s of wrong: ") and "192.0.2.1" not in p.log() and p.state("wrong") == "running", p.log())


def every_kind(p):
    inside(p, "python3", "-c", "import socket; socket.create_connection(('127.0.0.1', 7001))")
    env = dict(line.split("=", 1) for line in p.read("many.env").split("\n") if "=" in line)
    case("LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES", env["LISTEN_PID"] == p.read("many.pid") and env["LISTEN_FDS"] == "6" and
         env["LISTEN_FDNAMES"] == ":".join("x" * 6), env)
    fds = pathlib.Path(f"/proc/{pid_of(p, 'many')}/fd")
    case("their order is that of the file", all("socket:" in os.readlink(fds / str(n)) for n in range(3, 9)) and not (fds / "9").exists(), list(fds.iterdir()))
    script = """
import socket
socket.create_connection(('::1', 7001)).close()
socket.create_connection(('::1', 7003)).close()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.connect(('127.0.0.1', 7002)); u.send(b'x'); u.send(b'x')
a = socket.socket(socket.AF_UNIX); a.connect('\\0hidden')
print('all')
"""
    case("a port is both families, datagrams and abstract names", inside(p, "python3", "-c", script) == "all\n", "")
    connect(p, "run/seq", socket.SOCK_SEQPACKET).close()
    connect(p, "run/dgram", socket.SOCK_DGRAM).close()


# ---- systemd-journald: sockets, watchdog and stored descriptors in one

JOURNALD = {
    "journald": unit(TOOLS + "systemd-journald", "Type=notify", "WatchdogSec=2s", "TimeoutStopSec=1s", "FileDescriptorStoreMax=64", "Restart=always", "RestartSec=100ms",
                     head=["OnDemand=yes"],
                     sockets=["ListenStream=/run/systemd/journal/stdout", "ListenDatagram=/run/systemd/journal/socket", "ListenDatagram=/run/systemd/journal/dev-log"]),
    "speaker": shell("for i in first second third fourth; do echo the $i line; while [ ! -e /test/$i ]; do sleep 0.05; done; done | systemd-cat -t speaker; echo end >/test/spoken",
                     "Type=oneshot"),
}
CONF = "[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nSeal=no\nForwardToWall=no\n"


def journal(p, text):
    return any(text.encode() in path.read_bytes() for path in p.path("run/log").glob("journal/*/*.journal"))


def journald():
    p = Pid1(JOURNALD, files={"etc/systemd/journald.conf": CONF, "etc/machine-id": "0123456789abcdef0123456789abcdef\n"})
    bring(p, TOOLS + "systemd-journald", "/usr/bin/systemd-cat")
    with p:
        case("systemd-journald is started by its first client", p.becomes("journald", "running") == "running", p.services())
        case("...and takes what it says", eventually(lambda: journal(p, "the first line")), p.log())
        first = pid_of(p, "journald")
        # two periods of its watchdog, which it feeds; nothing to wait for but time
        wait_for(5)
        case("it feeds its watchdog", pid_of(p, "journald") == first and "journald did not feed" not in p.log(), p.log())
        p.ask("restart journald")
        eventually(lambda: pid_of(p, "journald") not in (0, first) and p.state("journald") == "running")
        (p.root / "test/first").touch()
        case("the streams of its clients outlive its restart", eventually(lambda: journal(p, "the second line")), p.services())
        second = pid_of(p, "journald")
        os.kill(second, signal.SIGSTOP)
        case("stopped, it does not feed its watchdog, and is killed and started again", p.says("init: journald did not feed its watchdog") and
             eventually(lambda: pid_of(p, "journald") not in (0, second) and p.state("journald") == "running"), p.log())
        (p.root / "test/second").touch()
        case("...with the same streams", eventually(lambda: journal(p, "the third line")), p.services())
        answer = p.ask("reload-init")
        p.sock.close()
        p.sock = None
        (p.root / "test/third").touch()
        case("init is replaced: sockets and streams stay", answer == "ok" and eventually(lambda: journal(p, "the fourth line")), answer)
        third = pid_of(p, "journald")
        p.ask("restart journald")
        eventually(lambda: pid_of(p, "journald") not in (0, third) and p.state("journald") == "running")
        (p.root / "test/fourth").touch()
        case("...and the stream is stored still", p.read("spoken") == "end" and p.becomes("journald", "running") == "running", p.services())


# ---- timers and targets

TIMERS = {
    "boot": shell("echo >>/test/boot x", "Type=oneshot", timers=["OnBootSec=10ms"]),
    "active": shell("echo >>/test/active x", "Type=oneshot", timers=["OnBootSec=10ms", "OnUnitActiveSec=200ms"]),
    "inactive": shell("echo >>/test/inactive x; sleep 0.2", "Type=oneshot", timers=["OnBootSec=10ms", "OnUnitInactiveSec=200ms"]),
    "second": shell("echo >>/test/second x", "Type=oneshot", timers=["OnCalendar=*:*:*"]),
    "never": shell("echo >>/test/never x", "Type=oneshot", timers=["OnUnitActiveSec=10ms", "OnCalendar=2199-01-01"]),
    "skipped": shell("echo >>/test/skipped x", "Type=oneshot", head=["ConditionPathExists=/test/allowed"], timers=["OnBootSec=10ms", "OnUnitActiveSec=300ms"]),
    "network": "[Service]\nType=target\n",
    "time": "[Service]\nType=target\n",
    "wants-network": shell("echo >/test/net up", "Type=oneshot", head=["Requires=network"]),
    "wants-time": shell("echo >/test/clock right", "Type=oneshot", head=["Requires=time"]),
}


def timers():
    with Pid1(TIMERS) as p:
        case("the clock of this machine is right: the target time is reached", p.read("clock") == "right", p.services())
        case("OnUnitActiveSec= and OnUnitInactiveSec= again and again", eventually(lambda: runs(p, "active") >= 5 and runs(p, "inactive") >= 3), p.services())
        case("OnCalendar= every second", eventually(lambda: runs(p, "second") >= 2), p.services())
        case("OnBootSec= once", runs(p, "boot") == 1, runs(p, "boot"))
        case("OnUnitActiveSec= alone needs a first start", runs(p, "never") == 0, runs(p, "never"))
        case("a condition that does not hold does not end a timer", runs(p, "skipped") == 0 and p.state("skipped") == "skipped", p.services())
        (p.root / "test/allowed").touch()
        case("...it is tried again", eventually(lambda: runs(p, "skipped") >= 1), p.services())
        case("no address: network is not reached", p.state("network") == "waiting" and p.state("wants-network") == "waiting", p.services())
        inside(p, "ip", "addr", "add", "192.0.2.9/32", "dev", "lo")
        inside(p, "ip", "link", "add", "d0", "type", "veth", "peer", "name", "d1")
        inside(p, "ip", "link", "set", "d0", "up")
        inside(p, "ip", "addr", "add", "192.0.2.1/24", "dev", "d0", "scope", "link")
        p.ask("reload-init")
        p.sock.close()
        p.sock = None
        case("...not by loopback, not by an address of the link, not by another init", p.state("network") == "waiting", p.services())
        before = runs(p, "active")
        case("timers go on under another init", eventually(lambda: runs(p, "active") >= before + 2), p.services())
        inside(p, "ip", "addr", "add", "198.51.100.2/24", "dev", "d0")
        case("a global address reaches it", p.read("net") == "up" and p.state("network") == "done", p.services())


for part in (notify, sockets, journald, timers):
    part()
finish()
