# yyjson - JSON: one source file, keeps 64-bit numbers exact (an OCI rlimit of
# 18446744073709551615 is ordinary), reads 500 MB/s. Its own conversion of floating point
# numbers is left out (12 kB): the C library's is exact too, and OCI has hardly any.
LICENCE=MIT
PURPOSE="JSON of OCI documents and the API"
REQUIRES="musl headers"
VARIANTS="musl asan"

build() {
	[ "$VARIANT" = asan ] || CFLAGS="$CFLAGS -O2"
	$CC $CFLAGS -DYYJSON_DISABLE_NON_STANDARD=1 -DYYJSON_DISABLE_FAST_FP_CONV=1 \
		-c src/yyjson.c -o yyjson.o
	make_archive yyjson yyjson.o
	install_headers src/yyjson.h
}
