#!/usr/bin/env python3
"""run.py: hostile configurations, applied to a tree by the program itself. TAP output.

Usage: run.py --config PROGRAM [--sanitized PROGRAM] [--corpus DIR] [--only GLOB] [--memory KIB]
The inputs are those of generate.py and of CORPUS/hostile (outcomes.txt says what must come of each). Beside the expected outcome, these rules hold for
every input: the exit status is 0, 1 or 2 and is what `schema` says; at most one second of processor time and 16 MiB of address space (ten seconds
and no bound for the program with sanitizers, which must find nothing); every error has a place; nothing named `evil` gets into a file of accounts, mounts, hosts, sudo;
these files stay well formed; nothing is written outside of the tree; status.json and result.json are JSON; no secret is in logs.
"""
import fnmatch
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import generate  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
CPU_SECONDS = 1
SANITIZED_SECONDS = 10
FOUND = 99  # exit status when a sanitizer finds something: no other of ours
LINE_FILES = {"etc/passwd": 7, "etc/group": 4, "etc/shadow": 9, "etc/gshadow": 4, "etc/fstab": None, "etc/hosts": None, "etc/hostname": None,
              "etc/sudoers.d/90-cloud-init-users": None, "etc/doas.conf": None, "etc/resolv.conf": None, "etc/timezone": None,
              "root/.ssh/authorized_keys": None}
PLACE = re.compile(r"^[^\n]*?(:\d+:\d+|, part of line \d+): error: ", re.MULTILINE)


def parse_outcomes(path):
    """NAME WANT [| WORDS]...: one line for each file of the corpus."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("# "):
            head, *words = line.split(" | ")
            name, want = head.split()
            yield name, want, words


def inputs(corpus):
    yield from generate.all_inputs()
    if not corpus:
        return
    outcomes = {name: (want, words) for name, want, words in parse_outcomes(HERE / "outcomes.txt")}
    for path in sorted(pathlib.Path(corpus, "hostile").iterdir()):
        want, words = outcomes.get(path.name, ("unlisted", []))
        yield generate.Input(path.name, path.read_bytes(), want, words)


def fresh_tree(folder):
    shutil.rmtree(folder, ignore_errors=True)
    root = folder / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n")
    (root / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    (root / "etc/shadow").write_text("root:*:19000:0:99999:7:::\nnobody:*:19000:0:99999:7:::\n")
    (root / "etc/gshadow").write_text("root:*::\nnogroup:*::\n")
    (folder / "outside").mkdir()
    (root / "way-out").symlink_to("../outside")
    (root / "way-absolute").symlink_to(folder / "outside")
    (root / "circle").symlink_to("circle")
    return root


def limits(memory):
    seconds = CPU_SECONDS if memory else SANITIZED_SECONDS

    def apply():
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory << 10, memory << 10))
    return apply


def packed(data):
    """Bytes without lines: of these only the source can be named."""
    return data[:2] == b"\x1f\x8b" or re.fullmatch(rb"[A-Za-z0-9+/=\s]+", data) is not None


class Hostile:
    def __init__(self, program, memory, work):
        self.program, self.memory, self.work = program, memory, pathlib.Path(work)
        self.most_time = 0
        self.slowest = self.name = ""

    def run(self, *words):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        environment = dict(os.environ, ASAN_OPTIONS=f"exitcode={FOUND}", UBSAN_OPTIONS=f"exitcode={FOUND}:print_stacktrace=1")
        done = subprocess.run([self.program, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
                              preexec_fn=limits(self.memory), check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        if spent > self.most_time:
            self.most_time, self.slowest = spent, f"{self.name}, {words[0]}"
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def one(self, item):
        """All that is wrong with how this input was taken."""
        self.name = item.name
        tree = self.work / "tree"
        root = fresh_tree(tree)
        seed = tree / "seed"
        seed.mkdir()
        (seed / "user-data").write_bytes(item.data)
        (seed / "meta-data").write_text("instance-id: i-hostile\nlocal-hostname: plain\n")
        file = tree / "input"
        file.write_bytes(item.data)
        checked, said = self.run("schema", "-c", file)
        applied, told = self.run("apply", "--root", root, "--seed", seed)
        yield from self.verdict(item, checked, said, applied, told)
        yield from self.tree_rules(tree, root, applied)

    @staticmethod
    def verdict(item, checked, said, applied, told):
        if checked not in (0, 1):
            yield f"schema ends with {checked}: {said[-600:]}"
        if applied not in (0, 1, 2):
            yield f"apply ends with {applied}: {told[-600:]}"
        if item.want == "unlisted":
            yield "outcomes.txt says nothing of it"
        if item.want == "reject" and (checked != 1 or applied == 0):
            yield f"not rejected: schema {checked}, apply {applied}\n{said[-800:]}"
        if item.want in ("accept", "warn") and checked != 0:
            yield f"not accepted: {said[-800:]}"
        if item.want == "accept" and said.rstrip().endswith(": valid") is False:
            yield f"there is something to say: {said[-800:]}"
        if item.want == "warn" and "warning: " not in said:
            yield f"no warning: {said[-800:]}"
        for words in item.mentions:
            if words not in said:
                yield f"not said: {words!r}, but: {said[-800:]}"
        if checked == 1 and not PLACE.search(said) and not packed(item.data):
            yield f"no error has a place: {said[-600:]}"
        if re.search(r"[\0-\x08\x0b-\x1f\x7f]", said.replace("\r", "")):
            yield f"control characters in what is printed: {said[-300:]!r}"

    @staticmethod
    def tree_rules(tree, root, applied):
        if any((tree / "outside").iterdir()):
            yield f"outside of the tree: {sorted(p.name for p in (tree / 'outside').iterdir())}"
        for name, fields in LINE_FILES.items():
            path = root / name
            if not path.is_file():
                continue
            text = path.read_bytes().decode("utf-8", "replace")
            for line in text.splitlines():
                if re.match(r"\s*(/dev/)?(evil|permit nopass evil)|.*\sevil$", line):
                    yield f"/{name}: {line!r}"
                if fields and line.count(":") != fields - 1:
                    yield f"/{name} is broken: {line!r}"
        run = root / "run/cloud-init"
        for name in ("status.json", "result.json"):
            if applied in (0, 1, 2) and (run / name).exists():
                try:
                    json.loads((run / name).read_text(encoding="utf-8"))
                except ValueError as error:
                    yield f"{name}: {error}"
        if applied in (0, 1, 2) and not (run / "status.json").exists():
            yield "no status.json"


def parse(arguments):
    options = {"config": None, "sanitized": None, "corpus": None, "only": "*", "memory": "16384"}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)[2:]
        if word not in options or not rest:
            sys.exit(__doc__)
        options[word] = rest.pop(0)
    return options


def check_all(options, program, memory, note, count):
    """TAP lines of all inputs. Returns how many there were before and now, and how many of these failed."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="hostile.") as work:
        hostile = Hostile(os.path.abspath(program), memory, work)
        for item in inputs(options["corpus"]):
            if not fnmatch.fnmatchcase(item.name, options["only"]):
                continue
            count += 1
            complaints = list(hostile.one(item))
            failed += bool(complaints)
            print(f"{'not ok' if complaints else 'ok'} {count} - {item.name}: {item.want}{note}")
            for line in "\n".join(complaints).splitlines():
                print(f"# {line}")
    if memory:
        print(f"# most processor time of one run: {hostile.most_time * 1000:.0f} ms ({hostile.slowest})")
    return count, failed


def main():
    options = parse(sys.argv[1:])
    count, failed = check_all(options, options["config"], int(options["memory"]), "", 0)
    if options["sanitized"]:
        count, more = check_all(options, options["sanitized"], 0, ", under ASan and UBSan", count)
        failed += more
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
