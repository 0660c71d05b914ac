/* storage_read_mounts.c - reads mounts, mount_default_fields and swap.
 *
 * A reader of coracle-config: it checks, and touches nothing. What becomes a field of fstab has no control character in it here, and its blanks are
 * escaped when it is written (storage_fstab.c), so that an entry is one line for ever. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "../scalar.h"
#include "storage.h"

/* The null of Python, which cloud-init's own examples have. */
static bool is_none(const struct node *n)
{
	return node_is_null(n) || (n->type == NODE_SCALAR && n->plain && !strcmp(n->text, "None"));
}

static int read_field(struct ctx *ctx, const struct node *value, unsigned i, const char **out)
{
	static const char *const names[] = { "device", "directory", "file system", "options", "dump frequency", "pass number" };
	const char *name = names[i];
	uint64_t number;

	*out = NULL;
	if (is_none(value))
		return 0;
	if (value->type != NODE_SCALAR)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "the %s of a mount must be text, not %s", name, node_describe(value));
	if (value_line(ctx, value, out) < 0)
		return -EINVAL;
	if (value->len == 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, "leave it out, or write null", "the %s of a mount is empty", name);
	if (i >= FSTAB_FREQ && scalar_uint(value->text, 9, &number) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, "0, 1 or 2", "%s is not a %s", diag_quote(ctx->arena, value->text, value->len), name);
	return 0;
}

static int read_fields(struct ctx *ctx, const struct node *list, const char **field)
{
	unsigned n = 0;
	int r = 0;

	if (list->count > MOUNT_FIELDS)
		return diag_at(ctx->diags, DIAG_ERROR, list, "device, directory, file system, options, frequency, pass", "a mount has at most six fields, not %zu",
			       list->count);
	for (const struct item *i = list->items; i; i = i->next, n++)
		if (read_field(ctx, i->value, n, &field[n]) < 0)
			r = -EINVAL;
	return r;
}

static int read_mount(struct ctx *ctx, const struct node *entry, struct storage_mount *m)
{
	const char *dir;

	if (entry->type != NODE_LIST || entry->count == 0)
		return diag_at(ctx->diags, DIAG_ERROR, entry, "- [vdb, /srv/data]", "an entry of mounts is a list of one to six fields, not %s",
			       entry->type == NODE_LIST ? "an empty one" : node_describe(entry));
	*m = (struct storage_mount){ .at = entry };
	if (read_fields(ctx, entry, m->field) < 0)
		return -EINVAL;
	if (!m->field[FSTAB_SPEC])
		return diag_at(ctx->diags, DIAG_ERROR, entry, NULL, "a mount needs a device");
	dir = m->field[FSTAB_FILE];
	if (dir && dir[0] != '/' && strcmp(dir, "none") != 0 && strcmp(dir, "swap") != 0)
		return diag_at(ctx->diags, DIAG_ERROR, entry, "an absolute path, or none for swap", "the directory %s is relative",
			       diag_quote(ctx->arena, dir, strlen(dir)));
	if (dir && strstr(dir, "/.."))
		return diag_at(ctx->diags, DIAG_ERROR, entry, NULL, "the directory %s has \"..\" in it", diag_quote(ctx->arena, dir, strlen(dir)));
	return 0;
}

int read_mounts(struct ctx *ctx, const struct node *value, void *out)
{
	struct storage_mount **tail = out;
	int r = 0;

	*tail = NULL;
	if (value->count > MOUNTS_MAX)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "more than %d mounts", MOUNTS_MAX);
	for (const struct item *i = value->items; i; i = i->next) {
		struct storage_mount m;

		if (read_mount(ctx, i->value, &m) < 0) {
			r = -EINVAL;
			continue;
		}
		*tail = ARENA_NEW(ctx->arena, struct storage_mount);
		**tail = m;
		tail = &(*tail)->next;
	}
	return r;
}

int read_mount_default_fields(struct ctx *ctx, const struct node *value, void *out)
{
	struct storage *s = out;

	if (value->count != MOUNT_FIELDS)
		return diag_at(ctx->diags, DIAG_ERROR, value, "[null, null, auto, \"defaults,nofail\", \"0\", \"2\"]",
			       "mount_default_fields has six fields, not %zu", value->count);
	if (read_fields(ctx, value, s->defaults) < 0)
		return -EINVAL;
	s->has_defaults = true;
	return 0;
}

int read_size(struct ctx *ctx, const struct node *value, void *out)
{
	static const char units[] = "BKMGT";
	const char *p = value->text;
	uint64_t whole = 0;
	uint64_t tenths = 0;
	unsigned shift = 0;
	size_t digits = strspn(p, "0123456789");
	const char *unit;

	for (size_t i = 0; i < digits && digits <= 18; i++)
		whole = whole * 10 + (uint64_t)(p[i] - '0');
	p += digits;
	if (digits && digits <= 18 && p[0] == '.' && p[1] >= '0' && p[1] <= '9') {
		tenths = (uint64_t)(p[1] - '0');
		p += 1 + strspn(p + 1, "0123456789");
	}
	p += strspn(p, " ");
	if (*p && (unit = strchr(units, *p & ~32))) {
		shift = 10 * (unsigned)(unit - units);
		p += 1;
		p += shift && (*p == 'B' || *p == 'b');
	}
	if (!digits || digits > 18 || *p || whole > (uint64_t)1 << (60 - shift) || (tenths && !shift))
		return diag_at(ctx->diags, DIAG_ERROR, value, "bytes, or such as 512M or 2G", "%s is not a size",
			       diag_quote(ctx->arena, value->text, value->len));
	*(uint64_t *)out = (whole << shift) + (tenths << shift) / 10;
	return 0;
}

static int read_swap_size(struct ctx *ctx, const struct node *value, void *out)
{
	struct storage_swap *s = out;

	s->automatic = !strcasecmp(value->text, "auto");
	return s->automatic ? 0 : read_size(ctx, value, &s->size);
}

static const struct key swap_keys[] = {
	KEY("filename", NODE_SCALAR, value_path, struct storage_swap, path),
	{ "size", NODE_SCALAR, read_swap_size, 0 },
	KEY("maxsize", NODE_SCALAR, read_size, struct storage_swap, max),
};

static const struct schema swap_schema = {
	.what = "swap",
	.keys = swap_keys,
	.n_keys = ARRAY_SIZE(swap_keys),
	.unknown = DIAG_UNKNOWN,
};

int read_swap(struct ctx *ctx, const struct node *value, void *out)
{
	struct storage_swap s = { .at = value };

	if (schema_read(ctx, &swap_schema, value, &s) > 0)
		return -EINVAL;
	if (s.path && s.path[strlen(s.path) - 1] == '/')
		return diag_at(ctx->diags, DIAG_ERROR, value, "name a file", "the swap file %s is a directory", diag_quote(ctx->arena, s.path, strlen(s.path)));
	*(struct storage_swap *)out = s;
	return 0;
}
