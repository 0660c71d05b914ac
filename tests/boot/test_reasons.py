#!/usr/bin/env python3
"""test_reasons.py: what init says of its own failures on the next boot (`coracle why`): five crashes, a crash when init cannot be executed again,
a crash before it has a state, a service that keeps failing. tests/init/fault.c makes the faults; test_why.py and test_watchdog.py have the other
reasons. PID 1 rules 4, 5 and 27."""
# timeout: 900
import pathlib
import shutil
import subprocess

from harness import BUILD, Machine, case, check, finish, temporary_directory

KEPT = "reserve_mem=256K:4096:oops ramoops.mem_name=oops ramoops.max_reason=4"

# Runs before init, once: on the boot after the one that the kernel's log calls clean. Then init faults when it is about to make its state.
EARLY = r"""#!/busybox sh
/busybox mkdir -p /proc /kept
/busybox mount -t proc proc /proc
/busybox mount -t pstore pstore /kept
if /busybox grep -q 'reason: clean' /kept/dmesg-* 2>/dev/null && ! /busybox grep -q 'reason: init-crash' /kept/dmesg-*; then
	/init-fault -p 1 -a memfd_create null >/dev/null 2>&1 &
	until /busybox grep -q 'TracerPid:.[1-9]' /proc/1/status; do :; done
fi
/busybox umount /kept /proc
exec /init
"""

FLAKY = """#cloud-config
write_files:
  - path: /etc/coracle/units/flaky.unit
    content: |
      [Unit]
      FailureAction=reboot
      FailureBurst=4
      [Service]
      ExecStart=/bin/sh -c 'echo about to fail; exit 7'
      Restart=always
      RestartSec=50ms
"""

NO_ENGINE = """#cloud-config
write_files:
  - path: /etc/coracle/units/engine.unit
    content: |
      [Unit]
      After=data config
      Critical=yes
      FailureAction=reboot
      FailureBurst=3
      [Service]
      ExecStart=/nowhere
      Restart=always
"""


def tools_disk(folder):
    """A file system with the injector, for the machine to mount read-only: QEMU's arguments."""
    root, disk = folder / "tools", folder / "tools.img"
    root.mkdir()
    shutil.copy(BUILD / "tools/init-fault", root)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-L", "TOOLS", "-d", str(root), str(disk), "16M"], check=True)
    words = ["-drive", f"file={disk},if=none,id=extra,format=raw,readonly=on", "-device", "virtio-blk-pci,drive=extra"]
    return [f"--qemu-arg={word}" for word in words]


def early_initrd(folder):
    """The image's initramfs behind one whose program runs before init."""
    script, archive, both = folder / "early", folder / "early.cpio", folder / "both.cpio"
    script.write_text(EARLY)
    subprocess.run([BUILD / "tools/coracle-image", "cpio", archive, f"early={script},755", f"busybox={BUILD}/sysroot/target/busybox,755",
                    f"init-fault={BUILD}/tools/init-fault,755"], check=True)
    text = archive.read_bytes()
    both.write_bytes(text + b"\0" * (-len(text) % 4) + (BUILD / "initramfs.cpio.zst").read_bytes())
    return both


def find_tools(guest):
    guest.settle()
    guest.shell("mkdir -p /run/tools && for d in /dev/vd?; do mount -t ext4 -o ro,noload $d /run/tools 2>/dev/null && "
                "[ -x /run/tools/init-fault ] && break; done; test -x /run/tools/init-fault")


def crashes(folder):
    with Machine("reasons-crash", *tools_disk(folder), data=str(folder / "crash.img"), rescue=True) as guest:
        guest.wait_shell()
        find_tools(guest)
        guest.why(r"^last boot   first:")
        with case("four crashes are no end, and the record of a way down is none"):
            for word in ("null", "ud2", "stack", "division"):
                guest.shell(f"/run/tools/init-fault {word} && coracle services >/run/services")
            check("it is going to end" not in guest.shell("coracle why"), "it is going to end")
        with case("the fifth: the next boot knows that init crashed, how often and by which signal"):
            guest.type("/run/tools/init-fault abort\n")
            guest.wait_for(r"reboot: Restarting system")
            guest.wait_shell()
            guest.why(r"^last boot   init-crash: process 1 crashed\n +init crashed \(5 within 60 s\): signal 6 \(Aborted\) at 0x[0-9a-f]+, address")
        with case("what can be executed no more: sync, reboot, and a reason"):
            find_tools(guest)
            guest.shell("mount -o remount,bind,noexec / && ! /bin/true 2>/dev/null", ok=False)
            guest.type("/run/tools/init-fault null\n")
            guest.wait_for(r"init-crash: init crashed, and could not go on")
            guest.wait_shell()
            guest.why(r"^last boot   init-crash:[^\n]*\n +init crashed, and could not go on\n")
        with case("and after it the end is in order again"):
            guest.type("reboot\n")
            guest.wait_for(r"reboot: Restarting system")
            guest.wait_shell()
            guest.why(r"^last boot   clean:[^\n]*\n +reboot: asked by reboot .*^  boot 1,[^\n]*: init-crash: .*^  boot 2,[^\n]*: init-crash: ")
            guest.absent(r"Kernel panic|Oops|BUG:|WARNING:")


def before_a_state(folder):
    with Machine("reasons-early", "--initrd", str(early_initrd(folder)), data=str(folder / "early.img"), rescue=True,
                 append=f"rdinit=/early {KEPT}") as guest:
        guest.wait_shell()
        guest.why(r"^last boot   first:")
        guest.type("reboot\n")
        with case("a crash before there is a state, or a disk to write on: a reboot, and the kernel's log has the reason"):
            guest.wait_for(r"there is no state that it could go on with: rebooting")
            guest.wait_for(r"reboot: Restarting system")
            guest.wait_shell()
            guest.why(r"^this boot   number 3,.*^last boot   init-crash:[^\n]*\n +init crashed, and there is no state that it could go on with\n")
            guest.absent(r"Kernel panic|Oops|BUG:|WARNING:")


def escalation(folder):
    disk = str(folder / "service.img")
    for name, user_data, said in (("flaky", FLAKY, "flaky failed 4 times in a row: at last it exited with code 7"),
                                  ("engine", NO_ENGINE, "engine failed 3 times in a row: at last it could not be started: /nowhere: No such file or directory")):
        with Machine(f"reasons-{name}", "--no-reboot", data=disk, user_data=user_data) as guest:
            with case(f"FailureAction=reboot, {name}: the machine reboots and says which service it is, how often and how it failed"):
                guest.wait_for(f"coracle: init: {said}; rebooting")
                guest.wait_for(r"reboot: Restarting system")
                guest.wait_exit()
        with Machine(f"reasons-{name}-after", data=disk, user_data=user_data, rescue=True) as guest:
            guest.wait_shell()
            with case(f"{name}: the next boot's `coracle why` says so"):
                guest.why(rf"^last boot   service: a service kept failing\n +{said}\n")
            with case(f"{name}: with a rescue shell the machine stays"):
                guest.wait_for(f"{said}$", anywhere=True)
                guest.shell("coracle services >/run/services")
                check("it is going to end" not in guest.shell("coracle why"), "it is going to end")
            guest.type("poweroff\n")
            guest.wait_exit()


with temporary_directory() as name:
    where = pathlib.Path(name)
    crashes(where)
    before_a_state(where)
    escalation(where)
finish()
