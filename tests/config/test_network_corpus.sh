#!/bin/bash
# test_network_corpus.sh: the network-configs of cloud-init's own tests, compared with what its renderers make of them (network_facts.py).
set -uo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${CORACLE_BUILD:-$top/build}
corpus=${CORPUS:-$top/../shared/corpus}/cloud-config/net
if [[ ! -d $corpus ]] || ! python3 -c 'import yaml' 2>/dev/null; then
	echo "1..0 # SKIP no corpus at $corpus, or no python3-yaml"
	exit
fi
exec python3 "$top/tests/config/network_facts.py" "$build/bin/coracle-config" "$corpus" "$top/tests/config/network_disagreements.txt"
