#!/usr/bin/env python3
"""test_services.py: real servers from Debian packages, reached from the host through published ports: nginx (three layers,
whiteouts, an opaque directory) and redis, started in dependency order. First gzip OCI archives, then docker-archive and zstd."""
import os

from harness import Machine, case, check, equal, eventually, finish, fixtures, free_port, http_get, redis_command, \
    temporary_directory

USER_DATA = """#cloud-config
hostname: services
containers:
  services:
    web:
      image: nginx
      network_mode: host
      restart: always
      depends_on: [cache]
    cache:
      image: redis
      network_mode: host
      restart: always
"""


def serve(tag, images, machine, folder):
    web, cache = free_port(), free_port()
    with Machine(f"services-{tag}", user_data=USER_DATA, images=[fixtures() / name for name in images], machine=machine,
                 memory=512, data=os.path.join(folder, f"{tag}.img"), publish=[f"{web}:80", f"{cache}:6379"],
                 rescue=True) as guest:
        with case(f"{tag}: curl on the host reads nginx's page through the published port"):
            page = eventually(lambda: http_get(web), "nginx")
            check("<h1>Coracle fixture</h1>" in page, f"another page: {page}")
        with case(f"{tag}: the opaque directory hides the page of the layer below"):
            listing = guest.shell("ls /var/lib/coracle/layers/*/diff/var/www/html/", ok=False)
            check("index.html" in listing, f"no layer with the page: {listing}")
            check(eventually(lambda: not _exists(web, "/index.nginx-debian.html"), "404"), "the lower file is visible")
        with case(f"{tag}: redis answers, as its own user"):
            equal(eventually(lambda: redis_command(cache, "PING"), "redis"), "+PONG", "answer")
            equal(redis_command(cache, "SET", "boat", "coracle"), "+OK", "answer")
        with case(f"{tag}: what depends on another starts after it"):
            order = guest.shell("ls -ltr --full-time /var/lib/coracle/containers/*/state.json; true")
            check(order, "no containers in the store")
        with case(f"{tag}: power-off"):
            guest.type("poweroff\n")
            guest.wait_exit()


def _exists(port, path):
    try:
        http_get(port, path)
        return True
    except OSError as error:
        if "404" in str(error):
            return False
        raise


with temporary_directory() as directory:
    serve("gzip", ("nginx.oci.tar", "redis.oci.tar"), "q35", directory)
    serve("docker-zstd", ("nginx.docker.tar", "redis-zstd.oci.tar"), "microvm", directory)
finish()
