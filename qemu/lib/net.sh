# shellcheck shell=bash disable=SC2154,SC2054
# qemu/lib/net.sh: the user-mode network of qemu/run. Sourced by it; appends to `command`.
# Isolated (restrict=on): published ports and --serve work, nothing else crosses.

address_to_number() {
	local a b c d
	[[ $1 =~ ^([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)$ ]] || return 1
	a=${BASH_REMATCH[1]} b=${BASH_REMATCH[2]} c=${BASH_REMATCH[3]} d=${BASH_REMATCH[4]}
	((a < 256 && b < 256 && c < 256 && d < 256)) || return 1
	echo $(((a << 24) | (b << 16) | (c << 8) | d))
}

number_to_address() {
	printf '%d.%d.%d.%d' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255))
}

# QEMU forwards only addresses inside the guest's network, and none that it uses itself. So the network is the smallest
# one of at most 24 prefix bits that holds every served address, and QEMU's own three addresses step aside.
network_layout() {
	local base=$((10 << 24 | 2 << 8)) prefix=24 mask number entry candidate own=()
	local -A taken=()
	if ((${#served[@]})); then
		base=${served[0]}
		for number in "${served[@]}"; do
			while (((base ^ number) >> (32 - prefix))); do prefix=$((prefix - 1)); done
			taken[$number]=1
		done
		((prefix >= 4)) || die "--serve: the addresses have too little in common to lie in one network"
	fi
	mask=$(((0xffffffff << (32 - prefix)) & 0xffffffff))
	base=$((base & mask))
	for entry in 2 3 15; do
		candidate=$((base + entry))
		while [[ -n ${taken[$candidate]:-} ]]; do candidate=$((candidate + 16)); done
		taken[$candidate]=1
		own+=("$(number_to_address "$candidate")")
	done
	printf 'net=%s/%d,host=%s,dns=%s,dhcpstart=%s' "$(number_to_address "$base")" "$prefix" "${own[@]}"
}

publish_option() {
	local protocol=tcp value=$1
	if [[ $value == */udp ]]; then protocol=udp value=${value%/udp}; fi
	value=${value%/tcp}
	[[ $value =~ ^([0-9]+):([0-9]+)$ ]] || die "--publish $1: expected HOST:GUEST, both port numbers"
	printf ',hostfwd=%s:127.0.0.1:%d-:%d' "$protocol" "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
}

# A command per connection, as QEMU's other form connects once at start and never again.
forward_option() {
	local address=$1 port=$2 words
	shift 2
	words=$(printf '%q ' "$@")
	printf ',guestfwd=tcp:%s:%d-cmd:%s' "$address" "$port" "${words//,/,,}"
}

net_add() {
	local options='user,id=net0' forwards='' entry number served=()
	[[ $net != none ]] || return 0
	if [[ -n ${seed_http:-} ]]; then
		served+=("$(address_to_number "$seed_http")")
		forwards+=$(forward_option "$seed_http" 80 "$here/lib/http-directory" "$work/seed")
	fi
	for entry in "${serve[@]}"; do
		[[ $entry =~ ^([0-9.]+):([0-9]+)=([0-9]+)$ ]] || die "--serve $entry: expected ADDRESS:PORT=HOSTPORT"
		local address=${BASH_REMATCH[1]} port=${BASH_REMATCH[2]} host_port=${BASH_REMATCH[3]}
		number=$(address_to_number "$address") || die "--serve $entry: $address is not an IPv4 address"
		served+=("$number")
		forwards+=$(forward_option "$address" "$port" "$here/lib/relay" "$host_port")
	done
	options+=,$(network_layout)
	if [[ $net == isolated ]]; then options+=,restrict=on; fi
	for entry in "${publish[@]}"; do
		options+=$(publish_option "$entry")
	done
	command+=(-netdev "$options$forwards")
	if [[ $machine == microvm ]]; then
		command+=(-device virtio-net-device,netdev=net0)
	else
		command+=(-device virtio-net-pci,netdev=net0,romfile=)
	fi
}
