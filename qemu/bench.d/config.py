"""config.py: coracle-config beside cloud-init on the same files, in the same run. A part of qemu/bench.

Processor time of all stages of the largest configuration of the corpus that is applied, and of an empty one; peak memory; the share of verdicts
on which the two agree (tests/config/test_agreement.sh); the worst of the hostile inputs (tests/config/test_hostile.sh). cloud-init is Debian's package in the
chroot of the tests, each stage a program of its own, as it boots; both work on copies of one tree, in namespaces without a network.
"""
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
ORACLE = TOP / "tests/config/oracle"
TARGETS = {"largest_ms": 20, "ratio": 1 / 50, "empty_ms": 3, "memory_kib": 4096, "verdicts": 1.0, "hostile_ms": 100}
EMPTY = b"#cloud-config\n"


def largest(corpus):
    """Name and bytes of the largest whole configuration."""
    sys.path.insert(0, str(ORACLE))
    import corpus as files  # pylint: disable=import-outside-toplevel
    case = max((c for c in files.cases_of(pathlib.Path(corpus) / "cloud-config") if c.applied), key=lambda c: len(c.data))
    return case.name, case.data


class ConfigBench:
    def __init__(self, work, build, runs):
        self.work, self.build, self.runs = pathlib.Path(work), pathlib.Path(build), runs
        self.corpus = os.environ.get("CORPUS") or str(TOP.parent / "shared/corpus")

    def measure(self):
        chroot = subprocess.run([ORACLE / "chroot"], stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
        if not chroot or not pathlib.Path(self.corpus, "cloud-config").is_dir():
            return None
        spend, folder = self.work / "spend", self.work / "config-trees"
        subprocess.run(["cc", "-O2", "-o", spend, TOP / "qemu/bench.d/spend.c"], check=True)
        folder.mkdir()
        done = subprocess.run(["unshare", "-m", "-n", "-u", "-i", "-p", "-f", "--kill-child", "--mount-proc", "--propagation", "private", sys.executable,
                               __file__, chroot, folder, self.build / "bin/coracle-config", spend, self.corpus, str(self.runs)],
                              stdout=subprocess.PIPE, text=True, check=True)
        result = json.loads(done.stdout)
        environment = dict(os.environ, CORPUS=self.corpus, CORACLE_BUILD=str(self.build))
        said = subprocess.run(["bash", TOP / "tests/config/test_agreement.sh"], stdout=subprocess.PIPE, text=True, env=environment, check=False).stdout
        found = re.search(r"verdicts: (\d+) of (\d+) agree; applied: (\d+) files, (\d+) of (\d+) aspects agree", said)
        if found:
            result.update(zip(("verdicts_agree", "verdicts", "files_applied", "aspects_agree", "aspects"), map(int, found.groups())))
            result["unexplained"] = len(re.findall(r"^not ok", said, re.MULTILINE))
        said = subprocess.run(["bash", TOP / "tests/config/test_hostile.sh"], stdout=subprocess.PIPE, text=True, env=environment, check=False).stdout
        result["hostile_failed"] = len(re.findall(r"^not ok", said, re.MULTILINE))
        found = re.search(r"most processor time of one run: (\d+) ms \((.*)\)", said)
        if found:
            result["hostile_ms"], result["hostile_worst"] = int(found.group(1)), found.group(2)
        return result


def spent(spend, program, *words):
    """Processor time in milliseconds, peak resident memory in KiB."""
    line = subprocess.run([spend, program, *map(str, words)], stderr=subprocess.PIPE, text=True, check=True).stderr.split()
    return int(line[0]) / 1000, int(line[1])


def inside(chroot, folder, program, spend, corpus, runs):
    """In the namespaces: prints the figures as JSON."""
    sys.path.insert(0, str(ORACLE))
    import agreement  # pylint: disable=import-outside-toplevel
    work = agreement.Work(folder, chroot)
    name, data = largest(corpus)
    result = {"largest": name, "largest_bytes": len(data)}
    memory = 0
    result["floor_ms"] = statistics.median(spent(spend, program, "--version")[0] for _ in range(max(5, int(runs))))
    for label, text in (("largest", data), ("empty", EMPTY)):
        ours, jobs = [], []
        for number in range(int(runs)):
            theirs, mine = work.tree(f"{label}-theirs{number}"), work.tree(f"{label}-ours{number}")
            work.seed(theirs / "root/var/lib/cloud/seed/nocloud", text)
            work.seed(work.folder / label, text)
            jobs.append({"id": number, "kind": "time", "root": str(theirs / "root")})
            milliseconds, peak = spent(spend, program, "apply", "--root", mine / "root", "--seed", work.folder / label)
            memory = max(memory, peak)
            ours.append(milliseconds)
        answers = list(agreement.ask_inside(work.tree(f"{label}-base") / "root", jobs))
        theirs = [answer["seconds"] * 1000 for answer in answers]
        result[label + "_ms"], result[label + "_cloud_init_ms"] = statistics.median(ours), statistics.median(theirs)
    result["ratio"] = result["largest_ms"] / result["largest_cloud_init_ms"]
    result["memory_kib"] = memory
    print(json.dumps(result))


def print_config(result, verdict):
    if not result:
        print("\nConfiguration: left out, no corpus or no chroot with cloud-init")
        return
    print(f"\nConfiguration, all stages, processor time (largest: {result['largest']}, {result['largest_bytes']} bytes)")
    for label in ("largest", "empty"):
        print(f"  {label:8} coracle-config {result[label + '_ms']:8.2f} ms, at most {TARGETS[label + '_ms']}: {verdict(result[label + '_ms'] <= TARGETS[label + '_ms'])};"
              f"   cloud-init {result[label + '_cloud_init_ms']:8.0f} ms")
    print(f"  floor: the program starts and says its version, {result['floor_ms']:.2f} ms of each")
    print(f"  ratio on the largest 1/{1 / result['ratio']:.0f}, at most 1/50: {verdict(result['ratio'] <= TARGETS['ratio'])}")
    print(f"  peak resident memory {result['memory_kib']} KiB, at most {TARGETS['memory_kib']}: {verdict(result['memory_kib'] <= TARGETS['memory_kib'])}")
    if "verdicts" in result:
        print(f"  verdicts: {result['verdicts_agree']} of {result['verdicts']} are cloud-init's, {result['verdicts'] - result['verdicts_agree']} differ;"
              f" {result['aspects_agree']} of {result['aspects']} parts of what {result['files_applied']} files become agree; all others explained: "
              + verdict(result["unexplained"] == 0))
    if "hostile_ms" in result:
        print(f"  most processor time of a hostile input: {result['hostile_ms']} ms ({result['hostile_worst']}), at most {TARGETS['hostile_ms']}: "
              + verdict(result["hostile_ms"] <= TARGETS["hostile_ms"])
              + "; all in 16 MiB of address space: " + verdict(result["hostile_failed"] == 0))


if __name__ == "__main__":
    inside(*sys.argv[1:])
