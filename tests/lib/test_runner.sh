#!/bin/bash
# tests/lib/test_runner.sh: the runner itself: what it counts, and that nothing broken can look like a success.
# Uses programs made up here, in a build folder of their own.
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
programs=$work/tests/unit
mkdir -p "$programs"

program() {
	rm -f "$programs"/*
	printf '#!/bin/bash\n%s\n' "$1" >"$programs/sample"
	chmod +x "$programs/sample"
}

# outcome SCRIPT: exit code and last line of a run of only this program.
outcome() {
	local output code
	program "$1"
	output=$(CORACLE_BUILD=$work "$here/../run" --slow "${2:-1}" unit/sample 2>&1)
	code=$?
	printf '%s %s' "$code" "$(tail -n 1 <<<"$output")"
}

check "passing cases" same "0 2 passed, 0 failed, 0 skipped" "$(outcome 'echo 1..2; echo "ok 1 - a"; echo "ok 2 - b"')"
check "a failing case" same "1 1 passed, 1 failed, 0 skipped" "$(outcome 'echo 1..2; echo "ok 1"; echo "not ok 2 - b"; exit 1')"
check "a skipped case" same "0 1 passed, 0 failed, 1 skipped" "$(outcome 'echo "ok 1 - a"; echo "ok 2 - b # SKIP no kvm"')"
check "only skipped cases are no success" same "1 0 passed, 0 failed, 1 skipped" "$(outcome 'echo "ok 1 # skip"')"
check "skipped as a whole" same "1 0 passed, 0 failed, 1 skipped" "$(outcome 'echo "1..0 # SKIP no such host"')"
check "no cases" same "1 0 passed, 1 failed, 0 skipped" "$(outcome 'echo hello')"
check "fewer cases than planned" same "1 1 passed, 1 failed, 0 skipped" "$(outcome 'echo 1..2; echo "ok 1"')"
check "a crash after the last case" same "1 1 passed, 1 failed, 0 skipped" "$(outcome 'echo "ok 1"; kill -SEGV $$')"
check "the time limit" same "1 1 passed, 1 failed, 0 skipped" "$(outcome 'echo "ok 1"; exec sleep 1000' 0.005)"
check "nothing to run" same 1 "$(CORACLE_BUILD=$work "$here/../run" unit/none >/dev/null 2>&1; echo $?)"
tap_end
