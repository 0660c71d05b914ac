# shellcheck shell=bash disable=SC2154,SC2054
# qemu/lib/disks.sh: the disks of qemu/run: images, data, a whole disk image. Sourced by it; appends to `command`.

# disk_attach ID FILE FORMAT [DRIVE-OPTION]...: one virtio block device with its serial number coracle-ID.
disk_attach() {
	local id=$1 file=$2 format=$3 options option device=virtio-blk-pci
	shift 3
	options="if=none,id=$id,format=$format,file=${file//,/,,}"
	for option in "$@"; do options+=,$option; done
	if [[ $machine == microvm ]]; then device=virtio-blk-device; fi
	command+=(-drive "$options" -device "$device,drive=$id,serial=coracle-$id")
}

# One read-only ISO with every --image; a name that occurs twice gets a number.
images_add() {
	local path name grafts=() number=0
	local -A seen=()
	((${#images[@]})) || return 0
	command -v xorriso >/dev/null || die "--image needs xorriso; on Debian: apt-get install xorriso"
	for path in "${images[@]}"; do
		name=${path##*/}
		if [[ -n ${seen[$name]:-} ]]; then
			number=$((number + 1))
			name=$number-$name
		fi
		seen[$name]=1
		[[ ! -d $path || -e $path/oci-layout ]] || die "--image $path: a directory without the file oci-layout"
		grafts+=("${name//=/\\=}=${path//=/\\=}")
	done
	if [[ -z $dry_run ]]; then
		SOURCE_DATE_EPOCH=1767225600 quietly xorriso -as mkisofs -quiet -iso-level 3 -R -V CORACLE_IMAGES \
			-o "$work/images.iso" -graft-points "${grafts[@]}" || die "xorriso could not write the image disk"
	fi
	disk_attach images "$work/images.iso" raw readonly=on
}

data_make() {
	local mke2fs=$build/sysroot/target/mke2fs
	[[ -x $mke2fs ]] || mke2fs=$(PATH=$PATH:/usr/sbin:/sbin command -v mke2fs) ||
		die "--data needs mke2fs; on Debian: apt-get install e2fsprogs"
	# Made beside its final name: an interrupted run leaves no half-made disk that the next one would use.
	rm -f "$data.new"
	truncate -s "${data_size:-1G}" "$data.new" || die "--data-size ${data_size:-1G}: cannot make a file of that size"
	# A new file reads as zeros, so there is nothing left for the guest to initialise in the background.
	quietly "$mke2fs" -q -F -t ext4 -L CORACLE-DATA -E assume_storage_prezeroed=1 "$data.new" ||
		die "mke2fs could not format $data"
	mv "$data.new" "$data"
}

data_add() {
	[[ -n $data ]] || return 0
	if [[ -z $dry_run ]]; then
		if [[ ! -e $data ]]; then
			data_make
		elif [[ -n $data_size ]]; then
			truncate -s ">$data_size" "$data" || die "--data-size $data_size: cannot enlarge $data"
		fi
	fi
	# Flushing to the host's disk would only protect from the host's power failing, and makes tests slow.
	disk_attach data "$data" raw cache=unsafe,discard=unmap
}

disk_format() {
	if [[ $(head -c 3 "$1" | tr -d '\0') == QFI ]]; then echo qcow2; else echo raw; fi
}

ovmf_file() {
	local directory name
	for directory in "${CORACLE_OVMF:-}" /usr/share/OVMF /usr/share/edk2/ovmf /usr/share/edk2/x64 /usr/share/qemu; do
		for name in "$@"; do
			if [[ -n $directory && -r $directory/$name ]]; then
				echo "$directory/$name"
				return
			fi
		done
	done
	die "--firmware uefi needs OVMF; on Debian: apt-get install ovmf"
}

disk_add() {
	local code variables drive
	[[ -n $disk ]] || return 0
	if [[ ${firmware:-uefi} == uefi ]]; then
		code=$(ovmf_file OVMF_CODE_4M.fd OVMF_CODE.4m.fd OVMF_CODE.fd)
		variables=$(ovmf_file OVMF_VARS_4M.fd OVMF_VARS.4m.fd OVMF_VARS.fd)
		# A variable store that knows another disk starts the firmware's shell first; each run gets a fresh one.
		cp "$variables" "$work/variables.fd"
		command+=(-drive "if=pflash,unit=0,format=raw,readonly=on,file=$code"
			-drive "if=pflash,unit=1,format=raw,file=$work/variables.fd")
	fi
	drive="if=none,id=disk,format=$(disk_format "$disk"),file=${disk//,/,,},cache=unsafe"
	command+=(-drive "$drive")
	case $disk_bus in
	virtio) command+=(-device virtio-blk-pci,drive=disk,serial=coracle-disk,bootindex=0) ;;
	usb) command+=(-device qemu-xhci -device usb-storage,drive=disk,bootindex=0) ;;
	nvme) command+=(-device nvme,drive=disk,serial=coracle-disk,bootindex=0) ;;
	ahci) command+=(-device ide-hd,drive=disk,serial=coracle-disk,bootindex=0) ;;
	esac
}
