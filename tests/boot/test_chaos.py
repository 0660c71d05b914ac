#!/usr/bin/env python3
"""test_chaos.py: the short form of `make chaos`: some faults of its catalogue, and a power cut at each kind of moment."""
# timeout: 900
import os
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "chaos"))

import faults  # noqa: E402
import powercut  # noqa: E402
from harness import case, check, finish, temporary_directory  # noqa: E402

SHORT = ("kill -9 engine", "kill -9 udhcpc", "no space on /var", "no space on /run", "no memory", "clock two years back", "slow disk")

seed = int(os.environ.get("CORACLE_CHAOS_SEED", time.time_ns()))
numbers = random.Random(seed)
print(f"# CORACLE_CHAOS_SEED={seed}", flush=True)


def quiet(text):
    print(f"# {text}", flush=True)


with temporary_directory() as folder:
    survived, wrong = faults.run(SHORT, folder, numbers, quiet)
    for name in SHORT:
        with case(f"{name}: survived"):
            check(survived.get(name) == "survived", next((text for text in wrong if text.startswith(name)), "was not tried"))
    cuts, wrong = powercut.run(len(powercut.MOMENTS), folder, numbers, quiet)
    for moment, (well, _) in cuts.items():
        with case(f"power cut, {moment}: nothing acknowledged is lost"):
            check(well == 1, "\n".join(wrong))
finish()
