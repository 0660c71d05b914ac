/* networks.c - the networks of a Compose document, and which services are in which.
 *
 * A service that says nothing is in the network `default` of the project, as Compose does it. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "../scalar.h"
#include "../text.h"
#include "compose.h"

static int bad(struct ctx *ctx, const struct node *value, const char *hint, const char *what)
{
	return diag_at(ctx->diags, DIAG_ERROR, value, hint, "%s is not %s", diag_quote(ctx->arena, value->text, value->len), what);
}

/* -- networks of a service ------------------------------------------------ */

struct attachment {
	struct strings aliases, ipv4, ipv6, ignored;
	const char *mac, *text;
	int64_t number;
};

static const struct key attachment_keys[] = {
	KEY("aliases", NODE_LIST, compose_read_domains, struct attachment, aliases),
	KEY("ipv4_address", NODE_SCALAR, compose_read_addresses, struct attachment, ipv4),
	KEY("ipv6_address", NODE_SCALAR, compose_read_addresses, struct attachment, ipv6),
	KEY("link_local_ips", NODE_LIST, compose_read_addresses, struct attachment, ignored),
	KEY("mac_address", NODE_SCALAR, value_line, struct attachment, mac),
	KEY("interface_name", NODE_SCALAR, value_line, struct attachment, text),
	KEY("driver_opts", NODE_MAP, compose_read_labels, struct attachment, ignored),
	KEY("priority", NODE_SCALAR, compose_read_count, struct attachment, number),
	KEY("gw_priority", NODE_SCALAR, compose_read_count, struct attachment, number),
};

static const struct schema attachment_schema = {
	.what = "a network of a service", .keys = attachment_keys, .n_keys = ARRAY_SIZE(attachment_keys), .unknown = DIAG_ERROR, .extensions = true,
};

static const char *network_name(size_t i, const void *arg)
{
	const struct compose_network *n = ((const struct compose *)arg)->networks;

	while (n && i-- > 0)
		n = n->next;
	return n ? n->key : NULL;
}

static struct compose_network *find_network(const struct compose *c, const char *key)
{
	struct compose_network *n = c->networks;

	while (n && strcmp(n->key, key) != 0)
		n = n->next;
	return n;
}

static struct compose_network *add_network(struct ctx *ctx, struct compose *c, const char *key)
{
	struct compose_network **tail = &c->networks;

	while (*tail)
		tail = &(*tail)->next;
	*tail = ARENA_NEW(ctx->arena, struct compose_network);
	(*tail)->key = key;
	return *tail;
}

static const char *real_name(struct ctx *ctx, const struct compose *c, const struct compose_network *n)
{
	if (n->name)
		return n->name;
	return n->external ? n->key : arena_printf(ctx->arena, "%s_%s", c->project ? c->project : "coracle", n->key);
}

static int attach(struct ctx *ctx, struct compose *c, struct compose_service *s, const char *key, const struct attachment *a)
{
	struct compose_attachment **tail = &s->attachments;
	struct compose_network *n = find_network(c, key);

	if (!n)
		n = add_network(ctx, c, key);
	if (n->broken)
		return -EINVAL;
	n->used = true;
	n->name = real_name(ctx, c, n);
	while (*tail)
		tail = &(*tail)->next;
	*tail = ARENA_NEW(ctx->arena, struct compose_attachment);
	(*tail)->network = n;
	(*tail)->aliases = a->aliases;
	strings_add(ctx, &(*tail)->aliases, s->name);
	(*tail)->ipv4 = a->ipv4.n ? a->ipv4.v[0] : NULL;
	(*tail)->ipv6 = a->ipv6.n ? a->ipv6.v[0] : NULL;
	(*tail)->mac = a->mac;
	(*tail)->priority = a->number;
	return 0;
}

static int read_attachment(struct ctx *ctx, struct compose *c, struct compose_service *s, const struct item *i)
{
	const struct node *at = i->key ? i->key : i->value;
	struct attachment a = { .text = NULL };
	bool wrong = false;
	const char *near;

	if (i->key && i->value->type == NODE_MAP) {
		wrong = schema_read(ctx, &attachment_schema, i->value, &a) > 0;
	} else if (i->key && !node_is_null(i->value)) {
		return diag_at(ctx->diags, DIAG_ERROR, i->value, "{}", "a network of a service is a mapping, not %s", node_describe(i->value));
	}
	if (at->type != NODE_SCALAR)
		return diag_at(ctx->diags, DIAG_ERROR, at, NULL, "text is wanted here, not %s", node_describe(at));
	if (find_network(c, at->text) || !strcmp(at->text, "default"))
		return wrong ? -EINVAL : attach(ctx, c, s, at->text, &a);
	near = text_nearest(at->text, at->len, network_name, c);
	return diag_at(ctx->diags, DIAG_ERROR, at, near ? arena_printf(ctx->arena, "did you mean \"%s\"?", near) :
		       arena_printf(ctx->arena, "add it under networks: {%.60s: {}}", at->text),
		       "the network %s is not declared", diag_quote(ctx->arena, at->text, at->len));
}

/* service:NAME, as the engine knows it. */
static int share(struct ctx *ctx, struct compose *c, struct compose_service *s)
{
	struct compose_service *o = c->services;

	while (o && strcmp(o->name, s->network_mode + 8) != 0)
		o = o->next;
	if (!o || o == s)
		return diag_at(ctx->diags, DIAG_ERROR, s->at, NULL, "\"%s\" shares the network of %s, which is no other service", s->name,
			       diag_quote(ctx->arena, s->network_mode + 8, strlen(s->network_mode + 8)));
	compose_add_depend(ctx, s, o, "service_started");
	s->network_mode = arena_printf(ctx->arena, "container:%s", o->container_name);
	return 0;
}

static int connect_service(struct ctx *ctx, struct compose *c, struct compose_service *s)
{
	static const struct attachment nothing;
	int r = 0;

	if (s->network_mode && s->networks && s->networks->items)
		return diag_at(ctx->diags, DIAG_ERROR, s->networks, "remove one of the two", "\"%s\" has network_mode and networks", s->name);
	if (s->network_mode)
		return strncmp(s->network_mode, "service:", 8) ? 0 : share(ctx, c, s);
	for (const struct item *i = s->networks ? s->networks->items : NULL; i; i = i->next)
		if (read_attachment(ctx, c, s, i) < 0)
			r = -EINVAL;
	if (r == 0 && !s->attachments)
		r = attach(ctx, c, s, "default", &nothing);
	if (s->attachments)
		s->network_mode = s->attachments->network->name;
	return r;
}

void compose_check_networks(struct ctx *ctx, struct compose *c)
{
	for (struct compose_service *s = c->services; s; s = s->next) {
		if (s->broken || connect_service(ctx, c, s) == 0)
			continue;
		s->broken = true;
		diag_at(ctx->diags, DIAG_ERROR, s->at, NULL, "the service \"%s\" is left out, because of its networks", s->name);
	}
}

/* -- networks of the document --------------------------------------------- */

struct ipam {
	const char *text;
	struct strings words;
	struct compose_pool *pools;
};

struct pool {
	const char *subnet, *range;
	struct strings gateway, ignored;
};

/* ADDRESS/BITS */
static int read_subnet(struct ctx *ctx, const struct node *value, void *out)
{
	const char *slash = strchr(value->text, '/');
	char *address = arena_strndup(ctx->arena, value->text, slash ? (size_t)(slash - value->text) : value->len);
	uint64_t bits;

	*(const char **)out = value->text;
	if (!slash || !compose_address_ok(address) || scalar_uint(slash + 1, strchr(address, ':') ? 128 : 32, &bits) < 0)
		return bad(ctx, value, "such as 172.28.0.0/16", "a subnet");
	return 0;
}

static const struct key pool_keys[] = {
	KEY("subnet", NODE_SCALAR, read_subnet, struct pool, subnet),
	KEY("ip_range", NODE_SCALAR, read_subnet, struct pool, range),
	KEY("gateway", NODE_SCALAR, compose_read_addresses, struct pool, gateway),
	KEY("aux_addresses", NODE_MAP, compose_read_labels, struct pool, ignored),
};

static int read_pools(struct ctx *ctx, const struct node *value, void *out)
{
	static const struct schema schema = {
		.what = "ipam's config", .keys = pool_keys, .n_keys = ARRAY_SIZE(pool_keys), .unknown = DIAG_ERROR, .extensions = true,
	};
	struct compose_pool **tail = out;
	int r = 0;

	for (const struct item *i = value->items; i; i = i->next) {
		struct pool p = { NULL };

		if (i->value->type != NODE_MAP) {
			r = diag_at(ctx->diags, DIAG_ERROR, i->value, "{subnet: 172.28.0.0/16}", "an entry of config is a mapping, not %s", node_describe(i->value));
			continue;
		}
		if (schema_read(ctx, &schema, i->value, &p)) {
			r = -EINVAL;
			continue;
		}
		*tail = ARENA_NEW(ctx->arena, struct compose_pool);
		**tail = (struct compose_pool){ p.subnet, p.range, p.gateway.n ? p.gateway.v[0] : NULL, NULL };
		tail = &(*tail)->next;
	}
	return r;
}

static const struct key ipam_keys[] = {
	KEY("driver", NODE_SCALAR, value_line, struct ipam, text),
	KEY("config", NODE_LIST, read_pools, struct ipam, pools),
	KEY("options", NODE_MAP, compose_read_labels, struct ipam, words),
};

static int read_ipam(struct ctx *ctx, const struct node *value, void *out)
{
	static const struct schema schema = {
		.what = "ipam", .keys = ipam_keys, .n_keys = ARRAY_SIZE(ipam_keys), .unknown = DIAG_ERROR, .extensions = true,
	};
	struct ipam ipam = { .text = NULL };

	if (schema_read(ctx, &schema, value, &ipam))
		return -EINVAL;
	*(struct compose_pool **)out = ipam.pools;
	return 0;
}

static int read_network_driver(struct ctx *ctx, const struct node *value, void *out)
{
	static const char *const drivers[] = { "bridge", "macvlan", "ipvlan", "default" };

	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (!strcmp(value->text, drivers[i])) {
			*(const char **)out = i == 3 ? "bridge" : drivers[i];
			return 0;
		}
	return bad(ctx, value, "bridge, macvlan or ipvlan", "a network driver that is there");
}

/* Every network of ours has IPv4. */
static int read_ipv4(struct ctx *ctx, const struct node *value, void *out)
{
	bool on = true;

	(void)out;
	if (value_bool(ctx, value, &on) < 0)
		return -EINVAL;
	return on ? 0 : diag_at(ctx->diags, DIAG_ERROR, value, "remove it", "a network without IPv4 is not supported by Coracle");
}

static const struct key network_keys[] = {
	KEY("name", NODE_SCALAR, value_line, struct compose_network, name),
	KEY("driver", NODE_SCALAR, read_network_driver, struct compose_network, driver),
	KEY("driver_opts", NODE_MAP, compose_read_labels, struct compose_network, options),
	KEY("ipam", NODE_MAP, read_ipam, struct compose_network, pools),
	KEY("internal", NODE_SCALAR, value_bool, struct compose_network, internal),
	KEY("attachable", NODE_SCALAR, value_bool, struct compose_network, attachable),
	{ "enable_ipv4", NODE_SCALAR, read_ipv4, 0 },
	KEY("enable_ipv6", NODE_SCALAR, value_bool, struct compose_network, ipv6),
	KEY("external", NODE_SCALAR, value_bool, struct compose_network, external),
	KEY("labels", NODE_LIST | NODE_MAP, compose_read_labels, struct compose_network, labels),
};

int compose_read_top_networks(struct ctx *ctx, const struct node *value, void *out)
{
	static const struct schema schema = {
		.what = "a network", .keys = network_keys, .n_keys = ARRAY_SIZE(network_keys), .unknown = DIAG_ERROR, .extensions = true,
	};
	struct compose *c = out;

	for (const struct item *i = value->items; i; i = i->next) {
		struct compose_network *n = find_network(c, i->key->text);

		n = n ? n : add_network(ctx, c, i->key->text);
		n->broken = true;
		if (!compose_name_ok(n->key))
			bad(ctx, i->key, "letters, digits and _ . -", "a name for a network");
		else if (i->value->type == NODE_MAP)
			n->broken = compose_interpolate(ctx, (struct node *)i->value) || schema_read(ctx, &schema, i->value, n) ||
				    (n->name && !compose_name_ok(n->name) && bad(ctx, i->key, "letters, digits and _ . -", "well named") < 0);
		else if (node_is_null(i->value))
			n->broken = false;
		else
			diag_at(ctx->diags, DIAG_ERROR, i->value, "{}", "a network is a mapping, not %s", node_describe(i->value));
	}
	return 0;
}
