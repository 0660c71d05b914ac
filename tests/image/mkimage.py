#!/usr/bin/env python3
"""mkimage.py DIRECTORY: write the images that tests/image/test_image.sh imports, with exactly the bytes a case needs.

Everything is made of `Image`, a layout in memory. Sound images go to DIRECTORY, those that must be refused to
DIRECTORY/bad; DIRECTORY/bad/NAME.why holds the words that the message must contain.
"""
import gzip
import hashlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile

TIME = 1735689600.123456789


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def canonical(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def entry(name, kind=tarfile.REGTYPE, target="", mode=0o644, data=b"text\n", **more):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.mtime = kind, target, mode, TIME
    for key, value in more.items():
        setattr(info, key, value)
    info.size = len(data) if info.isreg() else 0
    return info, data if info.isreg() else b""


def directory(name, mode=0o755, **more):
    return entry(name, tarfile.DIRTYPE, mode=mode, **more)


def symlink(name, target):
    return entry(name, tarfile.SYMTYPE, target)


def hardlink(name, target):
    return entry(name, tarfile.LNKTYPE, target)


def tar(*entries):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as out:
        for info, data in entries:
            out.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


PACK = {"gzip": lambda d: gzip.compress(d, mtime=0), "zstd": zstd, "": lambda d: d}


class Image:
    """One image; its layers and documents can be damaged before it is written."""

    def __init__(self, name="test:1", architecture="amd64"):
        self.name = name
        self.blobs = {}
        self.diffs = []
        self.layers = []
        self.platform = {"os": "linux", "architecture": architecture}
        self.manifest_extra = {}

    def layer(self, data, how="gzip", packed=None, diff_id=None):
        packed = PACK[how](data) if packed is None else packed
        self.blobs[digest(packed)] = packed
        self.layers.append({"mediaType": "application/vnd.oci.image.layer.v1.tar" + ("+" + how if how else ""),
                            "digest": digest(packed), "size": len(packed)})
        self.diffs.append(diff_id or digest(data))
        return self

    def finish(self):
        """Adds the documents; returns the descriptor of the manifest."""
        self.config = canonical(dict(self.platform, config={"Cmd": ["/x"]}, rootfs={"type": "layers", "diff_ids": self.diffs}))
        self.blobs[digest(self.config)] = self.config
        manifest = canonical(dict({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(self.config),
            "size": len(self.config)}, "layers": self.layers}, **self.manifest_extra))
        self.blobs[digest(manifest)] = manifest
        return {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest(manifest), "size": len(manifest)}


def archive(descriptors, blobs, change=None):
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
             "index.json": canonical({"schemaVersion": 2, "manifests": descriptors})}
    files.update(("blobs/sha256/" + name.split(":")[1], data) for name, data in sorted(blobs.items()))
    if change:
        change(files)
    return tar(*(entry(path, data=data) for path, data in files.items()))


def named(descriptor, name):
    return dict(descriptor, annotations={"org.opencontainers.image.ref.name": name})


def single(image, change=None):
    descriptor = image.finish()
    return archive([named(descriptor, image.name)], image.blobs, change)


def docker_archive(image, tags, blob_names=False):
    image.finish()
    files, layers = [], []
    for number, layer in enumerate(image.layers):
        name = f"{'blobs/sha256/' if blob_names else ''}{layer['digest'].split(':')[1]}{'' if blob_names else '.tar'}"
        if not blob_names and number and layer["digest"] in [one["digest"] for one in image.layers[:number]]:
            files.append(symlink(f"copy{number}/layer.tar", "../" + name))
            layers.append(f"copy{number}/layer.tar")
            continue
        files.append(entry(name, data=image.blobs[layer["digest"]]))
        layers.append(name)
    config = digest(image.config).split(":")[1] + ".json"
    files.append(entry(config, data=image.config))
    files.append(entry("manifest.json", data=canonical([{"Config": config, "RepoTags": tags, "Layers": layers}])))
    return tar(*files)


LOWER = tar(directory("d", 0o711, uid=7, gid=8), entry("d/old"), entry("d/kept"), directory("o"), entry("o/hidden"),
            directory("w"), entry("w/hidden"), entry("file"), directory("gone"), entry("gone/x"), symlink("link", "d/kept"))
UPPER = tar(entry("d/.wh.old", data=b""), entry("d/new"), directory("o"), entry("o/.wh..wh..opq", data=b""), entry("o/new"),
            entry(".wh.w", data=b""), directory("w"), entry("w/new"), entry(".wh.gone", data=b""), directory("file"))


def rich_layer(*more):
    """One of everything that a layer may hold."""
    long_name = "long/" + "n" * 200 + "/" + "m" * 250
    return tar(
        directory("./"), directory("bin"), entry("bin/su", mode=0o4755, uid=0), entry("bin/sg", mode=0o2755, gid=42),
        entry("owned", uid=1000, gid=70000, mode=0o640), hardlink("bin/su2", "bin/su"), symlink("bin/sh", "/nowhere/else"),
        hardlink("bin/sh2", "bin/sh"), directory("tmp", 0o1777), directory("sgid", 0o2775, gid=5), entry("sgid/child", uid=0, gid=0),
        entry("dev/null", tarfile.CHRTYPE, mode=0o666, devmajor=1, devminor=3),
        entry("dev/disk", tarfile.BLKTYPE, mode=0o660, devmajor=8, devminor=300, gid=6),
        entry("pipe", tarfile.FIFOTYPE, mode=0o600, uid=3), entry(long_name), entry("ümläut/naïve ☃"),
        entry("caps", mode=0o755, pax_headers={"SCHILY.xattr.security.capability":
              b"\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00".decode("latin-1"),
              "SCHILY.xattr.user.note": "kept"}),
        directory("xdir", pax_headers={"SCHILY.xattr.user.note": "of a directory"}),
        entry("old", mtime=-5.5), entry("empty", data=b""), entry("big", data=bytes(range(256)) * 5000),
        entry("more", data=os.urandom(64) * 65536), directory("ro", 0o555), entry("ro/file"), entry("twice", data=b"first\n"),
        entry("twice", data=b"second\n", mode=0o600), directory("tree"), directory("tree/a"), entry("tree/a/b"), entry("tree"),
        entry("grows"), directory("grows"), entry("grows/x"), symlink("turns", "owned"), entry("turns"), entry("linked"),
        hardlink("linked", "owned"), *more)


OVERLAY_XATTRS = entry("odd", pax_headers={"SCHILY.xattr.trusted.overlay.opaque": "y", "SCHILY.xattr.user.overlay.opaque": "y"})


def write_layout(where, image):
    """A layout directory whose image is called latest, which every tool takes."""
    descriptor = image.finish()
    (where / "blobs" / "sha256").mkdir(parents=True)
    (where / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (where / "index.json").write_bytes(canonical({"schemaVersion": 2, "manifests": [named(descriptor, "latest")]}))
    for name, data in image.blobs.items():
        (where / "blobs" / "sha256" / name.split(":")[1]).write_bytes(data)


def write_sparse(out):
    with open(out / "sparse.file", "wb") as file:
        for position in (0, 1 << 20, (8 << 20) + 5):
            file.seek(position)
            file.write(b"data at %d\n" % position)
        file.truncate(16 << 20)
    for name in ("gnu", "pax"):
        data = subprocess.run(["tar", "--sparse", f"--format={name}", "-C", out, "-cf", "-", "sparse.file"],
                              stdout=subprocess.PIPE, check=True).stdout
        (out / f"sparse-{name}.tar").write_bytes(single(Image("sparse:1").layer(data)))


def write_sound(out):
    write_sparse(out)
    rich = rich_layer()
    write_layout(out / "rich-layout", Image().layer(rich))
    write_layout(out / "merge-layout", Image().layer(LOWER).layer(UPPER))
    (out / "xattrs.tar").write_bytes(single(Image("xattrs:1").layer(rich_layer(OVERLAY_XATTRS))))
    (out / "rich.tar").write_bytes(single(Image("rich:1").layer(rich)))
    (out / "rich-zstd.tar").write_bytes(single(Image("rich:zstd").layer(rich, "zstd")))
    (out / "rich-plain.tar").write_bytes(single(Image("rich:plain").layer(rich, "")))
    half = len(rich) // 2
    (out / "rich-members.tar").write_bytes(single(Image("rich:members").layer(
        rich, packed=gzip.compress(rich[:half]) + gzip.compress(rich[half:]) + bytes(512))))
    (out / "rich-frames.tar").write_bytes(single(Image("rich:frames").layer(rich, "zstd", packed=zstd(rich[:half]) + zstd(rich[half:]))))
    (out / "rich.tar.gz").write_bytes(gzip.compress(single(Image("rich:outer-gzip").layer(rich))))
    (out / "rich.tar.zst").write_bytes(zstd(single(Image("rich:outer-zstd").layer(rich))))
    (out / "rich-docker.tar").write_bytes(docker_archive(Image().layer(rich, ""), ["rich:docker", "other:tag"]))
    (out / "rich-docker25.tar").write_bytes(docker_archive(Image().layer(rich, ""), ["rich:docker25"], True))
    (out / "rich-docker-gzip.tar").write_bytes(docker_archive(Image().layer(rich), ["rich:docker-gzip"]))
    (out / "merge.tar").write_bytes(single(Image("merge:1").layer(LOWER).layer(UPPER)))
    (out / "repeat-docker.tar").write_bytes(docker_archive(Image().layer(LOWER, "").layer(UPPER, "").layer(LOWER, ""), ["repeat:1"]))
    image = Image("No Good Name").layer(LOWER)
    (out / "My Image_1.0.tar").write_bytes(archive([image.finish()], image.blobs))
    tail = tar(entry("last", data=b"no padding"))
    (out / "nopad.tar").write_bytes(single(Image("nopad:1").layer(tail[:tail.index(b"no padding") + 10])))
    (out / "no-layers.tar").write_bytes(single(Image("no-layers:1")))
    write_platforms(out)


def write_platforms(out):
    images = {a: Image(architecture=a).layer(tar(entry("arch-" + a))) for a in ("amd64", "arm64", "s390x")}
    listed = [dict(image.finish(), platform=image.platform) for image in images.values()]
    blobs = {}
    for image in images.values():
        blobs.update(image.blobs)
    attestation = dict(listed[0], platform={"os": "unknown", "architecture": "unknown"},
                       annotations={"vnd.docker.reference.type": "attestation-manifest"})
    inner = canonical({"schemaVersion": 2, "manifests": [attestation] + listed})
    for depth in range(3):
        blobs[digest(inner)] = inner
        descriptor = {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest(inner), "size": len(inner)}
        if depth < 2:
            (out / f"nested{depth + 1}.tar").write_bytes(archive([named(descriptor, "multi:1")], blobs))
        inner = canonical({"schemaVersion": 2, "manifests": [descriptor]})
    blobs[digest(inner)] = inner
    descriptor = {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest(inner), "size": len(inner)}
    refuse(out, "too-nested", archive([named(descriptor, "multi:1")], blobs), "nested deeper")
    refuse(out, "other-platform", archive([named(listed[2], "other:1")], blobs), "linux/amd64", "linux/s390x")


def refuse(out, name, data, *words):
    (out / "bad" / f"{name}.tar").write_bytes(data)
    (out / "bad" / f"{name}.why").write_text("\n".join(words) + "\n")


def write_hostile(out):
    up = "../" * 12
    layers = {
        "dotdot": (tar(entry(up + "tmp/escaped")), f"entry '{up}tmp/escaped'", "leaves the layer"),
        "dotdot-inside": (tar(directory("a"), entry("a/../b")), "entry 'a/../b'", "leaves the layer"),
        "absolute": (tar(entry("/tmp/escaped")), "entry '/tmp/escaped'", "leaves the layer"),
        "symlink": (tar(symlink("way", up), entry("way/tmp/escaped")), "entry 'way/tmp/escaped'", "symbolic link"),
        "symlink-absolute": (tar(symlink("way", "/tmp"), entry("way/escaped")), "entry 'way/escaped'", "symbolic link"),
        "symlink-dir": (tar(symlink("way", "/tmp"), directory("way/escaped")), "entry 'way/escaped/'", "symbolic link"),
        "symlink-swapped": (tar(directory("a/b"), entry("a/b/x"), symlink("a", up), entry("a/tmp/escaped")), "a/tmp/escaped", "symbolic link"),
        "hardlink": (tar(hardlink("x", up + "etc/passwd")), "entry 'x'", "leaves the layer"),
        "hardlink-absolute": (tar(hardlink("x", "/etc/passwd")), "entry 'x'", "leaves the layer"),
        "hardlink-missing": (tar(hardlink("x", "etc/passwd")), "entry 'x'", "not in this layer"),
        "hardlink-symlink": (tar(symlink("e", "/etc"), hardlink("x", "e/passwd")), "entry 'x'", "symbolic link"),
        "whiteout-dotdot": (tar(entry("d/.wh...", data=b"")), "entry 'd/.wh...'", "whiteout of nothing"),
        "whiteout-symlink": (tar(symlink("way", "/tmp"), entry("way/.wh.x", data=b"")), "way/.wh.x", "symbolic link"),
        "whiteout-empty": (tar(entry(".wh.", data=b"")), "whiteout of nothing"),
        "root-file": (tar(entry("./")), "root"),
        "below-file": (tar(entry("f"), entry("f/x")), "entry 'f/x'", "not a directory"),
        "long-component": (tar(entry("n" * 300)), "too long"),
        "owner": (tar(entry("x", uid=1 << 40)), "entry 'x'", "owner"),
        "not-tar": (b"this is no tar at all\n" * 100, "tar"),
        "cut-tar": (tar(entry("a", data=b"x" * 5000))[:3000], "entry 'a'", "runcated"),
    }
    for name, (data, *words) in layers.items():
        refuse(out, name, single(Image().layer(LOWER).layer(data)), "layer sha256:", *words)
    deep = [directory("/".join(["d"] * n)) for n in range(1, 1200, 40)]
    refuse(out, "deep-then-bad", single(Image().layer(tar(*deep, entry("../x")))), "entry '../x'")


def write_damaged(out):
    data = tar(entry("a", data=os.urandom(300000)))
    for kind in ("gzip", "zstd", ""):
        image = Image().layer(data, kind)
        packed = next(iter(image.blobs.values()))
        name = "blobs/sha256/" + digest(packed).split(":")[1]
        for position in (0, 1, len(packed) // 2, len(packed) - 1):
            flipped = bytearray(packed)
            flipped[position] ^= 0x20
            refuse(out, f"flip-{kind}-{position and (position == 1 and 1 or (position == len(packed) - 1 and 'end' or 'middle'))}",
                   single(Image().layer(data, kind), lambda files, f=flipped, n=name: files.__setitem__(n, bytes(f))),
                   "digest", "damaged or altered")
        refuse(out, f"short-{kind}", single(Image().layer(data, kind), lambda files, n=name: files.__setitem__(n, files[n][:-100])),
               "truncated")
    cut = gzip.compress(data)[:-2000]
    refuse(out, "cut-gzip", single(Image().layer(data, packed=cut)), "runcated")
    refuse(out, "cut-zstd", single(Image().layer(data, "zstd", packed=zstd(data)[:-2000])), "truncated")
    refuse(out, "gzip-garbage", single(Image().layer(data, packed=gzip.compress(data) + b"garbage")), "gzip")
    refuse(out, "diff-id", single(Image().layer(data, diff_id="sha256:" + "0" * 64)), "configuration says sha256:0000")
    whole = single(Image().layer(data))
    refuse(out, "archive-cut", whole[:len(whole) // 2], "truncated")
    refuse(out, "archive-cut-gzip", gzip.compress(whole)[:-1000], "runcated")
    refuse(out, "empty", b"", "empty")
    refuse(out, "garbage", os.urandom(100000), "tar")
    refuse(out, "tar-of-nothing", tar(entry("readme")), "neither an OCI layout")
    write_bad_documents(out, data)


def write_bad_documents(out, data):
    def change(pick, how):
        image = Image().layer(data)
        descriptor = image.finish()
        name = "blobs/sha256/" + pick(image, descriptor).split(":")[1]
        return archive([named(descriptor, "x:1")], image.blobs, lambda files: how(files, name))

    def config(image, _):
        return digest(image.config)

    def manifest(_, descriptor):
        return descriptor["digest"]

    def layer(image, _):
        return image.layers[0]["digest"]

    spoil = lambda files, name: files.__setitem__(name, files[name].replace(b"linux", b"minix", 1).replace(b"schema", b"Schema", 1))
    remove = lambda files, name: files.__delitem__(name)
    refuse(out, "config-altered", change(config, spoil), "digest", "damaged or altered")
    refuse(out, "manifest-altered", change(manifest, spoil), "digest", "damaged or altered")
    refuse(out, "config-missing", change(config, remove), "it has no blobs/sha256/")
    refuse(out, "manifest-missing", change(manifest, remove), "it has no blobs/sha256/")
    refuse(out, "layer-missing", change(layer, remove), "layer sha256:", "its blob is missing")
    image = Image().layer(data)
    image.layers[0]["size"] += 1
    refuse(out, "layer-size", single(image), "the manifest says")
    image = Image().layer(data)
    image.diffs.append("sha256:" + "1" * 64)
    refuse(out, "layer-count", single(image), "has 1 layers, its configuration 2")
    image = Image()
    for _ in range(128):
        image.layer(data)
    refuse(out, "too-many-layers", single(image), "128 layers")
    refuse(out, "big-json", archive([named(Image().finish(), "x" * (5 << 20))], {}), "index.json is")
    refuse(out, "bad-json", archive([], {}, lambda files: files.update({"index.json": b'{"manifests":[{'})), "index.json", "not JSON")
    refuse(out, "no-images", archive([], {}), "lists no image")


def main():
    out = pathlib.Path(sys.argv[1])
    (out / "bad").mkdir(parents=True, exist_ok=True)
    write_sound(out)
    write_hostile(out)
    write_damaged(out)


if __name__ == "__main__":
    main()
