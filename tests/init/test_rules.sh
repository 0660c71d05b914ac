#!/bin/bash
# test_rules.sh: rules of process 1 that its system calls show: strace watches a whole life of init, as PID 1 of namespaces on this machine
# (rules.py). docs/pid1-coverage.md has all of the rules. TAP output. Needs root.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ((EUID != 0)) || ! unshare -m -p -n -i -u -C --fork true 2>/dev/null; then
	echo '1..0 # SKIP needs root and namespaces'
	exit 0
fi
exec python3 "$here/rules.py"
