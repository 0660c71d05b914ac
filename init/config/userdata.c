/* userdata.c - takes the wrapping off user-data, and decides what it is by its first line. */
#include "userdata.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base64.h"
#include "text.h"

#define MIME_WINDOW 4096	/* cloud-init looks for Mime-Version in the first 4 KiB */

struct blob {
	const char *text;
	size_t len;
	struct source *source;
};

typedef void part_reader(struct ctx *ctx, const struct blob *b, struct config *c);

static void fail(struct ctx *ctx, const struct blob *b, const char *hint, const char *text)
{
	diag_add(ctx->diags, DIAG_ERROR, b->source, 1, 1, hint, "%s", text);
}

static void read_cloud_config(struct ctx *ctx, const struct blob *b, struct config *c)
{
	bool empty;
	const struct node *root = yaml_read(ctx->arena, ctx->diags, b->source, &empty);

	if (root)
		config_read(ctx, root, c);
}

/* A script whose first line ends in CR LF comes from another system: the kernel would look for "/bin/sh\r". */
static void read_script(struct ctx *ctx, const struct blob *b, struct config *c)
{
	const char *newline = memchr(b->text, '\n', b->len);
	char *copy = arena_strndup(ctx->arena, b->text, b->len);
	size_t n = 0;

	if (newline && newline > b->text && newline[-1] == '\r') {
		for (size_t i = 0; i < b->len; i++)
			if (b->text[i] != '\r' || i + 1 == b->len || b->text[i + 1] != '\n')
				copy[n++] = b->text[i];
		copy[n] = '\0';
	} else {
		n = b->len;
	}
	config_add_script(ctx, c, "part-001", copy, n);
}

static const struct kind {
	const char *prefix;	/* lower case; longer ones before their own beginnings */
	part_reader *read;
	const char *name;	/* of what is not done yet */
} kinds[] = {
	{ "#cloud-config-archive", NULL, "a cloud-config archive (#cloud-config-archive)" },
	{ "#cloud-config-jsonp", NULL, "a JSON patch (#cloud-config-jsonp)" },
	{ "## template: jinja", NULL, "a jinja template" },
	{ "#cloud-boothook", NULL, "a boothook (#cloud-boothook)" },
	{ "#include-once", NULL, "#include-once" },
	{ "#cloud-config", read_cloud_config, NULL },
	{ "#part-handler", NULL, "a part handler; it is Python, which Coracle does not have" },
	{ "#include", NULL, "#include" },
	{ "#!", read_script, NULL },
};

static bool starts_with(const struct blob *b, const char *prefix)
{
	size_t n = strlen(prefix);

	return b->len >= n && !strncasecmp(b->text, prefix, n);
}

static bool is_mime(const struct blob *b)
{
	size_t window = MIN(b->len, (size_t)MIME_WINDOW);

	for (size_t i = 0; i + 13 <= window; i++)
		if ((b->text[i] | 32) == 'm' && !strncasecmp(b->text + i, "mime-version:", 13))
			return true;
	return false;
}

/* Nothing known: the usual reasons have their own words. */
static void unknown_kind(struct ctx *ctx, const struct blob *b)
{
	const char *first = diag_quote(ctx->arena, b->text, strcspn(b->text, "\r\n"));

	if (starts_with(b, "# cloud-config") || starts_with(b, "#  cloud-config"))
		fail(ctx, b, "write #cloud-config, without the blank", arena_printf(ctx->arena, "the first line is %s", first));
	else if (b->text[0] == '{' && memmem(b->text, MIN(b->len, (size_t)512), "\"ignition\"", 10))
		fail(ctx, b, NULL, "not supported yet: an Ignition configuration");
	else
		fail(ctx, b, "the first line must be #cloud-config, or #! for a script",
		     arena_printf(ctx->arena, "the first line %s does not say what this is; nothing of it is used", first));
}

static void read_part(struct ctx *ctx, struct blob *b, struct config *c)
{
	size_t skip = strspn(b->text, " \t\r\n\v\f");
	struct blob body = { b->text + skip, b->len - skip, b->source };

	if (b->len >= 2 && (!memcmp(b->text, "\xff\xfe", 2) || !memcmp(b->text, "\xfe\xff", 2))) {
		fail(ctx, b, "save the file as UTF-8", "this is UTF-16");
		return;
	}
	if (is_mime(b)) {
		fail(ctx, b, "give the cloud-config part alone", "not supported yet: a MIME message of several parts");
		return;
	}
	if (body.len == 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!starts_with(&body, kinds[i].prefix))
			continue;
		if (kinds[i].read == read_script)
			read_script(ctx, &body, c);
		else if (kinds[i].read)
			kinds[i].read(ctx, b, c);
		else
			fail(ctx, b, NULL, arena_printf(ctx->arena, "not supported yet: %s", kinds[i].name));
		return;
	}
	unknown_kind(ctx, &body);
}

static bool decompress(struct ctx *ctx, struct blob *b)
{
	const char *why;
	char *text;

	if (!is_gzip(b->text, b->len))
		return true;
	text = gunzip(ctx->arena, b->text, b->len, USERDATA_MAX, &b->len, &why);
	if (!text) {
		diag_add(ctx->diags, DIAG_ERROR, b->source, 0, 0, NULL, "gzip: %s", why);
		return false;
	}
	b->text = text;
	if (!is_gzip(b->text, b->len))
		return true;
	diag_add(ctx->diags, DIAG_ERROR, b->source, 0, 0, "compress it once", "this is gzip inside gzip");
	return false;
}

/* Clouds' tools encode user-data once more than their users know: take it off, and say so. */
static void decode_base64(struct ctx *ctx, struct blob *b)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n";
	size_t len;
	char *text;

	if (b->len < 16 || strspn(b->text, alphabet) != b->len)
		return;
	text = base64_decode(ctx->arena, b->text, b->len, &len);
	if (!text || !(text[0] == '#' || is_gzip(text, len)))
		return;
	diag_add(ctx->diags, DIAG_WARNING, b->source, 1, 1, "cloud-init would not read it", "this is base64; it is decoded");
	b->text = text;
	b->len = len;
}

void userdata_read(struct ctx *ctx, const char *name, const char *bytes, size_t len, struct config *c)
{
	struct source *source = ARENA_NEW(ctx->arena, struct source);
	struct blob b = { bytes, len, source };

	*source = (struct source){ name, "", 0 };
	if (len > USERDATA_MAX) {
		diag_add(ctx->diags, DIAG_ERROR, source, 0, 0, NULL, "larger than 1 MiB");
		return;
	}
	decode_base64(ctx, &b);
	if (!decompress(ctx, &b))
		return;
	if (b.len >= 3 && !memcmp(b.text, "\xef\xbb\xbf", 3)) {
		b.text += 3;
		b.len -= 3;
	}
	source->text = b.text;
	source->len = b.len;
	read_part(ctx, &b, c);
}
