/* imds.c - asks a metadata service, and reads what it answers. */
#include "imds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "../base64.h"
#include "../node_json.h"

#define JSON_MAX ((size_t)4 << 20)

uint64_t imds_in(unsigned ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000 + ms;
}

int imds_get(const struct imds *m, const char *path, const char **out, size_t *len, struct err *err)
{
	struct http_request q = {
		.url = arena_printf(m->ctx->arena, "%s%s", m->base, path), .headers = m->headers, .max = IMDS_MAX, .timeout_ms = m->timeout_ms,
		.tries = m->tries, .total_ms = m->total_ms,
	};
	uint64_t now = imds_in(0);
	struct http_answer a;
	int r;

	if (m->end_ms && now >= m->end_ms)
		return err_set(err, ETIMEDOUT, "%s", q.url);
	if (m->end_ms)
		q.total_ms = (unsigned)MIN((uint64_t)m->total_ms, m->end_ms - now);
	r = http_get(m->ctx, &q, &a, err);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	*out = a.body;
	*len = a.len;
	return 1;
}

int imds_want(const struct imds *m, const char *path, bool required, const char **out, size_t *len)
{
	struct err err = ERR_INIT;
	int r = imds_get(m, path, out, len, &err);

	if (r < 0 || (r == 0 && required))
		diag_add(m->ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "metadata service: %s", err.text);
	return r;
}

static int hex4(const char *s, const char *end)
{
	int v = 0;

	if (end - s < 4)
		return -1;
	for (unsigned i = 0; i < 4; i++) {
		int c = s[i] | 32;

		if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
			return -1;
		v = v * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return v;
}

/* JSON writes characters beyond U+FFFF as two escapes, which YAML does not know: they become one. The text only gets shorter. */
static void join_surrogates(char *text, size_t *len)
{
	const char *end = text + *len;
	char *to = text;

	for (const char *s = text; s < end;) {
		int high = *s == '\\' && end - s >= 12 && s[1] == 'u' ? hex4(s + 2, end) : -1;
		int low = high >= 0xd800 && high < 0xdc00 && s[6] == '\\' && s[7] == 'u' ? hex4(s + 8, end) : -1;

		if (low >= 0xdc00 && low < 0xe000) {
			char escape[16];

			snprintf(escape, sizeof(escape), "\\U%08x", (unsigned)(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)));
			memcpy(to, escape, 10);
			to += 10;
			s += 12;
		} else {
			if (*s == '\\' && end - s >= 2)
				*to++ = *s++;
			*to++ = *s++;
		}
	}
	*to = '\0';
	*len = (size_t)(to - text);
}

const struct node *imds_parse(struct ctx *ctx, const char *name, const char *text, size_t len)
{
	struct source *source = ARENA_NEW(ctx->arena, struct source);
	const struct node *root;
	bool empty;

	if (memmem(text, len, "\\u", 2)) {
		char *copy = arena_strndup(ctx->arena, text, len);

		join_surrogates(copy, &len);
		text = copy;
	}
	*source = (struct source){ name, text, len };
	root = yaml_read(ctx->arena, ctx->diags, source, &empty);
	if (root && root->type == NODE_MAP)
		return root;
	if (root || empty)
		diag_add(ctx->diags, DIAG_ERROR, source, 1, 1, NULL, "this is not a mapping");
	return NULL;
}

const char *imds_text(const struct node *map, const char *key)
{
	const struct node *n = map ? node_get(map, key) : NULL;

	if (!n || n->type != NODE_SCALAR || node_is_null(n) || memchr(n->text, '\0', n->len))
		return NULL;
	return n->text;
}

const struct node *imds_at(const struct node *map, const char *path)
{
	while (map) {
		char key[64];
		size_t n = strcspn(path, "/");

		if (n >= sizeof(key))
			return NULL;
		memcpy(key, path, n);
		key[n] = '\0';
		map = node_get(map, key);
		if (!path[n])
			return map;
		path += n + 1;
	}
	return NULL;
}

void imds_decode(struct ctx *ctx, const char **text, size_t *len)
{
	static const char *const starts[] = { "#", "\x1f\x8b", "content-type:", "mime-version:", "from ", "{" };
	size_t n;
	char *decoded;

	if (!*text || *len < 4 || (*text)[0] == '#' || !(decoded = base64_decode(ctx->arena, *text, *len, &n)))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		if (n >= strlen(starts[i]) && !strncasecmp(decoded, starts[i], strlen(starts[i]))) {
			*text = decoded;
			*len = n;
			return;
		}
}

const char *node_json(struct ctx *ctx, const struct node *n, size_t *len)
{
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, JSON_MAX);
	node_write_json(n, &b);
	if (buf_error(&b))
		return NULL;
	*len = b.len;
	return arena_strndup(ctx->arena, b.data, b.len);
}
