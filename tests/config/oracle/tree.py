"""tree.py: what two programs made of the same tree, compared aspect by aspect."""
import re

from capture import TABLES, describe, shadow, table

# What is no part of the configuration: locks, and what a first boot makes anew.
LEFT_OUT = re.compile(r"^file:/(tmp|etc/\.pwd\.lock|etc/ssh/ssh_host_.*|etc/cloud|root/\.cache)(/|$)")
# Files whose comments and blanks mean nothing.
LOOSE = {"/etc/hosts", "/etc/fstab", "/etc/doas.conf", "/etc/sudoers.d/90-cloud-init-users", "/etc/hostname", "/etc/timezone"}


def shown(aspect, value):
    if not isinstance(value, list):
        return value
    mode, owner, text = value
    if aspect.partition(":")[2] in LOOSE:
        lines = [" ".join(line.split()) for line in text.splitlines()]
        text = "\n".join(line for line in lines if line and not line.startswith("#"))
    return f"{mode} {owner} {text!r}"


def untouched(base, aspect, words):
    """What an aspect is in the base: of a tree that has nothing to say of it."""
    kind, _, name = aspect.partition(":")
    if kind == "shadow":
        return shadow(base, words).get(name)
    if kind in TABLES:
        return table(base, kind).get(name)
    return describe(base, name) if kind == "file" else None


def compare(theirs, ours, base, words):
    """Two snapshots. Returns (aspects compared, {aspect: (theirs, ours)})."""
    differ = {}
    aspects = sorted(a for a in set(theirs) | set(ours) if not LEFT_OUT.search(a))
    for aspect in aspects:
        left, right = (shown(aspect, s[aspect] if aspect in s else untouched(base, aspect, words)) for s in (theirs, ours))
        if left != right:
            differ[aspect] = (left, right)
    return len(aspects), differ
