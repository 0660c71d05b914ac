"""proxy.py: a registry that misbehaves: passes requests on to a real one, but for what its mode says. One file, loopback only.

Usage: proxy.py ADDRESS:PORT UPSTREAM:PORT FOLDER. Prints a line when it listens. FOLDER/mode is read at each request, a line for each
request goes to FOLDER/requests: METHOD PATH RANGE|- AUTHORIZATION-SCHEME|- . The mode `token` asks for tokens, which this server gives
to user:secret at /token, each good for 2 requests.
"""
import base64
import http.client
import http.server
import pathlib
import socket
import sys
import threading
import time

listen, upstream, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
lock = threading.Lock()
seen = {}
tokens = {}


def first(key):
    with lock:
        seen[key] = seen.get(key, 0) + 1
        return seen[key] == 1


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end(self):
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def token_server(self):
        want = "Basic " + base64.b64encode(b"user:secret").decode()
        if self.headers.get("Authorization") != want or "scope=repository%3Atest%2Fbusybox%3Apull" not in self.path:
            return self.answer(401, b"{}")
        with lock:
            token = f"token{len(tokens)}"
            tokens[token] = 2
        self.answer(200, b'{"token": "%s", "expires_in": 60}' % token.encode(), Content_Type="application/json")

    def allowed(self):
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        with lock:
            if scheme == "Bearer" and tokens.get(token, 0) > 0:
                tokens[token] -= 1
                return True
        self.answer(401, b"{}", WWW_Authenticate=f'Bearer realm="http://{listen}/token",service="a service",scope="repository:test/busybox:pull"')
        return False

    def do_GET(self):
        mode = (folder / "mode").read_text().strip()
        scheme = self.headers.get("Authorization", "-").split(" ")[0]
        with lock, open(folder / "requests", "a") as f:
            f.write(f"GET {self.path} {self.headers.get('Range', '-')} {scheme}\n")
        if self.path.startswith("/token"):
            return self.token_server()
        if mode == "token" and not self.allowed():
            return None
        if mode == "dead":
            return self.answer(503, b"{}")
        if mode == "busy" and first("busy"):
            return self.answer(429, b"{}", Retry_After="1")
        if mode.startswith("elsewhere ") and "/blobs/" in self.path:
            return self.answer(307, Location=mode.split(" ")[1] + self.path)
        self.pass_on(mode)

    def pass_on(self, mode):
        conn = http.client.HTTPConnection(upstream)
        blob = "/blobs/" in self.path
        keep = {k: v for k, v in self.headers.items() if k.lower() in ("accept", "range") and not (mode == "norange" and k.lower() == "range")}
        conn.request("GET", self.path, headers=keep)
        r = conn.getresponse()
        body = r.read()
        headers = {k.replace("-", "_"): v for k, v in r.getheaders() if k.lower() in
                   ("content-type", "content-range", "docker-content-digest", "www-authenticate")}
        large = blob and len(body) > 65536
        if blob and mode in ("cut", "norange") and large and first(self.path):
            self.answer(r.status, body[:len(body) // 2], Content_Length=str(len(body)), **headers)
            return self.end()
        if large and mode == "cut-always":
            self.answer(r.status, b"", Content_Length=str(len(body)), **headers)
            return self.end()
        if blob and mode == "digest":
            body = body[:100] + bytes([body[100] ^ 1]) + body[101:]
        if large and mode == "short":
            body = body[:-10]
        if large and mode == "long":
            body += b"0123456789"
        if not blob and mode == "manifest":
            body = body.replace(b"sha256:", b"sha256:", 1) + b"\n"
        if not blob and mode == "type":
            return self.answer(200, b"<html>please log in</html>", Content_Type="text/html")
        if not blob and mode == "lies":
            headers["Content_Type"] = "application/vnd.oci.image.index.v1+json"
        if mode == "endless" and not blob or mode == "endless-blob" and large:
            self.answer(200, b"", Content_Length="99999999999" if blob else "4000000", Content_Type=headers.get("Content_Type", ""))
            try:
                while True:
                    self.wfile.write(b" " * 65536)
            except OSError:
                self.close_connection = True
                return None
        if large and mode == "slow":
            self.answer(r.status, b"", Content_Length=str(len(body)), **headers)
            try:
                for i in range(len(body)):
                    self.wfile.write(body[i:i + 1])
                    self.wfile.flush()
                    time.sleep(0.05)
            except OSError:
                self.close_connection = True
            return None
        self.answer(r.status, body, **headers)


host, port = listen.rsplit(":", 1)
server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
server.daemon_threads = True
server.handle_error = lambda *args: None  # clients that go are what this is about
print("ready", flush=True)
server.serve_forever()
