/* fuzz_layer.c - any bytes as a layer blob: decompression, tar and the layer writer of coracle-fetch, in this process.
 *
 * LLVMFuzzerTestOneInput is libFuzzer's entry (clang -fsanitize=fuzzer,address, with FETCH_PARTS of
 * runtime/image/module.mk); tests/unit/test_image_fuzz.c drives it over damaged archives in `make test`.
 * The writer works in a directory of its own; a file that appears outside of it ends the process. */
#include "tests/fuzz/fuzz_layer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cdefs.h"
#include "lib/fd.h"
#include "lib/path.h"
#include "runtime/image/fetch/layer.h"

#define OUTPUT_MAX (8u << 20)

/* The place: FENCE/layer; nothing else may ever be in FENCE. */
static int open_fence(void)
{
	static int fence = -1;
	char shm[] = "/dev/shm/fuzz-layer-XXXXXX", tmp[] = "/tmp/fuzz-layer-XXXXXX";
	char *name;

	if (fence >= 0)
		return fence;
	name = mkdtemp(shm);
	if (!name)
		name = mkdtemp(tmp);
	if (!name || (fence = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		abort();
	umask(0);
	if (mkdirat(fence, "layer", 0700) < 0)
		abort();
	return fence;
}

void fuzz_layer_end(void)
{
	char link[64], path[256];
	ssize_t n;

	path_remove_tree(open_fence(), "layer");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", open_fence());
	n = readlink(link, path, sizeof(path) - 1);
	if (n > 0) {
		path[n] = '\0';
		rmdir(path);
	}
}

static void check_fence(int fence)
{
	struct stat st;

	/* "." and "layer": two links, and the size of a directory of one name */
	if (fstat(fence, &st) < 0 || st.st_nlink > 3)
		abort();
	for (size_t i = 0; i < ARRAY_SIZE(fuzz_layer_outside); i++)
		if (faccessat(fence, fuzz_layer_outside[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct stream_options opt = { .offset = 0, .size = n, .max_out = OUTPUT_MAX, .copy_fd = -1, .hash_in = 1, .hash_out = 1 };
	CLEANUP_FD int blob = memfd_create("blob", MFD_CLOEXEC);
	CLEANUP_FD int root = -1;
	struct err err = ERR_INIT;
	struct stream *in = NULL;
	struct tree t;
	int fence = open_fence(), r;

	if (blob < 0 || fd_write_full(blob, data, n) < 0)
		abort();
	path_remove_tree(fence, "layer");
	if (mkdirat(fence, "layer", 0700) < 0 || (root = openat(fence, "layer", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		abort();
	opt.fd = blob;
	if (stream_new(&in, &opt, &err) < 0)
		abort();
	stream_start(in);
	tree_init(&t, root, 0, NULL);
	r = layer_unpack(in, &t, &err);
	tree_free(&t);
	if (r == 0)
		r = stream_drain(in);
	if (r < 0)
		stream_abandon(in);
	stream_free(in);
	check_fence(fence);
	return 0;
}
