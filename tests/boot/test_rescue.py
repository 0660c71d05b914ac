#!/usr/bin/env python3
"""test_rescue.py: coracle.break=STAGE: a shell at that stage, and the boot or the way down goes on when it is left; an unknown stage is said."""
# timeout: 900
from harness import Machine, case, check, finish


def stage(name, command, expected):
    with Machine(f"rescue-{name}", machine="microvm", rescue=True, append=f"coracle.break={name}") as guest:
        with case(f"coracle.break={name}: a shell there, and on when it is left"):
            if name == "shutdown":
                guest.wait_shell()
                guest.type("poweroff\n")
            guest.wait_for(rf"coracle.break={name}: ")
            guest.wait_shell()
            text = guest.console(command)
            check(expected in text, f"{command}: {text}")
            guest.type("exit\n")
            if name == "shutdown":
                guest.wait_exit()
                return
            guest.wait_for("# exit") # or the prompt before it is taken for the next shell's
            guest.wait_shell()
            guest.settle()
            guest.type("poweroff\n")
            guest.wait_exit()


stage("early", "grep -c ' /etc ' /proc/mounts", "0")
stage("root", "grep -c ' /etc ' /proc/mounts; cat /run/coracle/devices", "No such file")
stage("devices", "ls /run/coracle/devices; pidof coracle-engine || echo none", "none")


def before(unit, command, expected):
    with Machine(f"rescue-{unit}", machine="microvm", append=f"coracle.break={unit}",
                 user_data="#cloud-config\npower_state: {mode: poweroff}\n") as guest:
        with case(f"coracle.break={unit}: a shell before that unit, and on when it is left"):
            guest.wait_shell()
            text = guest.console(command)
            check(expected in text, f"{command}: {text}")
            states = guest.console("coracle services")
            check("break" in states, states)
            guest.type("exit 0\n")
            guest.wait_exit()


before("data", "grep -c config /run/coracle/boot-times", "0")
before("config", "grep -c config /run/coracle/boot-times", "0")
before("engine", "cut -d' ' -f2 /run/coracle/boot-times; pidof coracle-engine || echo none", "none")
stage("shutdown", "pidof coracle-engine || echo none; cat /run/coracle/shutdown; echo", "none\npoweroff")

with Machine("rescue-unknown", machine="microvm", rescue=True, append="coracle.break=lunch") as unknown:
    with case("an unknown stage is a problem that names the ones there are"):
        unknown.wait_shell()
        unknown.settle()
        texts = [p["message"] for p in unknown.problems()]
        check(any("coracle.break=lunch: there is no such stage; there are: early, root, devices" in text for text in texts), str(texts))
finish()
