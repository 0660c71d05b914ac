# dropbear - the ssh server: one program that is server, maker of host keys, converter of OpenSSH's, and scp. It has no sftp
# server. What is off: compression, X11, agents, certificates of old, records of logins that nobody reads here.
LICENCE="MIT, BSD-2-Clause"
PURPOSE="ssh server"
REQUIRES="musl headers"
VARIANTS="musl"

build() {
	cat >localoptions.h <<-'OPTIONS'
		#define DROPBEAR_X11FWD 0
		#define DROPBEAR_SVR_AGENTFWD 0
		#define DROPBEAR_CLI_AGENTFWD 0
		#define DROPBEAR_3DES 0
		#define DROPBEAR_SNTRUP761 0
		#define DROPBEAR_SHA1_HMAC 0
		#define DROPBEAR_RSA_SHA1 0
		#define DROPBEAR_DH_GROUP14_SHA1 0
		#define DROPBEAR_SFTPSERVER 0
		#define DROPBEAR_DELAY_HOSTKEY 0
		#define DO_MOTD 1
		#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"
		#define DEFAULT_ROOT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	OPTIONS
	LDFLAGS="-static-pie ${LDFLAGS#-static}"
	run_configure --disable-zlib --disable-pam --disable-lastlog --disable-utmp --disable-utmpx --disable-wtmp \
		--disable-wtmpx --disable-loginfunc --disable-pututline --disable-pututxline --enable-bundled-libtom --disable-harden
	make PROGRAMS="dropbear dropbearkey dropbearconvert scp" MULTI=1
	mkdir -p "$D/target"
	strip -o "$D/target/dropbear" dropbearmulti
}
