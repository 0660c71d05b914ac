# libarchive - reads layers: tar with all its extensions, gzip and zstd, nothing else.
# It is the largest surface that meets bytes from strangers; Debian's patches carry 13
# files for CVEs. Readers other than tar exist in the archive, but a program that
# does not ask for them does not link them.
LICENCE=BSD-2-Clause
PURPOSE="tar layers, whiteouts, extended attributes"
REQUIRES="musl headers zlib libzstd"
VARIANTS="musl asan"
DEBIAN_PATCHES="*"

build() {
	run_configure --disable-bsdtar --disable-bsdcpio --disable-bsdcat --disable-bsdunzip \
		--disable-acl --without-xml2 --without-expat --without-openssl --without-nettle \
		--without-mbedtls --without-bz2lib --without-libb2 --without-iconv --without-lz4 \
		--without-lzma --without-lzo2 --without-cng
	make
	make install DESTDIR="$D"
}
