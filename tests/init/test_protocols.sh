#!/bin/bash
# test_protocols.sh: the service protocols of systemd with real programs that speak them: sd_notify(3), socket activation, watchdog, descriptor
# store, timers, targets; under init as PID 1 of namespaces on this machine (protocols.py). TAP output. Needs root.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ((EUID != 0)) || ! unshare -m -p -n -i -u -C --fork true 2>/dev/null; then
	echo '1..0 # SKIP needs root and namespaces'
	exit 0
fi
exec python3 "$here/protocols.py"
