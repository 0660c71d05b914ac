/* storage_read_disks.c - reads disk_setup, fs_setup, device_aliases, growpart and resize_rootfs.
 *
 * A reader of coracle-config: it checks, and touches nothing. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "../scalar.h"
#include "storage.h"

static int read_device(struct ctx *ctx, const struct node *value, void *out)
{
	if (value_line(ctx, value, out) < 0)
		return -EINVAL;
	if (value->len == 0 || value->len > 200 || strstr(value->text, ".."))
		return diag_at(ctx->diags, DIAG_ERROR, value, "such as /dev/vdb, vdb or an alias", "%s is not a device",
			       diag_quote(ctx->arena, value->text, value->len));
	return 0;
}

/* 50, 33.3: thousandths of a percent. */
static int read_percent(struct ctx *ctx, const struct node *value, uint64_t *out)
{
	const char *dot = value->type == NODE_SCALAR ? strchr(value->text, '.') : NULL;
	uint64_t whole = 0;
	uint64_t part = 0;
	char digits[4] = "000";

	if (value->type == NODE_SCALAR &&
	    scalar_uint(dot ? arena_strndup(ctx->arena, value->text, (size_t)(dot - value->text)) : value->text, 100, &whole) == 0 &&
	    (!dot || strspn(dot + 1, "0123456789") == strlen(dot + 1))) {
		for (size_t i = 0; dot && i < 3 && dot[1 + i]; i++)
			digits[i] = dot[1 + i];
		scalar_uint(digits, 999, &part);
		*out = whole * 1000 + part;
		if (*out > 0 && *out <= 100000)
			return 0;
	}
	return diag_at(ctx->diags, DIAG_ERROR, value, "percent of the disk, such as 50", "%s is not the size of a partition",
		       value->type == NODE_SCALAR ? diag_quote(ctx->arena, value->text, value->len) : node_describe(value));
}

static int read_part(struct ctx *ctx, const struct node *value, struct storage_part *p)
{
	const struct node *type;

	p->type = NULL;
	if (value->type != NODE_LIST)
		return read_percent(ctx, value, &p->millipercent);
	if (value->count != 2)
		return diag_at(ctx->diags, DIAG_ERROR, value, "[50, 82]", "a partition is a size, or a list of size and type");
	type = value->items->next->value;
	if (read_percent(ctx, value->items->value, &p->millipercent) < 0)
		return -EINVAL;
	if (type->type != NODE_SCALAR || type->len == 0 || strspn(type->text, "0123456789abcdefABCDEFxX-") != type->len || type->len > 36)
		return diag_at(ctx->diags, DIAG_ERROR, type, "such as 82 for swap, 83 for Linux, or a GUID", "%s is not the type of a partition",
			       type->type == NODE_SCALAR ? diag_quote(ctx->arena, type->text, type->len) : node_describe(type));
	p->type = type->text;
	return 0;
}

static int read_layout_list(struct ctx *ctx, const struct node *value, struct storage_disk *d)
{
	uint64_t sum = 0;
	int r = 0;

	if (value->count == 0 || value->count > PARTITIONS_MAX)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "a layout has 1 to %d partitions, not %zu", PARTITIONS_MAX, value->count);
	d->layout = LAYOUT_LIST;
	d->parts = arena_alloc(ctx->arena, value->count * sizeof(*d->parts));
	for (const struct item *i = value->items; i; i = i->next) {
		if (read_part(ctx, i->value, &d->parts[d->n_parts]) < 0)
			r = -EINVAL;
		sum += d->parts[d->n_parts++].millipercent;
	}
	if (r == 0 && sum > 100000)
		r = diag_at(ctx->diags, DIAG_ERROR, value, NULL, "the partitions are together more than 100 percent of the disk");
	return r;
}

static int read_layout(struct ctx *ctx, const struct node *value, void *out)
{
	struct storage_disk *d = out;
	bool whole;

	if (value->type == NODE_LIST)
		return read_layout_list(ctx, value, d);
	if (!strcasecmp(value->text, "remove")) {
		d->layout = LAYOUT_REMOVE;
		return 0;
	}
	if (scalar_bool(value->text, &whole) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, "true, false, remove, or a list of percents", "%s is not a layout",
			       diag_quote(ctx->arena, value->text, value->len));
	d->layout = whole ? LAYOUT_WHOLE : LAYOUT_NONE;
	return 0;
}

static int read_table_type(struct ctx *ctx, const struct node *value, void *out)
{
	if (strcmp(value->text, "gpt") != 0 && strcmp(value->text, "mbr") != 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, "gpt or mbr", "%s is not a partition table", diag_quote(ctx->arena, value->text, value->len));
	*(bool *)out = value->text[0] == 'g';
	return 0;
}

static const struct key disk_keys[] = {
	KEY("table_type", NODE_SCALAR, read_table_type, struct storage_disk, gpt),
	{ "layout", NODE_SCALAR | NODE_LIST, read_layout, 0 },
	KEY("overwrite", NODE_SCALAR, value_bool, struct storage_disk, overwrite),
};

static const struct schema disk_schema = {
	.what = "a disk of disk_setup",
	.keys = disk_keys,
	.n_keys = ARRAY_SIZE(disk_keys),
	.unknown = DIAG_UNKNOWN,
};

static int read_disk(struct ctx *ctx, const struct item *i, struct storage_disk *d)
{
	*d = (struct storage_disk){ .at = i->key };
	if (read_device(ctx, i->key, &d->device) < 0)
		return -EINVAL;
	if (i->value->type != NODE_MAP)
		return diag_at(ctx->diags, DIAG_ERROR, i->value, "/dev/vdb: {table_type: gpt, layout: true}", "a disk of disk_setup is a mapping, not %s",
			       node_describe(i->value));
	if (schema_read(ctx, &disk_schema, i->value, d) > 0)
		return -EINVAL;
	if (!d->gpt && d->n_parts > 4)
		return diag_at(ctx->diags, DIAG_ERROR, i->value, "table_type: gpt", "an MBR has at most four partitions");
	return 0;
}

int read_disk_setup(struct ctx *ctx, const struct node *value, void *out)
{
	struct storage_disk **tail = out;
	int r = 0;

	*tail = NULL;
	if (value->count > DISKS_MAX)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "more than %d disks", DISKS_MAX);
	for (const struct item *i = value->items; i; i = i->next) {
		struct storage_disk d;

		if (read_disk(ctx, i, &d) < 0) {
			r = -EINVAL;
			continue;
		}
		*tail = ARENA_NEW(ctx->arena, struct storage_disk);
		**tail = d;
		tail = &(*tail)->next;
	}
	return r;
}

static int read_where(struct ctx *ctx, const struct node *value, void *out)
{
	struct storage_fs *f = out;
	uint64_t n;

	if (!strcasecmp(value->text, "any"))
		f->where = WHERE_ANY;
	else if (!strcasecmp(value->text, "auto"))
		f->where = WHERE_AUTO;
	else if (!strcasecmp(value->text, "none"))
		f->where = WHERE_NONE;
	else if (scalar_uint(value->text, PARTITIONS_MAX, &n) == 0 && n > 0)
		f->where = WHERE_NUMBER, f->number = (unsigned)n;
	else
		return diag_at(ctx->diags, DIAG_ERROR, value, "auto, any, none or a number", "%s is not a partition",
			       diag_quote(ctx->arena, value->text, value->len));
	return 0;
}

/* What goes to a command line as a word of its own. */
static int read_word(struct ctx *ctx, const struct node *value, void *out)
{
	if (value_line(ctx, value, out) < 0)
		return -EINVAL;
	if (value->len == 0 || value->len > 64 || value->text[0] == '-')
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "%s cannot be used here", diag_quote(ctx->arena, value->text, value->len));
	return 0;
}

static int read_command(struct ctx *ctx, const struct node *value, void *out)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct strings words;

	if (value->type == NODE_SCALAR)
		return value_text(ctx, value, out);
	if (value_strings(ctx, value, &words) < 0)
		return -EINVAL;
	buf_init(&b, 65536);
	for (size_t i = 0; i < words.n; i++)
		buf_printf(&b, i ? " %s" : "%s", words.v[i]);
	*(const char **)out = arena_strndup(ctx->arena, b.data, b.len);
	return 0;
}

static const struct key fs_keys[] = {
	KEY("label", NODE_SCALAR, read_word, struct storage_fs, label),
	KEY("filesystem", NODE_SCALAR, read_word, struct storage_fs, type),
	KEY("device", NODE_SCALAR, read_device, struct storage_fs, device),
	{ "partition", NODE_SCALAR, read_where, 0 },
	KEY("overwrite", NODE_SCALAR, value_bool, struct storage_fs, overwrite),
	KEY("replace_fs", NODE_SCALAR, read_word, struct storage_fs, replace),
	KEY("extra_opts", NODE_SCALAR | NODE_LIST, value_strings, struct storage_fs, options),
	KEY("cmd", NODE_SCALAR | NODE_LIST, read_command, struct storage_fs, command),
};

static const struct schema fs_schema = {
	.what = "an entry of fs_setup",
	.keys = fs_keys,
	.n_keys = ARRAY_SIZE(fs_keys),
	.unknown = DIAG_UNKNOWN,
};

static int read_fs(struct ctx *ctx, const struct node *value, struct storage_fs *f)
{
	*f = (struct storage_fs){ .at = value };
	if (value->type != NODE_MAP)
		return diag_at(ctx->diags, DIAG_ERROR, value, "- {device: /dev/vdb, partition: auto, filesystem: ext4}",
			       "an entry of fs_setup is a mapping, not %s", node_describe(value));
	if (schema_read(ctx, &fs_schema, value, f) > 0)
		return -EINVAL;
	if (!f->device)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "an entry of fs_setup needs a device");
	if (!f->type && !f->command)
		return diag_at(ctx->diags, DIAG_ERROR, value, "filesystem: ext4", "an entry of fs_setup needs a filesystem");
	if (f->options.n > MKFS_OPTIONS_MAX)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "more than %d extra_opts", MKFS_OPTIONS_MAX);
	return 0;
}

int read_fs_setup(struct ctx *ctx, const struct node *value, void *out)
{
	struct storage_fs **tail = out;
	int r = 0;

	*tail = NULL;
	if (value->count > DISKS_MAX * 4)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "more than %d file systems", DISKS_MAX * 4);
	for (const struct item *i = value->items; i; i = i->next) {
		struct storage_fs f;

		if (read_fs(ctx, i->value, &f) < 0) {
			r = -EINVAL;
			continue;
		}
		*tail = ARENA_NEW(ctx->arena, struct storage_fs);
		**tail = f;
		tail = &(*tail)->next;
	}
	return r;
}

int read_device_aliases(struct ctx *ctx, const struct node *value, void *out)
{
	struct storage_alias **tail = out;
	int r = 0;

	*tail = NULL;
	for (const struct item *i = value->items; i; i = i->next) {
		const char *path = NULL;

		if (i->value->type != NODE_SCALAR) {
			r = diag_at(ctx->diags, DIAG_ERROR, i->value, "ALIAS: /dev/vdb", "an alias stands for a device, not %s", node_describe(i->value));
			continue;
		}
		if (read_device(ctx, i->value, &path) < 0) {
			r = -EINVAL;
			continue;
		}
		*tail = ARENA_NEW(ctx->arena, struct storage_alias);
		**tail = (struct storage_alias){ .name = i->key->text, .path = path };
		tail = &(*tail)->next;
	}
	return r;
}

static int read_grow_mode(struct ctx *ctx, const struct node *value, void *out)
{
	static const char *const modes[] = { "auto", "growpart", "gpart" };
	bool on;

	(void)out;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(value->text, modes[i]))
			return 0;
	if (strcmp(value->text, "off") != 0 && (scalar_bool(value->text, &on) < 0 || on))
		return diag_at(ctx->diags, DIAG_ERROR, value, "auto or off", "%s is not a mode of growpart", diag_quote(ctx->arena, value->text, value->len));
	diag_at(ctx->diags, DIAG_WARNING, value, NULL, "growpart cannot be off: the data file system grows to its disk on each boot");
	return 0;
}

/* Coracle's root is a file in memory; what grows is the data file system, which people mean by / here. */
static int read_grow_devices(struct ctx *ctx, const struct node *value, void *out)
{
	struct strings devices;

	(void)out;
	if (value_strings(ctx, value, &devices) < 0)
		return -EINVAL;
	for (size_t i = 0; i < devices.n; i++)
		if (strcmp(devices.v[i], "/") != 0 && strcmp(devices.v[i], "/var") != 0)
			diag_at(ctx->diags, DIAG_WARNING, value, "disk_setup makes partitions as large as their disk",
				"%s is not grown: only the data file system is", diag_quote(ctx->arena, devices.v[i], strlen(devices.v[i])));
	return 0;
}

static const struct key grow_keys[] = {
	{ "mode", NODE_SCALAR, read_grow_mode, 0 },
	{ "devices", NODE_LIST | NODE_SCALAR, read_grow_devices, 0 },
	{ "ignore_growroot_disabled", NODE_SCALAR, value_bool, 0 },
};

static const struct schema grow_schema = {
	.what = "growpart",
	.keys = grow_keys,
	.n_keys = ARRAY_SIZE(grow_keys),
	.unknown = DIAG_UNKNOWN,
};

int read_growpart(struct ctx *ctx, const struct node *value, void *out)
{
	return schema_read(ctx, &grow_schema, value, out) ? -EINVAL : 0;
}

int read_resize_rootfs(struct ctx *ctx, const struct node *value, void *out)
{
	bool on = true;

	(void)out;
	if (strcmp(value->text, "noblock") != 0 && scalar_bool(value->text, &on) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, "true, false or noblock", "%s is not a value of resize_rootfs",
			       diag_quote(ctx->arena, value->text, value->len));
	if (!on)
		diag_at(ctx->diags, DIAG_WARNING, value, NULL, "resize_rootfs cannot be off: the data file system grows to its disk on each boot");
	return 0;
}
