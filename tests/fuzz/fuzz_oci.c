/* fuzz_oci.c - see fuzz_oci.h. */
#include "tests/fuzz/fuzz_oci.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/path.h"

#define SHM "/dev/shm/"

static char fence_path[sizeof SHM + 32];
static int fence = -1;

int fuzz_oci_fence(void)
{
	if (fence >= 0)
		return fence;
	snprintf(fence_path, sizeof fence_path, SHM "fuzz-oci-XXXXXX");
	if (!mkdtemp(fence_path) || (fence = open(fence_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		abort();
	atexit(fuzz_oci_end);
	return fence;
}

void fuzz_oci_end(void)
{
	int top = open(SHM, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fence >= 0 && top >= 0)
		path_remove_tree(top, fence_path + sizeof SHM - 1);
	fd_close(&fence);
	fd_close(&top);
}

int fuzz_oci_file(const uint8_t *data, size_t n, char path[32])
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0 || fd_write_full(fd, data, n) < 0)
		abort();
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}
