/* files.c - which documents are containers, and which written files are read as such. */
#include "containers.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "../config.h"
#include "quadlet.h"

#define WINDOW ((size_t)4096)
#define FILES_MAX 256

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

/* The name of a file in the folder, when it ends in one of the suffixes; else NULL. */
static const char *in_folder(const char *path, const char *folder, const char *const *suffixes)
{
	size_t n = strlen(folder);
	const char *name = path + n;

	if (strncmp(path, folder, n) != 0 || !name[0] || strchr(name, '/') || name[0] == '.')
		return NULL;
	for (; *suffixes; suffixes++) {
		size_t len = strlen(name), m = strlen(*suffixes);

		if (len > m && !strcmp(name + len - m, *suffixes))
			return name;
	}
	return NULL;
}

enum kind { COMPOSE, QUADLET, MANIFEST, KINDS };

static const struct {
	const char *folder;
	const char *suffixes[8];
} kinds[KINDS] = {
	{ "/etc/compose.d/", { ".yaml", ".yml", NULL } },
	{ "/etc/containers/systemd/", { ".container", ".volume", ".network", ".pod", ".kube", ".image", ".build", NULL } },
	{ "/etc/kubernetes/manifests/", { ".yaml", ".yml", ".json", NULL } },
};

static const struct source *source_of(struct ctx *ctx, const struct config_file *f)
{
	struct source *s = ARENA_NEW(ctx->arena, struct source);

	if (f->append) {
		diag_at(ctx->diags, DIAG_ERROR, f->at, "write it whole", "%s is read as containers: it cannot be appended to", f->path);
		return NULL;
	}
	*s = (struct source){ f->path, f->content, f->len };
	return s;
}

static void read_compose_file(struct ctx *ctx, const struct source *source, struct config *c)
{
	bool empty;
	const struct node *root = yaml_read(ctx->arena, ctx->diags, source, &empty);

	if (root && root->type != NODE_MAP)
		diag_at(ctx->diags, DIAG_ERROR, root, "services: {web: {image: nginx}}", "a Compose document is a mapping, not %s", node_describe(root));
	else if (root)
		compose_read_document(ctx, root, &c->compose);
}

/* NAME.container.d/X.conf: podman adds it to NAME.container. */
static void refuse_drop_in(struct ctx *ctx, const struct config_file *f)
{
	const char *folder = kinds[QUADLET].folder;

	if (!strncmp(f->path, folder, strlen(folder)) && strstr(f->path + strlen(folder), ".d/"))
		diag_at(ctx->diags, DIAG_ERROR, f->at, "write its lines into the file itself", "%s is a drop-in, which is not read", f->path);
}

void containers_read_files(struct ctx *ctx, struct config *c)
{
	struct quadlet q = { .ctx = ctx };
	unsigned n = 0;

	for (const struct config_file *f = c->files; f; f = f->next) {
		const char *name = in_folder(f->path, kinds[QUADLET].folder, kinds[QUADLET].suffixes);

		if (name)
			quadlet_expect(&q, name);
	}
	for (const struct config_file *f = c->files; f; f = f->next) {
		const struct source *source;
		const char *name = NULL;
		int kind = 0;

		while (kind < KINDS && !(name = in_folder(f->path, kinds[kind].folder, kinds[kind].suffixes)))
			kind++;
		if (!name)
			refuse_drop_in(ctx, f);
		if (!name || !(source = source_of(ctx, f)))
			continue;
		if (++n > FILES_MAX) {
			diag_at(ctx->diags, DIAG_ERROR, f->at, NULL, "more than %d files of containers; the rest is left out", FILES_MAX);
			break;
		}
		if (kind == COMPOSE)
			read_compose_file(ctx, source, c);
		else if (kind == QUADLET)
			quadlet_read(&q, name, source);
		else
			pod_read(ctx, source, c);
	}
	if (q.document)
		compose_read_document(ctx, q.document, &c->compose);
}
