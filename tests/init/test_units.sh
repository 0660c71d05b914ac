#!/bin/bash
# test_units.sh: unit files with real programs, under init as PID 1 of namespaces on this machine (units.py). TAP output. Needs root.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ((EUID != 0)) || ! unshare -m -p -n -i -u -C --fork true 2>/dev/null; then
	echo '1..0 # SKIP needs root and namespaces'
	exit 0
fi
exec python3 "$here/units.py"
