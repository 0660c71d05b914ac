#!/bin/bash
# tests/lib/test_qemu_run.sh: what qemu/run makes of its options. Nothing is started: --dry-run.
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/tap.sh"
run=$here/../../qemu/run
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work/tmp
mkdir "$TMPDIR"
touch "$work/kernel"
printf '#cloud-config\n' >"$work/user-data"
mkdir -p "$work/layout" "$work/empty"
touch "$work/layout/oci-layout" "$work/a.oci.tar"

dry() { CORACLE_BUILD=$work "$run" --dry-run --kernel "$work/kernel" --initrd none "$@" 2>&1 | sed 's/\\//g'; }
code() { CORACLE_BUILD=$work "$run" --dry-run --kernel "$work/kernel" --initrd none "$@" >/dev/null 2>&1; echo $?; }

text=$(dry)
check "the network is isolated by default" contains "$text" restrict=on
check "no seed without configuration" lacks "$text" seed
check "256 MiB by default" contains "$text" "-m 256"
check "--net open is the only way out" lacks "$(dry --net open)" restrict=on
check "--net none" lacks "$(dry --net none)" netdev
check "published ports stay on the loopback" contains "$(dry --publish 8080:80 --publish 5353:53/udp)" \
	hostfwd=tcp:127.0.0.1:8080-:80 hostfwd=udp:127.0.0.1:5353-:53
check "a served address chooses the network" contains "$(dry --serve 169.254.169.254:80=8000)" \
	net=169.254.169.0/24 guestfwd=tcp:169.254.169.254:80-cmd:
check "QEMU's own addresses step aside" contains "$(dry --serve 10.0.2.2:80=8000)" host=10.0.2.18 guestfwd=tcp:10.0.2.2:80
check "two served addresses share one network" contains "$(dry --serve 10.1.0.5:80=1 --serve 10.2.0.5:80=2)" net=10.0.0.0/14
check "iso is the seed's default" contains "$(dry --user-data "$work/user-data")" id=seed,format=raw readonly=on
check "vfat seed" contains "$(dry --user-data "$work/user-data" --seed vfat)" id=seed,format=raw
check "fw_cfg seed" contains "$(dry --user-data "$work/user-data" --seed fw_cfg)" \
	name=opt/org.coracle/user-data name=opt/org.coracle/meta-data
check "smbios seed" contains "$(dry --user-data "$work/user-data" --seed smbios)" 'serial=ds=nocloud;s=http://'
check "images are one read-only disk" contains "$(dry --image "$work/a.oci.tar" --image "$work/layout")" id=images,format=raw
check "a directory that is no layout is refused" same 2 "$(code --image "$work/empty")"
dry --data "$work/data.img" >/dev/null
check "a dry run makes no data disk" test ! -e "$work/data.img"
check "microvm has mmio devices" contains "$(dry --machine microvm --user-data "$work/user-data")" virtio-blk-device virtio-net-device
check "microvm is told its frequency" contains "$(dry --machine microvm --accel tcg)" tsc_early_khz=
check "with --icount 1 GHz" contains "$(dry --machine microvm --icount)" tsc_early_khz=1000000 shift=0,sleep=off "-seed 1"
check "--append ends the command line" contains "$(dry --append coracle.rescue)" "panic=5 no_timer_check coracle.rescue"
printf 'console=ttyS0\nquiet\n' >"$work/cmdline"
check "the build's command line is the base" contains "$(dry --append x=1)" "console=ttyS0 quiet no_timer_check x=1"
check "--icount excludes kvm" same 2 "$(code --icount --accel kvm)"
check "smbios excludes microvm" same 2 "$(code --seed smbios --machine microvm)"
check "--seed none excludes configuration" same 2 "$(code --seed none --user-data "$work/user-data")"
check "an unknown option" same 2 "$(code --frobnicate)"
check "a missing file" same 2 "$(code --user-data "$work/none")"
check "a value that is no number" same 2 "$(code --memory lots)"
check "no temporary files are left" same "" "$(ls "$TMPDIR")"
tap_end
