#!/usr/bin/env python3
"""agreement.py: coracle-config beside the cloud-init of a Debian package, on every file of the corpus. TAP output.

Usage: agreement.py --chroot DIR --config PROGRAM --work DIR [--corpus DIR] [--own DIR] [--only GLOB] [--update] [--show]
  --work DIR   an empty folder; a tmpfs is mounted on it
  --only GLOB  only the cases whose names match; then nothing is said about listed disagreements that are gone
  --update     rewrites disagreements.txt from what is seen; reasons that are there stay, new ones must be written by hand
  --show       prints both sides of every disagreement

Every file gets two verdicts (`cloud-init schema -c`, `coracle-config schema -c`); whole configurations are applied by both to
copies (overlays) of one tree, and accounts, files, scripts and their order are compared. Runs as root, in namespaces of its own without a
network: nothing of the machine is seen or changed. What cloud-init makes of an input is kept beside the chroot, so that only new inputs cost its
time. disagreements.txt beside this file lists what differs, and why.
"""
import fnmatch
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import capture  # noqa: E402
import corpus  # noqa: E402
import tree  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
LIST = HERE.parent / "disagreements.txt"
STREAMS = 2
# A problem as it is printed; the source line below it begins with blanks.
PROBLEM = re.compile(r"(?!    ).*?\b(error|warning): ")
PLACE = re.compile(r".+?:\d+:\d+: (error|warning): \S+ \S+")
PLAIN = b"#cloud-config\nhostname: plain\n"
META_DATA = "instance-id: i-oracle\nlocal-hostname: oracle\n"
# What both systems are told by /etc/cloud: one source, no network to configure, and the modules that a container host has, in cloud-init's order.
SYSTEM = """datasource_list: [NoCloud]
network: {config: disabled}
cloud_init_modules: [seed_random, bootcmd, write_files, growpart, resizefs, disk_setup, mounts, set_hostname, update_hostname,
  update_etc_hosts, ca_certs, rsyslog, users_groups, ssh, set_passwords]
cloud_config_modules: [ssh_import_id, keyboard, locale, ntp, timezone, disable_ec2_metadata, runcmd]
cloud_final_modules: [write_files_deferred, scripts_vendor, scripts_per_once, scripts_per_boot, scripts_per_instance, scripts_user,
  ssh_authkey_fingerprints, keys_to_console, phone_home, final_message, power_state_change]
"""


class Disagreements:
    """The checked-in list: NAME-GLOB ASPECT-GLOB: REASON, one a line; a line with a glob stands for all that it matches."""

    def __init__(self, path):
        self.path, self.lines, self.used = path, [], set()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.exists() else (), 1):
            if not line.strip() or line.startswith("#"):
                continue
            found = re.match(r"(\S+) (\S+): +(\S.*)$", line)
            if not found:
                sys.exit(f"{path}:{number}: not `FILE ASPECT: REASON`")
            self.lines.append(found.groups())

    def reason(self, name, aspect):
        """All lines that match count as used. Returns the first one's reason, or None."""
        result = None
        for number, (names, aspects, why) in enumerate(self.lines):
            if fnmatch.fnmatchcase(name, names) and fnmatch.fnmatchcase(aspect, aspects):
                self.used.add(number)
                result = result or why
        return result

    def gone(self):
        return [line for number, line in enumerate(self.lines) if number not in self.used]

    def update(self, new):
        """Keeps comments and the lines that were used, adds what is new."""
        gone = {f"{names} {aspects}: " for names, aspects, _ in self.gone()}
        kept = [line for line in self.path.read_text(encoding="utf-8").splitlines() if not any(line.startswith(g) for g in gone)]
        self.path.write_text("\n".join(kept + [f"{name} {aspect}: UNEXPLAINED" for name, aspect in new]) + "\n", encoding="utf-8")


class Work:
    """The folders of a run, on a tmpfs in our mount namespace."""

    def __init__(self, folder, base):
        self.folder, self.base = pathlib.Path(folder), pathlib.Path(base)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "oracle", folder], check=True)
        # what both trees have on top of the package's: no network to configure, one source, room for mount points
        self.common = self.folder / "common"
        (self.common / "etc/cloud/cloud.cfg.d").mkdir(parents=True)
        (self.common / "etc/cloud/cloud.cfg.d/99_oracle.cfg").write_text(SYSTEM)
        (self.common / "etc/ssh/sshd_config.d").mkdir(parents=True)
        (self.common / "etc/ssh/sshd_config").write_text("Include /etc/ssh/sshd_config.d/*.conf\n")
        (self.common / "oracle").mkdir()
        (self.common / "oracle/inside.py").write_bytes((HERE / "inside.py").read_bytes())
        for name in ("dev", "proc", "sys", "run"):
            (self.common / name).mkdir(exist_ok=True)

    def tree(self, name):
        """A copy of the tree: folder with `root` and `upper`."""
        folder = self.folder / name
        for part in ("root", "upper", "work"):
            (folder / part).mkdir(parents=True)
        subprocess.run(["mount", "-t", "overlay", "-o", f"lowerdir={self.common}:{self.base},upperdir={folder}/upper,workdir={folder}/work",
                        "overlay", str(folder / "root")], check=True)
        return folder

    def seed(self, where, data):
        where.mkdir(parents=True, exist_ok=True)
        (where / "user-data").write_bytes(data)
        (where / "meta-data").write_text(META_DATA)


def ask_inside(root, jobs):
    """All jobs to one interpreter in the chroot; gives the answers as they come."""
    os.dup2(os.open("/", os.O_RDONLY | os.O_DIRECTORY), 9, inheritable=True)
    jobs_file = tempfile.TemporaryFile("w+")
    jobs_file.writelines(json.dumps(job) + "\n" for job in jobs)
    jobs_file.seek(0)
    with subprocess.Popen(["chroot", str(root), "python3", "-I", "/oracle/inside.py"], stdin=jobs_file, stdout=subprocess.PIPE, text=True,
                          pass_fds=(9,)) as inside:
        yield from map(json.loads, inside.stdout)


def run_ours(program, *words):
    return subprocess.run([program, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", check=False)


def problem_without_source(line):
    """Line, column and words: the file has another name as a seed. A part's name stays."""
    return re.sub(r"^.*?(case\d+|user-data)", "", line)


def keys_of(root, text):
    """The keys of `status --format json`, of status.json and of result.json, those of a stage with them."""
    def keys(value):
        return sorted(value) + sorted(value["init"]) if "init" in value else sorted(value)

    run = root / "run/cloud-init"
    return {"status --format json": keys(json.loads(text[text.index("{"):])),
            "status.json": keys(json.loads((run / "status.json").read_text(encoding="utf-8"))["v1"]),
            "result.json": keys(json.loads((run / "result.json").read_text(encoding="utf-8"))["v1"])}


def wants_systemd(case):
    """fstab has other default options with systemd; nothing else that we compare depends on it, and cloud-init asks it for much."""
    return b"mounts:" in case.data


def words_of(case):
    """What may be a password in the case: no more is known of a hash with a salt that was made here."""
    words = set(re.findall(r"[^\s'\",\[\]{}]+", case.data.decode("utf-8", "replace")))
    return words | {w.split(":", 1)[1] for w in words if ":" in w}


def verdict_word(code):
    return "accepts" if code == 0 else "rejects" if code == 1 else f"fails ({code})"


class Agreement:
    def __init__(self, options, work):
        self.options, self.work = options, work
        self.list = Disagreements(LIST)
        self.cases = corpus.cases_of(pathlib.Path(options["corpus"]) / "cloud-config") if options["corpus"] else []
        self.cases += corpus.own_cases(options["own"])
        self.cases = [c for c in self.cases if fnmatch.fnmatchcase(c.name, options["only"] or "*")]
        self.rows, self.new, self.count, self.parts = [], [], 0, {}
        self.placeless, self.unsaid = [], []
        rules = b"".join((HERE / name).read_bytes() for name in ("inside.py", "capture.py")) + (SYSTEM + META_DATA).encode()
        self.cache = pathlib.Path(options["chroot"]).parent / "answers" / hashlib.sha256(rules).hexdigest()[:16]
        self.cache.mkdir(parents=True, exist_ok=True)

    def check(self, name, complaints):
        self.count += 1
        print(f"{'not ok' if complaints else 'ok'} {self.count} - {name}")
        for line in complaints:
            print(f"# {line}")
        return not complaints

    def ask_everything(self):
        """cloud-init's answers by the number of the case: from the cache, else from cloud-init."""
        base, jobs, trees = None, [], {}
        for number, case in enumerate(self.cases):
            (self.work.common / f"oracle/case{number}").write_bytes(case.data)
            case.kept = self.cache / hashlib.sha256(f"{case.kind} {case.applied} {wants_systemd(case)}".encode() + case.data).hexdigest()
            if case.kept.exists():
                continue
            jobs.append({"id": f"v{number}", "kind": "verdict", "path": f"/oracle/case{number}", "type": case.kind})
            if case.applied:
                trees[number] = self.work.tree(f"theirs{number}")
                self.work.seed(trees[number] / "root/var/lib/cloud/seed/nocloud", case.data)
                if wants_systemd(case):
                    (trees[number] / "root/run/systemd/system").mkdir(parents=True)
                jobs.append({"id": f"a{number}", "kind": "apply", "root": str(trees[number] / "root")})
        if jobs:
            base = self.work.tree("base")
        for answer in ask_inside(base / "root", jobs) if jobs else ():
            self.keep(answer, trees)
        return [json.loads(case.kept.read_text(encoding="utf-8")) for case in self.cases]

    def keep(self, answer, trees):
        """A verdict is complete at once; of a case that is applied both answers make the file, whichever comes first."""
        number = int(answer["id"][1:])
        case = self.cases[number]
        part = self.parts.setdefault(number, {})
        if answer["id"][0] == "v":
            part.update(code=answer["code"], text=answer["text"])
        else:
            part.update(stages=answer["code"], log=answer["text"], tree=capture.snapshot(trees[number], self.work.base, words_of(case)))
        if "code" in part and ("stages" in part or not case.applied):
            new = case.kept.with_suffix(".new")
            new.write_text(json.dumps(part), encoding="utf-8")
            new.rename(case.kept)

    def ours(self, number, case):
        """Our verdict, and what we make of the tree when the case is applied."""
        path = self.work.common / f"oracle/case{number}"
        verdict = run_ours(self.options["config"], "schema", "-t", case.kind, "-c", path)
        self.placeless += [f"{case.name}: {line}" for line in verdict.stdout.splitlines() if PROBLEM.match(line) and not PLACE.match(line)]
        if not case.applied:
            return verdict, None
        folder = self.work.tree(f"ours{number}")
        seed = self.work.folder / f"seed{number}"
        self.work.seed(seed, case.data)
        done = run_ours(self.options["config"], "apply", "--root", folder / "root", "--seed", seed)
        if done.returncode not in (0, 1, 2):
            self.note(case, "apply", "", f"ends with {done.returncode}: {done.stdout}")
        told = {problem_without_source(line) for line in done.stdout.splitlines() if PROBLEM.match(line)}
        self.unsaid += [f"{case.name}: {line}" for line in verdict.stdout.splitlines()
                        if PROBLEM.match(line) and problem_without_source(line) not in told]
        return verdict, capture.snapshot(folder, self.work.base, words_of(case))

    def note(self, case, aspect, left, right):
        """A difference: explained by the list, or new."""
        if self.list.reason(case.name, aspect) is None:
            self.new.append((case.name, aspect, left, right))
        elif self.options["show"]:
            print(f"# listed: {case.name} {aspect}\n#   cloud-init: {str(left)[:1500]}\n#   ours:       {str(right)[:1500]}")

    def compare(self):
        answers = self.ask_everything()
        for number, case in enumerate(self.cases):
            verdict, snapshot = self.ours(number, case)
            theirs = answers[number]
            row = [case.name, verdict_word(theirs["code"]), verdict_word(verdict.returncode), "", ""]
            if (theirs["code"] == 0) != (verdict.returncode == 0):
                self.note(case, "verdict", f"{row[1]}: {theirs['text']}", f"{row[2]}: {verdict.stdout}")
            if snapshot is not None:
                if self.options["show"]:
                    print(f"# {case.name}: cloud-init's stages end with {theirs['stages']}: {theirs['log']}")
                seen, differ = tree.compare(theirs["tree"], snapshot, self.work.base, words_of(case))
                row[3:] = [str(seen), str(len(differ))]
                for aspect, (left, right) in differ.items():
                    self.note(case, aspect, left, right)
            self.rows.append(row)

    def status_theirs(self):
        """The keys of cloud-init's own status in all its forms, after a configuration without mistakes."""
        kept = self.cache / "status"
        if not kept.exists():
            folder, base = self.work.tree("status-theirs"), self.work.tree("status-base")
            self.work.seed(folder / "root/var/lib/cloud/seed/nocloud", PLAIN)
            list(ask_inside(base / "root", [{"id": "apply", "kind": "apply", "root": str(folder / "root")}]))
            answer, = ask_inside(base / "root", [{"id": "run", "kind": "run", "root": str(folder / "root"), "words": ["status", "--format", "json"]}])
            kept.write_text(json.dumps(keys_of(folder / "root", answer["text"])), encoding="utf-8")
        return json.loads(kept.read_text(encoding="utf-8"))

    def status_ours(self):
        folder, seed = self.work.tree("status-ours"), self.work.folder / "seed-status"
        self.work.seed(seed, PLAIN)
        run_ours(self.options["config"], "apply", "--root", folder / "root", "--seed", seed)
        done = run_ours(self.options["config"], "status", "--root", folder / "root", "--format", "json")
        return keys_of(folder / "root", done.stdout)

    def check_status(self):
        theirs, ours = self.status_theirs(), self.status_ours()
        for name, keys in theirs.items():
            self.check(f"{name}: every key of cloud-init is there, and no other", [] if keys == ours[name] else [f"cloud-init: {keys}", f"ours: {ours[name]}"])
        return theirs == ours

    def print_table(self):
        print(f"# {'file':62} {'cloud-init':10} {'ours':10} aspects differ")
        for row in self.rows:
            print(f"# {row[0]:62} {row[1]:10} {row[2]:10} {row[3]:>7} {row[4]:>6}")
        agree = sum(row[1] == row[2] for row in self.rows)
        applied = [row for row in self.rows if row[3]]
        aspects, differ = (sum(int(row[i]) for row in applied) for i in (3, 4))
        print(f"# verdicts: {agree} of {len(self.rows)} agree; applied: {len(applied)} files, {aspects - differ} of {aspects} aspects agree")

    def report(self):
        self.print_table()
        groups = sorted({case.name.split("/")[0] for case in self.cases})
        for group in groups:
            for what in ("verdict", "applied"):
                chosen = [c for c in self.cases if c.name.split("/")[0] == group and (what == "verdict" or c.applied)]
                if not chosen:
                    continue
                names = {c.name for c in chosen}
                complaints = []
                for name, aspect, left, right in self.new:
                    if name in names and (aspect == "verdict") == (what == "verdict"):
                        complaints += [f"{name} {aspect}", *(f"  cloud-init: {line}" for line in str(left).splitlines()[:12]),
                                       *(f"  ours:       {line}" for line in str(right).splitlines()[:12])]
                self.check(f"{group}: {'the verdict on' if what == 'verdict' else 'what becomes of'} {len(chosen)} files", complaints)
        self.check("every problem has source, line, column and words", self.placeless)
        self.check("what schema says of a file, its application says too", self.unsaid)
        unexplained = [f"{n} {a}" for n, a, why in self.list.lines if why == "UNEXPLAINED"]
        gone = [] if self.options["only"] or not self.options["corpus"] else self.list.gone()
        self.check("disagreements.txt: every line says why", unexplained)
        self.check("disagreements.txt: nothing in it has gone", [f"{n} {a}: {why}" for n, a, why in gone])
        if self.options["update"]:
            self.list.update([(n, a) for n, a, _, _ in self.new])
        same = bool(self.options["only"]) or self.check_status()
        print(f"1..{self.count}")
        return same and not (self.new or unexplained or gone or self.placeless or self.unsaid)


def parse(arguments):
    options = {"chroot": None, "config": None, "work": None, "corpus": None, "own": None, "only": None, "update": False, "show": False}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)[2:]
        if word in ("update", "show"):
            options[word] = True
        elif word in options and rest:
            options[word] = rest.pop(0)
        else:
            sys.exit(__doc__)
    return options


def main():
    options = parse(sys.argv[1:])
    agreement = Agreement(options, Work(options["work"], options["chroot"]))
    agreement.compare()
    return 0 if agreement.report() else 1


if __name__ == "__main__":
    sys.exit(main())
