/* interpolate.c - `$` in the values of a Compose document.
 *
 * Compose replaces variables from the environment it is run in. At boot there is none, so
 * a default is taken where one is given (${X:-80}, ${X-80}), $$ becomes $, and a variable without a default is an
 * error that says so: it would otherwise become nothing without a word. */
#include <string.h>

#include "compose.h"

#define NAME "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789"

/* One ${...} or $NAME at s; adds its text to out. Returns the length read, 0 when it has none. */
static size_t replace_variable(const char *s, char *out, size_t *used)
{
	size_t n = strspn(s + 2, NAME);
	const char *end = s[1] == '{' ? strchr(s, '}') : NULL;
	const char *value = s + 2 + n;

	if (!end || n == 0 || memchr(s + 1, '$', (size_t)(end - s) - 1))
		return 0;
	value += *value == ':';
	/* ${X:-default}, ${X-default}: taken; ${X:+other}, ${X+other}: X is not set, so nothing */
	if (*value != '-' && *value != '+')
		return 0;
	if (*value == '-') {
		memcpy(out + *used, value + 1, (size_t)(end - value) - 1);
		*used += (size_t)(end - value) - 1;
	}
	return (size_t)(end - s) + 1;
}

static unsigned replace(struct ctx *ctx, struct node *n)
{
	const char *s = n->text;
	const char *end = s + n->len;
	char *out;
	size_t used = 0;

	n->interpolated = true;
	if (!memchr(s, '$', n->len))
		return 0;
	out = arena_alloc(ctx->arena, n->len + 1);
	while (s < end) {
		size_t read = 1;

		if (*s != '$') {
			out[used++] = *s;
		} else if (s[1] == '$') {
			out[used++] = '$';
			read = 2;
		} else if (s[1] == '{' || (s[1] && strchr(NAME, s[1]) && (s[1] < '0' || s[1] > '9'))) {
			read = replace_variable(s, out, &used);
			if (read == 0) {
				diag_at(ctx->diags, DIAG_ERROR, n, "for a $ that the container shall see, write $$",
					"no value is known for %s",
					/* without braces it may be part of a password: not shown */
					s[1] == '{' ? diag_quote(ctx->arena, s, 2 + strspn(s + 2, NAME)) : "the variable here");
				return 1;
			}
		} else {
			out[used++] = '$';
		}
		s += read;
	}
	n->text = out;
	n->len = used;
	return 0;
}

unsigned compose_interpolate(struct ctx *ctx, struct node *n)
{
	unsigned errors = 0;

	if (n->type == NODE_SCALAR)
		return n->interpolated ? 0 : replace(ctx, n);
	for (struct item *i = n->items; i; i = i->next)
		errors += compose_interpolate(ctx, i->value);
	return errors;
}
