"""init.py: PID 1 beside s6, runit and busybox init, for qemu/bench.

The same kernel, the same initramfs with all of them, the same service (tick.c); only rdinit= differs. Guest instructions from the exit of
a service to the first instruction of its next run (median of 60), and from the last early mount to the first instruction of the first service. And
init alone: resident memory with 20 services, before and after 100,000 starts of ten of them.
"""
import pathlib
import re
import shutil
import subprocess

from count import HERE, TOP, BenchError, copy_program, pack_initramfs, run

QUICK_FROM, QUICK_RUNS = 1000, 100000
# each mounts in its own way: runit and busybox by a program of stage 1, s6 by a program that then becomes s6-svscan
PEERS = {
    "s6": "/mount -- /usr/bin/s6-svscan /service",
    "runit": "/usr/sbin/runit",
    "busybox init": "/sbin/init",
}
RUNIT_2 = "#!/bin/sh\nexec runsvdir -P /service\n"
TICK = """[Unit]
Description=ends every second

[Service]
ExecStart=/usr/bin/tick
Restart=always
RestartDecaySec=1s
"""
QUICK = """[Unit]
Description=ends at once

[Service]
ExecStart=/usr/bin/quick
Restart=always
RestartSec=10ms
RestartMaxDelaySec=10ms
"""
SLEEPER = """[Unit]
Description=sleeps

[Service]
ExecStart=/usr/bin/sleeper
Restart=always
"""


def compile_tick(root, runs=QUICK_RUNS):
    run(["gcc", "-std=gnu11", "-Os", "-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-fno-pie", "-no-pie", "-s",
         f"-DQUICK_FROM={QUICK_FROM}", f"-DQUICK_RUNS={runs}", "-o", root / "usr/bin/tick", HERE / "tick.c"])
    for name in ("sleeper", "quick"):
        (root / "usr/bin" / name).symlink_to("tick")
    (root / "mount").symlink_to("usr/bin/tick")


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def add_peers(root, busybox):
    """The three of them, with what they load."""
    for program in ("s6-svscan", "s6-supervise", "runit", "runsvdir", "runsv"):
        found = shutil.which(program)
        if not found:
            raise BenchError(f"{program} is not installed: `deps/host-packages --bench`")
        copy_program(found, root)
    (root / "usr/sbin").mkdir(exist_ok=True)
    shutil.copy2(shutil.which("runit"), root / "usr/sbin/runit")
    shutil.copy2(busybox, root / "bin/busybox")
    (root / "bin/sh").symlink_to("busybox")
    (root / "sbin/init").symlink_to("../bin/busybox")
    (root / "service/tick").mkdir(parents=True)
    (root / "service/tick/run").symlink_to("/usr/bin/tick")
    script(root / "etc/runit/1", "#!/bin/sh\nexec /mount\n")
    script(root / "etc/runit/2", RUNIT_2)
    script(root / "etc/runit/3", "#!/bin/sh\n")
    (root / "etc/inittab").write_text("::sysinit:/mount\n::respawn:/usr/bin/tick\n")


def make_root(work, name, build, units):
    """A root directory that init boots from without anything else of Coracle's: no data, no configuration, no engine."""
    root = work / name
    for folder in ("bin", "dev", "proc", "sys", "run", "tmp", "var", "etc", "usr/bin", "usr/sbin", "sbin", "usr/lib/coracle/units"):
        (root / folder).mkdir(parents=True)
    shutil.copy2(build / "bin/init", root / "sbin/coracle-init")
    for unit, text in units.items():
        (root / f"usr/lib/coracle/units/{unit}.unit").write_text(text)
    compile_tick(root)
    return root


def boot(initramfs, program, timeout=120, options=("--icount",)):
    """The console's text of one machine that ends by itself."""
    command = [TOP / "qemu/run", "--initrd", initramfs, "--machine", "microvm", "--memory", 256, "--seed", "none", "--no-reboot",
               "--timeout", timeout, "--append", f"rdinit={program}", *options]
    return run(command, stdin=subprocess.DEVNULL)


def read_tick(text, name):
    found = re.search(r"tick: restart (\d+) (\d+) (\d+) mounted (\d+) first (\d+)", text)
    if not found:
        raise BenchError(f"{name}: the service did not count:\n{text[-3000:]}")
    median, least, most, mounted, first = (int(word) / 1e3 for word in found.groups())
    stamp = re.search(r"^(\d+) root\b", text, re.MULTILINE)  # init's own, in microseconds: its last early mount is done
    if stamp:
        mounted = float(stamp.group(1))
    return {"restart": median, "restart_least": least, "restart_most": most, "first": first - mounted}


def resident(text, runs):
    found = re.search(rf"tick: run {runs}\s.*?VmRSS:\s+(\d+) kB\s+RssAnon:\s+(\d+) kB", text, re.DOTALL)
    if not found:
        raise BenchError(f"init's memory at start {runs} did not appear on the console:\n{text[-3000:]}")
    return {"resident_kb": int(found.group(1)), "anonymous_kb": int(found.group(2))}


class InitBench:
    def __init__(self, work, build, fixtures):
        self.work, self.build, self.fixtures = pathlib.Path(work), pathlib.Path(build), pathlib.Path(fixtures)

    def supervision(self):
        root = make_root(self.work, "init-bench", self.build, {"tick": TICK})
        # ours is built without init; that of the busybox image is Debian's
        run(["umoci", "unpack", "--image", f"{self.fixtures / 'busybox'}:latest", self.work / "init-busybox"])
        add_peers(root, self.work / "init-busybox/rootfs/bin/busybox")
        initramfs = pack_initramfs(root, self.work / "init-bench.cpio.zst")
        result = {"Coracle": read_tick(boot(initramfs, "/sbin/coracle-init"), "Coracle")}
        for name, program in PEERS.items():
            result[name] = read_tick(boot(initramfs, program), name)
        return result

    def memory(self):
        """Twenty services, ten of which end at once and are started again: their shortest delays pass side by side. Without -icount, which takes
        longer; then it is the processor that counts, 4 to 10 ms for each start."""
        units = {f"sleeper{number}": SLEEPER for number in range(10)}
        units |= {f"quick{number}": QUICK for number in range(10)}
        root = make_root(self.work, "init-memory", self.build, units)
        initramfs = pack_initramfs(root, self.work / "init-memory.cpio.zst")
        text = boot(initramfs, "/sbin/coracle-init", timeout=3600, options=())
        return {"services": len(units), "starts": QUICK_RUNS, "before": resident(text, QUICK_FROM), "after": resident(text, QUICK_RUNS),
                "bytes": (self.build / "bin/init").stat().st_size}

    def measure(self):
        return {"supervision": self.supervision(), "memory": self.memory()}


def print_init(result, verdict):
    table, memory = result["supervision"], result["memory"]
    ours = table["Coracle"]
    print("\nPID 1: thousand guest instructions, the same kernel, initramfs and service (microvm)")
    print(f"{'':16} {'exit to restart':>16} {'(least':>9} {'most)':>9} {'last mount to first service':>28}")
    for name, row in table.items():
        print(f"{name:16} {row['restart']:16.1f} {row['restart_least']:9.1f} {row['restart_most']:9.1f} {row['first']:28.1f}")
    for key, what in (("restart", "restart"), ("first", "first service")):
        best = min(row[key] for name, row in table.items() if name != "Coracle")
        print(f"  {what}: at most the best of them ({best:.1f}): {verdict(ours[key] <= best)}")
    before, after = memory["before"], memory["after"]
    print(f"  on disk: {memory['bytes']:,} bytes; at most 122,880: {verdict(memory['bytes'] <= 120 * 1024)}")
    print(f"  resident with {memory['services']} services: {before['resident_kb']} kB ({before['anonymous_kb']} anonymous), after "
          f"{memory['starts']} starts {after['resident_kb']} kB ({after['anonymous_kb']}); at most 200 kB: "
          f"{verdict(after['resident_kb'] <= 200)}; no growth: {verdict(after['anonymous_kb'] <= before['anonymous_kb'])}")
