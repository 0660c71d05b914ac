# zlib - inflates gzip layers. At -O2: it is 6 % faster and grows by a few kB.
LICENCE=Zlib
PURPOSE="gzip layers"
REQUIRES="musl headers"
VARIANTS="musl asan"

build() {
	[ "$VARIANT" = asan ] || CFLAGS="$CFLAGS -O2"
	./configure --static --prefix=
	make libz.a
	mkdir -p "$D/lib"
	cp libz.a "$D/lib/"
	install_headers zlib.h zconf.h
}
