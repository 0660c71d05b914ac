/* control.c - the parser of init's control requests. Pure: no system call, no heap. */
#include "init/proto/control.h"

#include <errno.h>
#include <string.h>

#include "cdefs.h"

enum argument { NOTHING, A_PID, A_NAME, A_BYTE, MAYBE_A_NAME, MAYBE_A_PATH };

static const struct verb {
	const char *word;
	enum control_verb verb;
	enum argument argument;
} verbs[] = {
	{ "watch", CONTROL_WATCH, A_PID },
	{ "forget", CONTROL_FORGET, A_PID },
	{ "services", CONTROL_SERVICES, NOTHING },
	{ "boot-times", CONTROL_BOOT_TIMES, NOTHING },
	{ "start", CONTROL_START, A_NAME },
	{ "stop", CONTROL_STOP, A_NAME },
	{ "restart", CONTROL_RESTART, A_NAME },
	{ "poweroff", CONTROL_POWEROFF, NOTHING },
	{ "reboot", CONTROL_REBOOT, NOTHING },
	{ "halt", CONTROL_HALT, NOTHING },
	{ "exit-code", CONTROL_EXIT_CODE, A_BYTE },
	{ "reload", CONTROL_RELOAD, MAYBE_A_NAME },
	{ "reload-init", CONTROL_RELOAD_INIT, MAYBE_A_PATH },
};

static int parse_number(const char *s, size_t n, long max, long *out)
{
	long v = 0;

	if (n == 0 || n > 10)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
		v = v * 10 + (s[i] - '0');
	}
	*out = v;
	return v > max ? -EINVAL : 0;
}

static int name_char_ok(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_.@:-", c));
}

static int parse_name(const char *s, size_t n, char *out)
{
	if (n == 0 || n >= CONTROL_NAME_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (!name_char_ok(s[i]))
			return -EINVAL;
	memcpy(out, s, n);
	out[n] = '\0';
	return 0;
}

static int parse_path(const char *s, size_t n, char *out)
{
	if (n == 0 || n >= CONTROL_PATH_MAX || s[0] != '/')
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return -EINVAL;
	memcpy(out, s, n);
	out[n] = '\0';
	return 0;
}

static int parse_argument(enum argument kind, const char *s, size_t n, struct control_request *out)
{
	long v;

	switch (kind) {
	case A_PID:
		if (parse_number(s, n, 0x7fffffff, &v) < 0 || v < 2)
			return -EINVAL;
		out->pid = (pid_t)v;
		return 0;
	case A_BYTE:
		if (parse_number(s, n, 255, &v) < 0)
			return -EINVAL;
		out->number = (int)v;
		return 0;
	case A_NAME:
	case MAYBE_A_NAME:
		return parse_name(s, n, out->name);
	case MAYBE_A_PATH:
		return parse_path(s, n, out->path);
	case NOTHING:
		break;
	}
	return n == 0 ? 0 : -EINVAL;
}

int control_parse(const char *text, size_t n, struct control_request *out)
{
	const char *blank = memchr(text, ' ', n);
	size_t word = blank ? (size_t)(blank - text) : n;

	memset(out, 0, sizeof(*out));
	if (n > CONTROL_TEXT_MAX)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		const struct verb *v = &verbs[i];

		if (word != strlen(v->word) || memcmp(text, v->word, word))
			continue;
		out->verb = v->verb;
		if (v->argument >= MAYBE_A_NAME && !blank)
			return 0;
		if ((v->argument == NOTHING) != (blank == NULL))
			return -EINVAL;
		return parse_argument(v->argument, blank ? blank + 1 : text + n, blank ? n - word - 1 : 0, out);
	}
	return -EINVAL;
}

const char *control_verb_of_program(const char *program)
{
	static const char *const names[] = { "poweroff", "reboot", "halt" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(program, names[i]))
			return names[i];
	return strcmp(program, "shutdown") ? NULL : "poweroff";
}
