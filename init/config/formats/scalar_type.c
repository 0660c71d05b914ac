/* scalar_type.c - YAML 1.1's implicit types. */
#include "scalar_type.h"

#include <string.h>
#include <strings.h>

#define DIGITS "0123456789"

static bool is_word(const char *s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(s, words[i]))
			return true;
	return false;
}

static bool is_true(const char *s)
{
	static const char *const words[] = { "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON" };

	return is_word(s, words, ARRAY_SIZE(words));
}

static bool is_false(const char *s)
{
	static const char *const words[] = { "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF" };

	return is_word(s, words, ARRAY_SIZE(words));
}

static bool only(const char *s, const char *set)
{
	return *s && s[strspn(s, set)] == '\0';
}

/* 12:30:45, the base-60 numbers */
static bool is_sexagesimal(const char *s, bool fraction)
{
	if (*s < '1' - fraction || *s > '9' || !strchr(s, ':'))
		return false;
	for (s += strspn(s, DIGITS "_"); *s == ':';) {
		size_t n = strspn(s + 1, DIGITS);

		if (n < 1 || n > 2 || (n == 2 && s[1] > '5'))
			return false;
		s += n + 1;
	}
	return *s == '\0' || (fraction && *s == '.' && s[1 + strspn(s + 1, DIGITS "_")] == '\0');
}

static bool is_int(const char *s)
{
	s += *s == '-' || *s == '+';
	if (s[0] == '0' && s[1] == 'b')
		return only(s + 2, "01_");
	if (s[0] == '0' && s[1] == 'x')
		return only(s + 2, DIGITS "abcdefABCDEF_");
	if (s[0] == '0')
		return s[1] == '\0' || only(s + 1, "01234567_");
	return (*s >= '1' && *s <= '9' && only(s, DIGITS "_")) || is_sexagesimal(s, false);
}

static bool is_float(const char *s)
{
	static const char *const special[] = { ".inf", ".Inf", ".INF" };
	static const char *const nan[] = { ".nan", ".NaN", ".NAN" };
	size_t whole;

	if (is_word(s, nan, ARRAY_SIZE(nan)))
		return true;
	s += *s == '-' || *s == '+';
	if (is_word(s, special, ARRAY_SIZE(special)))
		return true;
	if (is_sexagesimal(s, true) && strchr(s, '.'))
		return true;
	whole = *s >= '0' && *s <= '9' ? strspn(s, DIGITS "_") : 0;
	s += whole;
	if (*s != '.' || (!whole && !(s[1] >= '0' && s[1] <= '9')))
		return false;
	s++;
	s += strspn(s, DIGITS "_");
	/* PyYAML wants the sign of an exponent */
	return *s == '\0' || ((*s == 'e' || *s == 'E') && (s[1] == '-' || s[1] == '+') && only(s + 2, DIGITS));
}

/* 2030-01-01, and with a time behind it */
static bool is_date(const char *s)
{
	size_t year = strspn(s, DIGITS);
	size_t month = year == 4 && s[4] == '-' ? strspn(s + 5, DIGITS) : 0;
	size_t day;

	if (month < 1 || month > 2 || s[5 + month] != '-')
		return false;
	s += 6 + month;
	day = strspn(s, DIGITS);
	if (day < 1 || day > 2)
		return false;
	s += day;
	return *s == '\0' ? month == 2 && day == 2 : (*s == 'T' || *s == 't' || *s == ' ') && only(s + 1, DIGITS ":.+- \tZ");
}

enum scalar_type scalar_type(const struct node *n)
{
	if (!n->plain || n->tag == NODE_TAG_BINARY)
		return SCALAR_TEXT;
	if (node_is_null(n))
		return SCALAR_NULL;
	if (is_true(n->text) || is_false(n->text))
		return SCALAR_BOOL;
	if (is_int(n->text))
		return SCALAR_INT;
	if (is_float(n->text))
		return SCALAR_FLOAT;
	return is_date(n->text) ? SCALAR_DATE : SCALAR_TEXT;
}

bool scalar_is_true(const struct node *n)
{
	return is_true(n->text);
}

bool scalar_is_json_number(const char *s)
{
	s += *s == '-';
	if (*s < '0' || *s > '9')
		return false;
	s += *s == '0' ? 1 : strspn(s, DIGITS);
	if (*s == '.') {
		if (!strchr(DIGITS, s[1]) || !s[1])
			return false;
		s += 1 + strspn(s + 1, DIGITS);
	}
	if (*s == 'e' || *s == 'E') {
		s += 1 + (s[1] == '+' || s[1] == '-');
		return only(s, DIGITS);
	}
	return *s == '\0';
}
