"""disklog.py: what a disk holds when the power fails.

A real disk keeps what was written before the last flush; of what came later it keeps some, in any order, and a write may be torn between two
sectors. Killing QEMU shows none of this: the host keeps every write. So the disk is written through QEMU's blklogwrites filter, which logs each write and
each flush (the format of dm-log-writes), and the disk after the power cut is made from the disk before the boot and the log.
"""
import pathlib
import struct
import subprocess

MAGIC = 0x6a736677736872
SUPER = struct.Struct("<QQQI")
ENTRY = struct.Struct("<QQQQ")
FLUSH, FUA, DISCARD = 1, 2, 4


def qemu_arguments(disk, log, machine="q35"):
    """A virtio disk on the file `disk` whose writes are logged in `log`."""
    pathlib.Path(log).write_bytes(b"")
    device = "virtio-blk-device" if machine == "microvm" else "virtio-blk-pci"
    words = ["-blockdev", f"driver=blklogwrites,node-name=data,file.driver=file,file.filename={disk},file.discard=unmap,file.cache.no-flush=on,"
             f"log.driver=file,log.filename={log},log.cache.no-flush=on,log-super-update-interval=1",
             "-device", f"{device},drive=data,serial=coracle-data"]
    return [word for argument in words for word in ("--qemu-arg", argument)]


def count(log):
    """How many entries the log has now. A write is in it before the guest hears that it is done."""
    with open(log, "rb") as source:
        head = source.read(SUPER.size)
    return SUPER.unpack(head)[2] if len(head) == SUPER.size and SUPER.unpack(head)[0] == MAGIC else 0


def read_log(path):
    """(sector, sectors, flags, offset of the data) of each entry, sector size."""
    entries = []
    with open(path, "rb") as log:
        head = log.read(SUPER.size)
        if len(head) < SUPER.size:
            return [], 512
        magic, _, total, size = SUPER.unpack(head)
        if magic != MAGIC:
            return [], 512
        at = size
        for _ in range(total):
            log.seek(at)
            head = log.read(ENTRY.size)
            if len(head) < ENTRY.size:
                break
            sector, sectors, flags, _ = ENTRY.unpack(head)
            entries.append((sector, sectors, flags, at + size))
            at += size + (0 if flags & DISCARD else sectors * size)
    return entries, size


def fates(random):
    """What becomes of a write that was not flushed: (chance of being lost, of being torn)."""
    return random.choice([(1, 0), (0, 0), (0.45, 0.15), (0.45, 0.15), (0.8, 0.1), (0.1, 0.1)])


def cut(before, log, upto, random, disk):
    """Makes `disk`: what the disk `before` is after a power cut behind the first `upto` writes of the log. Returns (writes kept, lost)."""
    entries, size = read_log(log)
    flushed = max((i for i, entry in enumerate(entries[:upto]) if entry[2] & FLUSH), default=-1)
    gone, torn = fates(random)
    kept = lost = 0
    subprocess.run(["cp", "--sparse=always", before, disk], check=True)
    with open(log, "rb") as source, open(disk, "r+b") as target:
        for i, (sector, sectors, flags, data) in enumerate(entries[:upto]):
            if flags & DISCARD or not sectors:
                continue
            wanted = range(sectors)
            if i > flushed and not flags & FUA:
                fate = random.random()
                if fate < gone:
                    lost += 1
                    continue
                if fate < gone + torn:
                    wanted = [k for k in wanted if random.random() < 0.5]
            kept += 1
            source.seek(data)
            block = source.read(sectors * size)
            if len(wanted) == sectors:
                target.seek(sector * size)
                target.write(block)
            else:
                for k in wanted:
                    target.seek((sector + k) * size)
                    target.write(block[k * size:(k + 1) * size])
    return kept, lost
