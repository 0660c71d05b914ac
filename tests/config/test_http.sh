#!/bin/bash
# test_http.sh: the program coracle-http itself against servers that misbehave, in a network namespace. TAP output, from http_client.py.
# timeout: 900
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${CORACLE_BUILD:-$top/build}
# shellcheck source=tests/lib/tap.sh
source "$top/tests/lib/tap.sh"
((EUID == 0)) || skip_all 'needs root: a network namespace'
if [[ -z ${HTTP_INSIDE:-} ]]; then
	HTTP_INSIDE=yes exec unshare --net --mount "$0"
fi
work=$(mktemp -d)
servers=()
trap 'for pid in "${servers[@]}"; do kill "$pid"; done; rm -rf "$work"' EXIT
ip link set lo up
export CLOUDS_CERTIFICATE=''
specs=(broken@127.0.0.1:8001 broken@127.0.0.2:8001)
https=()
bundle=/etc/ssl/certs/ca-certificates.crt
if command -v openssl >/dev/null && [[ -f $bundle ]]; then
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key" -out "$work/crt" -days 2 -subj /CN=test \
		-addext 'subjectAltName=IP:127.0.0.1' 2>"$work/openssl" || { cat "$work/openssl"; exit 1; }
	chmod 755 "$work"; chmod 644 "$work/crt"
	mount --bind "$work/crt" "$bundle"
	cat "$work/key" "$work/crt" >"$work/pem"
	CLOUDS_CERTIFICATE=$work/pem
	specs+=(broken+tls@127.0.0.1:8443 broken+tls@127.0.0.2:8443)
	https=(8443)
fi
exec {out}< <(exec python3 "$top/tests/config/clouds.py" "${specs[@]}")
servers+=($!)
read -r -t 200 -u "$out" _ || { echo "Bail out! clouds.py does not listen"; exit 1; }
python3 "$top/tests/config/http_client.py" "$build/bin/coracle-http" 8001 "${https[@]}"
