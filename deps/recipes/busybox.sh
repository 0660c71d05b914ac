# busybox - shell and tools of the machine: boot scripts, rescue shell, DHCP and NTP.
# rootfs/busybox.config lists what is on; everything else is off. A name in it that
# busybox does not know, or refuses, is an error here and not a silent loss.
LICENCE=GPL-2.0-only
PURPOSE="shell and tools, DHCP and NTP"
REQUIRES="musl headers"
VARIANTS="musl"
CONFIG=busybox.config

build() {
	local config="$CONFIG_DIR/busybox.config" lost
	unset CFLAGS LDFLAGS CPPFLAGS CC AR
	make allnoconfig
	# oldconfig would take the default, often yes, for a name that has no line.
	{
		cat "$config"
		find . -name Config.in -exec awk '
			$1 == "config" { name = $2 }
			$1 == "bool" { print "CONFIG_" name }' {} + | sort -u |
			grep -vxFf <(sed -n 's/=.*//p' "$config") | sed 's/.*/# & is not set/'
	} >.config
	{ yes '' || true; } | make oldconfig
	lost=$(grep '^CONFIG_' "$config" | grep -vxFf .config || true)
	if [ -n "$lost" ]; then
		echo "rootfs/busybox.config: busybox does not take" $lost
		return 1
	fi
	make CROSS_COMPILE=$TARGET- CC=$TARGET-gcc HOSTCC="$HOST_CC" \
		EXTRA_CFLAGS="-fPIE $PREFIX_MAP" CFLAGS_busybox=-static-pie busybox busybox.links
	mkdir -p "$D/target"
	cp busybox busybox.links "$D/target/"
}
