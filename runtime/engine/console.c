/* console.c - container output on the console (coracle-engine). Never blocks. */
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cdefs.h"
#include "loop.h"
#include "report.h"

#define RING (64u * 1024)
#define LINE 1024u		/* a longer line is cut on the console, never in the log */

static char ring[RING];
static size_t head, used;	/* head: the oldest byte */
static uint64_t dropped;
static struct loop_watch watch = { .fd = -1 };
static bool pollable;

static void put(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ring[(head + used + i) % RING] = s[i];
	used += n;
}

static bool drain(void)
{
	while (used > 0) {
		size_t n = MIN(used, RING - head);
		ssize_t w = write(watch.fd, ring + head, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		head = (head + (size_t)w) % RING;
		used -= (size_t)w;
	}
	return true;
}

static void on_writable(uint32_t events, void *arg)
{
	(void)arg;
	if (events & (EPOLLERR | EPOLLHUP))
		used = 0;
	if (drain())
		loop_remove(&watch);
}

static void flush_ring(void)
{
	if (drain() || watch.added)
		return;
	if (errno == EAGAIN && pollable)
		loop_add(&watch, EPOLLOUT);
	else
		used = 0;	/* an error will not get better by waiting */
}

void console_open(const char *path)
{
	struct pollfd p;

	watch.fd = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_CREAT, 0600);
	if (watch.fd < 0) {
		report_note("engine", "open %s: %s", path, strerror(errno));
		return;
	}
	watch.ready = on_writable;
	p = (struct pollfd){ .fd = watch.fd, .events = POLLOUT };
	pollable = isatty(watch.fd) || (poll(&p, 1, 0) >= 0 && lseek(watch.fd, 0, SEEK_CUR) < 0);
}

static void add(const char *line, size_t n)
{
	char note[64];

	if (dropped > 0 && used + n + sizeof(note) <= RING) {
		int len = snprintf(note, sizeof(note), "console: %llu lines were dropped\n", (unsigned long long)dropped);

		put(note, (size_t)len);
		dropped = 0;
	}
	if (dropped > 0 || used + n > RING) {
		dropped++;
		return;
	}
	put(line, n);
}

void console_line(const char *name, const char *text, size_t n)
{
	char line[LINE + 160];
	size_t at;

	if (watch.fd < 0)
		return;
	at = (size_t)snprintf(line, 140, "%.128s | ", name);
	if (n > LINE)
		n = LINE;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		line[at++] = (c < 0x20 && c != '\t' && c != 0x1b) || c == 0x7f ? (c == '\r' && i + 1 == n ? ' ' : '?') : (char)c;
	}
	line[at++] = '\n';
	add(line, at);
	flush_ring();
}

void console_flush(int ms)
{
	struct pollfd p = { .fd = watch.fd, .events = POLLOUT };

	while (watch.fd >= 0 && !drain() && pollable && poll(&p, 1, ms) > 0)
		;
}
