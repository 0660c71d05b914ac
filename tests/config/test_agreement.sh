#!/bin/bash
# test_agreement.sh: coracle-config and the cloud-init of a Debian package agree on every file of the corpus, but for what
# disagreements.txt explains. TAP output. The work is done by oracle/agreement.py; its options may be given here.
# timeout: 900
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$top/tests/config
build=${CORACLE_BUILD:-$top/build}
corpus=${CORPUS:-$top/../shared/corpus}
# shellcheck source=tests/lib/tap.sh
source "$top/tests/lib/tap.sh"

((EUID == 0)) || skip_all 'needs root'
unshare -m -n -u -i -p -f true 2>/dev/null || skip_all 'no namespaces here'
chroot=$("$here/oracle/chroot") || skip_all 'no chroot with cloud-init (see oracle/chroot)'
[[ -d $corpus/cloud-config ]] || { echo '# no corpus: only our own examples'; corpus=; }
work=$(mktemp -d)
trap 'rmdir "$work"' EXIT
unshare -m -n -u -i -p -f --kill-child --mount-proc --propagation private \
	python3 "$here/oracle/agreement.py" --chroot "$chroot" --config "$build/bin/coracle-config" --work "$work" --corpus "$corpus" --own "$here/agree" "$@"
