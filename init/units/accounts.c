/* accounts.c - /etc/passwd, /etc/group and environment files as text: see accounts.h. Pure; runs in PID 1, in tests and in the fuzzer. */
#include "init/units/accounts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "init/units/values.h"

struct field { const char *at; size_t n; };

/* The next line's fields between colons, at most max (the others are empty). Returns 0 at the end of the text. */
static int next_line(const char **text, struct field *f, int max)
{
	const char *s = *text;
	size_t left = strcspn(s, "\n");

	if (!*s)
		return 0;
	*text = s + left + (s[left] == '\n');
	for (int i = 0; i < max; i++) {
		size_t n = 0;

		while (n < left && s[n] != ':')
			n++;
		f[i] = (struct field){ s, n };
		n += n < left;
		s += n;
		left -= n;
	}
	return 1;
}

static int is_field(const struct field *f, const char *s)
{
	return f->n == strlen(s) && !memcmp(f->at, s, f->n);
}

/* -1 for what is no number; that of "nobody knows" (2^32 - 1) is none. */
static int64_t number_of(const struct field *f)
{
	char text[12];
	int64_t n;

	if (f->n >= sizeof(text))
		return -1;
	memcpy(text, f->at, f->n);
	text[f->n] = '\0';
	return *text < '0' || *text > '9' || value_number(text, 0, 0xfffffffe, &n) < 0 ? -1 : n;
}

static int copy(char *to, size_t size, const struct field *f)
{
	return f->n < size ? snprintf(to, size, "%.*s", (int)f->n, f->at) : -1;
}

/* "name:password:uid:gid:comment:home:shell" */
static int take_user(const struct field f[7], struct account *out)
{
	int64_t uid = number_of(&f[2]);
	int64_t gid = number_of(&f[3]);

	if (uid < 0 || gid < 0 || copy(out->name, sizeof(out->name), &f[0]) <= 0 || copy(out->home, sizeof(out->home), &f[5]) < 0 ||
	    copy(out->shell, sizeof(out->shell), &f[6]) < 0)
		return -ENOENT;
	out->uid = (uid_t)uid;
	out->gid = (gid_t)gid;
	return 0;
}

int account_user(const char *passwd, const char *name, struct account *out)
{
	const struct field whole = { name, strlen(name) };
	int64_t number = number_of(&whole);
	struct field f[7];

	for (const char *at = passwd; next_line(&at, f, 7);)
		if (is_field(&f[0], name) && take_user(f, out) == 0)
			return 0;
	for (const char *at = passwd; number >= 0 && next_line(&at, f, 7);)
		if (number_of(&f[2]) == number && take_user(f, out) == 0)
			return 0;
	return -ENOENT;
}

/* "name:password:gid:member,member" */
int account_group(const char *group, const char *name, gid_t *out)
{
	const struct field whole = { name, strlen(name) };
	int64_t n = -1;
	struct field f[3];

	for (const char *at = group; n < 0 && next_line(&at, f, 3);)
		if (is_field(&f[0], name))
			n = number_of(&f[2]);
	if (n < 0)
		n = number_of(&whole);
	*out = (gid_t)n;
	return n < 0 ? -ENOENT : 0;
}

static int is_member(const struct field *list, const char *user)
{
	size_t n = strlen(user);
	const char *end = list->at + list->n;

	for (const char *s = list->at; s < end;) {
		size_t len = 0;

		while (s + len < end && s[len] != ',')
			len++;
		if (len == n && !memcmp(s, user, n))
			return 1;
		s += len + 1;
	}
	return 0;
}

int account_groups(const char *group, const char *user, gid_t first, gid_t *out, int max)
{
	struct field f[4];
	int n = 0;

	if (max > 0)
		out[n++] = first;
	for (const char *at = group; n < max && next_line(&at, f, 4);) {
		int64_t gid = number_of(&f[2]);

		if (gid >= 0 && gid != first && is_member(&f[3], user))
			out[n++] = (gid_t)gid;
	}
	return n;
}

static int name_char_ok(char c)
{
	return c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* A value from *at to the end of its line. Outside of quotes and in double ones a backslash takes the next byte as it is, or joins the next line. */
static int read_value(char **at, char *to)
{
	char *s = *at;
	char *kept = to;	/* blanks after it are at the end of the line, or are followed by something */
	char quote = '\0';

	for (; *s && (quote || *s != '\n'); s++) {
		int is_blank = !quote && (*s == ' ' || *s == '\t' || *s == '\r');

		if (quote ? *s == quote : *s == '"' || *s == '\'') {
			quote = quote ? '\0' : *s;
			kept = to;
			continue;
		}
		if (*s == '\\' && quote != '\'' && s[1]) {
			s++;
			if (*s == '\n')
				continue;
			if (quote && !strchr("\"\\`$", *s))
				*to++ = '\\';
		}
		*to++ = *s;
		if (!is_blank)
			kept = to;
	}
	*at = s + (*s == '\n');
	*kept = '\0';
	return quote ? -EINVAL : 1;
}

int environment_next(char **at, char **entry)
{
	char *s = *at;
	char *to;
	size_t n = 0;

	for (;;) {
		s += strspn(s, " \t\r\n");
		if (!*s)
			return 0;
		if (*s != '#' && *s != ';')
			break;
		s += strcspn(s, "\n");
	}
	if (!strncmp(s, "export ", 7))
		s += 7;
	while (name_char_ok(s[n]))
		n++;
	if (n == 0 || s[n] != '=' || (*s >= '0' && *s <= '9'))
		return -EINVAL;
	*entry = s;
	to = s + n + 1;
	s = to + strspn(to, " \t");
	*at = s;
	return read_value(at, to);
}
