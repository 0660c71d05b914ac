#!/bin/bash
# test_storage.sh: mounts, swap, disk_setup and fs_setup by coracle-config itself. TAP output.
# fstab as anybody, in a directory; disks as root, on loop devices, in a root directory and namespaces of their own. What is read and refused, and
# the bytes of the tables, are tried by the units (tests/unit/test_config_storage.c); swapping by tests/boot/test_config_disks.py.
set -euo pipefail

# shellcheck source=tests/config/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
loops=()
cleanup() {
	local l
	for l in "${loops[@]}"; do partx -d "$l" 2>/dev/null || true; losetup -d "$l" 2>/dev/null || true; done
	rm -rf "$work"
}
trap cleanup EXIT

apply() { "$config" apply --root "$work/root" --seed "$work/seed"; }

mkdir -p "$work/root/etc"
printf '/dev/vda1 / ext4 defaults 0 1\n/dev/vdx\t/gone\tauto\tdefaults,comment=cloudconfig\t0\t2\n' >"$work/root/etc/fstab"
seed <<'YAML'
#cloud-config
mounts:
  - [sdc, /opt/data]
  - [xvdh, /opt/more, auto, "defaults,nofail", "0", "0"]
  - [LABEL=files, "/srv/a b"]
swap: {filename: /swapfile, size: 1G}
YAML
check 'apply: mounts' apply
options=defaults,nofail,x-systemd.after=cloud-init-network.service,_netdev,comment=cloudconfig
check 'fstab: as cloud-init writes it; its old lines are gone' same "$(<"$work/root/etc/fstab")" "/dev/vda1 / ext4 defaults 0 1
/dev/sdc	/opt/data	auto	$options	0	2
/dev/xvdh	/opt/more	auto	defaults,nofail,comment=cloudconfig	0	0
LABEL=files	/srv/a\\040b	auto	$options	0	2
/swapfile	none	swap	sw,comment=cloudconfig	0	0"
check 'apply: the directories are there' test -d "$work/root/opt/data" -a -d "$work/root/opt/more" -a -d "$work/root/srv/a b"
check 'apply: off the machine no swap file is made' test ! -e "$work/root/swapfile"
cp "$work/root/etc/fstab" "$work/first"
check 'apply: again, nothing is there twice' eval 'apply && cmp "$work/root/etc/fstab" "$work/first"'

if ((EUID != 0)) || ! unshare -m -n --fork true 2>/dev/null; then
	tap_end
	exit
fi
tools=$build/sysroot/target
disk() { # MIB: a blank loop device, its path in $loop
	truncate -s "$1M" "$work/disk${#loops[@]}"
	loop=$(losetup -fP --show "$work/disk${#loops[@]}") || return 1
	loops+=("$loop")
}
if ! disk 64; then
	tap_end
	exit
fi
machine() { # the user-data comes on standard input
	rm -rf "$work/m/var/lib/cloud" "$work/m/run"
	mkdir -p "$work"/m/{dev,proc,sys,run/coracle,tmp,var/lib/cloud/seed/nocloud,var/log,etc,usr/bin,srv,mnt}
	[[ -e $work/m/bin ]] || ln -s usr/bin "$work/m/bin"
	: >"$work/m/run/coracle/devices"
	cp "$config" "$tools/busybox" "$tools/mke2fs" "$work/m/usr/bin/"
	ln -sf busybox "$work/m/usr/bin/sh"
	cat >"$work/m/var/lib/cloud/seed/nocloud/user-data"
	echo "instance-id: ${1:-m-1}" >"$work/m/var/lib/cloud/seed/nocloud/meta-data"
}
in_machine() { unshare -m -n --fork bash -c 'mount --rbind /dev "$0/dev" && mount -t proc none "$0/proc" && mount --rbind /sys "$0/sys" && exec chroot "$0" /bin/sh -c "$1"' "$work/m" "$1"; }
status() { "$config" status --root "$work/m" --long; }

cat >"$work/user-data" <<YAML
#cloud-config
device_aliases: {store: $loop}
disk_setup:
  store: {table_type: gpt, layout: [75, [25, 82]]}
fs_setup:
  - {label: files, filesystem: ext4, device: store.1}
  - {label: swapping, filesystem: swap, device: store, partition: 2}
mounts:
  - [/dev/not-there, /mnt/nothing]
  - [store.1, /srv/data, auto, "noatime,nofail,x-systemd.requires=x"]
  - [/srv/data, /mnt/files, none, bind]
YAML
machine <"$work/user-data"
check 'disks: partitioned, made and mounted in one boot' in_machine '/bin/coracle-config boot && busybox mountpoint /srv/data && busybox mountpoint /mnt/files && echo kept > /srv/data/word'
check 'disks: the table is in order' contains "$(sgdisk -v "$loop" 2>&1)" 'No problems found'
check 'disks: two partitions, Linux and swap' contains "$(sgdisk -p "$loop")" $' 1            2048' 8300 8200
check 'disks: the file systems' same "$(blkid -p -s LABEL -o value "${loop}p1") $(blkid -p -s TYPE -o value "${loop}p1") $(blkid -p -s TYPE -o value "${loop}p2")" 'files ext4 swap'
check 'mounts: one that fails is told, the others go on' contains "$(status || true)" 'mount /dev/not-there on /mnt/nothing: No such file or directory'
check 'mounts: fstab has all of them' contains "$(<"$work/m/etc/fstab")" "${loop}p1	/srv/data	auto	noatime,nofail,x-systemd.requires=x,comment=cloudconfig	0	2" '/dev/not-there'
check 'second boot: mounted again, nothing is made again' in_machine '/bin/coracle-config boot && test "$(busybox cat /srv/data/word)" = kept'
machine m-2 <"$work/user-data"
check 'another instance: what is as wanted stays' in_machine '/bin/coracle-config boot && test "$(busybox cat /srv/data/word)" = kept'

# what is not blank is nobody's
disk 32
mke2fs -q -F "$loop"
before=$(sha256sum <"$loop")
machine m-3 <<YAML
#cloud-config
disk_setup: {$loop: {layout: true}}
fs_setup: [{device: $loop, filesystem: ext4, label: new, partition: none}]
YAML
check 'a disk with a file system' in_machine '/bin/coracle-config boot'
check 'a disk with a file system: stays, to the bit' same "$(sha256sum <"$loop")" "$before"
check 'a disk with a file system: told twice' contains "$(status || true)" "partition $loop: it is not blank, and stays as it is; \`overwrite: true\` would destroy what is on it" \
	"make a file system on $loop: it is not blank"
machine m-4 <<YAML
#cloud-config
disk_setup: {$loop: {layout: [100], overwrite: true}}
fs_setup: [{device: $loop, filesystem: ext4, label: new, partition: auto, extra_opts: [-m, "0"]}]
YAML
check 'overwrite: true' in_machine '/bin/coracle-config boot'
check 'overwrite: the partition has the new file system' same "$(blkid -p -s LABEL -o value "${loop}p1")" new
machine m-5 <<YAML
#cloud-config
fs_setup: [{device: ${loop}p1, cmd: "echo %(filesystem)s %(label)s %(device)s > /ran", filesystem: ext4, label: x, overwrite: true}]
YAML
check 'fs_setup: a command of its own' eval "in_machine '/bin/coracle-config boot' && grep -qx 'ext4 x ${loop}p1' '$work/m/ran'"

disk 100
machine m-fat <<YAML
#cloud-config
disk_setup: {$loop: {table_type: mbr, layout: [[80, 0c], 20]}}
fs_setup: [{device: $loop.1, filesystem: vfat, label: wide}, {device: $loop.2, filesystem: vfat}]
mounts: [[$loop.1, /mnt/wide], [$loop.2, /mnt/narrow]]
YAML
check 'vfat: FAT32 and FAT16' in_machine '/bin/coracle-config boot'
if grep -q vfat /proc/filesystems; then
	check 'vfat: mounted' lacks "$(status || true)" 'mount /dev/loop'
fi
if command -v fsck.vfat mcopy >/dev/null; then
	check 'vfat: fsck finds nothing' eval 'fsck.vfat -n "${loop}p1" && fsck.vfat -n "${loop}p2"'
	mcopy -i "${loop}p1" "$config" ::f 2>/dev/null && mcopy -n -i "${loop}p1" ::f "$work/copy" 2>/dev/null
	check 'vfat: a file comes back as it was' eval 'cmp "$config" "$work/copy" && fsck.vfat -n "${loop}p1"'
fi
check 'vfat: label' same "$(blkid -p -s LABEL -o value "${loop}p1") $(blkid -p -s VERSION -o value "${loop}p1") $(blkid -p -s VERSION -o value "${loop}p2")" 'WIDE FAT32 FAT16'
disk 32
mke2fs -q -F "$loop"
machine m-again <<YAML
#cloud-config
disk_setup: {$loop: {layout: [100], overwrite: true}}
fs_setup: [{device: $loop, filesystem: ext4, partition: auto}]
YAML
check 'another disk' in_machine '/bin/coracle-config boot'

# a disk that is in use is left alone, whatever is asked for
machine m-6 <<YAML
#cloud-config
bootcmd: [mkdir -p /mnt/used, mount -t ext4 ${loop}p1 /mnt/used]
disk_setup: {$loop: {layout: [50, 50], overwrite: true}}
YAML
ln -sf busybox "$work/m/usr/bin/mount" && ln -sf busybox "$work/m/usr/bin/mkdir"
check 'a mounted disk' in_machine '/bin/coracle-config boot'
check 'a mounted disk: told' contains "$(status || true)" "partition $loop: it is mounted, or used for swap: "
check 'a mounted disk: its table stays' test ! -e "${loop}p2"
machine m-7 <<YAML
#cloud-config
disk_setup: {$loop: {layout: remove}}
YAML
check 'remove: without overwrite it stays' eval "in_machine '/bin/coracle-config boot' && blkid -p -s PTTYPE -o value '$loop'"
machine m-8 <<YAML
#cloud-config
disk_setup: {$loop: {layout: remove, overwrite: true}, /dev/loop-none: {layout: true}}
YAML
check 'remove: with overwrite it goes' eval "in_machine '/bin/coracle-config boot' && ! blkid -p -s PTTYPE -o value '$loop'"
check 'a disk that is not there' contains "$(status || true)" 'partition /dev/loop-none: open it: No such file or directory'
tap_end
