/* challenge.c - takes WWW-Authenticate apart. Pure; runs in coracle-registry. */
#include "runtime/registry/challenge.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static bool is_token(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *skip_blank(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

/* The value of a parameter, quoted or not; out may be NULL. Returns what follows, NULL when it is malformed. */
static const char *take_value(const char *s, char *out)
{
	size_t n = 0;
	bool quoted = *s == '"';

	if (quoted)
		s++;
	for (; quoted ? *s && *s != '"' : is_token(*s) || (*s && strchr(":/=?@", *s)); s++) {
		if (quoted && *s == '\\' && !*++s)
			return NULL;
		if ((unsigned char)*s < 0x20 || *s == 0x7f || n + 1 >= CHALLENGE_TEXT_MAX)
			return NULL;
		if (out)
			out[n] = *s;
		n++;
	}
	if (out)
		out[n] = '\0';
	if (!quoted)
		return n ? s : NULL;
	return *s == '"' ? s + 1 : NULL;
}

static char *place(struct challenge *c, const char *name, size_t n)
{
	if (n == 5 && !strncasecmp(name, "realm", n))
		return c->realm;
	if (n == 7 && !strncasecmp(name, "service", n))
		return c->service;
	return n == 5 && !strncasecmp(name, "scope", n) ? c->scope : NULL;
}

static void keep_better(struct challenge *best, const struct challenge *c)
{
	if (c->scheme > best->scheme || (c->scheme == best->scheme && !best->realm[0]))
		*best = *c;
}

/* name = value, at s. Returns what follows, s itself when there is no parameter, NULL: malformed. */
static const char *take_parameter(const char *s, struct challenge *c)
{
	const char *name = s, *end, *eq;

	while (is_token(*s))
		s++;
	end = s;
	eq = skip_blank(s);
	if (end == name || *eq != '=')
		return name;
	return take_value(skip_blank(eq + 1), place(c, name, (size_t)(end - name)));
}

static const char *take_challenge(const char *s, struct challenge *c)
{
	const char *name = s, *next;
	size_t n;

	memset(c, 0, sizeof(*c));
	while (is_token(*s))
		s++;
	n = (size_t)(s - name);
	if (n == 0)
		return NULL;
	c->scheme = n == 6 && !strncasecmp(name, "bearer", n) ? CHALLENGE_BEARER :
		n == 5 && !strncasecmp(name, "basic", n) ? CHALLENGE_BASIC : CHALLENGE_OTHER;
	s = skip_blank(s);
	/* token68: letters and no parameter, as Negotiate has it */
	next = s;
	while (is_token(*next) || *next == '/')
		next++;
	while (*next == '=')
		next++;
	if (next != s && (!*skip_blank(next) || *skip_blank(next) == ','))
		return next;
	for (;;) {
		while (*s == ',' || *s == ' ' || *s == '\t')
			s++;
		next = take_parameter(s, c);
		if (!next || next == s)
			return next;
		s = skip_blank(next);
		if (*s && *s != ',')
			return NULL;
	}
}

int challenge_parse(const char *value, struct challenge *best)
{
	struct challenge c;

	for (;;) {
		while (*value == ',' || *value == ' ' || *value == '\t')
			value++;
		if (!*value)
			return 0;
		value = take_challenge(value, &c);
		if (!value)
			return -EBADMSG;
		keep_better(best, &c);
	}
}
