/* log.c - messages of coracle-runtime. Runs in the runtime's own process only;
 * never fails: a log that cannot be opened is no reason to stop a container. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "lib/buf.h"
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/caps.h"
#include "runtime/oci/log.h"

static const struct globals *globals;

void log_init(const struct globals *g)
{
	globals = g;
}

/* logrus' quoting and JSON's agree for what our messages hold. */
static void line(struct buf *b, const char *level, const char *text)
{
	char now[40];

	state_time(now);
	memcpy(now + 19, "Z", 2);
	buf_init(b, 16384);
	if (globals && globals->log_json) {
		buf_printf(b, "{\"level\":\"%s\",\"msg\":", level);
		buf_json_string(b, text, strlen(text));
		buf_printf(b, ",\"time\":\"%s\"}\n", now);
		return;
	}
	buf_printf(b, "time=\"%s\" level=%s msg=", now, level);
	buf_json_string(b, text, strlen(text));
	buf_putc(b, '\n');
}

/* Returns whether it went into a file. */
static bool write_line(const char *level, const char *text)
{
	CLEANUP_BUF struct buf b = { 0 };
	int fd = -1;

	line(&b, level, text);
	if (globals && globals->log)
		fd = sys_openat(AT_FDCWD, globals->log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	fd_write_full(fd < 0 ? 2 : fd, b.data, b.len);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

void log_error(const char *text)
{
	if (write_line("error", text))
		dprintf(2, "%s\n", text);
}

void log_warning(const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	write_line("warning", text);
}

void log_debug(const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	if (!globals || !globals->debug)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	write_line("debug", text);
}

static void missing_caps(const struct spec_caps *c)
{
	uint64_t missing = caps_missing(c);

	for (int i = 0; i < CAPS_KNOWN; i++)
		if (missing >> i & 1)
			log_warning("process.capabilities: %s cannot be granted: the runtime does not have it", caps_name(i));
}

void log_spec_warnings(const struct spec *s)
{
	for (size_t i = 0; i < s->warnings_n; i++)
		log_warning("%s", s->warnings[i]);
	if (s->process.has_caps && !s->ns[NS_USER].present)
		missing_caps(&s->process.caps);
}
