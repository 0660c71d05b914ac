/* read.c - reads a network-config: finds out which version it is. read_v1.c and read_v2.c do the rest.
 *
 * Runs in coracle-config, also on a laptop; nothing here touches the machine. */
#include "read.h"

#include <string.h>

static const char *const v2_sections[] = {
	"ethernets", "bonds", "bridges", "vlans", "wifis", "modems", "tunnels", "vrfs", "dummy-devices", "renderer",
};

static bool has_section(const struct node *map)
{
	for (size_t i = 0; i < ARRAY_SIZE(v2_sections); i++)
		if (node_get(map, v2_sections[i]))
			return true;
	return false;
}

/* 1 or 2; without a version what is there tells, and is told. 0: reported. */
static int version_of(struct ctx *ctx, const struct node *map)
{
	const struct node *version = node_get(map, "version");

	if (version && version->type == NODE_SCALAR && (!strcmp(version->text, "1") || !strcmp(version->text, "2")))
		return version->text[0] - '0';
	if (version) {
		diag_at(ctx->diags, DIAG_ERROR, version, "1 or 2", "the version of a network-config cannot be %s",
			version->type == NODE_SCALAR ? diag_quote(ctx->arena, version->text, version->len) : node_describe(version));
		return 0;
	}
	if (node_get(map, "config") || has_section(map)) {
		int guess = node_get(map, "config") ? 1 : 2;

		diag_at(ctx->diags, DIAG_ERROR, map, guess == 1 ? "version: 1" : "version: 2", "this network-config does not say its version");
		return guess;
	}
	diag_at(ctx->diags, DIAG_ERROR, map, "it begins with version: 2 and ethernets:, or with version: 1 and config:", "this is no network-config");
	return 0;
}

static bool is_disabled(const struct node *map)
{
	const struct node *config = node_get(map, "config");

	return config && config->type == NODE_SCALAR && !strcmp(config->text, "disabled");
}

/* Keys beside `network:`. */
static void report_neighbours(struct ctx *ctx, const struct node *root)
{
	for (const struct item *i = root->items; i; i = i->next)
		if (strcmp(i->key->text, "network") != 0)
			diag_at(ctx->diags, DIAG_UNKNOWN, i->key, "indent it below network:", "unknown key %s beside network",
				diag_quote(ctx->arena, i->key->text, i->key->len));
}

struct network_plan *network_read_node(struct ctx *ctx, const struct node *root)
{
	const struct node *map = root;
	struct network_plan *p;
	int version;

	if (root->type == NODE_MAP && node_get(root, "network")) {
		report_neighbours(ctx, root);
		map = node_get(root, "network");
		if (node_is_null(map))
			return NULL;
	}
	if (map->type != NODE_MAP) {
		diag_at(ctx->diags, DIAG_ERROR, map, "it begins with version: 2 and ethernets:, or with version: 1 and config:",
			"a network-config is a mapping of keys, not %s", node_describe(map));
		return NULL;
	}
	p = network_plan_new(ctx);
	if (is_disabled(map)) {
		p->disabled = true;
		return p;
	}
	version = version_of(ctx, map);
	if (version == 0)
		return NULL;
	if (version == 1)
		network_read_v1(ctx, map, p);
	else
		network_read_v2(ctx, map, p);
	plan_check(ctx, p);
	return p;
}

struct network_plan *network_read(struct ctx *ctx, const char *name, const char *bytes, size_t len)
{
	struct source *source = ARENA_NEW(ctx->arena, struct source);
	const struct node *root;
	bool empty;

	/* a byte order mark, as people's editors put it */
	if (len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3)) {
		bytes += 3;
		len -= 3;
	}
	*source = (struct source){ name, bytes, len };
	root = yaml_read(ctx->arena, ctx->diags, source, &empty);
	return root ? network_read_node(ctx, root) : NULL;
}

bool network_looks_like(const char *bytes, size_t len)
{
	static const char *const begins[] = { "network:", "version:", "ethernets:", "\"network\"", "\"version\"", "config:" };
	size_t at = 0;

	/* lines that say nothing are passed over; a header such as #cloud-config says that it is user-data */
	if (len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3))
		at = 3;
	while (at < len) {
		size_t n = 0;
		const char *line = bytes + at;

		while (at + n < len && bytes[at + n] != '\n')
			n++;
		if (n > 0 && line[0] == '#' && (n == 1 || line[1] != ' ') && n > 6 &&
		    (!strncmp(line, "#cloud", 6) || !strncmp(line, "#inclu", 6) || !strncmp(line, "#part-", 6)))
			return false;
		while (n > 0 && (*line == ' ' || *line == '\t' || *line == '{' || *line == '\r'))
			line++, n--, at++;
		if (n > 0 && *line != '#' && strncmp(line, "---", MIN(n, 3)) != 0) {
			for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
				if (n >= strlen(begins[i]) && !memcmp(line, begins[i], strlen(begins[i])))
					return true;
			return false;
		}
		at += n + 1;
	}
	return false;
}
