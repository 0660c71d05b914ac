"""capture.py: all that a program changed in a tree, as plain values by aspect; tree.py compares two of these."""
import ctypes
import json
import os
import pathlib
import re
import stat

# Places where each program keeps its own books; files of accounts are compared line by line.
LEFT_OUT = re.compile(r"^/(var/lib/cloud|var/log|var/cache|var/lib/(dpkg|apt|systemd|coracle)|run|dev|proc|sys|oracle|"
                      r"etc/(passwd|group|shadow|gshadow|subuid|subgid)-?)(/|$)|\.pyc$|__pycache__")
TABLES = ("passwd", "group", "gshadow", "subuid", "subgid")

try:
    libcrypt = ctypes.CDLL("libcrypt.so.1")
    libcrypt.crypt.restype = ctypes.c_char_p
except OSError:
    libcrypt = None


def table(root, name):
    try:
        text = (root / "etc" / name).read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return {}
    return {line.split(":")[0]: line for line in text.splitlines() if line}


def hashed_from(field, words):
    """A hash with a salt that was made here is replaced by the word it is of."""
    bare = field.lstrip("!")
    lock = field[:len(field) - len(bare)]
    if not bare.startswith("$") or bare in words:
        return field
    for word in words:
        if libcrypt and not word.startswith("$") and libcrypt.crypt(word.encode("utf-8", "replace"), bare.encode()) == bare.encode():
            return f"{lock}<hash of {word!r}>"
    return f"{lock}<hash>"


def shadow(root, words):
    out = {}
    for name, line in table(root, "shadow").items():
        fields = line.split(":")
        fields[1] = hashed_from(fields[1], words)
        if fields[2] not in ("", "0"):
            fields[2] = "day"
        out[name] = ":".join(fields)
    return out


def content(path, info):
    if stat.S_ISLNK(info.st_mode):
        return f"link to {os.readlink(path)}"
    if not stat.S_ISREG(info.st_mode):
        return f"type {stat.S_IFMT(info.st_mode):o}"
    with open(path, "rb") as file:
        return file.read().decode("utf-8", "backslashreplace")


def touched(upper, base):
    """Files that were written or removed, and directories that are new, as names in the tree."""
    for directory, _dirs, files in os.walk(upper):
        name = directory[len(str(upper)):]
        if name and not LEFT_OUT.search(name) and not os.path.isdir(f"{base}{name}"):
            yield name
        for file in files:
            if not LEFT_OUT.search(f"{name}/{file}"):
                yield f"{name}/{file}"


def describe(root, name):
    """[mode, owner, content], None: there is no such file."""
    path = f"{root}{name}"
    if not os.path.lexists(path):
        return None
    info = os.lstat(path)
    what = "directory" if stat.S_ISDIR(info.st_mode) else content(path, info)
    return [f"{stat.S_IMODE(info.st_mode):04o}", f"{info.st_uid}:{info.st_gid}", what]


def scripts(root):
    """Every script that is to be run, by the order of its name."""
    found = {}
    for label, place in (("script", "instance/scripts"), ("vendor script", "instance/scripts/vendor"), ("boothook", "instance/boothooks"),
                         ("per-boot", "scripts/per-boot"), ("per-once", "scripts/per-once"), ("per-instance", "scripts/per-instance")):
        folder = pathlib.Path(f"{root}/var/lib/cloud/{place}")
        folder = follow(root, folder)
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_file():
                found[f"{label}:{path.name}"] = f"{path.stat().st_mode & 0o777:o} {path.read_bytes()!r}"
    return found


def follow(root, folder):
    """/var/lib/cloud/instance is a link that is meant within the tree."""
    link = pathlib.Path(f"{root}/var/lib/cloud/instance")
    if link.is_symlink():
        target = os.readlink(link)
        real = f"{root}{target}" if target.startswith("/") else f"{root}/var/lib/cloud/{target}"
        return pathlib.Path(str(folder).replace(str(link), real, 1))
    return folder


def commands(root):
    """What cloud-init would have run: lists of words, the text of a script last."""
    path = pathlib.Path(f"{root}/run/oracle-commands")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def bootcmd_theirs(root):
    return "".join(words[-1] for words in commands(root) if len(words) == 3 and os.path.basename(words[0]) == "sh")


def bootcmd_ours(root):
    path = pathlib.Path(f"{root}/run/coracle/bootcmd")
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def snapshot(folder, base, words):
    """{aspect: what it is} of all that differs from the base in this folder's `root` and `upper`."""
    root, found = folder / "root", {}
    for name in TABLES:
        now, was = table(root, name), table(base, name)
        found.update((f"{name}:{entry}", now.get(entry)) for entry in set(now) | set(was) if now.get(entry) != was.get(entry))
    now, was = shadow(root, words), shadow(base, words)
    found.update((f"shadow:{entry}", now.get(entry)) for entry in set(now) | set(was) if now.get(entry) != was.get(entry))
    found.update((f"file:{name}", describe(root, name)) for name in touched(folder / "upper", base))
    found.update(scripts(root))
    bootcmd = bootcmd_theirs(root) or bootcmd_ours(root)
    if bootcmd:
        found["bootcmd"] = bootcmd
    return found
