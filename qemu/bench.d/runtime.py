"""runtime.py: what coracle-runtime costs beside Debian's crun and runc, alternating in one run, for qemu/bench.

All three run the same bundle, a static /bin/true under the configuration that `runc spec` writes. crun refuses hybrid
hosts, and needs CAP_SYS_RESOURCE on version 2 hosts: this looks for a view of the control groups that all can work on
and says which one it was.
"""
import json
import pathlib
import re
import shutil
import statistics
import subprocess

from count import BenchError, run

HERE = pathlib.Path(__file__).resolve().parent
TARGETS = {"of_crun": 0.7, "of_runc": 0.2, "calls": 500, "peak_kib": 1024, "bytes": 400 * 1024, "limit_kib": 128}
PER_ROUND = 20
MANY, AT_A_TIME = 1000, 8
VIEWS = {
    "as it is": [],
    "version 2": ["mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup"],
    # crun makes plain directories there then: they go with the view
    "version 1": ["umount /sys/fs/cgroup/unified", "mount -t tmpfs tmpfs /sys/fs/cgroup/unified"],
}
LIMITS_KIB = (16, 32, 64, 128, 256, 512, 1024, 2048, 3072, 4096, 8192, 16384)


class RuntimeBench:
    def __init__(self, work, build, rounds):
        self.work, self.build, self.rounds = work / "runtime", build, rounds
        self.bundle = self.work / "bundle"
        self.view = []
        self.runtimes = {"coracle": build / "bin/coracle-runtime"}
        for name in ("crun", "runc"):
            path = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
            if not path:
                raise BenchError(f"{name} is not installed")
            self.runtimes[name] = path

    def prepare(self):
        compiler = self.build / "sysroot/bin/x86_64-linux-musl-gcc"
        (self.bundle / "rootfs/bin").mkdir(parents=True)
        self.cycle = self.work / "cycle"
        run([compiler, "-std=gnu11", "-O2", "-static", "-o", self.cycle, HERE / "cycle.c"])
        source = self.work / "true.c"
        source.write_text("int main(void) { return 0; }\n")
        run([compiler, "-Os", "-static", "-s", "-o", self.bundle / "rootfs/bin/true", source])
        run([self.runtimes["runc"], "spec"], cwd=self.bundle)
        config = json.loads((self.bundle / "config.json").read_text())
        config["process"].update(terminal=False, args=["/bin/true"])
        config["linux"]["cgroupsPath"] = "/coracle-bench/cycle"
        self.config = config
        self.configure()

    def configure(self, **resources):
        config = json.loads(json.dumps(self.config))
        config["linux"]["resources"].update(resources)
        (self.bundle / "config.json").write_text(json.dumps(config))

    def viewed(self, view, command):
        """The command, in a mount namespace where /sys/fs/cgroup is as `view` says."""
        if not view:
            return command
        script = " && ".join(["mount --make-rprivate /", *view, 'exec "$@"'])
        return ["unshare", "-m", "sh", "-c", script, "view", *command]

    def cycles(self, name, mode, count):
        out = run(self.viewed(self.view, [self.cycle, mode, count, self.bundle, self.work / f"root-{name}", self.runtimes[name]]))
        found = re.search(r"^(\d+) (\d+)$", out, re.MULTILINE)
        if not found:
            raise BenchError(f"{name}: {out[-1000:]}")
        return int(found.group(1)) / count / 1e6, int(found.group(2))

    def choose_view(self):
        reasons = []
        for label, view in VIEWS.items():
            self.view = view
            try:
                for name in self.runtimes:
                    self.cycles(name, "run", 1)
                return label
            except BenchError as error:
                reasons.append(f"{label}: {str(error).strip().splitlines()[-1]}")
                self.forget()
        raise BenchError("no view of the control groups suits all three:\n" + "\n".join(reasons))

    def forget(self):
        for name, runtime in self.runtimes.items():
            subprocess.run(self.viewed(self.view, [str(runtime), "--root", str(self.work / f"root-{name}"), "delete", "-f", "cycle"]),
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)

    def calls(self, name):
        """System calls of `run`, all processes together, /bin/true's own ones with them."""
        report = self.work / "calls"
        run(self.viewed(self.view, ["strace", "-f", "-c", "-o", report, self.runtimes[name], "--root", self.work / f"root-{name}",
                                    "run", "--bundle", self.bundle, "cycle"]), stdin=subprocess.DEVNULL)
        total = re.search(r"^\s*100\.00\s+\S+\s+(?:\S+\s+)?(\d+)\s+(?:\d+\s+)?total$", report.read_text(), re.MULTILINE)
        if not total:
            raise BenchError(f"strace's report is not as expected:\n{report.read_text()[-500:]}")
        return int(total.group(1))

    def least_memory(self, name):
        """KiB: the smallest memory limit, of the usual sizes, under which /bin/true runs."""
        for kib in LIMITS_KIB:
            self.configure(memory={"limit": kib * 1024})
            try:
                self.cycles(name, "run", 1)
                return kib
            except BenchError:
                self.forget()
            finally:
                self.configure()
        return None

    def many(self, name):
        """Seconds for MANY containers; None when one failed or something was left on the host."""
        command = [HERE.parent.parent / "tests/runtime/many.sh", str(MANY), str(AT_A_TIME), self.runtimes[name]]
        try:
            return float(re.search(r"([0-9.]+) seconds", run(self.viewed(self.view, command))).group(1))
        except BenchError:
            return None

    def measure(self):
        self.prepare()
        result = {"view": self.choose_view(), "rounds": self.rounds, "per_round": PER_ROUND}
        rows = {name: {"lifecycle": [], "run": [], "peak_kib": 0} for name in self.runtimes}
        for _ in range(self.rounds):
            for name, row in rows.items():
                for mode in ("lifecycle", "run"):
                    milliseconds, peak = self.cycles(name, mode, PER_ROUND)
                    row[mode].append(milliseconds)
                    row["peak_kib"] = max(row["peak_kib"], peak)
        for name, row in rows.items():
            row["lifecycle_ms"], row["run_ms"] = statistics.median(row.pop("lifecycle")), statistics.median(row.pop("run"))
            row["calls"] = self.calls(name)
            row["least_memory_kib"] = self.least_memory(name)
            row["many_seconds"] = self.many(name)
            row["bytes"] = pathlib.Path(self.runtimes[name]).stat().st_size
        result["rows"] = rows
        return result


def print_runtime(result, verdict):
    rows = result["rows"]
    ours = rows["coracle"]
    print(f"\nThe runtime, /bin/true, {result['rounds']} alternating rounds of {result['per_round']}"
          f" (medians; control groups: {result['view']})")
    print(f"{'':34} {'Coracle':>10} {'crun':>10} {'runc':>10}")
    for label, key, form in (("create + start + delete, ms", "lifecycle_ms", ".2f"), ("run, ms", "run_ms", ".2f"),
                             ("system calls, run", "calls", "d"), ("peak resident, KiB", "peak_kib", "d"),
                             ("smallest memory limit, KiB", "least_memory_kib", ""),
                             (f"{MANY} containers, {AT_A_TIME} at a time, s", "many_seconds", ""), ("binary, bytes", "bytes", "d")):
        print(f"{label:34} " + " ".join(f"{format(rows[name][key], form) if rows[name][key] is not None else '-':>10}" for name in rows))
    of = {name: ours["lifecycle_ms"] / rows[name]["lifecycle_ms"] for name in ("crun", "runc")}
    least = ours["least_memory_kib"]
    for text, good in (
            (f"create + start + delete: {of['crun']:.2f} of crun's, at most {TARGETS['of_crun']}", of["crun"] <= TARGETS["of_crun"]),
            (f"create + start + delete: {of['runc']:.2f} of runc's, at most {TARGETS['of_runc']}", of["runc"] <= TARGETS["of_runc"]),
            (f"system calls, fewer than {TARGETS['calls']}", ours["calls"] < TARGETS["calls"]),
            (f"peak resident memory, at most {TARGETS['peak_kib']} KiB", ours["peak_kib"] <= TARGETS["peak_kib"]),
            (f"runs under a memory limit of {TARGETS['limit_kib']} KiB", least is not None and least <= TARGETS["limit_kib"]),
            (f"{MANY} containers, {AT_A_TIME} at a time, none failed and nothing left", ours["many_seconds"] is not None),
            (f"binary, at most {TARGETS['bytes']} bytes", ours["bytes"] <= TARGETS["bytes"])):
        print(f"  {text}: {verdict(good)}")
