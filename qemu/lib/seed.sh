# shellcheck shell=bash disable=SC2154,SC2054
# qemu/lib/seed.sh: how qemu/run hands the boot configuration to the guest (NoCloud). Sourced by it; appends to `command`.

seed_http=''

# Copies the given files under their NoCloud names into $work/seed. Meta-data is required by NoCloud; without one, the
# instance id follows the user-data, so that a changed configuration is a new instance.
seed_collect() {
	local directory=$work/seed id
	mkdir -p "$directory"
	if [[ -n $user_data ]]; then cp "$user_data" "$directory/user-data"; else : >"$directory/user-data"; fi
	if [[ -n $meta_data ]]; then
		cp "$meta_data" "$directory/meta-data"
	else
		id=$(sha256sum <"$directory/user-data")
		printf 'instance-id: qemu-%s\n' "${id:0:12}" >"$directory/meta-data"
	fi
	if [[ -n $network_config ]]; then cp "$network_config" "$directory/network-config"; fi
	if [[ -n $vendor_data ]]; then cp "$vendor_data" "$directory/vendor-data"; fi
}

seed_make_iso() {
	command -v xorriso >/dev/null || die "--seed iso needs xorriso; on Debian: apt-get install xorriso"
	SOURCE_DATE_EPOCH=1767225600 quietly xorriso -as mkisofs -quiet -J -R -V cidata -o "$work/seed.img" "$work/seed" ||
		die "xorriso could not write the seed"
}

# The smallest FAT that mformat makes without complaint; room for the files and some more.
seed_make_vfat() {
	local kib file
	command -v mformat >/dev/null || die "--seed vfat needs mtools; on Debian: apt-get install mtools"
	kib=$(du -sk "$work/seed" | cut -f1)
	truncate -s $(((kib + 2048) * 1024)) "$work/seed.img"
	quietly mformat -i "$work/seed.img" -v CIDATA -N 00c0ac1e :: || die "mformat could not format the seed"
	for file in "$work"/seed/*; do
		quietly mcopy -i "$work/seed.img" "$file" "::/${file##*/}" || die "mcopy could not copy ${file##*/}"
	done
}

seed_add() {
	local file
	[[ -n $user_data$meta_data$network_config$vendor_data$seed ]] || return 0
	[[ $seed != none ]] || return 0
	seed_collect
	case ${seed:-iso} in
	iso) seed_make_iso ;;
	vfat) seed_make_vfat ;;
	fw_cfg)
		for file in "$work"/seed/*; do
			command+=(-fw_cfg "name=opt/org.coracle/${file##*/},file=${file//,/,,}")
		done
		return ;;
	smbios)
		[[ $net != none ]] || die "--seed smbios needs a network: the serial number names an HTTP address"
		seed_http=10.0.2.100
		command+=(-smbios "type=1,serial=ds=nocloud;s=http://$seed_http/")
		return ;;
	esac
	disk_attach seed "$work/seed.img" raw readonly=on
}
