# cmocka - the frame of the unit tests; nothing of it reaches the image. One file and
# four facts about the platform, so its cmake is not needed.
LICENCE=Apache-2.0
PURPOSE="unit tests (never in the image)"
REQUIRES="musl headers"
VARIANTS="musl asan"

build() {
	$CC $CFLAGS -Iinclude -DHAVE_MALLOC_H -DHAVE_INTTYPES_H -DHAVE_SIGNAL_H -DHAVE_STRINGS_H \
		-DHAVE_GCC_THREAD_LOCAL_STORAGE -DHAVE_CLOCK_REALTIME -DHAVE_SIGLONGJMP \
		-DHAVE_STRSIGNAL -DHAVE_STRUCT_TIMESPEC -c src/cmocka.c -o cmocka.o
	make_archive cmocka cmocka.o
	install_headers include/cmocka.h include/cmocka_pbc.h
}
