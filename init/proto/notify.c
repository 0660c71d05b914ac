/* notify.c - the parser of service notifications. Pure: no system call, no heap.
 * Runs in PID 1 on bytes that any service may send, so every length is checked. */
#include "init/proto/notify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cdefs.h"

struct text {
	const char *at;
	size_t n;
};

static int is(struct text t, const char *word)
{
	return t.n == strlen(word) && !memcmp(t.at, word, t.n);
}

int notify_fdname_ok(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n >= FDNAME_MAX)
		return 0;
	for (; *s; s++)
		if (*s < ' ' || *s > '~' || *s == ':')
			return 0;
	return 1;
}

/* A decimal number; one that is too large is the largest. */
static int parse_number(struct text t, uint64_t *out)
{
	uint64_t v = 0;

	if (t.n == 0)
		return -EINVAL;
	for (size_t i = 0; i < t.n; i++) {
		unsigned digit = (unsigned)(t.at[i] - '0');

		if (digit > 9)
			return -EINVAL;
		v = v > (UINT64_MAX - digit) / 10 ? UINT64_MAX : v * 10 + digit;
	}
	*out = v;
	return 0;
}

static int parse_main_pid(struct text t, struct notify_message *out)
{
	uint64_t v;

	if (parse_number(t, &v) < 0 || v < 1 || v > 0x7fffffff)
		return -EINVAL;
	out->main_pid = (pid_t)v;
	return 0;
}

static int parse_error(struct text t, struct notify_message *out)
{
	uint64_t v;

	if (parse_number(t, &v) < 0 || v > 4095)
		return -EINVAL;
	out->error = (int)v;
	return 0;
}

static int parse_usec(struct text t, int64_t *ms)
{
	uint64_t v;

	if (parse_number(t, &v) < 0)
		return -EINVAL;
	*ms = (int64_t)(v / 1000 + (v % 1000 != 0));
	return 0;
}

/* USEC_INFINITY switches it off. */
static int parse_watchdog_usec(struct text t, struct notify_message *out)
{
	uint64_t v = 0;
	int r = parse_usec(t, &out->watchdog_ms);

	if (r == 0 && parse_number(t, &v) == 0 && v == UINT64_MAX)
		out->watchdog_ms = 0;
	return r;
}

static int parse_extend(struct text t, struct notify_message *out)
{
	return parse_usec(t, &out->extend_ms);
}

static int parse_monotonic(struct text t, struct notify_message *out)
{
	return parse_usec(t, &out->monotonic_ms);
}

static int parse_status(struct text t, struct notify_message *out)
{
	size_t n = MIN(t.n, sizeof(out->status) - 1);

	for (size_t i = 0; i < n; i++)
		out->status[i] = (unsigned char)t.at[i] < 0x20 || t.at[i] == 0x7f ? '?' : t.at[i];
	out->status[n] = '\0';
	return 0;
}

static int parse_fdname(struct text t, struct notify_message *out)
{
	char name[FDNAME_MAX];

	if (t.n >= sizeof(name) || memchr(t.at, '\0', t.n))
		return -EINVAL;
	memcpy(name, t.at, t.n);
	name[t.n] = '\0';
	if (!notify_fdname_ok(name))
		return -EINVAL;
	memcpy(out->fdname, name, t.n + 1);
	return 0;
}

/* Keys whose only meaning is one value; any other one is ignored. */
static const struct { const char *key, *value; unsigned bit; } flags[] = {
	{ "READY", "1", NOTIFY_READY }, { "STOPPING", "1", NOTIFY_STOPPING }, { "RELOADING", "1", NOTIFY_RELOADING },
	{ "WATCHDOG", "1", NOTIFY_WATCHDOG }, { "WATCHDOG", "trigger", NOTIFY_TRIGGER }, { "FDSTORE", "1", NOTIFY_FDSTORE },
	{ "FDSTOREREMOVE", "1", NOTIFY_FDSTOREREMOVE }, { "FDPOLL", "0", NOTIFY_NO_POLL }, { "BARRIER", "1", NOTIFY_BARRIER },
};

static const struct { const char *key; unsigned bit; int (*parse)(struct text t, struct notify_message *out); } values[] = {
	{ "MAINPID", NOTIFY_MAINPID, parse_main_pid }, { "STATUS", NOTIFY_STATUS, parse_status }, { "ERRNO", NOTIFY_ERRNO, parse_error },
	{ "WATCHDOG_USEC", NOTIFY_WATCHDOG_USEC, parse_watchdog_usec }, { "EXTEND_TIMEOUT_USEC", NOTIFY_EXTEND, parse_extend },
	{ "FDNAME", 0, parse_fdname }, { "MONOTONIC_USEC", 0, parse_monotonic },
};

static void parse_line(struct notify_message *out, struct text key, struct text value)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (is(key, flags[i].key) && is(value, flags[i].value))
			out->seen |= flags[i].bit;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		if (!is(key, values[i].key))
			continue;
		if (values[i].parse(value, out) == 0)
			out->seen |= values[i].bit;
		else if (!out->bad[0])
			snprintf(out->bad, sizeof(out->bad), "%s", values[i].key);
	}
}

int notify_parse(const char *text, size_t n, struct notify_message *out)
{
	const char *end = text + n;
	int lines = 0;

	memset(out, 0, sizeof(*out));
	strcpy(out->fdname, "stored");
	if (n > NOTIFY_TEXT_MAX)
		return -E2BIG;
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((nl ? nl : end) - text);
		const char *eq = memchr(text, '=', len);

		lines += len > 0;
		if (eq)
			parse_line(out, (struct text){ text, (size_t)(eq - text) }, (struct text){ eq + 1, len - (size_t)(eq - text) - 1 });
		text += len + 1;
	}
	if (out->seen & NOTIFY_BARRIER && lines > 1)
		out->seen = 0;
	return 0;
}
