#!/usr/bin/env python3
"""test_init.py: PID 1 alone on a real kernel, with tests/init/probe.c standing in for the engine, the configuration and their
promises; the ways down, the data file system, broken programs, the rescue shell."""
# timeout: 900
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from harness import BUILD, TOP, Machine, case, check, equal, finish

SECTOR = 512
MIB = 1 << 20


def make_initrd(folder, data=True, engine=True, units=None):
    """An initramfs like the image's, whose root holds init, busybox, e2fsck and the probe. units: {name: text} instead of the image's; False: no
    such folder."""
    root = folder / "root"
    shutil.rmtree(root, ignore_errors=True)
    for name in ("dev proc sys run tmp var usr/bin usr/lib/coracle").split():
        (root / name).mkdir(parents=True)
    shutil.copytree(TOP / "rootfs/skel/etc", root / "etc")
    if units is None:
        # the probe plays coracle-config and does not know what netwatch would ask of it
        shutil.copytree(TOP / "rootfs/skel/usr/lib/coracle/units", root / "usr/lib/coracle/units", ignore=shutil.ignore_patterns("netwatch.unit"))
    elif units is not False:
        (root / "usr/lib/coracle/units").mkdir()
        for name, text in units.items():
            (root / f"usr/lib/coracle/units/{name}.unit").write_text(text)
    for name in ("bin", "sbin", "usr/sbin"):
        (root / name).symlink_to("bin" if "/" in name else "usr/bin")
    shutil.copy(BUILD / "bin/init", root / "usr/bin/init")
    shutil.copy(BUILD / "sysroot/target/busybox", root / "usr/bin/busybox")
    for name in subprocess.run([root / "usr/bin/busybox", "--list"], stdout=subprocess.PIPE, check=True).stdout.decode().split():
        if not (root / "usr/bin" / name).exists():
            (root / "usr/bin" / name).symlink_to("busybox")
    for name in ("poweroff", "reboot", "halt", "shutdown"):
        (root / "usr/bin" / name).unlink(missing_ok=True)
        (root / "usr/bin" / name).symlink_to("init")
    shutil.copy(BUILD / "sysroot/target/e2fsck", root / "usr/bin/e2fsck")
    shutil.copy(BUILD / "bin/coracle", root / "usr/bin/coracle")
    shutil.copy(BUILD / "tools/init-probe", root / "usr/lib/coracle/coracle-config")
    if engine:
        shutil.copy(BUILD / "tools/init-probe", root / "usr/lib/coracle/coracle-engine")
    if data:
        shutil.copy(BUILD / "bin/coracle-data", root / "usr/lib/coracle/coracle-data")
    erofs, archive = folder / "root.erofs", folder / f"initramfs-{data}-{engine}.cpio"
    erofs.unlink(missing_ok=True)
    subprocess.run(["mkfs.erofs", "-zlz4hc", erofs, root], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    subprocess.run([BUILD / "tools/coracle-image", "cpio", archive, f"init={BUILD}/bin/init,755", f"root.erofs={erofs}"], check=True)
    return archive


def machine(name, initrd, *options, append="", **keywords):
    # a machine that reboots ends: each of them starts once
    return Machine(f"init-{name}", "--initrd", str(initrd), "--no-reboot", *options, append=append, logs=False, **keywords)


def drive(path, bus="virtio"):
    """QEMU arguments for a disk that is not the machine's data disk by name."""
    words = ["-drive", f"file={path},if=none,id=extra,format=raw"]
    words += ["-device", "virtio-blk-pci,drive=extra"] if bus == "virtio" else ["-device", "qemu-xhci", "-device", "usb-storage,drive=extra"]
    return [f"--qemu-arg={word}" for word in words]


def file_system(path, mib, label="CORACLE-DATA"):
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-L", label, str(path), f"{mib}M"], check=True)


def disk_with_partition(folder, mib):
    """A GPT disk with an ext4 data partition of 24 MiB, enlarged to mib."""
    part, disk = folder / "part", folder / "disk"
    part.unlink(missing_ok=True)
    disk.unlink(missing_ok=True)
    file_system(part, 24)
    with open(disk, "wb") as out:
        out.truncate(26 * MIB)
        out.seek(MIB)
        out.write(part.read_bytes())
    subprocess.run(["sgdisk", "-a", "2048", "-n", "1:2048:+24M", "-c", "1:data", str(disk)], stdout=subprocess.DEVNULL, check=True)
    os.truncate(disk, mib * MIB)
    return disk


def promises(initrd):
    for kind in ("microvm", "q35"):
        with machine(f"promises-{kind}", initrd, append="coracle.exit=debug", machine=kind) as guest:
            with case(f"{kind}: the probe runs to its end and the machine powers off with its exit code"):
                guest.wait_for("probe: all done", 300)
                guest.wait_for(r"probe: third run ends, \d+ promises")
                guest.wait_exit(code=7)
            with case(f"{kind}: every promise is kept"):
                guest.absent(r"probe: FAILED.*")
                guest.absent(r"Kernel panic|Oops|BUG:|WARNING:")
                tried = re.search(r"third run ends, (\d+) promises tried", guest.text)
                # 35: the final step's promise is looked at by another process
                equal(int(tried.group(1)) if tried else 0, 35, "promises tried")
                print("# " + "\n# ".join(re.findall(r"probe: (init .*|orphans.*)", guest.text)), flush=True)


def ways_down(initrd):
    with machine("slow", initrd, append="probe.stay probe.slow") as guest:
        with case("the power button powers off, and what is waited for is said each second"):
            guest.wait_for("probe: all done", 300)
            guest.qmp("system_powerdown")
            guest.wait_for(r"waiting for engine to stop \(1 s\)")
        with case("the power button pressed again changes nothing: the service has its time"):
            guest.qmp("system_powerdown")
            guest.wait_for(r"waiting for engine to stop \(2 s\)")
            guest.wait_for(r"probe: third run ends, \d+ promises")
            guest.wait_exit()
            guest.absent("engine was killed|stopping at once")
    # the kernel turns Ctrl-Alt-Del into SIGINT to PID 1; test_power.py presses the keys
    with machine("cad", initrd, append="probe.silent", rescue=True) as guest:
        with case("rule 23: Ctrl-Alt-Del reboots in order"):
            guest.wait_shell()
            guest.type("kill -INT 1\n")
            guest.wait_for("reboot: Restarting system")
            guest.wait_exit()
            guest.absent("stopping at once")
    with machine("cad-again", initrd, append="probe.silent probe.slow probe.again", rescue=True) as guest:
        with case("rule 23: a second Ctrl-Alt-Del changes nothing: the service has its time"):
            guest.wait_shell()
            guest.type("kill -INT 1\n")
            guest.wait_for(r"waiting for engine to stop \(2 s\)")
            guest.wait_for("probe: had its time")
            guest.wait_for("reboot: Restarting system")
            guest.wait_exit()
            guest.absent("stopping at once")
    with machine("cad-burst", initrd, append="probe.silent probe.slow probe.burst", rescue=True) as guest:
        with case("rule 23: seven of them within two seconds do not wait for anyone"):
            guest.wait_shell()
            guest.type("kill -INT 1\n")
            guest.wait_for("Ctrl-Alt-Del 7 times: stopping at once")
            guest.wait_exit()
            guest.absent("waiting for engine|had its time")


def root_and_rescue(initrd):
    with machine("loop", initrd, append="rootfstype=tmpfs probe.silent", rescue=True) as guest:
        with case("on a tmpfs initramfs the root comes by a loop device"):
            guest.wait_shell()
            check("/dev/loop0" in guest.shell("cat /proc/mounts"), "no loop device")
        with case("the rescue shell has job control and comes back when it ends"):
            first = guest.console("echo $$").strip()
            guest.type("exit\n")
            guest.wait_for("# exit")
            guest.wait_shell()
            check(guest.console("echo $$").strip() != first, "the same shell")
        with case("poweroff without the engine's answer to come"):
            guest.type("poweroff\n")
            guest.wait_exit()


def data(folder, initrd, initrd_without):
    image = folder / "data"
    file_system(image, 32)
    with machine("data-whole", initrd, *drive(image), append="probe.silent", rescue=True) as guest:
        with case("a whole disk is mounted on /var and grown to its device"):
            mounted = wait_data(guest)
            check(re.match(r"/dev/vd\S+ /var ext4 rw,noatime", mounted), f"mounted is {mounted}")
            guest.shell("echo kept >/var/lib/kept")
            guest.type("poweroff\n")
            guest.wait_exit()
        with case("and is unmounted cleanly at power-off"):
            guest.absent("still in use|gave up")
            check("needs_recovery" not in subprocess.run(["dumpe2fs", "-h", image], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                                         check=True).stdout.decode(), "the journal has to be replayed")
    os.truncate(image, 96 * MIB)
    with machine("data-grown", initrd, *drive(image), append="probe.silent", rescue=True) as guest:
        with case("a disk that was enlarged has a larger file system, with its files"):
            wait_data(guest)
            size = guest.shell("df -m /var | tail -1")
            check(re.search(r"/dev/vd\S+ +(8[0-9]|9[0-9]) ", size), f"df says {size}")
            equal(guest.shell("cat /var/lib/kept").strip(), "kept", "file")
            guest.type("poweroff\n") # or bad_data() has a journal to be replayed, which may do the repair
            guest.wait_exit()
    disk = disk_with_partition(folder, 100)
    for bus in ("virtio", "usb"):
        with machine(f"data-gpt-{bus}", initrd, *drive(disk, bus), append="probe.silent coracle.data=wait", rescue=True) as guest:
            with case(f"{bus}: the last partition takes what its disk has"):
                wait_data(guest)
                size = guest.shell("df -m /var | tail -1")
                check(re.search(r"/dev/\S+1 +(8[0-9]|9[0-9]) ", size), f"df says {size}")
                equal(guest.problems(), [], "problems")
                guest.type("poweroff\n")
                guest.wait_exit()
            with case(f"{bus}: and sgdisk finds no problem"):
                check("No problems found" in subprocess.run(["sgdisk", "-v", disk], stdout=subprocess.PIPE, check=True).stdout.decode(), "it does")
    bad_data(folder, initrd, initrd_without, image)


def wait_data(guest):
    """Waits for the shell and the end of the data step; what is mounted on /var."""
    guest.wait_shell()
    guest.shell_until("cat /run/coracle/boot-times", r"^\d+ (data|engine-started)$", "the data step")
    return guest.shell("grep ' /var ' /proc/mounts")


def bad_data(folder, initrd, initrd_without, image):
    subprocess.run(["debugfs", "-w", "-R", "ssv state 2", str(image)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    with machine("data-dirty", initrd, *drive(image), append="probe.silent", rescue=True) as guest:
        with case("a file system with errors is repaired first"):
            check("ext4" in wait_data(guest), "/var is not on the disk")
            guest.shell("dmesg | grep -q 'was repaired'")
    with open(image, "r+b") as out:
        out.seek(1024 + 0x20)
        out.write(b"\xff" * 16)
    with machine("data-broken", initrd, *drive(image), append="probe.silent", rescue=True) as guest:
        with case("a file system that cannot be mounted is a problem, and /var is in memory"):
            check("tmpfs /var" in wait_data(guest), "/var is not in memory")
            check(any("/var is kept in memory" in p["message"] for p in guest.problems()), "no problem says so")
    with machine("data-absent", initrd_without, *drive(folder / "disk"), append="probe.silent", rescue=True) as guest:
        with case("without coracle-data and coracle-engine the machine comes up and says what is missing"):
            guest.wait_shell()
            guest.shell_until("cat /run/coracle/problems", "engine could not be started: /usr/lib/coracle/coracle-engine: No such file", "engine")
            check(any("data could not be started" in p["message"] for p in guest.problems()), "no problem names data")
            check("tmpfs /var" in guest.shell("cat /proc/mounts"), "no /var")


def broken(initrd):
    with machine("broken", initrd, append="probe.stay probe.broken coracle.data=wait") as guest:
        with case("no data file system within the time: said, and on in memory"):
            guest.wait_for("no file system labelled CORACLE-DATA appeared within 10 s")
        with case("a configuration that crashes is a problem, and the engine starts"):
            guest.wait_for("config was ended by signal 11")
            guest.wait_for("probe: all done", 300)
    with machine("small", initrd, memory=40, append="probe.stay") as guest:
        with case("40 MiB are enough for init and the probe; too little memory is said"):
            guest.wait_for(r"too little memory: \d+ MiB|probe: run 1")
            guest.wait_for("probe: all done", 300)


def main():
    with tempfile.TemporaryDirectory(prefix="coracle-test.") as name:
        folder = pathlib.Path(name)
        initrd = make_initrd(folder)
        without = make_initrd(folder, data=False, engine=False)
        promises(initrd)
        ways_down(initrd)
        root_and_rescue(initrd)
        data(folder, initrd, without)
        broken(initrd)
    finish()


if __name__ == "__main__":
    main()
