/* gvariant.c - a parser for the part of GVariant text that properties of units
 * are written in. Runs in coracle-runtime; the text is of config.json. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/cdefs.h"
#include "runtime/oci/gvariant.h"

static const struct {
	const char *word;
	char type;
} WORDS[] = {
	{ "boolean", 'b' }, { "byte", 'y' }, { "int16", 'n' }, { "uint16", 'q' }, { "int32", 'i' }, { "uint32", 'u' }, { "int64", 'x' },
	{ "uint64", 't' }, { "double", 'd' }, { "string", 's' }, { "objectpath", 'o' }, { "signature", 'g' },
};

struct text {
	const char *p;
	char type, element;	/* 'a' and the element's, or the value's own and 0 */
};

static int wrong(const struct text *t, const char *what, struct err *err)
{
	return err_set(err, EINVAL, "%s at \"%.40s\" (GVariant text, such as 'word', true, uint64 5, ['a', 'b'])", what, t->p);
}

static void blanks(struct text *t)
{
	t->p += strspn(t->p, " \t\n\r");
}

/* "uint64 " or "@t "; 0 when no type is said. */
static char said(struct text *t)
{
	blanks(t);
	if (*t->p == '@' && t->p[1] && strchr("bynqiuxtdsog", t->p[1]) && t->p[2] == ' ') {
		char type = t->p[1];

		t->p += 3;
		blanks(t);
		return type;
	}
	for (size_t i = 0; i < ARRAY_SIZE(WORDS); i++) {
		size_t n = strlen(WORDS[i].word);

		if (strncmp(t->p, WORDS[i].word, n) || t->p[n] != ' ')
			continue;
		t->p += n;
		blanks(t);
		return WORDS[i].type;
	}
	return 0;
}

/* What a literal is when nobody has said it. */
static char looks(const struct text *t)
{
	const char *p = t->p + strspn(t->p, "+-");

	if (!strncmp(p, "true", 4) || !strncmp(p, "false", 5))
		return 'b';
	if (*p == '\'' || *p == '"')
		return 's';
	if (*p < '0' || *p > '9')
		return *p == '.' || !strncmp(p, "inf", 3) || !strncmp(p, "nan", 3) ? 'd' : 0;
	if (p[0] == '0' && (p[1] | 0x20) == 'x')
		return 'i';
	p += strspn(p, "0123456789");
	return *p == '.' || (*p | 0x20) == 'e' ? 'd' : 'i';
}

/* Finds the type, of an array by its first element; the text then stands at the value, or behind the bracket. */
static int type_of(struct text *t, struct err *err)
{
	t->element = 0;
	blanks(t);
	if (t->p[0] == '@' && t->p[1] == 'a' && t->p[2] && strchr("bynqiuxtdsog", t->p[2])) {
		t->element = t->p[2];
		t->p += 3;
		blanks(t);
		if (*t->p != '[')
			return wrong(t, "no array", err);
	}
	if (*t->p != '[') {
		t->type = said(t);
		if (!t->type)
			t->type = looks(t);
		return t->type ? 0 : wrong(t, "not a value", err);
	}
	t->p++;
	t->type = 'a';
	blanks(t);
	if (!t->element && *t->p != ']') {
		t->element = said(t);
		if (!t->element)
			t->element = looks(t);
	}
	return t->element ? 0 : wrong(t, *t->p == ']' ? "an empty array without a type (write @as [])" : "not a value", err);
}

static int boolean(struct dbus_body *b, struct text *t, struct err *err)
{
	bool yes = !strncmp(t->p, "true", 4);

	if (!yes && strncmp(t->p, "false", 5) != 0)
		return wrong(t, "not a boolean", err);
	t->p += yes ? 4 : 5;
	dbus_put_u32(b, yes);
	return 0;
}

static int string(struct dbus_body *b, struct text *t, struct err *err)
{
	static char out[GVARIANT_STRING_MAX];
	char quote = *t->p;
	const char *escape;
	size_t n = 0;

	if (quote != '\'' && quote != '"')
		return wrong(t, "not a quoted string", err);
	for (t->p++; *t->p != quote; t->p++) {
		char c = *t->p;

		if (c == '\\' && (t->p[1] == 'u' || t->p[1] == 'U'))
			return wrong(t, "write the character itself", err);
		if (c == '\\' && t->p[1]) {
			c = *++t->p;
			escape = strchr("a\ab\bf\fn\nr\rt\tv\v", c);
			if (escape && (*escape >= 'a'))
				c = escape[1];
		}
		if (!c)
			return wrong(t, "a string without its end", err);
		if (n + 1 == sizeof out)
			return wrong(t, "too long a string", err);
		out[n++] = c;
	}
	t->p++;
	out[n] = '\0';
	if (t->type == 'g' || t->element == 'g')
		dbus_put_signature(b, out);
	else
		dbus_put_string(b, out);
	return 0;
}

/* -1: no number of that type. */
static int integer(struct text *t, char type, uint64_t *out)
{
	static const struct {
		char type;
		int64_t min;
		uint64_t max;
	} RANGES[] = {
		{ 'y', 0, UINT8_MAX }, { 'n', INT16_MIN, INT16_MAX }, { 'q', 0, UINT16_MAX }, { 'i', INT32_MIN, INT32_MAX },
		{ 'u', 0, UINT32_MAX }, { 'x', INT64_MIN, INT64_MAX }, { 't', 0, UINT64_MAX },
	};
	bool minus = *t->p == '-';
	const char *digits = t->p + (minus || *t->p == '+');
	unsigned long long value;
	size_t i = 0;
	char *end;

	while (i < ARRAY_SIZE(RANGES) - 1 && RANGES[i].type != type)
		i++;
	errno = 0;
	if (*digits < '0' || *digits > '9')
		return -1;
	value = strtoull(digits, &end, 0);
	if (errno || (minus ? value > 0ULL - (unsigned long long)RANGES[i].min : value > RANGES[i].max))
		return -1;
	t->p = end;
	*out = minus ? 0ULL - value : value;
	return 0;
}

static int number(struct dbus_body *b, struct text *t, char type, struct err *err)
{
	uint64_t value = 0;
	double real;
	char *end;

	if (type == 'd') {
		real = strtod(t->p, &end);
		if (end == t->p)
			return wrong(t, "not a number", err);
		t->p = end;
		memcpy(&value, &real, sizeof value);
	} else if (integer(t, type, &value) < 0) {
		return wrong(t, "not a number of that type", err);
	}
	if (type == 'y') {
		dbus_put_byte(b, (uint8_t)value);
	} else if (type == 'n' || type == 'q') {
		dbus_align(b, 2);
		dbus_put_byte(b, (uint8_t)value);
		dbus_put_byte(b, (uint8_t)(value >> 8));
	} else if (type == 'i' || type == 'u') {
		dbus_put_u32(b, (uint32_t)value);
	} else {
		dbus_put_u64(b, value);
	}
	return 0;
}

static int scalar(struct dbus_body *b, struct text *t, char type, struct err *err)
{
	if (type == 'b')
		return boolean(b, t, err);
	return strchr("sog", type) ? string(b, t, err) : number(b, t, type, err);
}

static int array(struct dbus_body *b, struct text *t, struct err *err)
{
	size_t align = strchr("xtd", t->element) ? 8 : strchr("yg", t->element) ? 1 : strchr("nq", t->element) ? 2 : 4;
	size_t at = dbus_begin(b, align);
	int r;

	for (blanks(t); *t->p != ']'; blanks(t)) {
		if ((r = scalar(b, t, t->element, err)) < 0)
			return r;
		blanks(t);
		if (*t->p == ',')
			t->p++;
		else if (*t->p != ']')
			return wrong(t, "neither , nor ]", err);
	}
	t->p++;
	dbus_end(b, at, align);
	return 0;
}

int gvariant_put(struct dbus_body *b, const char *text, struct err *err)
{
	struct text t = { .p = text };
	char signature[3] = { 0 };
	int r = type_of(&t, err);

	if (r < 0)
		return r;
	signature[0] = t.type;
	signature[1] = t.element;
	dbus_put_signature(b, signature);
	if ((r = t.type == 'a' ? array(b, &t, err) : scalar(b, &t, t.type, err)) < 0)
		return r;
	blanks(&t);
	return *t.p ? wrong(&t, "more than one value", err) : 0;
}

int gvariant_usec(const char *text, uint64_t *out, struct err *err)
{
	struct text t = { .p = text };
	double real = 0;
	uint64_t value = 0;
	char *end;
	int r = type_of(&t, err);

	if (r < 0)
		return r;
	if (!strchr("ynqiuxtd", t.type))
		return wrong(&t, "not a number of seconds", err);
	if (t.type == 'd') {
		real = strtod(t.p, &end);
		t.p = end;
	} else if (*t.p == '-' || integer(&t, t.type, &value) < 0) {
		return wrong(&t, "not a number of seconds", err);
	}
	blanks(&t);
	if (*t.p || isnan(real) || real < 0 || real > (double)(UINT64_MAX / 2000000) || value > UINT64_MAX / 1000000)
		return wrong(&t, "not a number of seconds", err);
	*out = t.type == 'd' ? (uint64_t)(real * 1000000) : value * 1000000;
	return 0;
}
