#!/usr/bin/env python3
"""test_services.py: real servers from Debian packages, reached from the host through published ports: nginx (three layers,
whiteouts, an opaque directory, gzip) and redis (zstd), started in dependency order. Without hardware acceleration most of the time
is spent unpacking, so one machine does it all."""
# timeout: 900
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
            page = eventually(lambda: http_get(web), "nginx", 480)
            check("<h1>Coracle fixture</h1>" in page, f"another page: {page}")
        with case(f"{tag}: the opaque directory hides the page of the layer below"):
            listing = guest.shell("ls /var/lib/coracle/layers/*/diff/var/www/html/", ok=False)
            check("index.html" in listing, f"no layer with the page: {listing}")
            check(eventually(lambda: not _exists(web, "/index.nginx-debian.html"), "404"), "the lower file is visible")
        with case(f"{tag}: redis answers, as its own user"):
            equal(eventually(lambda: redis_command(cache, "PING"), "redis"), "+PONG", "answer")
            equal(redis_command(cache, "SET", "boat", "coracle"), "+OK", "answer")
        with case(f"{tag}: what another depends on starts before it"):
            cache_at, web_at = _start_time(guest, "redis-server"), _start_time(guest, "nginx")
            check(cache_at <= web_at, f"redis at {cache_at}, nginx at {web_at}")
        with case(f"{tag}: power-off"):
            guest.type("poweroff\n")
            guest.wait_exit()


def _start_time(guest, name):
    """When the oldest process of this name started, in clock ticks since boot (proc(5), field 22)."""
    text = guest.shell(f"for p in $(pidof {name}); do cut -d' ' -f22 /proc/$p/stat; done")
    return min(int(ticks) for ticks in text.split())


def _exists(port, path):
    try:
        http_get(port, path)
        return True
    except OSError as error:
        if "404" in str(error):
            return False
        raise


with temporary_directory() as directory:
    serve("gzip-zstd", ("nginx.oci.tar", "redis-zstd.oci.tar"), "q35", directory)
finish()
