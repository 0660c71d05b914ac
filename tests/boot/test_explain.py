#!/usr/bin/env python3
"""test_explain.py: a boot that failed explains itself on the console in a screenful (the unit `explain`): a refused configuration, a critical service
that does not come up, a data disk that is not there, a boot that does not end; a boot that is well says nothing, and with a rescue shell it is one line.
tests/unit/test_cli_explain.c tries who is to blame."""
# timeout: 600
import re

from harness import KERNEL_LINE, Machine, case, check, equal, finish

BEGIN = r"^coracle explain: this boot (failed|is not finished) \(\d+ s after the kernel's start\)\n"
END = r"^  no shell here\? boot with coracle.rescue on the kernel command line\n"

REFUSED = """#cloud-config
hostname: refused
write_files:
  - path: /etc/one
    content: "never closed
"""


def unit(name, *lines):
    return f"  - path: /etc/coracle/units/{name}.unit\n    content: |\n" + "".join(f"      {line}\n" for line in lines)


NO_ENGINE = "#cloud-config\nwrite_files:\n" + unit(
    "engine", "[Unit]", "After=data config", "Critical=yes", "[Service]",
    "ExecStart=/bin/sh -c 'for i in 1 2 3 4 5 6 7 8 9; do echo line $$i of a " + "very " * 30 + "long story; done; exit 9'",
    "Restart=always", "RestartSec=100ms", "RestartMaxDelaySec=10s") + unit(
    "needs-it", "[Unit]", "Requires=engine", "[Service]", "ExecStart=/bin/sleep 1000")

NEVER_READY = "#cloud-config\nwrite_files:\n" + unit(
    "engine", "[Unit]", "After=data config", "Critical=yes", "[Service]", "Type=notify", "TimeoutStartSec=infinity",
    "ExecStart=/bin/sh -c 'echo still at it; exec sleep 1000'") + unit(
    "soon", "[Service]", "Type=oneshot", "ExecStart=/usr/bin/coracle explain --boot 14", "[Timer]", "OnBootSec=10s")


def screen(guest, *patterns):
    """The screen on the console: no more than 24 lines of 80 columns, and what it says."""
    guest.wait_for(BEGIN + r".*?" + END, anywhere=True)
    text = re.search(BEGIN + r".*?" + END, KERNEL_LINE.sub("", guest.text), re.MULTILINE | re.DOTALL).group(0)
    lines = text.splitlines()
    check(10 <= len(lines) <= 24, f"{len(lines)} lines:\n{text}")
    check(max(map(len, lines)) <= 80, f"wider than 80 columns:\n{text}")
    for word in ("What depends on it", "What to do next") + patterns:
        check(re.search(word, text, re.MULTILINE), f"the screen does not say {word!r}:\n{text}")
    equal(len(re.findall(BEGIN, guest.text, re.MULTILINE)), 1, "screens")
    print("# " + text.replace("\n", "\n# ").rstrip("# "), flush=True)


def failures():
    with Machine("explain-refused", user_data=REFUSED) as guest:
        with case("a refused configuration: the screen has the error with its line, and how to check a corrected one"):
            screen(guest, "^What failed first$", r"^  config: the boot configuration has \d+ errors?;", r"^  at \d+\.\d+ s: user-data", "^Its last lines",
                   r"^ .*engine \(running\)", "coracle-config status --long", "coracle-config schema -c FILE")
    with Machine("explain-engine", user_data=NO_ENGINE) as guest:
        with case("a critical service that does not come up: its restarts, its last lines cut to the screen, what waits for it"):
            screen(guest, r"^  engine (is \w+|waits for its next start), restarted \d+ times$", r"^  at \d+\.\d+ s: engine exited with code 9; started again at once",
                   r"^ +\d+\.\d+  line 9 of a (very )+", r"^ .*needs-it \(\w+\)", "coracle logs engine",
                   "cat /etc/coracle/units/engine.unit     change it, then: coracle reload")
    with Machine("explain-data", append="coracle.data=wait") as guest:
        with case("a data disk that is not there: the disks that are, and what makes one"):
            screen(guest, "^  data: no file system labelled CORACLE-DATA", "^The file systems that were found$", "mke2fs -t ext4 -L CORACLE-DATA /dev/DISK")
    with Machine("explain-late", user_data=NEVER_READY) as guest:
        with case("a boot that does not end: what is not ready after a while"):
            screen(guest, "this boot is not finished", "^What is not ready$", "^  engine is starting$", r"^ +\d+\.\d+  still at it$")


def with_a_shell():
    with Machine("explain-rescue", user_data=REFUSED, rescue=True) as guest:
        guest.wait_shell()
        with case("with a rescue shell the console has one line, and the screen comes when it is asked for"):
            guest.wait_for(r"coracle: explain: this boot failed: `coracle explain` says what, and what to do$", anywhere=True)
            guest.absent(r"^coracle explain: this boot failed")
            text = guest.shell("coracle explain; [ $? = 3 ]")
            check(len(text.splitlines()) <= 24, f"more than a screenful:\n{text}")
            check("no shell here" not in text and "config: the boot configuration has" in text, text)
    with Machine("explain-well", rescue=True) as guest:
        guest.wait_shell()
        with case("a boot that is well: nothing on the console, and the unit has ended"):
            guest.shell_until("coracle services | grep '^explain '", r"^explain +done ", "the unit explain")
            guest.absent("this boot (failed|is not)")
            check("explain" not in guest.shell("coracle boot-time"), "what a timer starts is a part of the boot")
            equal(guest.shell("coracle explain").strip(), "nothing failed in this boot", "coracle explain")


failures()
with_a_shell()
finish()
