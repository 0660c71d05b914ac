/* answer.c - lines to the store. Runs in coracle-fetch; called by the main thread, progress by the reader: hence the lock. */
#include "runtime/image/fetch/answer.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fd.h"
#include "runtime/image/fetch/fetch.h"

static struct {
	pthread_mutex_t lock;
	int fd;
	int warnings;
	size_t len;
	char data[2 * FETCH_LINE_MAX];
} out = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

void answer_init(int fd)
{
	out.fd = fd;
	out.len = 0;
	out.warnings = 0;
}

static void flush_locked(void)
{
	if (out.fd >= 0 && out.len && fd_write_full(out.fd, out.data, out.len) < 0)
		_Exit(1);
	out.len = 0;
}

static void answer_list(const char *prefix, const char *fmt, va_list ap)
{
	char line[FETCH_LINE_MAX];
	int n, m;

	if (out.fd < 0)
		return;
	n = snprintf(line, sizeof(line), "%s", prefix);
	m = vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	if (m < 0)
		return;
	n = MIN(n + m, (int)sizeof(line) - 2);
	/* a newline within a text would be a second answer */
	for (int i = 0; i < n; i++)
		if (line[i] == '\n')
			line[i] = ' ';
	line[n++] = '\n';
	pthread_mutex_lock(&out.lock);
	if (out.len + (size_t)n > sizeof(out.data))
		flush_locked();
	memcpy(out.data + out.len, line, (size_t)n);
	out.len += (size_t)n;
	pthread_mutex_unlock(&out.lock);
}

void answer(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	answer_list("", fmt, ap);
	va_end(ap);
}

void answer_flush(void)
{
	pthread_mutex_lock(&out.lock);
	flush_locked();
	pthread_mutex_unlock(&out.lock);
}

void answer_warning(const char *fmt, ...)
{
	va_list ap;

	if (out.warnings++ >= FETCH_WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	answer_list("warning ", fmt, ap);
	va_end(ap);
}
