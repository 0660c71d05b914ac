#!/usr/bin/env python3
"""test_full_disk.py: an image that does not fit on the data disk: told on the console and in the status, the other container runs,
nothing half-written stays; on a larger disk the next boot grows the file system and runs it."""
# timeout: 500
import os

from harness import Machine, case, check, equal, finish, fixtures, temporary_directory

GOOD = """    good:
      image: busybox
      command: [sh, -c, 'echo good as ever; exec sleep 100000']
      stop_signal: SIGKILL
"""


def full_disk(folder):
    user_data = "#cloud-config\ncontainers:\n  services:\n" + GOOD + "    web: {image: nginx, network_mode: host}\n"
    options = {"user_data": user_data, "data": os.path.join(folder, "small.img"), "rescue": True}
    both = [fixtures() / "busybox.oci.tar", fixtures() / "nginx.oci.tar"]
    with Machine("bad-full-disk", "--data-size", "48M", images=both, **options) as guest:
        with case("full disk: told on the console and in the status, the other container runs"):
            guest.wait_for(r"\bgood \| good as ever$", anywhere=True)
            guest.wait_for(r"coracle[^\n]*nginx[^\n]*(No space left|too small)", anywhere=True)
            guest.type("\n")
            guest.wait_shell()
            guest.settle()
            check([p for p in guest.problems() if "nginx" in p["message"]], "nothing about nginx in /run/coracle/problems")
        with case("full disk: nothing half-written stays and takes room"):
            equal(guest.shell("ls -A /var/lib/coracle/tmp", ok=False).strip(), "", "staging folder")
        with case("full disk: power-off"):
            guest.type("poweroff\n")
            guest.wait_exit()
    with Machine("bad-full-disk-grown", "--data-size", "1G", images=both, memory=512, **options) as guest:
        with case("full disk: on a larger disk the next boot grows the file system, imports and runs the image"):
            guest.wait_for(r"\bgood \| good as ever$", anywhere=True)
            guest.type("\n")
            guest.wait_shell()
            guest.shell_until("pidof nginx", r"\d", "nginx", 240)
        with case("full disk: power-off after growing"):
            guest.type("poweroff\n")
            guest.wait_exit()


with temporary_directory() as directory:
    full_disk(directory)
finish()
