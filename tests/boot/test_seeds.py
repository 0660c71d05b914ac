#!/usr/bin/env python3
"""test_seeds.py: from the kernel's start to a container's output and a clean power-off, on both machine types, with each
way of delivering the configuration and each form of image. Four machines, each the whole way, none with a data disk."""
# timeout: 400
from harness import Machine, case, finish, fixtures

USER_DATA = """#cloud-config
hostname: seed-{tag}
write_files:
  - path: /etc/greeting
    content: "written for {tag}\\n"
runcmd:
  - [sh, -c, 'echo "runcmd: $(hostname) $(cat /etc/greeting) var is $(stat -f -c %T /var)" > /dev/console']
power_state: {{mode: poweroff}}
containers:
  services:
    hello:
      image: busybox
      command: [sh, -c, 'echo "hello from $$MARK in $$(cat /proc/sys/kernel/hostname), pid $$$$"']
      hostname: boat
      environment: {{MARK: {tag}}}
"""

WAYS = (
    ("iso", "q35", "busybox.oci.tar", "gzip OCI archive"),
    ("vfat", "microvm", "busybox-zstd.oci.tar", "zstd OCI archive"),
    ("fw_cfg", "q35", "busybox.docker.tar", "docker-archive"),
    ("fw_cfg", "microvm", "busybox", "layout directory"),
)


def one(seed, machine, image, form):
    tag = f"{seed}-{machine}"
    with Machine(f"seed-{tag}", user_data=USER_DATA.format(tag=tag), seed=seed, machine=machine,
                 images=[fixtures() / image], append="coracle.exit=debug") as guest:
        with case(f"{tag}: a container of a {form} prints its line on the console"):
            guest.wait_for(rf"\bhello \| hello from {tag} in boat, pid 1$", anywhere=True)
        with case(f"{tag}: hostname, write_files and runcmd; without a data disk /var is in memory"):
            guest.wait_for(rf"\bruncmd: seed-{tag} written for {tag} var is tmpfs$", anywhere=True)
        with case(f"{tag}: power_state powers the machine off"):
            guest.wait_exit()


for way in WAYS:
    one(*way)
finish()
