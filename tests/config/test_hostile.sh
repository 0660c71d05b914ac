#!/bin/bash
# test_hostile.sh: configurations that want to break something, through the program itself: the corpus' and our own (hostile/generate.py). TAP output.
# What is said of each, and rules that hold for all: hostile/run.py. All of it a second time by the program with ASan and UBSan.
# timeout: 1800
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${CORACLE_BUILD:-$top/build}
corpus=${CORPUS:-$top/../shared/corpus}
[[ -d $corpus/hostile ]] || { echo '# no corpus: only our own inputs'; corpus=; }
exec python3 "$top/tests/config/hostile/run.py" --config "$build/bin/coracle-config" --sanitized "$build/asan/coracle-config" --corpus "$corpus" "$@"
