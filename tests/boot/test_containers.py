#!/usr/bin/env python3
"""test_containers.py: containers that are declared in other forms than Compose run on a machine: an Ignition configuration with a unit of
docker run and a Quadlet file in it, a Pod and a Quadlet file of write_files; limits are there as the kernel has them (cgroup v2)."""
# timeout: 400
import json
import pathlib
import urllib.parse

from harness import Machine, case, finish, fixtures, temporary_directory


def data(text):
    return {"source": "data:," + urllib.parse.quote(text)}


UNIT = """[Unit]
After=docker.service
[Service]
ExecStartPre=-/usr/bin/docker rm -f unit
ExecStart=/usr/bin/docker run --rm --name unit -m 64m --pids-limit 77 --cpus 0.5 -e WORD=ahoy -v /etc/app:/app:ro busybox \
 sh -c 'cd /sys/fs/cgroup; echo unit $WORD $(cat /app/word memory.max pids.max cpu.max)'
[Install]
WantedBy=multi-user.target
"""
QUADLET = """[Unit]
Requires={after}.service
After={after}.service
[Container]
Image=busybox
Exec=sh -c 'echo "quadlet in $(cat /proc/sys/kernel/hostname) with $(ulimit -n)"'
HostName=boat
Ulimit=nofile=333:444
[Install]
WantedBy=multi-user.target
"""
IGNITION = {
    "ignition": {"version": "3.4.0"},
    "storage": {
        "directories": [{"path": "/etc/app", "mode": 448}],
        "files": [{"path": "/etc/app/word", "mode": 384, "contents": data("written\n")},
                  {"path": "/etc/containers/systemd/small.container", "contents": data(QUADLET.replace("{after}", "other").replace("[Container]", "[Container]\nContainerName=small"))},
                  {"path": "/etc/containers/systemd/other.container", "contents": data("[Container]\nImage=busybox\nExec=echo other\n[Install]\nWantedBy=multi-user.target\n")}],
    },
    "systemd": {"units": [{"name": "unit.service", "enabled": True, "contents": UNIT}]},
}
CLOUD_CONFIG = """#cloud-config
write_files:
  - path: /etc/kubernetes/manifests/pod.yaml
    content: |
      apiVersion: v1
      kind: Pod
      metadata: {name: pod}
      spec:
        restartPolicy: Never
        volumes: [{name: shared, emptyDir: {medium: Memory}}]
        initContainers:
        - {name: first, image: busybox, command: [sh, -c, "echo from the first > /s/word"], volumeMounts: [{name: shared, mountPath: /s}]}
        containers:
        - name: second
          image: busybox
          command: [sh, -c, 'echo "pod $(cat /s/word) $(cat /sys/fs/cgroup/memory.max)"']
          volumeMounts: [{name: shared, mountPath: /s}]
          resources: {limits: {memory: 48Mi}}
  - path: /etc/containers/systemd/quad.container
    content: |
      [Container]
      Image=busybox
      Exec=sh -c 'echo "quad $(cat /run/secrets/token)"'
      Secret=token
      [Install]
      WantedBy=multi-user.target
secrets: {token: {content: hush}}
"""

# as Fedora CoreOS's users give it to QEMU
with temporary_directory() as directory:
    config = pathlib.Path(directory, "config.ign")
    config.write_text(json.dumps(IGNITION))
    with Machine("containers-ignition", "--qemu-arg", "-fw_cfg", "--qemu-arg", f"name=opt/com.coreos/config,file={config}", seed="none",
                 images=[fixtures() / "busybox-zstd.oci.tar"]) as guest:
        with case("Ignition from opt/com.coreos/config: a unit of docker run is a container, with its file, variable and limits"):
            guest.wait_for(r"\bunit \| unit ahoy written 67108864 77 50000 100000$", anywhere=True)
        with case("Ignition: a Quadlet file in it is a container"):
            guest.wait_for(r"\bsmall \| quadlet in boat with 333$", anywhere=True)
with Machine("containers-quadlet", user_data=CLOUD_CONFIG, seed="fw_cfg", images=[fixtures() / "busybox-zstd.oci.tar"]) as guest:
    with case("Pod: the init container first, a volume between the two, a limit"):
        guest.wait_for(r"\bpod-second \| pod from the first 50331648$", anywhere=True)
    with case("Quadlet: a secret of the configuration"):
        guest.wait_for(r"\bsystemd-quad \| quad hush$", anywhere=True)
finish()
