# curl - HTTP and HTTPS as a client: redirects, proxies, IPv6 zones, time limits. Every
# other protocol and all that a client of metadata services and registries does not need is off.
LICENCE=curl
PURPOSE="HTTP client"
REQUIRES="musl headers mbedtls"
VARIANTS="musl"

build() {
	local name off=""
	for name in ftp file ldap ldaps rtsp dict telnet tftp pop3 imap smb smtp gopher mqtt ntlm \
		tls-srp threaded-resolver alt-svc hsts websockets kerberos-auth negotiate-auth \
		digest-auth aws dateparse netrc doh ipfs form-api mime bindlocal progress-meter \
		cookies headers-api get-easy-options sspi unix-sockets socketpair sha512-256 docs manual libcurl-option; do
		off+=" --disable-$name"
	done
	run_configure --with-mbedtls="$S" --without-libpsl --without-libidn2 --without-nghttp2 \
		--without-brotli --without-zstd --without-zlib --without-libgsasl \
		--without-ca-bundle --without-ca-path $off
	make -C lib libcurl.la
	make -C lib install-libLTLIBRARIES DESTDIR="$D"
	make -C include install DESTDIR="$D"
}
