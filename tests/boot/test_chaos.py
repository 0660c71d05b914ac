#!/usr/bin/env python3
"""test_chaos.py: the short form of `make chaos`: some faults of its catalogue, helpers killed in one boot, and power cuts at each kind of moment."""
# timeout: 900
import concurrent.futures
import os
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "chaos"))

import faults  # noqa: E402
import helpers  # noqa: E402
import powercut  # noqa: E402
from harness import case, check, finish, temporary_directory  # noqa: E402
from table import Table  # noqa: E402

SHORT = ("kill -9: engine", "kill -9: udhcpc", "kill -9: a client of the engine", "kill -9: a container", "kill -9: coracle-runtime create",
         "kill -9: coracle-runtime delete", "init: SIGBUS", "ENOSPC: /var", "ENOSPC: /run", "ENOMEM: the engine's cgroup",
         "ENOMEM: coracle-runtime", "clock: two years back", "disk: slow")
HELPERS = ("kill -9: coracle-data (boot)", "kill -9: coracle-config boot", "kill -9: coracle-fetch (import)", "kill -9: engine (boot)")
CUTS = 8

seed = int(os.environ.get("CORACLE_CHAOS_SEED", time.time_ns()))
print(f"# CORACLE_CHAOS_SEED={seed}", flush=True)
table = Table(lambda text: print("# " + text.replace("\n", "\n# "), flush=True))

with temporary_directory() as folder:
    faults.tools_disk(folder)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(faults.Ward("faults", folder, random.Random(f"{seed}/a"), table).run, SHORT),
                pool.submit(helpers.Trials(folder, random.Random(f"{seed}/b"), table).all_at_once_job(HELPERS)),
                pool.submit(powercut.run, CUTS, folder, seed, table, False)]
        for job in jobs:
            job.result()
for name in (*SHORT, *HELPERS, *powercut.NAMES.values()):
    with case(f"{name}: survived, and nothing acknowledged is lost"):
        check(table.well(name), table.why(name))
finish()
