# musl - the C library of everything in the image. Small, static linking is a first
# class citizen, and static-pie works. Debian's patches carry CVE-2025-26519 and a fix
# for heap corruption in qsort.
LICENCE=MIT
PURPOSE="C library"
REQUIRES=""
VARIANTS="musl"
DEBIAN_PATCHES="CVE-* 0001-* 0002-* renameat2.patch"

build() {
	CC=$HOST_CC CFLAGS="-Os -pipe -fPIE -fstack-protector-strong $PREFIX_MAP" LDFLAGS='' \
		./configure --prefix= --disable-shared --disable-wrapper \
		--enable-optimize=internal,malloc,string
	make
	make install DESTDIR="$D"
}
