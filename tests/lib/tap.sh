# shellcheck shell=bash
# tests/lib/tap.sh: TAP for tests written in shell. Source it, call check for each case, and tap_end as the last command.

tap_count=0
tap_failed=0

# check NAME COMMAND...: the case passes when the command succeeds; its output is shown when it does not.
check() {
	local name=$1 output
	shift
	tap_count=$((tap_count + 1))
	if output=$("$@" 2>&1); then
		echo "ok $tap_count - $name"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $name"
		printf '%s\n' "$output" | sed 's/^/# /'
	fi
}

# contains TEXT WORD...: every WORD occurs in TEXT.
contains() {
	local text=$1 word
	shift
	for word in "$@"; do
		[[ $text == *"$word"* ]] || { printf 'missing: %s\nin: %s\n' "$word" "$text"; return 1; }
	done
}

lacks() { ! contains "$@" >/dev/null || { printf 'unexpected: %s\nin: %s\n' "$2" "$1"; return 1; }; }

same() { [[ $1 == "$2" ]] || { printf 'expected: %s\ngot:      %s\n' "$1" "$2"; return 1; }; }

# skip_all REASON: instead of all cases.
skip_all() { echo "1..0 # SKIP $1"; exit 0; }

# eventually COMMAND...: it succeeds within half a minute (or what CORACLE_TEST_SLOW makes of it).
eventually() {
	local end=$((SECONDS + 30 * ${CORACLE_TEST_SLOW:-1}))
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || { echo "did not happen: $*"; return 1; }
		sleep 0.05
	done
}

tap_end() {
	echo "1..$tap_count"
	((tap_failed == 0))
}
