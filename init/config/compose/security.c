/* security.c - what a service may reach besides its own: groups, devices, security options, the machine's namespaces. */
#include <errno.h>
#include <string.h>

#include "../scalar.h"
#include "compose.h"

static int bad(struct ctx *ctx, const struct node *value, const char *hint, const char *what)
{
	return diag_at(ctx->diags, DIAG_ERROR, value, hint, "%s is not %s", diag_quote(ctx->arena, value->text, value->len), what);
}

/* Calls one(item's value) for each entry of a list of texts. */
static int each_line(struct ctx *ctx, const struct node *value, struct strings *out,
		     int (*one)(struct ctx *ctx, const struct node *at, const char *text, struct strings *out))
{
	int r = 0;

	for (const struct item *i = value->items; i; i = i->next) {
		const char *text;

		if (value_line(ctx, i->value, &text) < 0 || one(ctx, i->value, text, out) < 0)
			r = -EINVAL;
	}
	return r;
}

static int read_group(struct ctx *ctx, const struct node *at, const char *text, struct strings *out)
{
	if (!text[0] || strpbrk(text, " ,:/"))
		return bad(ctx, at, "a name or a number", "a group");
	strings_add(ctx, out, text);
	return 0;
}

int compose_read_groups(struct ctx *ctx, const struct node *value, void *out)
{
	return each_line(ctx, value, out, read_group);
}

struct device {
	const char *source;
	const char *target;
	const char *permissions;
};

static bool device_path_ok(const char *p)
{
	return p && !strncmp(p, "/dev/", 5) && p[5] && !strstr(p, "/..") && !strchr(p, ':');
}

static int add_device(struct ctx *ctx, const struct node *at, struct device *d, struct strings *out)
{
	if (!d->target)
		d->target = d->source;
	if (!d->permissions)
		d->permissions = "rwm";
	if (d->source && strchr(d->source, '=') && !strchr(d->source, ':'))
		return diag_at(ctx->diags, DIAG_ERROR, at, NULL, "CDI devices are not supported by Coracle");
	if (!device_path_ok(d->source) || !device_path_ok(d->target))
		return diag_at(ctx->diags, DIAG_ERROR, at, "such as /dev/ttyS0:/dev/ttyS0:rw", "the path of a device begins with /dev/");
	if (!d->permissions[0] || strlen(d->permissions) > 3 || strspn(d->permissions, "rwm") != strlen(d->permissions))
		return diag_at(ctx->diags, DIAG_ERROR, at, "letters of rwm", "%s are not permissions of a device",
			       diag_quote(ctx->arena, d->permissions, strlen(d->permissions)));
	strings_add(ctx, out, arena_printf(ctx->arena, "%s:%s:%s", d->source, d->target, d->permissions));
	return 0;
}

static const struct key device_keys[] = {
	KEY("source", NODE_SCALAR, value_line, struct device, source),
	KEY("target", NODE_SCALAR, value_line, struct device, target),
	KEY("permissions", NODE_SCALAR, value_line, struct device, permissions),
};

static const struct schema device_schema = {
	.what = "a device", .keys = device_keys, .n_keys = ARRAY_SIZE(device_keys), .unknown = DIAG_ERROR, .extensions = true,
};

/* SOURCE[:TARGET[:PERMISSIONS]]; docker run takes SOURCE:PERMISSIONS, too */
static int read_device(struct ctx *ctx, const struct node *value, struct strings *out)
{
	struct device d = { NULL, NULL, NULL };
	const char *text;
	char *colon;

	if (value->type == NODE_LIST)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "a device is text or a mapping, not a list");
	if (value->type == NODE_MAP)
		return schema_read(ctx, &device_schema, value, &d) ? -EINVAL : add_device(ctx, value, &d, out);
	if (value_line(ctx, value, &text) < 0)
		return -EINVAL;
	d.source = arena_strndup(ctx->arena, text, value->len);
	colon = strchr(d.source, ':');
	if (colon) {
		*colon++ = '\0';
		d.target = colon;
		colon = strchr(colon, ':');
		if (colon) {
			*colon++ = '\0';
			d.permissions = colon;
		} else if (d.target[0] && strspn(d.target, "rwm") == strlen(d.target)) {
			d.permissions = d.target;
			d.target = NULL;
		}
	}
	return add_device(ctx, value, &d, out);
}

int compose_read_devices(struct ctx *ctx, const struct node *value, void *out)
{
	int r = 0;

	for (const struct item *i = value->items; i; i = i->next)
		if (read_device(ctx, i->value, out) < 0)
			r = -EINVAL;
	return r;
}

/* As the kernel's devices cgroup took them: "c 1:3 rwm", "b *:* m", "a". */
static bool rule_ok(const char *s)
{
	size_t n;

	if (!strcmp(s, "a"))
		return true;
	if ((s[0] != 'c' && s[0] != 'b' && s[0] != 'a') || s[1] != ' ')
		return false;
	s += 2;
	for (int part = 0; part < 2; part++) {
		n = *s == '*' ? 1 : strspn(s, "0123456789");
		if (n == 0 || n > 7 || s[n] != (part == 0 ? ':' : ' '))
			return false;
		s += n + 1;
	}
	n = strspn(s, "rwm");
	return n > 0 && n <= 3 && !s[n];
}

static int read_rule(struct ctx *ctx, const struct node *at, const char *text, struct strings *out)
{
	if (!rule_ok(text))
		return bad(ctx, at, "such as \"c 188:* rw\"", "a rule for devices");
	strings_add(ctx, out, text);
	return 0;
}

int compose_read_device_rules(struct ctx *ctx, const struct node *value, void *out)
{
	return each_line(ctx, value, out, read_rule);
}

/* NAME:VALUE was written once for NAME=VALUE. */
static const char *after_name(const char *text, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(text, name, n) && (text[n] == '=' || text[n] == ':') ? text + n + 1 : NULL;
}

static int add_paths(struct ctx *ctx, const struct node *at, const char *name, const char *paths, struct strings *out)
{
	while (true) {
		size_t n = strcspn(paths, ":");

		if (n == 3 && !strncmp(paths, "ALL", 3) && name[0] == 'u')
			;
		else if (n == 0 || paths[0] != '/' || memmem(paths, n, "/..", 3))
			return bad(ctx, at, "absolute paths with : between them", "a list of paths");
		strings_add(ctx, out, arena_printf(ctx->arena, "%s=%.*s", name, (int)n, paths));
		if (!paths[n])
			return 0;
		paths += n + 1;
	}
}

static int read_option(struct ctx *ctx, const struct node *at, const char *text, struct strings *out)
{
	const char *value;

	if (!strcmp(text, "no-new-privileges") || ((value = after_name(text, "no-new-privileges")) && !strcmp(value, "true"))) {
		strings_add(ctx, out, "no-new-privileges");
		return 0;
	}
	if ((value = after_name(text, "no-new-privileges")) && !strcmp(value, "false"))
		return 0;
	if ((value = after_name(text, "seccomp")) && (!strcmp(value, "unconfined") || !strcmp(value, "builtin"))) {
		if (value[0] == 'u')
			strings_add(ctx, out, "seccomp=unconfined");
		return 0;
	}
	if (value)
		return diag_at(ctx->diags, DIAG_ERROR, at, "seccomp=unconfined, or nothing for the default filter",
			       "a seccomp profile of one's own is not supported yet by Coracle");
	if ((value = after_name(text, "systempaths")) && !strcmp(value, "unconfined")) {
		strings_add(ctx, out, "systempaths=unconfined");
		return 0;
	}
	if ((value = after_name(text, "mask")))
		return add_paths(ctx, at, "mask", value, out);
	if ((value = after_name(text, "unmask")))
		return add_paths(ctx, at, "unmask", value, out);
	/* neither is in this kernel: to be without it is what there is */
	if (((value = after_name(text, "apparmor")) && !strcmp(value, "unconfined")) ||
	    ((value = after_name(text, "label")) && !strcmp(value, "disable")))
		return 0;
	if (value || after_name(text, "apparmor"))
		return diag_at(ctx->diags, DIAG_ERROR, at, NULL, "%s: this kernel has neither AppArmor nor SELinux",
			       diag_quote(ctx->arena, text, strlen(text)));
	return bad(ctx, at, "no-new-privileges, seccomp=unconfined, systempaths=unconfined, mask=PATH or unmask=PATH", "a security option");
}

int compose_read_security(struct ctx *ctx, const struct node *value, void *out)
{
	return each_line(ctx, value, out, read_option);
}

/* Of pid, ipc, uts, cgroup and userns_mode: the machine's, or the container's own. */
int compose_read_namespace(struct ctx *ctx, const struct node *value, void *out)
{
	if (!strcmp(value->text, "host")) {
		*(const char **)out = "host";
		return 0;
	}
	if (!strcmp(value->text, "private") || !strcmp(value->text, "shareable"))
		return 0;
	return diag_at(ctx->diags, DIAG_ERROR, value, "host or private", "%s: sharing with another container is not supported yet by Coracle",
		       diag_quote(ctx->arena, value->text, value->len));
}
