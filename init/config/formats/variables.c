/* variables.c - instance data as a tree. */
#include "variables.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "../datasource/datasource.h"
#include "fd.h"
#include "path.h"

#define OS_RELEASE_MAX ((size_t)16384)

static const struct source made = { "instance-data", "", 0 };

static struct node *new_node(struct ctx *ctx, enum node_type type)
{
	struct node *n = ARENA_NEW(ctx->arena, struct node);

	n->source = &made;
	n->type = type;
	n->expanded = n->height = 1;
	return n;
}

static struct node *new_text(struct ctx *ctx, const char *text)
{
	struct node *n = new_node(ctx, NODE_SCALAR);

	n->text = text ? text : "null";
	n->len = strlen(n->text);
	n->plain = !text;
	return n;
}

static void add(struct ctx *ctx, struct node *to, const char *key, const struct node *value)
{
	struct item **at = &to->items;

	while (*at)
		at = &(*at)->next;
	*at = ARENA_NEW(ctx->arena, struct item);
	(*at)->key = key ? new_text(ctx, key) : NULL;
	(*at)->value = (struct node *)value; /* shared, never written to */
	to->count++;
	to->expanded += value->expanded + (key ? 1 : 0);
	to->height = MAX(to->height, value->height + 1);
}

static void add_text(struct ctx *ctx, struct node *to, const char *key, const char *text)
{
	add(ctx, to, key, new_text(ctx, text));
}

/* cloud-init has both spellings of these. */
static void add_both(struct ctx *ctx, struct node *to, const char *key, const char *text)
{
	char *dashes = arena_strndup(ctx->arena, key, strlen(key));

	for (char *p = dashes; *p; p++)
		*p = *p == '_' ? '-' : *p;
	add_text(ctx, to, dashes, text);
	add_text(ctx, to, key, text);
}

/* NAME=value or NAME="value" of /etc/os-release. */
static const char *release(struct ctx *ctx, const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = text; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL) {
		size_t quote;

		if (strncmp(p, name, n) != 0 || p[n] != '=')
			continue;
		quote = p[n + 1] == '"' || p[n + 1] == '\'';
		p += n + 1 + quote;
		return arena_strndup(ctx->arena, p, strcspn(p, quote ? "\"'\n" : "\n"));
	}
	return "";
}

static char *read_release(int rootfd)
{
	CLEANUP_FD int fd = rootfd < 0 ? -1 : path_open_in(rootfd, "/etc/os-release", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	char *text = NULL;

	if (fd >= 0)
		fd_read_whole(fd, "/etc/os-release", OS_RELEASE_MAX, &text, NULL, NULL);
	return text;
}

struct facts {
	const char *instance_id, *local_hostname, *cloud_name, *platform, *subplatform, *region, *zone;
	const struct strings *keys;
	const struct node *meta;
	int rootfd;
};

static void add_system(struct ctx *ctx, struct node *root, struct node *v1, const struct facts *f)
{
	CLEANUP_FREE char *text = read_release(f->rootfd);
	const char *id = release(ctx, text, "ID");
	const char *version = release(ctx, text, "VERSION_ID");
	const char *codename = release(ctx, text, "VERSION_CODENAME");
	struct node *info = new_node(ctx, NODE_MAP);
	struct node *dist = new_node(ctx, NODE_LIST);
	struct node *uname_list = new_node(ctx, NODE_LIST);
	struct utsname u = { .sysname = "" };
	const char *platform;
	const char *const names[] = { u.sysname, u.nodename, u.release, u.version, u.machine };

	uname(&u);
	platform = arena_printf(ctx->arena, "%s-%s-%s", u.sysname, u.release, u.machine);
	add_text(ctx, v1, "distro", id);
	add_text(ctx, v1, "distro_release", codename);
	add_text(ctx, v1, "distro_version", version);
	add_text(ctx, v1, "kernel_release", arena_strndup(ctx->arena, u.release, strlen(u.release)));
	add_text(ctx, v1, "machine", arena_strndup(ctx->arena, u.machine, strlen(u.machine)));
	add_text(ctx, v1, "system_platform", platform);
	add_text(ctx, v1, "variant", id);
	add_text(ctx, dist, NULL, id);
	add_text(ctx, dist, NULL, version);
	add_text(ctx, dist, NULL, codename);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		add_text(ctx, uname_list, NULL, arena_strndup(ctx->arena, names[i], strlen(names[i])));
	add(ctx, info, "dist", dist);
	add_text(ctx, info, "platform", platform);
	add_text(ctx, info, "system", arena_strndup(ctx->arena, u.sysname, strlen(u.sysname)));
	add(ctx, info, "uname", uname_list);
	add_text(ctx, info, "variant", id);
	add(ctx, root, "sys_info", info);
}

static const struct node *build(struct ctx *ctx, const struct facts *f)
{
	struct node *root = new_node(ctx, NODE_MAP);
	struct node *v1 = new_node(ctx, NODE_MAP);
	struct node *ds = new_node(ctx, NODE_MAP);
	struct node *keys = new_node(ctx, NODE_LIST);

	add_both(ctx, v1, "availability_zone", f->zone);
	add_text(ctx, v1, "cloud_id", f->cloud_name);
	add_both(ctx, v1, "cloud_name", f->cloud_name);
	add_both(ctx, v1, "instance_id", f->instance_id);
	add_both(ctx, v1, "local_hostname", f->local_hostname);
	add_text(ctx, v1, "platform", f->platform);
	for (size_t i = 0; f->keys && i < f->keys->n; i++)
		add_text(ctx, keys, NULL, f->keys->v[i]);
	add(ctx, v1, "public_ssh_keys", keys);
	add_text(ctx, v1, "region", f->region);
	add_text(ctx, v1, "subplatform", f->subplatform);
	add(ctx, ds, "meta_data", f->meta ? f->meta : new_node(ctx, NODE_MAP));
	add(ctx, root, "ds", ds);
	add_system(ctx, root, v1, f);
	add(ctx, root, "v1", v1);
	return root;
}

const struct node *variables_of_seed(struct ctx *ctx, const struct seed *seed, const char *instance_id, int rootfd)
{
	struct facts f = {
		.instance_id = instance_id,
		/* cloud-init never has none */
		.local_hostname = seed->meta.local_hostname ? seed->meta.local_hostname : "localhost",
		.cloud_name = seed->cloud_name ? seed->cloud_name : "nocloud",
		.platform = seed->platform ? seed->platform : "nocloud",
		.subplatform = seed->subplatform,
		.region = seed->region,
		.zone = seed->availability_zone,
		.keys = &seed->meta.public_keys,
		.meta = seed->meta.tree,
		.rootfd = rootfd,
	};

	return build(ctx, &f);
}

const struct node *variables_guess(struct ctx *ctx)
{
	static const struct facts f = {
		.instance_id = "i-0", .local_hostname = "localhost", .cloud_name = "nocloud", .platform = "nocloud", .subplatform = "unknown",
		.region = "region-1", .zone = "region-1a", .rootfd = -1,
	};

	return build(ctx, &f);
}
