"""corpus.py: the cases of agreement.py: which files of the corpus are what, and the examples inside of the documentation's pages."""
import pathlib
import re
import textwrap
from dataclasses import dataclass

# Keys whose work is that of a package manager or of a program that is not on a container host: only the verdict counts.
ELSEWHERE = {
    "ansible", "apk_repos", "apt", "apt_pipelining", "byobu_by_default", "chef", "fan", "grub_dpkg", "landscape", "launch-index", "lxd",
    "mcollective", "package_reboot_if_required", "package_update", "package_upgrade", "packages", "puppet", "rh_subscription", "rpi",
    "salt_minion", "snap", "spacewalk", "drivers", "ubuntu_advantage", "ubuntu_pro", "updates", "wireguard", "yum_repos", "zypper",
    "autoinstall", "reporting", "output", "final_message", "bcfg2", "phone_home", "keyboard", "ca_certs", "ca-certs",
}


@dataclass
class Case:
    name: str
    kind: str	# cloud-config or network-config
    data: bytes
    applied: bool = False
    kept: pathlib.Path = None	# cloud-init's answer


def top_keys(data):
    return set(re.findall(r"^([A-Za-z_][\w-]*)\s*:", data.decode("utf-8", "replace"), re.MULTILINE))


def worth_applying(data):
    """A cloud-config (or a collection of parts) with at least one key that is done on a container host."""
    text = data.decode("utf-8", "replace").lstrip().lower()
    if text.startswith("#cloud-config") and not text.startswith("#cloud-config-"):
        return bool(top_keys(data) - ELSEWHERE)
    return text.startswith(("#cloud-config-archive", "#!", "#cloud-boothook", "## template", "mime-version:", "content-type:", "from "))


def blocks_of(path):
    """The YAML blocks of a page in reStructuredText, each with its header line."""
    text = path.read_text(encoding="utf-8")
    for found in re.finditer(r"^\.\. code-block:: yaml\n((?:   +:.*\n)*)\n((?:[ \t]+\S.*\n|\n)+)", text, re.MULTILINE):
        block = textwrap.dedent(found.group(2)).strip("\n") + "\n"
        if not block.startswith("#cloud-config") and re.match(r"(#.*\n)*[a-z_]+:", block):
            block = "#cloud-config\n" + block
        if block.startswith("#cloud-config"):
            yield block.encode()


def cases_of(folder):
    """All inputs below CORPUS/cloud-config, by name."""
    found = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        name = str(path.relative_to(folder))
        part = name.split("/")[0]
        if path.suffix == ".rst":
            found += [Case(f"{name}#{n}", "cloud-config", data) for n, data in enumerate(blocks_of(path), 1)]
        elif part == "net":
            # what cloud-init's renderers make of them is there too, and only netplan's form is an input of ours
            if path.name in ("yaml", "yaml_v1", "yaml_v2", "expected_netplan"):
                found.append(Case(name, "network-config", path.read_bytes()))
        elif path.name.startswith("network-config"):
            found.append(Case(name, "network-config", path.read_bytes()))
        elif not path.name.startswith("expected"):
            found.append(Case(name, "cloud-config", path.read_bytes()))
    for case in found:
        case.applied = case.kind == "cloud-config" and worth_applying(case.data) and not case.name.startswith("merge/")
    return found


def own_cases(folder):
    """Our own examples beside the corpus: whole configurations, all applied."""
    return [Case(f"own/{path.name}", "cloud-config", path.read_bytes(), True) for path in sorted(pathlib.Path(folder).glob("*.yaml"))]
