/* jw.c - writing JSON into a buffer (coracle-engine). Pure: only the buffer changes. */
#include "jw.h"

#include <string.h>

static void separate(struct buf *b)
{
	if (b->len > 0 && !strchr("{[:", b->data[b->len - 1]))
		buf_putc(b, ',');
}

void jw_open(struct buf *b, char bracket)
{
	separate(b);
	buf_putc(b, bracket);
}

void jw_close(struct buf *b, char bracket)
{
	buf_putc(b, bracket);
}

void jw_key(struct buf *b, const char *key)
{
	separate(b);
	buf_json_string(b, key, strlen(key));
	buf_putc(b, ':');
}

void jw_str(struct buf *b, const char *s)
{
	separate(b);
	if (s)
		buf_json_string(b, s, strlen(s));
	else
		buf_puts(b, "null");
}

void jw_int(struct buf *b, int64_t v)
{
	separate(b);
	buf_printf(b, "%lld", (long long)v);
}

void jw_bool(struct buf *b, bool v)
{
	separate(b);
	buf_puts(b, v ? "true" : "false");
}

void jw_raw(struct buf *b, const char *json)
{
	separate(b);
	buf_puts(b, json);
}

void jw_strv(struct buf *b, char *const *v)
{
	if (!v) {
		jw_raw(b, "null");
		return;
	}
	jw_open(b, '[');
	for (; *v; v++)
		jw_str(b, *v);
	jw_close(b, ']');
}

void jw_kobj(struct buf *b, const char *key)
{
	jw_key(b, key);
	jw_open(b, '{');
}

void jw_karr(struct buf *b, const char *key)
{
	jw_key(b, key);
	jw_open(b, '[');
}

void jw_kstr(struct buf *b, const char *key, const char *s)
{
	jw_key(b, key);
	jw_str(b, s);
}

void jw_kint(struct buf *b, const char *key, int64_t v)
{
	jw_key(b, key);
	jw_int(b, v);
}

void jw_kbool(struct buf *b, const char *key, bool v)
{
	jw_key(b, key);
	jw_bool(b, v);
}

void jw_kraw(struct buf *b, const char *key, const char *json)
{
	jw_key(b, key);
	jw_raw(b, json);
}

void jw_kstrv(struct buf *b, const char *key, char *const *v)
{
	jw_key(b, key);
	jw_strv(b, v);
}

void jw_kmap(struct buf *b, const char *key, char *const *v)
{
	jw_kobj(b, key);
	for (; v && *v; v++) {
		const char *eq = strchr(*v, '=');
		size_t n = eq ? (size_t)(eq - *v) : strlen(*v);

		separate(b);
		buf_json_string(b, *v, n);
		buf_putc(b, ':');
		jw_str(b, eq ? eq + 1 : "");
	}
	jw_close(b, '}');
}
