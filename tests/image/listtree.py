#!/usr/bin/env python3
"""listtree.py DIRECTORY [--no-root]: one line for everything below it, with all that an unpacker must get right.

Type, mode, owner, time in nanoseconds, size, content, target, device, extended attributes, and which names are one file.
overlayfs' own attributes are left away. Two trees are equal when these lists are.
"""
import hashlib
import os
import stat
import sys

KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "link", stat.S_IFCHR: "char", stat.S_IFBLK: "block",
         stat.S_IFIFO: "fifo"}


def describe(path, name, first):
    st = os.lstat(path)
    kind = KINDS.get(stat.S_IFMT(st.st_mode), "?")
    line = [name, kind, oct(st.st_mode & 0o7777), f"{st.st_uid}:{st.st_gid}", str(st.st_mtime_ns)]
    if kind == "file":
        with open(path, "rb") as file:
            line += [str(st.st_size), hashlib.sha256(file.read()).hexdigest()[:16]]
    if kind == "link":
        line.append("-> " + os.readlink(path))
    if kind in ("char", "block"):
        line.append(f"{os.major(st.st_rdev)}:{os.minor(st.st_rdev)}")
    if kind != "dir":
        line.append("same as " + first.setdefault((st.st_dev, st.st_ino), name))
    for key in sorted(os.listxattr(path, follow_symlinks=False)):
        if not key.startswith(("trusted.overlay.", "user.overlay.")):
            line.append(f"{key}={os.getxattr(path, key, follow_symlinks=False).hex()}")
    return " ".join(line)


def main():
    top, first, names = sys.argv[1], {}, []
    for parent, dirs, files in os.walk(top):
        names += [os.path.relpath(os.path.join(parent, name), top) for name in dirs + files]
    if "--no-root" not in sys.argv:
        names.append(".")
    for name in sorted(names):
        print(describe(os.path.join(top, name), name, first))


if __name__ == "__main__":
    main()
