/* report.c - problems, notes and time stamps: no heap, never blocks, never fails. */
#include "report.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "json.h"

static const char *report_dir = "/run/coracle";

void report_set_dir(const char *dir)
{
	report_dir = dir;
}

static uint64_t now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void append_file(const char *name, const char *line, size_t n)
{
	char path[256];
	int fd;

	if (!report_dir[0] || (size_t)snprintf(path, sizeof(path), "%s/%s", report_dir, name) >= sizeof(path))
		return;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	if (fd < 0)
		return;
	if (lseek(fd, 0, SEEK_END) < REPORT_FILE_MAX)
		(void)!write(fd, line, n); /* a full /run must not stop anyone */
	close(fd);
}

static int longest;

static int processor_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int)(ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

int report_kernel(const char *record, size_t n)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int began;
	int took;

	if (fd < 0)
		return -1;
	began = processor_ms();
	(void)!write(fd, record, n);
	took = processor_ms() - began;
	if (took > longest)
		longest = took;
	close(fd);
	return 0;
}

int report_take_longest(void)
{
	int r = longest;

	longest = 0;
	return r;
}

/* /dev/kmsg takes one line per write(2), at most about 1,000 bytes. level: syslog's 0..7. */
static void kernel_log(int level, const char *component, const char *text)
{
	char line[900];
	int n = snprintf(line, sizeof(line), "<%d>coracle: %s: %s\n", level, component, text);

	if (n < 0)
		return;
	if ((size_t)n >= sizeof(line)) {
		n = (int)sizeof(line) - 1;
		line[n - 1] = '\n';
	}
	/* another host, or a test: the level means nothing there */
	if (!report_dir[0] || report_kernel(line, (size_t)n) < 0)
		(void)!write(STDERR_FILENO, line + 3, (size_t)n - 3);
}

/* Line breaks would forge records: they become blanks. */
static void flatten(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20)
			*text = ' ';
}

static size_t add_json(char *out, size_t size, size_t at, const char *s)
{
	size_t left = strlen(s);

	while (left > 0 && at + JSON_ESCAPE_MAX < size) {
		size_t used;

		at += json_escape(s, left, &used, out + at);
		s += used;
		left -= used;
	}
	return at;
}

void report_problem(const char *component, const char *fmt, ...)
{
	char text[800];
	char line[2048];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	flatten(text);
	kernel_log(3, component, text);
	n = (size_t)snprintf(line, 128, "{\"time_ms\":%llu,\"component\":\"%.40s\",\"message\":\"",
			     (unsigned long long)(now_usec() / 1000), component);
	n = add_json(line, sizeof(line) - 3, n, text);
	memcpy(line + n, "\"}\n", 3);
	append_file("problems", line, n + 3);
}

void report_note(const char *component, const char *fmt, ...)
{
	char text[800];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	flatten(text);
	kernel_log(6, component, text);
}

void report_stamp(const char *name)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "%llu %.80s\n", (unsigned long long)now_usec(), name);

	append_file("boot-times", line, (size_t)n);
}
