/* scripts.c - makes scripts of parts; reads vendor_data. */
#include "scripts.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "../scalar.h"

#define BOOTHOOK "#cloud-boothook"

/* A script whose first line ends in CR LF comes from another system: the kernel would look for "/bin/sh\r". */
static char *without_carriage_returns(struct ctx *ctx, const char *text, size_t *len)
{
	const char *newline = memchr(text, '\n', *len);
	char *copy = arena_strndup(ctx->arena, text, *len);
	size_t n = 0;

	if (!newline || newline == text || newline[-1] != '\r')
		return copy;
	for (size_t i = 0; i < *len; i++)
		if (text[i] != '\r' || i + 1 == *len || text[i + 1] != '\n')
			copy[n++] = text[i];
	copy[n] = '\0';
	*len = n;
	return copy;
}

static size_t blanks(const char *text)
{
	return strspn(text, " \t\r\n\v\f");
}

static unsigned line_after(const char *text, size_t n)
{
	unsigned line = 1;

	for (size_t i = 0; i < n; i++)
		line += text[i] == '\n';
	return line;
}

void script_add_part(struct ctx *ctx, struct config *c, enum config_script_kind kind, const struct part *part)
{
	size_t len = part->source->len;
	const char *text = without_carriage_returns(ctx, part->source->text, &len);
	size_t skip = blanks(text);

	/* cloud-init leaves blanks before the #! of a script, and the kernel then refuses it: those go, too */
	if (kind == SCRIPT_BOOTHOOK && !strncasecmp(text + skip, BOOTHOOK, strlen(BOOTHOOK))) {
		skip += strlen(BOOTHOOK);
		skip += blanks(text + skip);
	}
	if (len - skip < 2 || memcmp(text + skip, "#!", 2) != 0) {
		diag_add(ctx->diags, DIAG_ERROR, part->source, line_after(part->source->text, skip), 1, "such as #!/bin/sh",
			 "%s has no #! line, so it cannot be run", kind == SCRIPT_BOOTHOOK ? "this boothook" : "this script");
		return;
	}
	config_add_script(ctx, c, kind, part_file_name(ctx, part->name), text + skip, len - skip);
}

bool vendor_is_enabled(const struct node *settings)
{
	const struct node *enabled;
	bool truth;

	if (!settings)
		return true;
	if (settings->type != NODE_MAP)
		return false;
	enabled = node_get(settings, "enabled");
	if (!enabled)
		return true;
	return enabled->type == NODE_SCALAR && scalar_bool(enabled->text, &truth) == 0 && truth;
}

static const struct key vendor_keys[] = {
	KEY("enabled", NODE_SCALAR, value_bool, struct config_vendor, enabled),
	KEY("prefix", NODE_SCALAR | NODE_LIST, value_strings, struct config_vendor, prefix),
	KEY("disabled_handlers", NODE_SCALAR | NODE_LIST, value_strings, struct config_vendor, disabled),
};

static const struct schema vendor_schema = {
	.what = "vendor_data", .keys = vendor_keys, .n_keys = ARRAY_SIZE(vendor_keys), .unknown = DIAG_UNKNOWN,
};

int read_vendor_data(struct ctx *ctx, const struct node *value, void *out)
{
	if (value->type != NODE_MAP)
		return diag_at(ctx->diags, DIAG_ERROR, value, "such as {enabled: true}", "vendor_data is a mapping, not %s; vendor-data is not used",
			       node_describe(value));
	return schema_read(ctx, &vendor_schema, value, out) ? -EINVAL : 0;
}
