# e2fsprogs - makes, checks and grows the ext4 file system of /var. busybox can make
# ext2 only. Debian's patches fix an integer overflow and a corruption in libext2fs.
LICENCE="GPL-2.0, LGPL-2.0"
PURPOSE="mke2fs, e2fsck, resize2fs"
REQUIRES="musl headers"
VARIANTS="musl"
DEBIAN_PATCHES="0001-* 0003-* 0013-* 0014-* 0016-* 0021-* 0022-*"

build() {
	local program
	LDFLAGS="-static-pie ${LDFLAGS#-static}"
	run_configure --disable-nls --disable-debugfs --disable-imager --disable-defrag \
		--disable-e2initrd-helper --disable-uuidd --disable-tdb --disable-fuse2fs \
		--disable-testio-debug --disable-backtrace --without-libarchive --disable-mmp
	make libs
	make -C e2fsck e2fsck
	make -C resize resize2fs
	make -C misc mke2fs
	mkdir -p "$D/target"
	for program in e2fsck/e2fsck resize/resize2fs misc/mke2fs; do
		strip -o "$D/target/${program##*/}" "$program"
	done
}
