#!/bin/bash
# tests/runtime/test_many.sh: 200 containers, eight at a time: none fails, nothing is left. Needs root.
# timeout: 300
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
trap 'rm -rf "$work"' EXIT
begin
check "create, start, delete: 200 containers, eight at a time" "$here/many.sh" 200 8
tap_end
