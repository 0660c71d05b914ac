# libmicrohttpd - the HTTP side of the engine's API: unix socket, chunked streams and
# the upgrade that attach and exec need. No TLS, no authentication, no form parser.
LICENCE=LGPL-2.1-or-later
PURPOSE="HTTP server of the API"
REQUIRES="musl headers"
VARIANTS="musl asan"

build() {
	run_configure --disable-https --disable-doc --disable-examples --disable-tools \
		--disable-curl --disable-postprocessor --disable-dauth --disable-bauth
	make -C src/microhttpd libmicrohttpd.la
	make -C src/microhttpd install-libLTLIBRARIES DESTDIR="$D"
	make -C src/include install DESTDIR="$D"
}
