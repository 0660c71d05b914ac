"""count.py: guest instructions from the machine's start to a console marker, for qemu/bench.

Builds the preloaded counter (mark.c), the floor's and the neighbour's initramfs, and runs qemu/run --icount.
"""
import os
import pathlib
import shutil
import statistics
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
MARKER = "coracle-bench-mark"


class BenchError(Exception):
    """A measurement could not be made."""


def run(command, **options):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, **options)
    if done.returncode != 0:
        raise BenchError(f"{' '.join(str(word) for word in command)}: exit code {done.returncode}\n"
                         + done.stdout.decode("utf-8", "replace")[-3000:])
    return done.stdout.decode("utf-8", "replace")


class Counter:
    """Runs one machine after the other and counts."""

    def __init__(self, work, memory):
        self.work, self.memory = work, memory
        self.library = work / "mark.so"
        run(["gcc", "-std=c11", "-O2", "-fPIC", "-shared", "-o", self.library, HERE / "mark.c"])

    def once(self, machine, options, marker=MARKER):
        """Instructions (millions) until the marker, with qemu/run's options."""
        result = self.work / "count"
        result.unlink(missing_ok=True)
        environment = dict(os.environ, LD_PRELOAD=str(self.library), CORACLE_MARK=marker, CORACLE_MARK_FILE=str(result))
        command = [TOP / "qemu/run", "--machine", machine, "--memory", self.memory, "--icount", "--no-reboot",
                   "--timeout", 120, *options]
        text = run(command, env=environment, stdin=subprocess.DEVNULL)
        if not result.exists():
            raise BenchError(f"{machine}: the marker {marker!r} did not appear on the console:\n{text[-3000:]}")
        return int(result.read_text().split()[0]) / 1e6

    def median(self, machine, options, runs, prepare=None, marker=MARKER):
        counts = []
        for _ in range(runs):
            if prepare:
                prepare()
            counts.append(self.once(machine, options, marker))
        return statistics.median(counts), counts


def pack_initramfs(root, target):
    """The way the build packs its own: newc cpio, zstd -19."""
    names = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
    packed = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "--owner=0:0"], cwd=root, check=True,
                            input="\n".join(names).encode(), stdout=subprocess.PIPE).stdout
    subprocess.run(["zstd", "-q", "-19", "-T1", "-f", "-o", str(target)], input=packed, check=True)
    return target


def floor_initramfs(work, compiler):
    root = work / "floor"
    root.mkdir()
    run([compiler, "-std=gnu11", "-Os", "-static", "-s", "-o", root / "init", HERE / "floor.c"])
    return pack_initramfs(root, work / "floor.cpio.zst")


RC_SCRIPT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /run
exec crun run --no-pivot -b /bundle hello < /dev/null > /dev/console 2>&1
"""


def copy_program(program, root):
    """A dynamic program with every library that it loads."""
    shutil.copy2(program, root / "usr/bin")
    for line in run(["ldd", program]).splitlines():
        for word in line.split():
            if word.startswith("/"):
                (root / word[1:]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(os.path.realpath(word), root / word[1:])


def neighbour_initramfs(work, layout):
    """busybox init + Debian's crun, running the same busybox image from an initramfs."""
    bundle = work / "busybox"
    run(["umoci", "unpack", "--image", f"{layout}:latest", bundle])
    root = work / "neighbour"
    for name in ("bin", "dev", "proc", "sys", "run", "tmp", "etc/init.d", "usr/bin", "bundle"):
        (root / name).mkdir(parents=True)
    shutil.copy2(bundle / "rootfs/bin/busybox", root / "bin/busybox")
    for applet in ("sh", "mount", "mkdir", "init"):
        (root / "bin" / applet).symlink_to("busybox")
    (root / "init").symlink_to("bin/busybox")
    (root / "etc/inittab").write_text("::sysinit:/etc/init.d/rcS\n")
    (root / "etc/init.d/rcS").write_text(RC_SCRIPT)
    (root / "etc/init.d/rcS").chmod(0o755)
    copy_program(shutil.which("crun"), root)
    shutil.copytree(bundle / "rootfs", root / "bundle/rootfs", symlinks=True)
    run(["crun", "spec"], cwd=root / "bundle")
    specification = root / "bundle/config.json"
    text = specification.read_text()
    text = text.replace('"terminal": true', '"terminal": false').replace('"sh"', f'"echo", "{MARKER}"')
    specification.write_text(text)
    return pack_initramfs(root, work / "neighbour.cpio.zst")
