#!/bin/bash
# test_many.sh: what the engine needs: memory with none and with 100 containers, processes, start beside `coracle-runtime run`. TAP output.
# timeout: 400
set -euo pipefail
# shellcheck source=tests/engine/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v docker >/dev/null || skip_all 'needs the docker command line (apt-get install docker.io)'

cp "$fixtures/busybox-zstd.oci.tar" "$work/run/media/0/"
want
engine_start
eventually bash -c 'docker images -q | grep -q .'
engine() { cat "$work/run/engine.pid"; }
# what no other process shares, and what is of files in memory: as ps RSS
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$(engine)/status"; }
children() { pgrep -c -P "$(engine)" || true; }
idle=$(resident)
many=$(python3 "$here/many.py" "$work/docker.sock" 100)
running=$(docker ps -q | wc -l)
full=$(resident)
echo "# idle $idle KiB, with 100 containers $full KiB; $many"
check '100 containers run' same 100 "$running"
check 'at most 6 MiB idle' test "$idle" -le 6144
check 'at most 10 MiB with 100 containers' test "$full" -le 10240
check 'no process of its own per container' same 0 "$(children)"
docker ps -aq | xargs docker rm -f >/dev/null
echo "# $(python3 "$here/start_ratio.py" "$work/docker.sock" "$work/root" "${CORACLE_RUNTIME:-$build/bin/coracle-runtime}" 20)"
engine_stop
tap_end
