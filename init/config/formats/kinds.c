/* kinds.c - what a piece of user-data is: by its first line, by its content type. */
#include <string.h>
#include <strings.h>

#include "../containers/containers.h"
#include "parts.h"

static const struct kind {
	const char *prefix;	/* of the text, lower case; longer ones before their own beginnings. NULL: told by the type only */
	const char *type;
	enum part_kind kind;
} kinds[] = {
	{ "#cloud-config-archive", "text/cloud-config-archive", PART_CLOUD_CONFIG_ARCHIVE },
	{ "#cloud-config-jsonp", "text/cloud-config-jsonp", PART_CLOUD_CONFIG_PATCH },
	{ "## template: jinja", "text/jinja2", PART_JINJA },
	{ "#cloud-boothook", "text/cloud-boothook", PART_BOOTHOOK },
	{ "#include-once", "text/x-include-once-url", PART_INCLUDE_ONCE },
	{ "#cloud-config", "text/cloud-config", PART_CLOUD_CONFIG },
	{ "#part-handler", "text/part-handler", PART_HANDLER },
	{ "#include", "text/x-include-url", PART_INCLUDE },
	{ "#!", "text/x-shellscript", PART_SCRIPT },
	{ NULL, "text/x-shellscript-per-boot", PART_SCRIPT_PER_BOOT },
	{ NULL, "text/x-shellscript-per-instance", PART_SCRIPT_PER_INSTANCE },
	{ NULL, "text/x-shellscript-per-once", PART_SCRIPT_PER_ONCE },
	{ NULL, "application/vnd.coreos.ignition+json", PART_IGNITION },
};

static bool starts_with(const char *text, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && !strncasecmp(text, prefix, n);
}

static size_t blanks(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && strchr(" \t\r\n\v\f", text[n]) && text[n])
		n++;
	return n;
}

enum part_kind part_kind_of_text(const char *text, size_t len)
{
	size_t skip = blanks(text, len);

	text += skip;
	len -= skip;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].prefix && starts_with(text, len, kinds[i].prefix))
			return kinds[i].kind;
	if (ignition_detect(text, len))
		return PART_IGNITION;
	if (pod_detect(text, len))
		return PART_POD;
	return PART_UNKNOWN;
}

enum part_kind part_kind_of_type(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(type, kinds[i].type))
			return kinds[i].kind;
	return PART_UNKNOWN;
}

const char *part_type_of_kind(enum part_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].kind == kind)
			return kinds[i].type;
	return "text/plain";
}

void part_report_unknown(struct ctx *ctx, const struct source *source)
{
	size_t skip = blanks(source->text, source->len);
	const char *text = source->text + skip;
	size_t len = source->len - skip;
	const char *first = diag_quote(ctx->arena, text, strcspn(text, "\r\n"));
	unsigned line = 1;

	for (size_t i = 0; i < skip; i++)
		line += source->text[i] == '\n';
	if (starts_with(text, len, "# cloud-config") || starts_with(text, len, "#  cloud-config"))
		diag_add(ctx->diags, DIAG_ERROR, source, line, 1, "write #cloud-config, without the blank", "the first line is %s", first);
	else if (starts_with(text, len, "##template: jinja") || starts_with(text, len, "# template: jinja"))
		diag_add(ctx->diags, DIAG_ERROR, source, line, 1, "write ## template: jinja", "the first line is %s", first);
	else if (len >= 3 && !memcmp(text, "\x1f\x8b\x08", 3))
		diag_add(ctx->diags, DIAG_ERROR, source, 0, 0, "compress it once; in a MIME message give it the type application/gzip",
			 "this is gzip inside something else");
	else
		diag_add(ctx->diags, DIAG_ERROR, source, line, 1, "the first line must be #cloud-config, or #! for a script",
			 "the first line %s does not say what this is; nothing of it is used", first);
}

const char *part_file_name(struct ctx *ctx, const char *name)
{
	char *out = arena_strndup(ctx->arena, name, strlen(name));
	size_t n = 0;

	for (const char *p = name; *p && n < 200; p++) {
		if (*p == '/')
			out[n++] = '_';
		else if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.()", *p))
			out[n++] = *p;
	}
	out[n] = '\0';
	/* a name that begins with a dot would be hidden from run-parts, ours and others' */
	return n == 0 || out[0] == '.' ? arena_printf(ctx->arena, "part%s", out) : out;
}
