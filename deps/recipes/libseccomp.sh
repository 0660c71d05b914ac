# libseccomp - turns an OCI seccomp section into a BPF program, with the names and
# numbers of system calls of three architectures.
LICENCE=LGPL-2.1-only
PURPOSE="seccomp filters of containers"
REQUIRES="musl headers"
VARIANTS="musl asan"
DEBIAN_PATCHES="api_* hash_*"

build() {
	# gperf would be asked for, but the tarball has the table that it makes.
	[ -f src/syscalls.perf.c ]
	GPERF=true run_configure
	make -C include
	make -C src
	make -C include install DESTDIR="$D"
	make -C src install DESTDIR="$D"
}
