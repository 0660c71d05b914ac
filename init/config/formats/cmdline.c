/* cmdline.c - reads cc:...end_cc and cloud-config-url= of the kernel's command line (cloudinit/util.py read_cc_from_cmdline, cmd/main.py
 * attempt_cmdline_url). A cc: counts where a word begins: cloud-init finds it in the middle of others, too. */
#include "cmdline.h"

#include <string.h>

#include "err.h"
#include "merge.h"

#define CONFIG_MAX ((size_t)65536)

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* %41 is a byte, \n a line break. */
static void add_decoded(struct buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int high = i + 2 < n && s[i] == '%' ? hex(s[i + 1]) : -1;
		int low = high >= 0 ? hex(s[i + 2]) : -1;

		if (low >= 0) {
			buf_putc(b, (char)(high << 4 | low));
			i += 2;
		} else if (s[i] == '\\' && i + 1 < n && s[i + 1] == 'n') {
			buf_putc(b, '\n');
			i++;
		} else {
			buf_putc(b, s[i]);
		}
	}
}

/* The next word of the line that begins with prefix; *p moves behind it. */
static const char *find_word(const char *line, const char **p, const char *prefix)
{
	for (const char *at = *p; (at = strstr(at, prefix)); at++)
		if (at == line || at[-1] == ' ' || at[-1] == '\t') {
			*p = at + strlen(prefix);
			return *p;
		}
	return NULL;
}

static const struct node *read_text(struct ctx *ctx, const char *name, const char *text, size_t len)
{
	struct source *source = ARENA_NEW(ctx->arena, struct source);
	const struct node *root;
	bool empty;

	*source = (struct source){ name, arena_strndup(ctx->arena, text, len), len };
	root = yaml_read(ctx->arena, ctx->diags, source, &empty);
	if (root && root->type != NODE_MAP) {
		diag_at(ctx->diags, DIAG_ERROR, root, NULL, "a configuration is a mapping of keys, not %s", node_describe(root));
		return NULL;
	}
	return root;
}

static const struct node *read_cc(struct ctx *ctx, const char *cmdline)
{
	CLEANUP_BUF struct buf b = { 0 };
	const char *p = cmdline;
	bool found = false;

	buf_init(&b, CONFIG_MAX);
	for (const char *at; (at = find_word(cmdline, &p, "cc:"));) {
		const char *end = strstr(at, "end_cc");

		at += strspn(at, " \t");
		if (!end)
			end = at + strlen(at);
		if (end > at)
			add_decoded(&b, at, (size_t)(end - at));
		buf_putc(&b, '\n');
		p = *end ? end + strlen("end_cc") : end;
		found = true;
	}
	return found ? read_text(ctx, "kernel command line", b.data, b.len) : NULL;
}

static const struct node *read_url(struct ctx *ctx, const char *cmdline, part_fetcher *fetch, void *arg)
{
	const char *p = cmdline;
	const char *at = find_word(cmdline, &p, "cloud-config-url=");
	struct source body = { .name = "cloud-config-url" };
	struct err err = ERR_INIT;

	if (!at || !fetch)
		return NULL;
	if (fetch(ctx, arg, arena_strndup(ctx->arena, at, strcspn(at, " \t\n")), false, &body, &err) < 0) {
		diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "cloud-config-url of the kernel command line: %s", err.text);
		return NULL;
	}
	if (part_kind_of_text(body.text, body.len) != PART_CLOUD_CONFIG) {
		diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, "its first line must be #cloud-config",
			 "what cloud-config-url of the kernel command line names is no cloud-config");
		return NULL;
	}
	return read_text(ctx, body.name, body.text, body.len);
}

const struct node *cmdline_config(struct ctx *ctx, const char *cmdline, part_fetcher *fetch, void *arg)
{
	if (!cmdline)
		return NULL;
	return merge_layers(ctx, read_cc(ctx, cmdline), read_url(ctx, cmdline, fetch, arg));
}
