/* files.c - which documents are containers, and which written files are read as such. */
#include "containers.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "../config.h"

#define WINDOW ((size_t)4096)

static bool has(const char *text, size_t len, const char *word)
{
	return memmem(text, MIN(len, WINDOW), word, strlen(word)) != NULL;
}

bool ignition_detect(const char *text, size_t len)
{
	size_t skip = strspn(text, " \t\r\n");

	return skip < len && text[skip] == '{' && has(text, len, "\"ignition\"");
}

/* Either key may come first, and comments before them; JSON too. */
bool pod_detect(const char *text, size_t len)
{
	size_t skip = strspn(text, " \t\r\n");

	if (skip >= len || !strncasecmp(text + skip, "#cloud-config", 13))
		return false;
	return has(text, len, "apiVersion") && (has(text, len, "kind: Pod") || has(text, len, "\"kind\": \"Pod\"") || has(text, len, "\"kind\":\"Pod\""));
}

int ignition_read(struct ctx *ctx, const struct source *source, struct config *c)
{
	(void)c;
	diag_add(ctx->diags, DIAG_ERROR, source, 1, 1, NULL, "not supported yet: an Ignition configuration");
	return -EINVAL;
}

int pod_read(struct ctx *ctx, const struct source *source, struct config *c)
{
	(void)c;
	diag_add(ctx->diags, DIAG_ERROR, source, 1, 1, NULL, "not supported yet: a Kubernetes Pod");
	return -EINVAL;
}

int gce_declaration_read(struct ctx *ctx, const struct source *source, struct config *c)
{
	(void)c;
	diag_add(ctx->diags, DIAG_ERROR, source, 1, 1, NULL, "not supported yet: gce-container-declaration");
	return -EINVAL;
}
