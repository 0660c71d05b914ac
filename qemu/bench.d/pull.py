"""pull.py: a pull of a large image from a registry on loopback, coracle-engine beside podman, alternating. A part of qemu/bench.

The image is made of this machine's own files, two gzip layers of 50 MB each. Wall and processor time of pull and unpack into an empty store; memory: the
peak of the sum of the proportional set sizes (PSS) of all processes of the pull, looked at every 20 ms.
"""
import gzip
import hashlib
import io
import json
import os
import pathlib
import resource
import shutil
import socket
import statistics
import subprocess
import tarfile
import threading
import time

TARGETS = {"ratio": 0.7, "memory_kib": 16384}
LAYER_BYTES = 50_000_000


def make_layer(files, blobs):
    """A gzip layer of about LAYER_BYTES; returns its descriptor and diff id."""
    packed = io.BytesIO()
    digest = hashlib.sha256()

    class Both:
        def __init__(self, to):
            self.to = to

        def write(self, data):
            digest.update(data)
            return self.to.write(data)

    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, mtime=0) as zipped:
        with tarfile.open(fileobj=Both(zipped), mode="w|", format=tarfile.PAX_FORMAT) as tar:
            for path in files:
                tar.add(path, recursive=False)
                if packed.tell() > LAYER_BYTES:
                    break
    data = packed.getvalue()
    name = hashlib.sha256(data).hexdigest()
    (blobs / name).write_bytes(data)
    return {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "sha256:" + name, "size": len(data)}, "sha256:" + digest.hexdigest()


def make_image(folder):
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    files = (p for base in ("/usr/lib", "/usr/share", "/usr/bin") for p in sorted(pathlib.Path(base).rglob("*")) if p.is_file() and not p.is_symlink())
    layers = [make_layer(files, blobs) for _ in range(2)]

    def put(value):
        data = json.dumps(value).encode()
        name = hashlib.sha256(data).hexdigest()
        (blobs / name).write_bytes(data)
        return {"digest": "sha256:" + name, "size": len(data)}

    config = put({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [d for _, d in layers]}})
    manifest = put({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config}, "layers": [d for d, _ in layers]})
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [
        {"mediaType": "application/vnd.oci.image.manifest.v1+json", **manifest, "annotations": {"org.opencontainers.image.ref.name": "1"}}]}))
    return sum(d["size"] for d, _ in layers)


def pss_of_tree(root):
    """KiB of a process and all below it."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parents[int(name)] = int(pathlib.Path(f"/proc/{name}/stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                pass
    total, wanted = 0, {root}
    while True:
        more = {pid for pid, parent in parents.items() if parent in wanted} - wanted
        if not more:
            break
        wanted |= more
    for pid in wanted:
        try:
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            pass
    return total


def timed(command):
    """Wall seconds, processor seconds, peak KiB."""
    before, begin, peak = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic(), [0]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as child:
        def watch():
            while child.poll() is None:
                peak[0] = max(peak[0], pss_of_tree(child.pid))
                time.sleep(0.02)
        watcher = threading.Thread(target=watch)
        watcher.start()
        said = child.stderr.read()
        watcher.join()
    wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if child.returncode:
        raise RuntimeError(f"{command[0]}: {said.strip()}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak[0]


class PullBench:
    def __init__(self, work, build, runs):
        self.work, self.build, self.runs = pathlib.Path(work) / "pull", pathlib.Path(build), runs

    def measure(self):
        if not all(shutil.which(name) for name in ("docker-registry", "podman", "skopeo")):
            return None
        self.work.mkdir()
        size = make_image(self.work / "image")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        (self.work / "registry.yml").write_text(
            "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
            f"storage: {{filesystem: {{rootdirectory: {self.work}/data}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n")
        with subprocess.Popen(["docker-registry", "serve", self.work / "registry.yml"], stderr=subprocess.DEVNULL) as server:
            try:
                return self.compare(port, size)
            finally:
                server.terminate()

    def compare(self, port, size):
        while socket.socket().connect_ex(("127.0.0.1", port)):
            time.sleep(0.05)
        name = f"127.0.0.1:{port}/bench:1"
        subprocess.run(["skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci:{self.work}/image:1", f"docker://{name}"], check=True)
        (self.work / "registries.json").write_text(json.dumps({"registries": {f"127.0.0.1:{port}": {"plain_http": True}}}))
        ours, theirs = [], []
        for _ in range(self.runs):
            ours.append(timed([self.build / "bin/coracle-engine", "pull", "--quiet", "--root", self.work / "ours", "--registries", self.work / "registries.json", name]))
            shutil.rmtree(self.work / "ours")
            theirs.append(timed(["podman", "--root", self.work / "theirs", "--runroot", self.work / "run", "pull", "-q", "--tls-verify=false", name]))
            subprocess.run(["podman", "--root", self.work / "theirs", "--runroot", self.work / "run", "rmi", "-af"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            subprocess.run(["umount", self.work / "theirs/overlay"], stderr=subprocess.DEVNULL, check=False)
            shutil.rmtree(self.work / "theirs", ignore_errors=True)
        pick = lambda rows, i: statistics.median(row[i] for row in rows)
        return {"image_bytes": size, "coracle_seconds": pick(ours, 0), "podman_seconds": pick(theirs, 0), "ratio": pick(ours, 0) / pick(theirs, 0),
                "coracle_cpu_seconds": pick(ours, 1), "podman_cpu_seconds": pick(theirs, 1),
                "memory_kib": max(row[2] for row in ours), "podman_memory_kib": max(row[2] for row in theirs)}


def print_pull(row, verdict):
    if not row:
        print("\nPull: left out, no docker-registry, podman or skopeo")
        return
    print(f"\nPull and unpack of {row['image_bytes'] / 1e6:.0f} MB from a registry on loopback")
    print(f"  coracle-engine pull {row['coracle_seconds']:.2f} s (processor {row['coracle_cpu_seconds']:.2f} s), podman {row['podman_seconds']:.2f} s"
          f" ({row['podman_cpu_seconds']:.2f} s), ratio {row['ratio']:.2f}, at most {TARGETS['ratio']}: {verdict(row['ratio'] <= TARGETS['ratio'])}")
    print(f"  peak memory of all processes {row['memory_kib']} KiB, at most {TARGETS['memory_kib']}: {verdict(row['memory_kib'] <= TARGETS['memory_kib'])};"
          f" podman {row['podman_memory_kib']} KiB")
