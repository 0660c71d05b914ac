"""generate.py: hostile inputs of our own, beside the corpus: each a name and bytes, with what must come of it.

want: "reject" (an error with a place), "accept" (exit status 0 or 2), or "any" (only the rules that hold for every input). mentions: words
that the problems must contain. Nothing here may get a line into a file of accounts, mounts or hosts: run.py looks for `evil`.
"""
import base64
import gzip
import json
import zlib
from dataclasses import dataclass, field

HEADER = b"#cloud-config\n"


@dataclass
class Input:
    name: str
    data: bytes
    want: str = "reject"
    mentions: list = field(default_factory=list)


def config(name, value, want="reject", *mentions):
    """A cloud-config made from Python values: JSON is YAML, and has every character escaped."""
    return Input(name, HEADER + json.dumps(value).encode(), want, list(mentions))


def text(name, body, want="reject", *mentions):
    return Input(name, HEADER + body.encode(), want, list(mentions))


def injections():
    """A line break in every field that ends up as a line of a file."""
    line = "a\nevil:x:0:0::/:/bin/sh"
    user = {"name": "worker"}
    for key, value in (("gecos", line), ("homedir", "/home/a\nevil:x:0:0::/:/bin/sh"), ("shell", "/bin/sh\nevil:x:0:0::/:/bin/sh"),
                       ("primary_group", "a\nevil:x:0:"), ("groups", ["a\nevil:x:0:"]), ("sudo", ["ALL=(ALL) ALL\nevil ALL=(ALL) NOPASSWD:ALL"]),
                       ("sudo", "ALL=(ALL) ALL\nevil ALL=(ALL) NOPASSWD:ALL"), ("doas", ["permit nopass worker\npermit nopass evil"]),
                       ("passwd", "$6$a$b\nevil:$6$a$b"), ("hashed_passwd", "$6$a$b:0:0:0\nevil::"), ("expiredate", "2030-01-01\nevil"),
                       ("ssh_authorized_keys", ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==\nevil ssh-rsa AAAA"])):
        # a text may hold several keys, one a line, and what is no key is told and left out
        want = "any" if key == "ssh_authorized_keys" else "reject"
        yield config(f"inject-user-{key}-{type(value).__name__}", {"users": [{**user, key: value}]}, want)
    yield config("inject-user-gecos-colon", {"users": [{**user, "gecos": "a:/:/bin/evil"}]})
    yield config("inject-user-name", {"users": [{"name": "a b:c\nevil:x:0:0"}]})
    yield config("inject-user-name-dash", {"users": [{"name": "-evil"}]})
    yield config("inject-user-name-dots", {"users": [{"name": "../evil"}]})
    yield config("inject-user-name-long", {"users": [{"name": "evil" * 100}]})
    yield config("inject-group", {"groups": [{"a\nevil:x:0:": ["root"]}]})
    yield config("inject-group-member", {"groups": [{"workers": ["root\nevil:x:0:"]}]})
    yield config("inject-chpasswd-name", {"chpasswd": {"users": [{"name": "root\nevil", "password": "x", "type": "text"}]}})
    yield config("inject-chpasswd-hash", {"chpasswd": {"users": [{"name": "root", "password": "$6$x$y:0:\nevil::", "type": "hash"}]}})
    yield config("inject-hostname", {"hostname": "a\n127.0.0.1 evil"})
    yield config("inject-fqdn", {"fqdn": "a.b\n127.0.0.1 evil", "manage_etc_hosts": True})
    yield config("inject-hostname-escape", {"hostname": "a\x1b[31mevil"})
    for place in range(4):
        fields = ["/dev/vdz1", "/data", "ext4", "defaults"]
        fields[place] += "\n/dev/evil /evil ext4 defaults 0 0"
        yield config(f"inject-mounts-{place}", {"mounts": [fields]})
    yield config("inject-mounts-path", {"mounts": [["/dev/vdz1", "/data/../../evil"]]})
    yield config("inject-timezone", {"timezone": "../../../etc/evil"})
    yield config("inject-timezone-line", {"timezone": "UTC\nevil"})
    yield config("inject-locale", {"locale": "C.UTF-8\nevil=1"}, "any")
    yield config("inject-ntp", {"ntp": {"servers": ["a.example\nevil"]}})
    yield config("inject-resolv", {"manage_resolv_conf": True, "resolv_conf": {"nameservers": ["192.0.2.1\nevil"]}}, "any")


def paths():
    def file(path, **more):
        return {"write_files": [{"path": path, "content": "evil", **more}]}

    yield config("path-dotdot", file("/../../etc/evil"), "reject", '".."')
    yield config("path-relative", file("etc/evil"))
    yield config("path-nul", file("/etc/evil\0.txt"))
    yield config("path-newline", file("/etc/ev\nil"))
    yield config("path-empty", file(""))
    yield config("path-root", file("/"))
    yield config("path-long", file("/" + "a" * 5000))
    yield config("path-component", file("/" + "a" * 300))
    yield config("path-link", file("/way-out/evil"), "any")
    yield config("path-link-absolute", file("/way-absolute/evil"), "any")
    yield config("path-link-itself", file("/circle/evil"), "any")
    yield config("path-directory", file("/etc"), "any")
    yield config("path-through-file", file("/etc/passwd/evil"), "any")
    yield config("path-mode-large", file("/evil", permissions="17777"))
    yield config("path-mode-words", file("/evil", permissions="rwx"))
    yield config("path-owner-nobody-knows", file("/evil", owner="nobody-knows:me"), "any")
    yield config("path-encoding", file("/evil", encoding="rot13"))
    yield config("path-base64", file("/evil", encoding="b64", content="%%%"))
    yield config("path-gz-bomb", {"write_files": [{"path": "/x", "encoding": "gz+b64", "content": base64.b64encode(
        gzip.compress(bytes(40 << 20), 9)).decode()}]})


def sizes():
    yield text("size-line", "hostname: " + "a" * (1 << 19) + "\n")
    yield Input("size-all", HEADER + b"# " + b"x" * (1 << 21))
    yield text("size-keys", "".join(f"k{n}: 1\n" for n in range(9000)), "any")
    yield text("size-users", "users:\n" + "".join(f"- name: u{n}\n" for n in range(3000)), "any")
    yield text("size-groups", "groups: [" + ",".join(f"g{n}" for n in range(4000)) + "]\n", "any")
    yield text("size-names", "groups: \"" + ",".join(f"g{n:x}" for n in range(150000)) + "\"\n", "reject", "10000 names")
    yield text("size-members", "users:\n" + "".join(f"- {{name: u{n:031}, groups: [a, b, c], sudo: ALL, no_create_home: true}}\n" for n in range(1000)), "any")
    yield text("size-numbers", "users:\n- {name: last, uid: 60000}\n" + "".join(f"- {{name: u{n}, no_create_home: true}}\n" for n in range(900)), "any")
    yield text("size-commands", "runcmd:\n" + "- echo\n" * 9000, "any")
    yield text("size-files", "write_files:\n" + "".join(f"- {{path: /f/{n}}}\n" for n in range(300)), "any")
    yield text("size-nodes", "runcmd: [" + ",".join("a" for _ in range(20000)) + "]\n", "reject", "10,000")
    yield text("depth-block", "".join("  " * n + "a:\n" for n in range(200)))
    yield text("depth-list", "a: " + "- " * 200 + "b\n")
    yield text("depth-flow-open", "a: " + "{b: " * 3000)
    yield text("alias-many", "a: &a [x]\nb: [" + ",".join(["*a"] * 200) + "]\n")
    yield text("alias-bomb", "a: &a [" + "x," * 99 + "x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 20)}]\n" for n in range(4)))
    yield text("alias-merge-circle", "a: &a\n  <<: *a\n  b: c\n")
    yield text("alias-unknown", "a: *nothing\n")
    yield text("merge-not-a-map", "users:\n- <<: [1, 2]\n  name: a\n", "any")
    yield text("key-list", "? [a, b]\n: c\n")
    yield text("key-null", "~: c\n", "any")


def bytes_():
    yield Input("bytes-nothing-but-nul", bytes(1000))
    yield Input("bytes-high", HEADER + b"hostname: " + bytes(range(128, 256)) + b"\n")
    yield Input("bytes-surrogate", HEADER + b"hostname: \xed\xa0\x80\n")
    yield Input("bytes-overlong", HEADER + b"hostname: \xc0\xaf\n")
    yield Input("bytes-utf16-be", ("\ufeff#cloud-config\nhostname: a\n").encode("utf-16-be"))
    yield Input("bytes-utf32", ("#cloud-config\nhostname: a\n").encode("utf-32"))
    yield Input("bytes-cr", b"#cloud-config\rhostname: a\r", "any")
    yield Input("bytes-line-separator", "#cloud-config\nhostname: a\u2028b\n".encode(), "reject")
    yield Input("bytes-elf", b"\x7fELF" + bytes(200))
    yield Input("bytes-escape-in-key", HEADER + b'"a\\e[2Jb": 1\n')


def packed():
    inner = HEADER + b"hostname: packed\n"
    whole = gzip.compress(inner)
    yield Input("gz-trailing", whole + b"garbage", "any")
    yield Input("gz-header-only", whole[:10])
    yield Input("gz-crc", whole[:-8] + b"\0\0\0\0" + whole[-4:], "reject")
    yield Input("gz-two-members", whole + whole, "any")
    yield Input("gz-bomb", gzip.compress(bytes(200 << 20), 9), "reject", ["too much"])
    yield Input("gz-zlib", zlib.compress(inner), "reject")
    yield Input("b64-bomb", base64.b64encode(gzip.compress(HEADER + b"#" * (100 << 20), 9)), "reject")
    yield Input("b64-of-b64", base64.b64encode(base64.b64encode(inner)), "any")
    yield Input("b64-broken", b"I2Nsb3VkLWNvbmZpZw=x=")


def mime(boundary, *parts, end=True):
    lines = [f'Content-Type: multipart/mixed; boundary="{boundary}"', "MIME-Version: 1.0", ""]
    for head, body in parts:
        lines += [f"--{boundary}", *head, "", body]
    return "\n".join(lines + ([f"--{boundary}--"] if end else []) + [""]).encode()


def wrapped():
    cloud = ["Content-Type: text/cloud-config"]
    yield Input("mime-parts", mime("B", *[(cloud, "#cloud-config\n")] * 500))
    deep = mime("B0", (cloud, "#cloud-config\n")).decode()
    for level in range(1, 40):
        deep = mime(f"B{level}", ([f'Content-Type: multipart/mixed; boundary="B{level - 1}"'], deep.split("\n\n", 1)[1])).decode()
    yield Input("mime-depth", deep.encode())
    yield Input("mime-header-large", mime("B", (cloud + ["X-Large: " + "a" * 100000], "#cloud-config\n")))
    yield Input("mime-headers-many", mime("B", (cloud + [f"X-{n}: a" for n in range(5000)], "#cloud-config\n")))
    yield Input("mime-no-boundary", b"Content-Type: multipart/mixed\nMIME-Version: 1.0\n\n--\n\n#cloud-config\n", "any")
    yield Input("mime-boundary-long", mime("B" * 5000, (cloud, "#cloud-config\n")), "any")
    yield Input("mime-name-path", mime("B", (["Content-Type: text/x-shellscript", 'Content-Disposition: attachment; filename="../../../evil"'],
                                             "#!/bin/sh\n")), "any")
    yield Input("mime-name-line", mime("B", (["Content-Type: text/x-shellscript", 'Content-Disposition: attachment; filename="a\n evil"'],
                                             "#!/bin/sh\n")), "any")
    yield Input("mime-encoding", mime("B", (cloud + ["Content-Transfer-Encoding: rot13"], "#cloud-config\n")), "any")
    yield Input("mime-base64-broken", mime("B", (cloud + ["Content-Transfer-Encoding: base64"], "%%%%")))
    yield Input("mime-gz-bomb", mime("B", (["Content-Type: application/gzip", "Content-Transfer-Encoding: base64"],
                                           base64.encodebytes(gzip.compress(HEADER + b"#" * (60 << 20), 9)).decode())))
    yield Input("mime-merge-type", mime("B", (cloud, "#cloud-config\nruncmd: [a]\n"), (cloud + ["Merge-Type: list(evil)+dict("],
                                                                                     "#cloud-config\nruncmd: [b]\n")))
    archive = "#cloud-config-archive\n" + json.dumps(["#cloud-config-archive\n" + json.dumps(["#cloud-config\nhostname: a\n"])])
    for _ in range(5):
        archive = "#cloud-config-archive\n" + json.dumps([archive])
    yield Input("archive-depth", archive.encode(), "any")
    yield Input("archive-map", b"#cloud-config-archive\nhostname: a\n")
    yield Input("archive-null", b"#cloud-config-archive\n- ~\n- []\n- 7\n")
    yield Input("include-file", b"#include\nfile:///etc/passwd\n")
    yield Input("include-scheme", b"#include\ngopher://evil/\n")
    yield Input("jinja-open", b"## template: jinja\n#cloud-config\nhostname: {{ v1.local_hostname\n")
    yield Input("jinja-undefined", b"## template: jinja\n#cloud-config\nhostname: {{ v1.nothing }}\n")
    yield Input("jinja-python", b"## template: jinja\n#cloud-config\nhostname: {{ ''.__class__.__mro__[1].__subclasses__() }}\n")
    yield Input("jinja-loops", b"## template: jinja\n#cloud-config\n" + b"{% for a in ds.meta_data %}" * 100 + b"x" + b"{% endfor %}" * 100)
    yield Input("jinja-range", b"## template: jinja\n#cloud-config\n{% for a in range(1000000000) %}x{% endfor %}\n")
    yield Input("jinja-include", b"## template: jinja\n#cloud-config\n{% include '/etc/passwd' %}\n")
    yield Input("ignition-path", json.dumps({"ignition": {"version": "3.4.0"}, "storage": {"files": [
        {"path": "/../evil", "contents": {"source": "data:,evil"}}]}}).encode())
    yield Input("ignition-user", json.dumps({"ignition": {"version": "3.4.0"}, "passwd": {"users": [
        {"name": "a\nevil:x:0:0::/:/bin/sh"}]}}).encode())
    yield Input("ignition-deep", b'{"ignition": ' + b"[" * 5000)


def all_inputs():
    for family in (injections, paths, sizes, bytes_, packed, wrapped):
        yield from family()
