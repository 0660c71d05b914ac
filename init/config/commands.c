/* commands.c - reads runcmd, bootcmd and power_state: what becomes of commands as people write them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "scalar.h"
#include "text.h"

#define SCRIPT_MAX ((size_t)2 << 20)

/* 'it'\''s': one word for sh, whatever is in it. */
static void add_quoted(struct buf *b, const char *s)
{
	buf_putc(b, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			buf_puts(b, "'\\''");
		else
			buf_putc(b, *s);
	}
	buf_putc(b, '\'');
}

/* "- echo foo: bar" is a mapping to YAML. What was meant is on the line: take it
 * from there when the mapping is one plain pair on one line. */
static const char *mapping_as_written(struct ctx *ctx, const struct node *map)
{
	const struct item *pair = map->items;
	const char *line = text_line(map->source->text, map->source->len, map->line);
	const char *end;

	if (map->flow || map->count != 1 || !pair->key->plain || pair->value->type != NODE_SCALAR || !pair->value->plain ||
	    node_is_null(pair->value) || pair->value->line != map->line || map->line != pair->key->line || !line)
		return NULL;
	for (unsigned column = 1; column < map->column; column++)
		line += text_utf8_length(line, map->source->len - (size_t)(line - map->source->text));
	end = line + strcspn(line, "\r\n");
	/* a value that goes on below is more than its line */
	if (!memmem(line, (size_t)(end - line), pair->value->text, pair->value->len))
		return NULL;
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return arena_strndup(ctx->arena, line, (size_t)(end - line));
}

static int add_command(struct ctx *ctx, struct buf *b, const struct node *n, const char *key)
{
	struct strings words = { NULL, 0 };
	const char *text;

	switch (n->type) {
	case NODE_MAP:
		text = mapping_as_written(ctx, n);
		if (!text)
			return diag_at(ctx->diags, DIAG_ERROR, n, "quote the whole command", "this %s command is a mapping, not text", key);
		diag_at(ctx->diags, DIAG_WARNING, n, "quote the whole command",
			"this %s command has \": \" in it, which YAML takes for a mapping; it is run as it stands", key);
		break;
	case NODE_LIST:
		if (value_strings(ctx, n, &words) < 0)
			return -EINVAL;
		for (size_t i = 0; i < words.n; i++) {
			if (i)
				buf_putc(b, ' ');
			add_quoted(b, words.v[i]);
		}
		buf_putc(b, '\n');
		return 0;
	default:
		if (value_text(ctx, n, &text) < 0)
			return -EINVAL;
	}
	buf_printf(b, "%s\n", text);
	return 0;
}

static int read_commands(struct ctx *ctx, const struct node *value, const char *key, const char **out)
{
	CLEANUP_BUF struct buf b = { 0 };
	int r = 0;

	buf_init(&b, SCRIPT_MAX);
	buf_puts(&b, "#!/bin/sh\n");
	for (const struct item *i = value->items; i; i = i->next)
		if (!node_is_null(i->value) && add_command(ctx, &b, i->value, key) < 0)
			r = -EINVAL;
	if (buf_error(&b))
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "the commands of %s are larger than 2 MiB", key);
	/* a script with a hole in it could do harm: all of it or nothing */
	if (r == 0 && value->count > 0)
		*out = arena_strndup(ctx->arena, b.data, b.len);
	if (r < 0)
		diag_at(ctx->diags, DIAG_ERROR, value, NULL, "%s is not run, because some of its commands cannot be read", key);
	return r;
}

int read_bootcmd(struct ctx *ctx, const struct node *value, void *out)
{
	return read_commands(ctx, value, "bootcmd", out);
}

int read_runcmd(struct ctx *ctx, const struct node *value, void *out)
{
	return read_commands(ctx, value, "runcmd", out);
}

static int read_mode(struct ctx *ctx, const struct node *value, void *out)
{
	static const char *const modes[] = { "poweroff", "reboot", "halt" };

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(value->text, modes[i])) {
			*(const char **)out = modes[i];
			return 0;
		}
	return diag_at(ctx->diags, DIAG_ERROR, value, "poweroff, reboot or halt", "%s is not a power state",
		       diag_quote(ctx->arena, value->text, value->len));
}

/* now, MINUTES or +MINUTES, as shutdown(8); a clock time is not taken. */
static int read_delay(struct ctx *ctx, const struct node *value, void *out)
{
	uint64_t minutes = 0;

	if (strcmp(value->text, "now") != 0 && scalar_uint(value->text + (value->text[0] == '+'), 100000, &minutes) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, "now, or +5 for five minutes", "%s is not a delay",
			       diag_quote(ctx->arena, value->text, value->len));
	*(unsigned *)out = (unsigned)minutes;
	return 0;
}

static int read_timeout(struct ctx *ctx, const struct node *value, void *out)
{
	if (scalar_uint(value->text, 100000, out) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "%s is not a number of seconds",
			       diag_quote(ctx->arena, value->text, value->len));
	return 0;
}

static int read_condition(struct ctx *ctx, const struct node *value, void *out)
{
	struct config_power *p = out;
	CLEANUP_BUF struct buf b = { 0 };
	bool truth;

	if (value->type == NODE_SCALAR && scalar_bool(value->text, &truth) == 0) {
		p->never = !truth;
		return 0;
	}
	buf_init(&b, SCRIPT_MAX);
	buf_puts(&b, "#!/bin/sh\n");
	if (add_command(ctx, &b, value, "condition") < 0)
		return -EINVAL;
	if (buf_error(&b))
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "the condition is larger than 2 MiB");
	p->condition = arena_strndup(ctx->arena, b.data, b.len);
	return 0;
}

static const struct key power_keys[] = {
	KEY("mode", NODE_SCALAR, read_mode, struct config_power, mode),
	KEY("delay", NODE_SCALAR, read_delay, struct config_power, delay_minutes),
	KEY("message", NODE_SCALAR, value_line, struct config_power, message),
	KEY("timeout", NODE_SCALAR, read_timeout, struct config_power, timeout_s),
	{ "condition", NODE_SCALAR | NODE_LIST, read_condition, 0 },
};

static const struct schema power_schema = {
	.what = "power_state",
	.keys = power_keys,
	.n_keys = ARRAY_SIZE(power_keys),
	.unknown = DIAG_UNKNOWN,
};

int read_power_state(struct ctx *ctx, const struct node *value, void *out)
{
	struct config_power p = { .timeout_s = 30 };

	if (schema_read(ctx, &power_schema, value, &p) > 0)
		return -EINVAL;
	if (!p.mode)
		return diag_at(ctx->diags, DIAG_ERROR, value, "mode: poweroff", "power_state needs a mode");
	*(struct config_power *)out = p;
	return 0;
}
