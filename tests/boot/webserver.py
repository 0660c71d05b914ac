"""webserver.py: a folder served over HTTP on the host's loopback, for guests that see it through qemu/run --serve."""
import http.server
import threading

from harness import free_port


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and keeps standard output for TAP."""

    def log_message(self, format, *args):  # the base class fixes the name
        pass


def serve_folder(folder):
    port = free_port()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), lambda *a: Quiet(*a, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, port
