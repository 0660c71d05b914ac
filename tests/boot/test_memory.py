#!/usr/bin/env python3
"""test_memory.py: a small machine: 64 MiB run a container; with 32 MiB the machine says that it has too little memory."""
from harness import Machine, case, finish, fixtures

USER_DATA = """#cloud-config
containers:
  services:
    hello: {image: busybox, command: [echo, a small boat]}
power_state: {mode: poweroff}
"""

for machine in ("microvm", "q35"):
    with Machine(f"memory-64-{machine}", user_data=USER_DATA, images=[fixtures() / "busybox.oci.tar"], machine=machine,
                 memory=64) as small:
        with case(f"{machine}: 64 MiB run the busybox container"):
            small.wait_for(r"\bhello \| a small boat$")
            small.wait_exit()

with Machine("memory-32", "--no-reboot", user_data=USER_DATA, images=[fixtures() / "busybox.oci.tar"], machine="microvm", memory=32) as tiny:
    with case("32 MiB, microvm: init says so on the console"):
        tiny.wait_for(r"coracle: init: .*(too little memory|MiB of memory are too little)")
finish()
