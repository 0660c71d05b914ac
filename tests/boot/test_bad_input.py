#!/usr/bin/env python3
"""test_bad_input.py: wrong configurations, broken and hostile images: a clear message on the console and in the
status, the rest of the machine comes up, and nothing half-written is used at the next boot."""
# timeout: 500
import os
import re

from harness import Machine, case, check, equal, finish, fixtures, temporary_directory

GOOD = """    good:
      image: busybox
      command: [sh, -c, 'echo good as ever; exec sleep 100000']
      stop_signal: SIGKILL
"""

SYNTAX_ERROR = """#cloud-config
hostname: bad
write_files:
  - path: /etc/one
    content: "never closed
containers: [
"""

UNKNOWN_KEY = """#cloud-config
hostname: unknown-key
containers:
  services:
""" + GOOD + """    odd:
      image: busybox
      comand: [echo, never]
"""

HOSTILE = ("dotdot", "absolute", "symlink", "symlink-absolute", "hardlink", "whiteout")
BROKEN = ("digest", "diffid", "missing-layer", "size", "truncated", "garbage")


def images_config():
    text = "#cloud-config\nhostname: bad-images\ncontainers:\n  services:\n" + GOOD
    text += "    absent: {image: localhost/not-there, command: [echo, never]}\n"
    for name in HOSTILE + BROKEN:
        text += f"    {name}: {{image: 'localhost/{name}:1', command: [echo, '{name} ran']}}\n"
    return text


def about(problems, *words):
    """The reported problems that hold all of these words."""
    return [p["message"] for p in problems if all(word in p["component"] + " " + p["message"] for word in words)]


def configuration(tag, user_data, patterns, good):
    with Machine(f"bad-{tag}", user_data=user_data, images=[fixtures() / "busybox.oci.tar"], rescue=True) as guest:
        with case(f"{tag}: the console tells the mistake with its line"):
            for pattern in patterns:
                guest.wait_for(pattern, anywhere=True)
        if good:
            with case(f"{tag}: the rest of the configuration is in force"):
                guest.wait_for(r"\bgood \| good as ever$", anywhere=True)
        with case(f"{tag}: the machine is up and its status tells the mistake"):
            guest.cursor = len(guest.text)
            guest.type("\n")
            guest.wait_shell()
            guest.settle()
            check(about(guest.problems(), "config"), "nothing about the configuration in /run/coracle/problems")
            status = guest.shell("coracle-config status --wait --format json", ok=False)
            check(re.search(patterns[-1], status), f"not in the status: {status}")
        with case(f"{tag}: power-off"):
            guest.type("poweroff\n")
            guest.wait_exit()


def bad_images(folder):
    images = [fixtures() / "busybox.oci.tar"] + [fixtures() / "hostile" / f"{name}.tar" for name in HOSTILE + BROKEN]
    options = {"user_data": images_config(), "images": images, "data": os.path.join(folder, "data.img"), "rescue": True}
    for boot in ("first", "second"):
        with Machine(f"bad-images-{boot}", **options) as guest:
            with case(f"bad images, {boot} boot: the good container runs"):
                guest.wait_for(r"\bgood \| good as ever$", anywhere=True)
                guest.type("\n")
                guest.wait_shell()
                guest.settle()
            look_at_images(guest, boot)
            with case(f"bad images, {boot} boot: power-off"):
                guest.type("poweroff\n")
                guest.wait_exit()


def look_at_images(guest, boot):
    for name in ("absent", "digest", "diffid", "missing-layer", "size", "truncated"):
        with case(f"bad images, {boot} boot: {name}: told on the console and in the status"):
            guest.wait_for(rf"coracle[^\n]*{name}[^\n]*", 10, anywhere=True)
            check(about(guest.problems(), name), f"nothing about {name} in /run/coracle/problems")
            guest.absent(rf"\b{name} \| {name} ran$")
    with case(f"bad images, {boot} boot: hostile layers write nothing outside their own folder"):
        outside = guest.shell("find / -xdev -name escaped; find /run /var /etc /tmp -name escaped | grep -v '^/var/lib/coracle/layers/[0-9a-f]*/diff/'", ok=False)
        equal(outside.strip(), "", "files outside")
        guest.shell("test -d /bin && test -s /etc/passwd && test -d /run/coracle")
    with case(f"bad images, {boot} boot: nothing half-written is left"):
        equal(guest.shell("ls -A /var/lib/coracle/tmp", ok=False).strip(), "", "staging folder")


configuration("syntax-error", SYNTAX_ERROR, (r"user-data:\d+:\d+", r"user-data"), good=False)
configuration("unknown-key", UNKNOWN_KEY, (r"comand", r"comand"), good=True)
with temporary_directory() as directory:
    bad_images(directory)
finish()
