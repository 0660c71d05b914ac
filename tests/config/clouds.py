#!/usr/bin/env python3
"""clouds.py: small servers that play the metadata services of clouds by their documentation, and servers that misbehave.

Usage: clouds.py [--log FILE] KIND[=DIRECTORY]@ADDRESS:PORT...
Prints "ready" when all of them listen, then serves until it is ended. Each request is a line "METHOD PATH STATUS" of the log. For
a network namespace of a test, or behind qemu/run --serve; nothing here ever connects to anything.

Kinds: ec2, openstack, gce, digitalocean, hetzner, azure, imds (all of these), wireserver; files=DIRECTORY serves a directory, broken a set of misbehaviours by path:
/500/, /twice500/ (two failures, then an answer), /loop/ (redirects in a circle), /away/ (redirects to /files/), /ftp/ (redirects to ftp), /big/
(without end), /huge/ (says that it is), /truncated/, /silent/ (never answers), /drip/ (a byte a second), /garbage/ (no HTTP), /leak/ (redirects to another host),
/away-http/ and /away-https/ (redirect to http and https). KIND+tls speaks TLS with the certificate and key in the file that CLOUDS_CERTIFICATE names."""
import base64
import http.server
import json
import os
import pathlib
import re
import socket
import ssl
import sys
import threading
import time

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUm"
USER_DATA = """#cloud-config
hostname: from-user-data
write_files:
  - {path: /etc/from-cloud, content: yes}
runcmd:
  - echo "cloud: $(hostname) $(cat /etc/from-cloud) $(cat /run/cloud-init/cloud-id) $(cat /run/cloud-init/.instance-id)" > /dev/console
power_state: {mode: poweroff}
"""
TOKEN = "dG9rZW4gb2YgdGhlIHRlc3Q="

EC2 = {
    "ami-id": "ami-0123", "hostname": "ip-10-0-0-7.ec2.internal", "instance-id": "i-0abc", "instance-type": "t3.micro",
    "local-hostname": "ip-10-0-0-7.ec2.internal", "local-ipv4": "10.0.0.7", "mac": "02:00:00:00:00:01",
    "placement/": {"availability-zone": "eu-central-1b", "region": "eu-central-1"},
    "public-keys/": {"0=my key": None},
    "iam/": {"info": '{"Code": "Success"}', "security-credentials/": {"role": "SECRET"}},
    "network/": {"interfaces/": {"macs/": {"02:00:00:00:00:01/": {"device-number": "0", "local-ipv4s": "10.0.0.7"}}}},
}
OPENSTACK = {
    "meta_data.json": json.dumps({
        "uuid": "d8e02d56-2648-49a3-bf97-6be8f1204f38", "hostname": "nova.example.com", "name": "nova \U0001f600", "availability_zone": "az-1",
        "public_keys": {"mine": KEY + " mine\n"}, "random_seed": "c2VlZA==", "files": [{"content_path": "/content/0000", "path": "/etc/injected"}],
    }),
    "user_data": USER_DATA,
    "vendor_data.json": json.dumps({"cloud-init": "#cloud-config\nfqdn: vendor.example.com\n"}),
    "vendor_data2.json": json.dumps({"static": {"cloud-init": "x"}}),
    "network_data.json": json.dumps({
        "links": [{"id": "tap1", "type": "ovs", "ethernet_mac_address": "fa:16:3e:00:00:01", "mtu": 1450}],
        "networks": [{"id": "n0", "link": "tap1", "type": "ipv4", "ip_address": "10.0.0.9", "netmask": "255.255.255.0", "gateway": "10.0.0.1",
                      "routes": [{"network": "192.168.0.0", "netmask": "255.255.0.0", "gateway": "10.0.0.2"}]},
                     {"id": "n1", "link": "tap1", "type": "ipv6_slaac"}],
        "services": [{"type": "dns", "address": "10.0.0.53"}],
    }),
}
GCE = {
    "instance": {
        "id": 7684572792595385000, "hostname": "gce-1.c.project.internal", "zone": "projects/123/zones/us-central1-f", "name": "gce-1",
        "attributes": {
            "user-data": base64.b64encode(USER_DATA.encode()).decode(), "user-data-encoding": "base64",
            "ssh-keys": f"coracle:{KEY} good\nalice:{KEY} alice\ncloudinit:{KEY} google-ssh {{\"userName\":\"a\",\"expireOn\":\"2001-01-01T00:00:00+0000\"}}\n",
            "gce-container-declaration": "spec:\n  containers:\n    - name: web\n      image: nginx\n",
        },
    },
    "project": {"projectId": "project", "attributes": {"ssh-keys": f"cloudinit:{KEY} project\n"}},
}
DIGITALOCEAN = {
    "droplet_id": 2756294, "hostname": "droplet", "region": "nyc3", "user_data": USER_DATA, "vendor_data": "#cloud-config\n{}\n", "public_keys": [KEY + " do"],
    "interfaces": {
        "public": [{"ipv4": {"ip_address": "203.0.113.5", "netmask": "255.255.240.0", "gateway": "203.0.113.1"}, "mac": "04:01:00:00:00:01", "type": "public"}],
        "private": [{"ipv4": {"ip_address": "10.132.0.2", "netmask": "255.255.0.0", "gateway": "10.132.0.1"}, "mac": "04:01:00:00:00:02", "type": "private"}],
    },
    "dns": {"nameservers": ["198.51.100.53"]},
}
HETZNER = f"""availability-zone: fsn1-dc14
hostname: hetz
instance-id: 12345678
region: eu-central
public-keys:
- {KEY} hetzner
network-config:
  version: 1
  config:
  - type: physical
    name: eth0
    mac_address: 96:00:00:00:00:01
    subnets:
    - {{type: dhcp, ipv4: true}}
vendor_data: |
  #cloud-config
  {{}}
"""
AZURE = {"compute": {
    "vmId": "02aab8a4-74ef-476e-8182-f6d2ba4166a6", "location": "westeurope", "zone": "1", "name": "vm",
    "osProfile": {"adminUsername": "azureuser", "computerName": "azure-1", "disablePasswordAuthentication": "true"},
    "publicKeys": [{"keyData": KEY + " azure\r\n", "path": "/home/azureuser/.ssh/authorized_keys"}], "userData": base64.b64encode(USER_DATA.encode()).decode(),
}}
GOAL_STATE = """<?xml version="1.0" encoding="utf-8"?>
<GoalState xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><Version>2012-11-30</Version><Incarnation>1</Incarnation>
<Container><ContainerId>c-1</ContainerId><RoleInstanceList><RoleInstance><InstanceId>role.i_0</InstanceId><State>Started</State></RoleInstance></RoleInstanceList>
</Container></GoalState>"""

log_file = None
log_lock = threading.Lock()
failures = {}


class Cloud(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def say(self, status, body=b"", headers=()):
        body = body.encode() if isinstance(body, str) else body
        self.note(status)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def note(self, status):
        if log_file:
            with log_lock:
                log_file.write(f"{self.command} {self.path} {status}\n")
                log_file.flush()

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def do_GET(self):
        getattr(self, "get_" + self.server.kind)(self.path)

    def get_imds(self, path):
        """All of the services that live at one address; each has paths of its own."""
        for start, kind in (("/openstack", "openstack"), ("/computeMetadata", "gce"), ("/metadata/v1", "digitalocean"), ("/metadata/", "azure"),
                            ("/hetzner/", "hetzner"), ("/", "ec2")):
            if path.startswith(start):
                return getattr(self, "get_" + kind)(path)

    def do_PUT(self):
        self.body()
        ttl = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if self.server.kind not in ("ec2", "imds") or self.path != "/latest/api/token":
            self.say(405)
        elif not ttl.isdigit() or not 1 <= int(ttl) <= 21600:
            self.say(400)
        else:
            self.say(200, TOKEN)

    def do_POST(self):
        body = self.body()
        if self.server.kind != "wireserver" or self.path != "/machine?comp=health":
            self.say(405)
        elif self.headers.get("x-ms-version") != "2012-11-30" or "text/xml" not in self.headers.get("Content-Type", ""):
            self.say(400)
        elif all(part in body for part in (b"<ContainerId>c-1</ContainerId>", b"<InstanceId>role.i_0</InstanceId>", b"<State>Ready</State>")):
            self.say(200)
        else:
            self.say(400)

    def get_ec2(self, path):
        if self.headers.get("X-aws-ec2-metadata-token") != TOKEN:
            return self.say(401)
        version, _, rest = path[1:].partition("/")
        if version not in ("2018-09-24", "2016-09-02", "2009-04-04", "latest"):
            return self.say(404)
        if rest == "user-data":
            return self.say(200, base64.b64encode(USER_DATA.encode()))
        if rest == "dynamic/instance-identity/document":
            return self.say(200, json.dumps({"instanceId": "i-0abc", "region": "eu-central-1", "availabilityZone": "eu-central-1b"}))
        if not rest.startswith("meta-data/"):
            return self.say(404)
        rest = rest[len("meta-data/"):]
        if rest == "public-keys/0/openssh-key":
            return self.say(200, KEY + " ec2\n")
        tree = EC2
        for part in re.findall(r"[^/]+/?", rest):
            if not isinstance(tree, dict) or part not in tree:
                return self.say(404)
            tree = tree[part]
        return self.say(200, "\n".join(tree) if isinstance(tree, dict) else tree)

    def get_openstack(self, path):
        parts = path.split("/")
        if path.rstrip("/") == "/openstack":
            return self.say(200, "2016-10-06\nlatest\n")
        if path == "/openstack/content/0000":
            return self.say(200, "injected by nova\n")
        if len(parts) == 4 and parts[1] == "openstack" and parts[2] in ("2016-10-06", "latest") and parts[3] in OPENSTACK:
            return self.say(200, OPENSTACK[parts[3]])
        return self.say(404)

    def get_gce(self, path):
        if self.headers.get("Metadata-Flavor") != "Google":
            return self.say(403)
        if path.startswith("/computeMetadata/v1/?recursive=true"):
            return self.say(200, json.dumps(GCE), [("Metadata-Flavor", "Google")])
        return self.say(404)

    def get_digitalocean(self, path):
        return self.say(200, json.dumps(DIGITALOCEAN)) if path == "/metadata/v1.json" else self.say(404)

    def get_hetzner(self, path):
        answers = {"/hetzner/v1/metadata": HETZNER, "/hetzner/v1/userdata": USER_DATA}
        return self.say(200, answers[path]) if path in answers else self.say(404)

    def get_azure(self, path):
        if self.headers.get("Metadata") != "true" or "api-version=2021-08-01" not in path:
            return self.say(400)
        return self.say(200, json.dumps(AZURE)) if path.startswith("/metadata/instance?") else self.say(404)

    def get_wireserver(self, path):
        if self.headers.get("x-ms-version") != "2012-11-30":
            return self.say(400)
        return self.say(200, GOAL_STATE) if path == "/machine/?comp=goalstate" else self.say(404)

    def get_files(self, path):
        # a query may name the file, as seedfrom=...?f=%s makes it
        name = re.sub(r".*[?&]f=", "", path).lstrip("/")
        file = pathlib.Path(self.server.directory, name)
        if ".." in name or not file.is_file():
            return self.say(404)
        return self.say(200, file.read_bytes())

    def get_broken(self, path):
        what, _, rest = path[1:].partition("/")
        secret = self.headers.get("X-Secret", "none")
        if what == "500" or (what == "twice500" and failures.setdefault(rest, 0) < 2):
            failures[rest] = failures.get(rest, 0) + 1
            return self.say(500, "no\n")
        if what == "loop":
            return self.say(302, headers=[("Location", path)])
        if what == "away":
            return self.say(301, "gone", headers=[("Location", "/files/" + rest)])
        if what == "away-http":
            return self.say(301, headers=[("Location", "http://127.0.0.1:8001/files/" + rest)])
        if what == "away-https":
            return self.say(301, headers=[("Location", "https://127.0.0.1:8443/" + rest)])
        if what == "ftp":
            return self.say(302, headers=[("Location", "ftp://127.0.0.1/x")])
        if what == "leak":
            return self.say(302, headers=[("Location", "http://127.0.0.2:" + str(self.server.server_address[1]) + "/files/" + rest)])
        if what in ("files", "twice500"):
            return self.say(200, f"{self.command} secret {secret}\n")
        self.note(what)
        if what == "big":
            self.send_response(200)
            self.end_headers()
            self.close_connection = True
            while True:
                self.wfile.write(b"x" * 65536)
        if what == "huge":
            self.send_response(200)
            self.send_header("Content-Length", "99999999999")
            self.end_headers()
            return self.wfile.write(b"x")
        if what == "truncated":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"#cloud-config\n")
            self.close_connection = True
        elif what == "silent":
            time.sleep(600)
        elif what == "drip":
            self.send_response(200)
            self.end_headers()
            self.close_connection = True
            for _ in range(600):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.5)
        elif what == "garbage":
            self.wfile.write(b"SSH-2.0-OpenSSH_9.9\r\n")
            self.close_connection = True
        return None


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients that hang up are what the tests are about


def start(spec):
    kind, _, address = spec.rpartition("@")
    kind, _, directory = kind.partition("=")
    host, _, port = address.rpartition(":")
    host = host.strip("[]")

    class Family(Server):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    server = Family((host, int(port)), Cloud)
    kind, _, tls = kind.partition("+")
    server.kind, server.directory = kind, directory
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.environ["CLOUDS_CERTIFICATE"])
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main(arguments):
    global log_file
    if arguments[:1] == ["--log"]:
        log_file = open(arguments[1], "a", encoding="utf-8")
        arguments = arguments[2:]
    servers = [start(spec) for spec in arguments]
    print("ready", *(s.server_address[1] for s in servers), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1:])
