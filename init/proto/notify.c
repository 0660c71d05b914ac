/* notify.c - the parser of service notifications. Pure: no system call, no heap.
 * Runs in PID 1 on bytes that any service may send, so every length is checked. */
#include "init/proto/notify.h"

#include <errno.h>
#include <string.h>

#include "cdefs.h"

static int fdname_char_ok(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == ':' || c == '-';
}

int notify_fdname_ok(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n >= FDNAME_MAX)
		return 0;
	for (; *s; s++)
		if (!fdname_char_ok(*s))
			return 0;
	return 1;
}

static int parse_pid(const char *s, size_t n, pid_t *out)
{
	long v = 0;

	if (n == 0 || n > 10)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
		v = v * 10 + (s[i] - '0');
	}
	if (v < 1 || v > 0x7fffffff)
		return -EINVAL;
	*out = (pid_t)v;
	return 0;
}

static void copy_status(struct notify_message *out, const char *s, size_t n)
{
	n = MIN(n, sizeof(out->status) - 1);
	for (size_t i = 0; i < n; i++)
		out->status[i] = (unsigned char)s[i] < 0x20 || s[i] == 0x7f ? '?' : s[i];
	out->status[n] = '\0';
}

static int copy_fdname(struct notify_message *out, const char *s, size_t n)
{
	if (n >= sizeof(out->fdname) || memchr(s, '\0', n))
		return -EINVAL;
	memcpy(out->fdname, s, n);
	out->fdname[n] = '\0';
	return notify_fdname_ok(out->fdname) ? 0 : -EINVAL;
}

/* One line: KEY=VALUE with the value at v. The flags count only when their value is 1. */
static int parse_line(struct notify_message *out, const char *s, size_t key_len, const char *v, size_t n)
{
	static const struct { const char *key; unsigned bit; } flags[] = {
		{ "READY", NOTIFY_READY }, { "STOPPING", NOTIFY_STOPPING }, { "RELOADING", NOTIFY_RELOADING },
		{ "WATCHDOG", NOTIFY_WATCHDOG }, { "FDSTORE", NOTIFY_FDSTORE }, { "FDSTOREREMOVE", NOTIFY_FDSTOREREMOVE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (key_len != strlen(flags[i].key) || memcmp(s, flags[i].key, key_len))
			continue;
		if (n == 1 && v[0] == '1')
			out->seen |= flags[i].bit;
		return 0;
	}
	if (key_len == 7 && !memcmp(s, "MAINPID", 7)) {
		out->seen |= NOTIFY_MAINPID;
		return parse_pid(v, n, &out->main_pid);
	}
	if (key_len == 6 && !memcmp(s, "STATUS", 6)) {
		out->seen |= NOTIFY_STATUS;
		copy_status(out, v, n);
		return 0;
	}
	if (key_len == 6 && !memcmp(s, "FDNAME", 6))
		return copy_fdname(out, v, n);
	return 0;
}

int notify_parse(const char *text, size_t n, struct notify_message *out)
{
	const char *end = text + n;

	memset(out, 0, sizeof(*out));
	strcpy(out->fdname, "stored");
	if (n > NOTIFY_TEXT_MAX)
		return -E2BIG;
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((nl ? nl : end) - text);
		const char *eq = memchr(text, '=', len);

		if (eq) {
			size_t key_len = (size_t)(eq - text);
			int r = parse_line(out, text, key_len, eq + 1, len - key_len - 1);

			if (r < 0)
				return r;
		}
		text += len + 1;
	}
	return 0;
}
