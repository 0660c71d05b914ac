#!/usr/bin/env python3
"""config.py: prints the config.json of a container as Docker makes it by default, changed by Python statements.

Usage: config.py [STATEMENT]...   c is the configuration, p its process, l its linux section:
  config.py 'p["args"] = ["id"]' 'l["resources"]["pids"] = {"limit": 5}'
"""
import json
import os
import sys

CAPS = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"]
SAFE = ["nosuid", "noexec", "nodev"]


def mount(destination, kind, source, *options):
    return {"destination": destination, "type": kind, "source": source, "options": list(options)}


def sh(script):
    return ["/bin/sh", "-c", script]


p = {"user": {"uid": 0, "gid": 0}, "args": ["/bin/true"], "cwd": "/",
     "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=box"],
     "capabilities": {"bounding": list(CAPS), "effective": list(CAPS), "permitted": list(CAPS)}, "oomScoreAdj": 0}
l = {"cgroupsPath": os.environ.get("CGROUP", "/coracle-test/c1"), "resources": {"devices": [{"allow": False, "access": "rwm"}]},
     "namespaces": [{"type": t} for t in ("mount", "network", "uts", "pid", "ipc", "cgroup")],
     "maskedPaths": ["/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                     "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
                     "/sys/devices/virtual/powercap"],
     "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]}
c = {"ociVersion": "1.0.2", "process": p, "root": {"path": "rootfs"}, "hostname": "box", "linux": l,
     "annotations": {"org.coracle.seccomp": "default"},
     "mounts": [mount("/proc", "proc", "proc", *SAFE),
                mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
                mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
                mount("/sys", "sysfs", "sysfs", *SAFE, "ro"),
                mount("/sys/fs/cgroup", "cgroup", "cgroup", *SAFE, "ro"),
                mount("/dev/mqueue", "mqueue", "mqueue", *SAFE),
                mount("/dev/shm", "tmpfs", "shm", *SAFE, "mode=1777", "size=67108864")]}
for statement in sys.argv[1:]:
    exec(statement)
json.dump(c, sys.stdout, indent=1)
