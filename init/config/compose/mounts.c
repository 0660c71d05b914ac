/* mounts.c - volumes (short and long syntax) and tmpfs of a service. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "../scalar.h"
#include "compose.h"

static const char *quote(struct ctx *ctx, const char *s)
{
	return diag_quote(ctx->arena, s, strlen(s));
}

/* A path inside the container. */
static int check_target(struct ctx *ctx, const struct node *at, const char *target)
{
	if (!target || target[0] != '/')
		return diag_at(ctx->diags, DIAG_ERROR, at, "such as data:/var/lib/data", "the target %s is not an absolute path",
			       target ? quote(ctx, target) : "\"\"");
	for (const char *p = target; (p = strstr(p, "/..")); p += 3)
		if (p[3] == '/' || !p[3])
			return diag_at(ctx->diags, DIAG_ERROR, at, NULL, "the target %s has \"..\" in it", quote(ctx, target));
	if (strspn(target, "/") == strlen(target))
		return diag_at(ctx->diags, DIAG_ERROR, at, NULL, "a volume cannot be mounted over the container's root");
	return 0;
}

/* What is mounted: decides between a directory of the machine and a named volume. */
static int check_source(struct ctx *ctx, struct compose_mount *m, const char *source)
{
	m->source = source;
	if (m->type == COMPOSE_VOLUME && (!source || compose_name_ok(source)))
		return 0;
	if (m->type == COMPOSE_VOLUME)
		return diag_at(ctx->diags, DIAG_ERROR, m->at, "letters, digits and _ . -", "%s is not a name for a volume", quote(ctx, source));
	if (source && source[0] == '/') {
		for (const char *p = source; (p = strstr(p, "/..")); p += 3)
			if (p[3] == '/' || !p[3])
				return diag_at(ctx->diags, DIAG_ERROR, m->at, NULL, "the path %s has \"..\" in it", quote(ctx, source));
		return 0;
	}
	return diag_at(ctx->diags, DIAG_ERROR, m->at, "there is no folder of the Compose file here: begin it with /",
		       "the path %s is relative", source ? quote(ctx, source) : "\"\"");
}

static int add_option(struct ctx *ctx, struct compose_mount *m, const char *option)
{
	static const char *const passed[] = { "nocopy", "shared", "rshared", "slave", "rslave", "private", "rprivate" };
	/* SELinux labels and Docker Desktop's caching mean nothing on this kernel */
	static const char *const without_effect[] = { "z", "Z", "cached", "delegated", "consistent", "default" };

	if (!strcmp(option, "ro") || !strcmp(option, "rw")) {
		m->read_only = option[1] == 'o';
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		if (!strcmp(option, passed[i])) {
			strings_add(ctx, &m->options, passed[i]);
			return 0;
		}
	for (size_t i = 0; i < ARRAY_SIZE(without_effect); i++)
		if (!strcmp(option, without_effect[i]))
			return 0;
	return diag_at(ctx->diags, DIAG_ERROR, m->at, "ro, rw, nocopy or a propagation", "%s is not an option of a volume", quote(ctx, option));
}

/* [SOURCE:]TARGET[:OPTION[,OPTION...]] */
static int read_short(struct ctx *ctx, const struct node *value, struct compose_mount *m)
{
	const char *text;
	char *first;
	char *second;
	char *third;

	if (value_line(ctx, value, &text) < 0)
		return -EINVAL;
	first = arena_strndup(ctx->arena, text, value->len);
	second = strchr(first, ':');
	if (!second) {
		m->type = COMPOSE_VOLUME;
		m->target = first;
		return check_target(ctx, value, first);
	}
	*second++ = '\0';
	third = strchr(second, ':');
	if (third)
		*third++ = '\0';
	m->type = first[0] == '/' || first[0] == '.' || first[0] == '~' || strchr(first, '/') ? COMPOSE_BIND : COMPOSE_VOLUME;
	m->target = second;
	if (check_source(ctx, m, first) < 0 || check_target(ctx, value, second) < 0)
		return -EINVAL;
	for (char *option = third, *next; option; option = next) {
		next = strchr(option, ',');
		if (next)
			*next++ = '\0';
		if (add_option(ctx, m, option) < 0)
			return -EINVAL;
	}
	return 0;
}

struct long_form {
	const char *type;
	const char *source;
	const char *target;
	bool read_only;
	const char *propagation;
	bool nocopy;
	bool create_host_path;
	const char *size;
	const char *mode;
	const char *ignored;
};

static int read_size(struct ctx *ctx, const struct node *value, void *out)
{
	size_t digits = strspn(value->text, "0123456789");
	const char *unit = value->text + digits;
	static const char *const units[] = { "", "b", "k", "kb", "m", "mb", "g", "gb" };

	for (size_t i = 0; digits > 0 && digits < 16 && i < ARRAY_SIZE(units); i++)
		if (!strcasecmp(unit, units[i])) {
			/* the kernel's own suffixes: none, k, m, g */
			*(const char **)out = arena_printf(ctx->arena, "size=%.*s%.1s", (int)digits, value->text, i < 2 ? "" : units[i]);
			return 0;
		}
	return diag_at(ctx->diags, DIAG_ERROR, value, "such as 64m", "%s is not a size", diag_quote(ctx->arena, value->text, value->len));
}

static int read_mode(struct ctx *ctx, const struct node *value, void *out)
{
	unsigned mode;
	bool bare;

	if (scalar_mode(value->text, &mode, &bare) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, "octal, such as 0755", "%s are not permissions",
			       diag_quote(ctx->arena, value->text, value->len));
	*(const char **)out = arena_printf(ctx->arena, "mode=%04o", mode);
	return 0;
}

static const struct key bind_keys[] = {
	KEY("propagation", NODE_SCALAR, value_line, struct long_form, propagation),
	KEY("create_host_path", NODE_SCALAR, value_bool, struct long_form, create_host_path),
	KEY("selinux", NODE_SCALAR, value_line, struct long_form, ignored),
};
static const struct known_key bind_known[] = { { "recursive", DIAG_ERROR, NULL } };
static const struct key volume_keys[] = {
	KEY("nocopy", NODE_SCALAR, value_bool, struct long_form, nocopy),
};
static const struct known_key volume_known[] = { { "subpath", DIAG_ERROR, NULL }, { "labels", DIAG_WARNING, NULL } };
static const struct key tmpfs_keys[] = {
	KEY("size", NODE_SCALAR, read_size, struct long_form, size),
	KEY("mode", NODE_SCALAR, read_mode, struct long_form, mode),
};

#define PART_SCHEMA(label, table, known_table, known_count) { \
	.what = label, .keys = table, .n_keys = ARRAY_SIZE(table), .known = known_table, .n_known = known_count, \
	.known_why = "is a Compose key that Coracle does not support yet", .unknown = DIAG_ERROR, .extensions = true }

static int read_bind(struct ctx *ctx, const struct node *value, void *out)
{
	static const struct schema schema = PART_SCHEMA("bind", bind_keys, bind_known, ARRAY_SIZE(bind_known));

	return schema_read(ctx, &schema, value, out) ? -EINVAL : 0;
}

static int read_volume(struct ctx *ctx, const struct node *value, void *out)
{
	static const struct schema schema = PART_SCHEMA("volume", volume_keys, volume_known, ARRAY_SIZE(volume_known));

	return schema_read(ctx, &schema, value, out) ? -EINVAL : 0;
}

static int read_tmpfs_part(struct ctx *ctx, const struct node *value, void *out)
{
	static const struct schema schema = PART_SCHEMA("tmpfs", tmpfs_keys, NULL, 0);

	return schema_read(ctx, &schema, value, out) ? -EINVAL : 0;
}

static const struct key long_keys[] = {
	KEY("type", NODE_SCALAR, value_line, struct long_form, type),
	KEY("source", NODE_SCALAR, value_line, struct long_form, source),
	KEY("target", NODE_SCALAR, value_line, struct long_form, target),
	KEY("read_only", NODE_SCALAR, value_bool, struct long_form, read_only),
	KEY("consistency", NODE_SCALAR, value_line, struct long_form, ignored),
	{ "bind", NODE_MAP, read_bind, 0 },
	{ "volume", NODE_MAP, read_volume, 0 },
	{ "tmpfs", NODE_MAP, read_tmpfs_part, 0 },
};
static const struct known_key long_known[] = { { "image", DIAG_ERROR, NULL } };

static int set_type(struct ctx *ctx, struct compose_mount *m, const char *type)
{
	static const char *const types[] = { "bind", "volume", "tmpfs" };

	for (size_t i = 0; type && i < ARRAY_SIZE(types); i++)
		if (!strcmp(type, types[i])) {
			m->type = (enum compose_mount_type)i;
			return 0;
		}
	return diag_at(ctx->diags, DIAG_ERROR, m->at, "bind, volume or tmpfs", "%s is not a type of volume that Coracle knows",
		       type ? quote(ctx, type) : "nothing");
}

static int read_long(struct ctx *ctx, const struct node *value, struct compose_mount *m)
{
	static const struct schema schema = PART_SCHEMA("a volume", long_keys, long_known, ARRAY_SIZE(long_known));
	struct long_form f = { .create_host_path = true };

	if (schema_read(ctx, &schema, value, &f) || set_type(ctx, m, f.type) < 0 || check_target(ctx, value, f.target) < 0)
		return -EINVAL;
	m->target = f.target;
	m->read_only = f.read_only;
	if (m->type == COMPOSE_TMPFS && f.source)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "a tmpfs has no source");
	if (m->type != COMPOSE_TMPFS && check_source(ctx, m, f.source) < 0)
		return -EINVAL;
	if (!f.create_host_path)
		strings_add(ctx, &m->options, "nocreate");
	if (f.propagation && add_option(ctx, m, f.propagation) < 0)
		return -EINVAL;
	if (f.nocopy)
		strings_add(ctx, &m->options, "nocopy");
	if (f.size)
		strings_add(ctx, &m->options, f.size);
	if (f.mode)
		strings_add(ctx, &m->options, f.mode);
	return 0;
}

int compose_read_volumes(struct ctx *ctx, const struct node *value, void *out)
{
	struct compose_mount **tail = out;
	int r = 0;

	for (const struct item *i = value->items; i; i = i->next) {
		struct compose_mount *m = ARENA_NEW(ctx->arena, struct compose_mount);
		int one;

		m->at = i->value;
		if (i->value->type == NODE_LIST)
			one = diag_at(ctx->diags, DIAG_ERROR, i->value, NULL, "a volume is text or a mapping, not a list");
		else
			one = i->value->type == NODE_MAP ? read_long(ctx, i->value, m) : read_short(ctx, i->value, m);
		for (const struct compose_mount *o = *(struct compose_mount **)out; o && one == 0; o = o->next)
			if (!strcmp(o->target, m->target))
				one = diag_at(ctx->diags, DIAG_ERROR, i->value, NULL, "%s is mounted twice", quote(ctx, m->target));
		if (one < 0) {
			r = one;
			continue;
		}
		*tail = m;
		tail = &m->next;
	}
	return r;
}

/* PATH[:OPTION[,OPTION...]] */
static int read_tmpfs(struct ctx *ctx, const struct node *value, struct compose_tmpfs *t)
{
	const char *text;
	char *copy;
	char *option;

	if (value_line(ctx, value, &text) < 0)
		return -EINVAL;
	copy = arena_strndup(ctx->arena, text, value->len);
	t->target = copy;
	option = strchr(copy, ':');
	if (option)
		*option++ = '\0';
	for (char *next; option; option = next) {
		next = strchr(option, ',');
		if (next)
			*next++ = '\0';
		if (*option)
			strings_add(ctx, &t->options, option);
	}
	return check_target(ctx, value, copy);
}

int compose_read_tmpfs(struct ctx *ctx, const struct node *value, void *out)
{
	struct compose_tmpfs **tail = out;
	struct item only = { .value = (struct node *)value };
	int r = 0;

	for (const struct item *i = value->type == NODE_LIST ? value->items : &only; i; i = i->next) {
		struct compose_tmpfs *t = ARENA_NEW(ctx->arena, struct compose_tmpfs);

		if (read_tmpfs(ctx, i->value, t) < 0) {
			r = -EINVAL;
			continue;
		}
		*tail = t;
		tail = &t->next;
	}
	return r;
}
