#!/usr/bin/env python3
"""test_ssh.py: an OpenSSH client on the host logs in to a machine. By key as the default user and not as root; a password only where
the configuration allows it. The host key is the one on the console, outlives a power cut, and is another one for a new instance."""
# timeout: 900
import os
import pathlib
import re
import subprocess

from harness import Machine, case, check, equal, eventually, finish, free_port, temporary_directory

USER_DATA = """#cloud-config
users:
  - default
  - {{name: amy, plain_text_passwd: open-sesame, lock_passwd: false}}
ssh_authorized_keys: ["{key}"]
{more}
"""
NEW_INSTANCE = "instance-id: {}\nlocal-hostname: ssh\n"


class Client:
    """ssh to one port of this host, with files of its own."""

    def __init__(self, folder, port):
        self.folder, self.port = folder, port
        self.identity = os.path.join(folder, "id")
        if not os.path.exists(self.identity):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tester", "-f", self.identity], check=True)
        self.ssh = ["ssh", "-F", "none", "-p", str(port), "-i", self.identity, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                    "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=60", "-o", "NumberOfPasswordPrompts=1"]
        self.public = pathlib.Path(self.identity + ".pub").read_text(encoding="ascii").strip()

    def run(self, user, command, *options, password=None):
        """The exit status and all output of a command there."""
        environment = dict(os.environ, HOME=self.folder, SSH_AUTH_SOCK="")
        if password:
            helper = pathlib.Path(self.folder, "askpass")
            helper.write_text(f"#!/bin/sh\necho {password}\n", encoding="ascii")
            helper.chmod(0o700)
            environment.update(SSH_ASKPASS=str(helper), SSH_ASKPASS_REQUIRE="force", DISPLAY=":0")
        done = subprocess.run([*self.ssh, *options, f"{user}@127.0.0.1", command],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, timeout=180, check=False)
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def start(self, user, *options):
        """A connection that stays."""
        return subprocess.Popen([*self.ssh, *options, f"{user}@127.0.0.1"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def host_key(self):
        """TYPE BASE64 of the server, once it answers."""
        def probe():
            scan = subprocess.run(["ssh-keyscan", "-T", "30", "-t", "ed25519", "-p", str(self.port), "127.0.0.1"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
            found = re.search(r"ssh-ed25519 \S+", scan.stdout.decode())
            return found and found.group(0)
        return eventually(probe, "the ssh server answers", 180)


def machine(name, folder, user_data, port, instance=None):
    options = []
    if instance:
        meta = pathlib.Path(folder, "meta-data")
        meta.write_text(NEW_INSTANCE.format(instance), encoding="ascii")
        options = ["--meta-data", str(meta)]
    return Machine(f"ssh-{name}", *options, user_data=user_data, data=os.path.join(folder, "data.img"), publish=[f"{port}:22"])


with temporary_directory() as folder:
    port = free_port()
    client = Client(folder, port)
    user_data = USER_DATA.format(key=client.public, more="")
    with machine("first", folder, user_data, port) as guest:
        first = ""
        with case("the server answers with a host key"):
            first = client.host_key()
        with case("the host key is shown on the console"):
            guest.wait_for(r"-----BEGIN SSH HOST KEY FINGERPRINTS-----", anywhere=True)
            guest.wait_for(r"-----END SSH HOST KEY KEYS-----", anywhere=True)
            check(first in guest.text, f"{first} is not there")
        with case("OpenSSH logs in by key as the default user, who may use the engine"):
            code, text = client.run("coracle", "id -un; id -Gn; test -w /run/docker.sock && echo engine; pwd")
            equal(code, 0, f"exit status with {text!r}")
            check("coracle\n" in text and "docker" in text and "engine\n" in text and "/home/coracle" in text, text)
        with case("the engine's socket is carried to the host"):
            local = os.path.join(folder, "docker.sock")
            tunnel = client.start("coracle", "-N", "-L", f"{local}:/run/docker.sock")
            eventually(lambda: os.path.exists(local), "the tunnel stands")
            answer = subprocess.run(["curl", "-s", "--max-time", "60", "--unix-socket", local, "http://engine/_ping"], stdout=subprocess.PIPE, check=False)
            tunnel.terminate()
            tunnel.wait()
            equal(answer.stdout, b"OK", "the engine's answer to _ping")
        with case("the same key as root is told who to be"):
            code, text = client.run("root", "id")
            # dropbear leaves the backslashes of authorized_keys where OpenSSH takes them away
            text = text.replace("\\", "")
            check(code == 142 and 'Please login as the user "coracle" rather than the user "root".' in text and "uid=0" not in text, f"{code}: {text}")
        with case("a right password is refused: only keys are allowed"):
            code, text = client.run("amy", "id", "-o", "PreferredAuthentications=password,keyboard-interactive", "-o", "PubkeyAuthentication=no", password="open-sesame")
            check(code == 255 and "Permission denied (publickey)" in text, f"{code}: {text}")
        with case("whose keys there are is shown on the console"):
            guest.wait_for(r"ci-info: \++Authorized keys from /home/coracle/.ssh/authorized_keys for user coracle\++", anywhere=True)
        # a power cut, not a shutdown
        guest.kill()
    with machine("second", folder, user_data, port):
        with case("after a power cut the host key is the same"):
            equal(client.host_key(), first, "host key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", os.path.join(folder, "host")], check=True)
    with machine("third", folder, USER_DATA.format(key=client.public, more="ssh_pwauth: true"), port, instance="i-third"):
        with case("a new instance has another host key"):
            check(client.host_key() != first, "it is the same")
        with case("with ssh_pwauth a right password lets amy in, and root not"):
            options = ("-o", "PreferredAuthentications=password", "-o", "PubkeyAuthentication=no")
            code, text = client.run("amy", "id -un", *options, password="open-sesame")
            check(code == 0 and "amy\n" in text, f"{code}: {text}")
            code, text = client.run("amy", "id -un", *options, password="wrong")
            check(code == 255 and "Permission denied" in text, f"{code}: {text}")
    key = pathlib.Path(folder, "host").read_text(encoding="ascii")
    given = "ssh_keys:\n  ed25519_private: |\n" + "".join(f"    {line}\n" for line in key.splitlines())
    with machine("fourth", folder, USER_DATA.format(key=client.public, more=given), port, instance="i-fourth"):
        with case("a host key that the configuration gives is the server's"):
            equal(client.host_key(), " ".join(pathlib.Path(folder, "host.pub").read_text(encoding="ascii").split()[:2]), "host key")
finish()
