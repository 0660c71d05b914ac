/* mark.c - shared object preloaded into QEMU by qemu/bench: counts guest instructions up to a console marker.
 *
 * Owns: the interposed write calls of one QEMU process run with -icount. Every byte the guest's serial port sends passes
 * through one of them inside the virtual CPU's thread, so at the marker's last byte QEMU's own counter can be read with no
 * delay: the figure does not depend on what the host is doing. QEMU exports the counter's function (it is one for its
 * plugins and modules), so no patched QEMU is needed.
 * Must never: change what is written, or count when the marker is not set.
 *
 * Environment: CORACLE_MARK the marker; CORACLE_MARK_FILE where "INSTRUCTIONS NANOSECONDS\n" goes. QEMU ends there and then.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	MARKER_MAX = 128,
	CONSOLE_WRITE_MAX = 4096, /* a larger write is a disk's, not the serial port's */
	QEMU_CLOCK_VIRTUAL = 1,
};

static struct {
	ssize_t (*write)(int, const void *, size_t);
	ssize_t (*writev)(int, const struct iovec *, int);
	ssize_t (*sendmsg)(int, const struct msghdr *, int);
	int64_t (*icount_get_raw)(void);
	int64_t (*clock_get_ns)(int);
	char marker[MARKER_MAX];
	size_t marker_length;
	char recent[MARKER_MAX]; /* the last marker_length bytes, oldest first */
	const char *file;
} mark;

/* dlsym gives an object pointer; POSIX guarantees that it may be kept in a function pointer. */
static void *symbol_find(void *where, const char *name)
{
	return dlsym(where, name);
}

static void __attribute__((constructor)) mark_init(void)
{
	const char *marker = getenv("CORACLE_MARK");

	*(void **)&mark.write = symbol_find(RTLD_NEXT, "write");
	*(void **)&mark.writev = symbol_find(RTLD_NEXT, "writev");
	*(void **)&mark.sendmsg = symbol_find(RTLD_NEXT, "sendmsg");
	*(void **)&mark.icount_get_raw = symbol_find(RTLD_DEFAULT, "icount_get_raw");
	*(void **)&mark.clock_get_ns = symbol_find(RTLD_DEFAULT, "qemu_clock_get_ns");
	mark.file = getenv("CORACLE_MARK_FILE");
	if (!marker || !mark.file || !mark.icount_get_raw || !mark.clock_get_ns)
		return;
	mark.marker_length = strlen(marker);
	if (mark.marker_length >= MARKER_MAX)
		mark.marker_length = 0;
	memcpy(mark.marker, marker, mark.marker_length);
}

static void mark_reached(void)
{
	long long instructions = mark.icount_get_raw();
	long long nanoseconds = mark.clock_get_ns(QEMU_CLOCK_VIRTUAL);
	FILE *out = fopen(mark.file, "w");

	if (out) {
		fprintf(out, "%lld %lld\n", instructions, nanoseconds);
		fclose(out);
	}
	_exit(0);
}

static void mark_feed(const char *bytes, size_t length)
{
	size_t n = mark.marker_length;

	if (!n || length > CONSOLE_WRITE_MAX)
		return;
	for (size_t i = 0; i < length; i++) {
		memmove(mark.recent, mark.recent + 1, n - 1);
		mark.recent[n - 1] = bytes[i];
		if (bytes[i] == mark.marker[n - 1] && !memcmp(mark.recent, mark.marker, n))
			mark_reached();
	}
}

static void mark_feed_vector(const struct iovec *vector, size_t count, size_t written)
{
	for (size_t i = 0; i < count && written; i++) {
		size_t part = vector[i].iov_len < written ? vector[i].iov_len : written;

		mark_feed(vector[i].iov_base, part);
		written -= part;
	}
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	ssize_t written = mark.write(fd, bytes, length);

	if (written > 0)
		mark_feed(bytes, (size_t)written);
	return written;
}

ssize_t writev(int fd, const struct iovec *vector, int count)
{
	ssize_t written = mark.writev(fd, vector, count);

	if (written > 0 && count > 0)
		mark_feed_vector(vector, (size_t)count, (size_t)written);
	return written;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t written = mark.sendmsg(fd, message, flags);

	if (written > 0)
		mark_feed_vector(message->msg_iov, message->msg_iovlen, (size_t)written);
	return written;
}
