/* timezone.c - timezone and locale: /etc/localtime, /etc/timezone, /etc/default/locale.
 *
 * Runs in coracle-config on each boot. The image has no tz database; the rule that a zone follows now is known (zones.c), and a TZif file of that one rule
 * is written, which every C library reads. Where a tree has the database, /etc/localtime is a link into it, as cloud-init makes it. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../scalar.h"
#include "../text.h"
#include "module.h"
#include "zones.h"

#define LOCALTIME "/etc/localtime"
#define FILE_MAX 256

int read_timezone(struct ctx *ctx, const struct node *value, void *out)
{
	struct system *s = out;
	const char *near;

	if (value_line(ctx, value, &s->timezone) < 0)
		return -EINVAL;
	s->timezone_at = value;
	if (zone_rule(value->text))
		return 0;
	s->timezone = NULL;
	near = text_nearest(value->text, value->len, zone_name, ctx);
	return diag_at(ctx->diags, DIAG_ERROR, value, near ? arena_printf(ctx->arena, "did you mean \"%s\"?", near) : "such as Europe/Berlin or UTC",
		       "%s is not a time zone", diag_quote(ctx->arena, value->text, value->len));
}

/* A name of POSIX TZ: letters, or anything in < >. Returns what comes after it, NULL when it is none. */
static const char *zone_word(const char *p, char *out, size_t size)
{
	size_t n = 0;

	if (*p == '<') {
		n = strcspn(++p, ">");
		if (p[n] != '>')
			return NULL;
	} else {
		while (isalpha((unsigned char)p[n]))
			n++;
	}
	if (n < 3 || n >= size)
		return NULL;
	memcpy(out, p, n);
	out[n] = '\0';
	return p + n + (p[n] == '>');
}

/* Seconds east of Greenwich: POSIX counts westward. */
static long offset_seconds(const char *p)
{
	long sign = *p == '-' ? 1 : -1;
	char *rest;
	long s;

	p += *p == '-' || *p == '+';
	s = strtol(p, &rest, 10) * 3600;
	if (*rest == ':')
		s += strtol(rest + 1, NULL, 10) * 60;
	return sign * s;
}

static void put_be(unsigned char **p, uint64_t v, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--)
		*(*p)++ = (unsigned char)(v >> (8 * i));
}

/* One block: header and data. transitions: one at the beginning of time, so that the rule at the end of the file holds for all of it (musl
 * uses the rule after the last transition only). */
static void put_block(unsigned char **p, const char *name, long offset, unsigned transitions, int time_bytes)
{
	size_t chars = strlen(name) + 1;

	memcpy(*p, "TZif2", 5);
	memset(*p + 5, 0, 15);
	*p += 20;
	put_be(p, 0, 4);
	put_be(p, 0, 4);
	put_be(p, 0, 4);
	put_be(p, transitions, 4);
	put_be(p, 1, 4);
	put_be(p, chars, 4);
	if (transitions) {
		put_be(p, (uint64_t)-((int64_t)1 << 59), time_bytes);
		put_be(p, 0, 1);
	}
	put_be(p, (uint64_t)offset, 4);
	put_be(p, 0, 2); /* no summer time; the name begins at 0 */
	memcpy(*p, name, chars);
	*p += chars;
}

size_t timezone_file(const char *rule, unsigned char *out, size_t size)
{
	char name[16];
	const char *rest = zone_word(rule, name, sizeof(name));
	unsigned char *p = out;

	if (!rest || size < FILE_MAX || strlen(rule) > 100)
		return 0;
	put_block(&p, name, offset_seconds(rest), 0, 4);
	put_block(&p, name, offset_seconds(rest), 1, 8);
	return (size_t)(p - out) + (size_t)sprintf((char *)p, "\n%s\n", rule);
}

bool timezone_wanted(const struct run *r)
{
	return r->config.system.timezone != NULL;
}

void apply_timezone(struct run *r)
{
	const char *name = r->config.system.timezone;
	const char *database = arena_printf(&r->arena, "/usr/share/zoneinfo/%s", name);
	unsigned char bytes[FILE_MAX];
	struct target_file f = { .path = LOCALTIME, .data = bytes, .mode = 0644 };
	struct err err = ERR_INIT;

	module_put(r, "/etc/timezone", arena_printf(&r->arena, "%s\n", name), 0644);
	if (target_exists(&r->target, database)) {
		if (target_symlink(&r->target, database, LOCALTIME, &err) < 0)
			module_failed(r, r->config.system.timezone_at, &err);
		return;
	}
	f.len = timezone_file(zone_rule(name), bytes, sizeof(bytes));
	if (target_write(&r->target, &f, NULL, &err) < 0)
		module_failed(r, r->config.system.timezone_at, &err);
}

int read_locale(struct ctx *ctx, const struct node *value, void *out)
{
	struct system_locale *l = out;
	const char *dot;
	bool on;

	if (scalar_bool(value->text, &on) == 0 && !on)
		return 0; /* false: the image's own */
	if (value->len == 0 || value->len > 64 || !isalpha((unsigned char)value->text[0]) ||
	    strspn(value->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-") != value->len)
		return diag_at(ctx->diags, DIAG_ERROR, value, "such as en_US.UTF-8", "%s is not a locale", diag_quote(ctx->arena, value->text, value->len));
	l->name = value->text;
	dot = strchr(l->name, '.');
	if (dot && strncasecmp(dot, ".UTF-8", 6) != 0 && strncasecmp(dot, ".utf8", 5) != 0)
		diag_at(ctx->diags, DIAG_WARNING, value, NULL, "text on this machine is UTF-8, not %s", dot + 1);
	return 0;
}

bool locale_wanted(const struct run *r)
{
	return r->config.system.locale.name != NULL;
}

/* The machine's own programs speak English and know UTF-8 only (musl); the file is for what asks for it. */
void apply_locale(struct run *r)
{
	const struct system_locale *l = &r->config.system.locale;

	module_put(r, l->file ? l->file : "/etc/default/locale", arena_printf(&r->arena, "LANG=%s\n", l->name), 0644);
}
