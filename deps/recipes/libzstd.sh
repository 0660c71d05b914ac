# libzstd - unpacks zstd layers. Only the decompressor is built for the target, so a
# program that would compress fails to link instead of growing by 300 kB.
LICENCE=BSD-3-Clause
PURPOSE="zstd layers"
REQUIRES="musl headers"
VARIANTS="musl asan"

build() {
	local options="ZSTD_LEGACY_SUPPORT=0 ZSTD_LIB_DICTBUILDER=0 ZSTD_LIB_DEPRECATED=0
		ZSTD_LIB_COMPRESSION=0"
	[ "$VARIANT" = asan ] || CFLAGS="$CFLAGS -O2"
	make -C lib libzstd.a CFLAGS="$CFLAGS" $options
	mkdir -p "$D/lib"
	cp lib/libzstd.a "$D/lib/"
	install_headers lib/zstd.h lib/zstd_errors.h
}
