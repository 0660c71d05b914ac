#!/bin/bash
# test_api_killed.sh: kill -9 of the engine at random moments while clients create, start, exec, log and remove. TAP output.
# timeout: 400
# ENGINE_KILLS=200 SEED=N for the long form.
set -euo pipefail
# shellcheck source=tests/engine/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v docker >/dev/null || skip_all 'needs the docker command line (apt-get install docker.io)'

seed=${SEED:-$RANDOM}
kills=${ENGINE_KILLS:-30}
echo "# SEED=$seed ENGINE_KILLS=$kills"
cp "$fixtures/busybox-zstd.oci.tar" "$work/run/media/0/"
want
engine_start
eventually bash -c 'docker images -q | grep -q .'
result=$(timeout -s KILL 380 python3 "$here/killed.py" "$work" "$seed" "$kills" 2>&1 || true)
check "$kills kills, nothing is lost or half made, the log is whole" grep -Eqx "killed $kills times, [0-9]+ removed, [0-9]+ lines" <(printf '%s\n' "$result" | head -1)
echo "$result" | sed 's/^/# /'
docker ps -aq | xargs -r docker rm -f >/dev/null
check 'all can be removed' same '' "$(docker ps -aq)"
check 'no root is mounted' lacks "$(cat /proc/mounts)" "$work/root/containers"
engine_stop
tap_end
