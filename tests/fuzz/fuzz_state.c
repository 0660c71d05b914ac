/* fuzz_state.c - any bytes as state.json of the container "c1": loading it, its status, its pidfd. Nothing is signalled. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"
#include "runtime/oci/state.h"
#include "tests/fuzz/fuzz_oci.h"

static void write_state(int fence, const uint8_t *data, size_t n)
{
	int fd;

	mkdirat(fence, "c1", 0700);
	fd = openat(fence, "c1/state.json", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || fd_write_full(fd, data, n) < 0)
		abort();
	close(fd);
}

int fuzz_state(const uint8_t *data, size_t n)
{
	int fence = fuzz_oci_fence();
	struct err err = ERR_INIT;
	struct state s;
	char root[64];

	write_state(fence, data, n);
	snprintf(root, sizeof root, "/proc/self/fd/%d", fence);
	if (state_load(&s, root, "c1", &err) < 0) {
		if (!err.text[0])
			abort();
	} else {
		int fd = state_pidfd(&s);

		/* what a process is not the one that was created is not the container's */
		if (strcmp(s.id, "c1") || s.pid <= 0 || (fd >= 0 && s.start_time == 0))
			abort();
		state_status(&s, NULL);
		fd_close(&fd);
	}
	state_fini(&s);
	return 0;
}
