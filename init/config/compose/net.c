/* net.c - how a service is connected: network_mode, networks, names and addresses.
 *
 * There are no bridge networks yet: everything about them is checked, so that a document is right when they come, and a
 * service that needs one is left out with a word. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "../scalar.h"
#include "../text.h"
#include "compose.h"

#define NO_BRIDGE "there are no bridge networks yet; network_mode is host or none"

bool compose_address_ok(const char *text)
{
	unsigned char raw[16];

	return inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1;
}

static int bad(struct ctx *ctx, const struct node *value, const char *hint, const char *what)
{
	return diag_at(ctx->diags, DIAG_ERROR, value, hint, "%s is not %s", diag_quote(ctx->arena, value->text, value->len), what);
}

int compose_read_network_mode(struct ctx *ctx, const struct node *value, void *out)
{
	const char *quoted = diag_quote(ctx->arena, value->text, value->len);

	*(const char **)out = value->text;
	if (!strcmp(value->text, "host") || !strcmp(value->text, "none"))
		return 0;
	*(const char **)out = "host";
	if (!strncmp(value->text, "service:", 8) || !strncmp(value->text, "container:", 10))
		return diag_at(ctx->diags, DIAG_ERROR, value, "host or none",
			       "the network_mode %s is not supported yet by Coracle: the network of another container cannot be shared", quoted);
	return diag_at(ctx->diags, DIAG_ERROR, value, "host or none: there are no bridge networks yet",
		       "the network_mode %s is not supported yet by Coracle", quoted);
}

int compose_read_addresses(struct ctx *ctx, const struct node *value, void *out)
{
	struct item only = { .value = (struct node *)value };
	int r = 0;

	for (const struct item *i = value->type == NODE_LIST ? value->items : &only; i; i = i->next) {
		if (i->value->type == NODE_SCALAR && strlen(i->value->text) == i->value->len && compose_address_ok(i->value->text))
			strings_add(ctx, out, i->value->text);
		else
			r = i->value->type == NODE_SCALAR ? bad(ctx, i->value, NULL, "an address") : value_line(ctx, i->value, &(const char *){ NULL });
	}
	return r;
}

/* For resolv.conf: nothing that would end a word or a line there. */
int compose_read_domains(struct ctx *ctx, const struct node *value, void *out)
{
	struct item only = { .value = (struct node *)value };
	int r = 0;

	for (const struct item *i = value->type == NODE_LIST ? value->items : &only; i; i = i->next) {
		const char *text;

		if (value_line(ctx, i->value, &text) < 0)
			r = -EINVAL;
		else if (!text[0] || strpbrk(text, " #;\\") || i->value->len > 253)
			r = bad(ctx, i->value, NULL, "a word for resolv.conf");
		else
			strings_add(ctx, out, text);
	}
	return r;
}

static bool host_name_ok(const char *s, size_t n)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";

	for (size_t i = 0; i < n; i++)
		if (!s[i] || !strchr(allowed, s[i]))
			return false;
	return n > 0 && n <= 253;
}

static int add_host(struct ctx *ctx, const struct node *at, const char *name, size_t n, const char *address, struct strings *out)
{
	size_t len = strlen(address);
	char *bare = arena_strndup(ctx->arena, address, len);

	if (len > 2 && bare[0] == '[' && bare[len - 1] == ']') {
		bare[len - 1] = '\0';
		bare++;
	}
	/* with host networking the machine is at the loopback address */
	if (!strcmp(bare, "host-gateway"))
		bare = arena_strndup(ctx->arena, "127.0.0.1", 9);
	if (!host_name_ok(name, n) || !compose_address_ok(bare))
		return diag_at(ctx->diags, DIAG_ERROR, at, "such as \"db=10.0.0.5\"", "%s is not NAME=ADDRESS",
			       diag_quote(ctx->arena, at->text, at->type == NODE_SCALAR ? at->len : 0));
	strings_add(ctx, out, arena_printf(ctx->arena, "%.*s=%s", (int)n, name, bare));
	return 0;
}

/* [NAME=ADDRESS], [NAME:ADDRESS] or {NAME: ADDRESS or a list of them} */
int compose_read_extra_hosts(struct ctx *ctx, const struct node *value, void *out)
{
	int r = 0;

	for (const struct item *i = value->items; i; i = i->next) {
		struct strings addresses = { NULL, 0 };
		const char *text;
		size_t n;

		if (i->key) {
			if (value_strings(ctx, i->value, &addresses) < 0)
				r = -EINVAL;
			for (size_t a = 0; a < addresses.n; a++)
				if (add_host(ctx, i->key, i->key->text, i->key->len, addresses.v[a], out) < 0)
					r = -EINVAL;
			continue;
		}
		if (value_line(ctx, i->value, &text) < 0) {
			r = -EINVAL;
			continue;
		}
		n = strcspn(text, strchr(text, '=') ? "=" : ":");
		if (add_host(ctx, i->value, text, n, text[n] ? text + n + 1 : "", out) < 0)
			r = -EINVAL;
	}
	return r;
}

unsigned compose_check_network_mode(struct ctx *ctx, const struct compose_service *s)
{
	unsigned errors = 0;

	if (!strcmp(s->network_mode, "none") && s->dns.n + s->dns_search.n + s->dns_opt.n > 0) {
		diag_at(ctx->diags, DIAG_ERROR, s->at, NULL, "a service with network_mode none asks no name server: remove dns");
		errors++;
	}
	for (size_t i = 0; !strcmp(s->network_mode, "host") && i < s->limits.sysctls.n; i += 2)
		if (!strncmp(s->limits.sysctls.v[i], "net.", 4)) {
			diag_at(ctx->diags, DIAG_ERROR, s->at, "network_mode: none, or set it for the machine",
				"the sysctl %s would be the machine's: the service has the machine's network", s->limits.sysctls.v[i]);
			errors++;
		}
	for (size_t i = 0; s->ipc && i < s->limits.sysctls.n; i += 2)
		if (strncmp(s->limits.sysctls.v[i], "net.", 4) != 0) {
			diag_at(ctx->diags, DIAG_ERROR, s->at, NULL, "the sysctl %s would be the machine's: the service has ipc: host",
				s->limits.sysctls.v[i]);
			errors++;
		}
	if (s->uts && (s->hostname || s->domainname)) {
		diag_at(ctx->diags, DIAG_ERROR, s->at, "remove uts: host", "hostname and domainname would be the machine's");
		errors++;
	}
	return errors;
}

/* -- networks of a service ------------------------------------------------ */

struct attachment {
	struct strings words;
	const char *text;
	int64_t number;
};

static const struct key attachment_keys[] = {
	KEY("aliases", NODE_LIST, compose_read_domains, struct attachment, words),
	KEY("ipv4_address", NODE_SCALAR, compose_read_addresses, struct attachment, words),
	KEY("ipv6_address", NODE_SCALAR, compose_read_addresses, struct attachment, words),
	KEY("link_local_ips", NODE_LIST, compose_read_addresses, struct attachment, words),
	KEY("mac_address", NODE_SCALAR, value_line, struct attachment, text),
	KEY("interface_name", NODE_SCALAR, value_line, struct attachment, text),
	KEY("driver_opts", NODE_MAP, compose_read_labels, struct attachment, words),
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

static void check_network(struct ctx *ctx, const struct compose *c, const struct item *i)
{
	const struct node *at = i->key ? i->key : i->value;
	struct attachment a = { .text = NULL };
	const struct compose_network *n = c->networks;
	const char *near;

	if (i->key && i->value->type == NODE_MAP)
		schema_read(ctx, &attachment_schema, i->value, &a);
	else if (i->key && !node_is_null(i->value))
		diag_at(ctx->diags, DIAG_ERROR, i->value, "{}", "a network of a service is a mapping, not %s", node_describe(i->value));
	if (at->type != NODE_SCALAR) {
		diag_at(ctx->diags, DIAG_ERROR, at, NULL, "text is wanted here, not %s", node_describe(at));
		return;
	}
	while (n && strcmp(n->key, at->text) != 0)
		n = n->next;
	if (n || !strcmp(at->text, "default"))
		return;
	near = text_nearest(at->text, at->len, network_name, c);
	diag_at(ctx->diags, DIAG_ERROR, at, near ? arena_printf(ctx->arena, "did you mean \"%s\"?", near) : NULL,
		"the network %s is not declared", diag_quote(ctx->arena, at->text, at->len));
}

void compose_check_networks(struct ctx *ctx, struct compose *c)
{
	for (struct compose_service *s = c->services; s; s = s->next) {
		if (!s->networks)
			continue;
		for (const struct item *i = s->networks->items; i; i = i->next)
			check_network(ctx, c, i);
		s->broken = true;
		diag_at(ctx->diags, DIAG_ERROR, s->networks, "with network_mode: host the services see each other at localhost",
			"\"networks\" is not supported yet by Coracle: there are no bridge networks yet; \"%s\" is left out", s->name);
	}
}

/* -- networks of the document --------------------------------------------- */

struct ipam {
	const char *text;
	struct strings words;
};

/* ADDRESS/BITS */
static int read_subnet(struct ctx *ctx, const struct node *value, void *out)
{
	const char *slash = strchr(value->text, '/');
	char *address = arena_strndup(ctx->arena, value->text, slash ? (size_t)(slash - value->text) : value->len);
	uint64_t bits;

	(void)out;
	if (!slash || !compose_address_ok(address) || scalar_uint(slash + 1, strchr(address, ':') ? 128 : 32, &bits) < 0)
		return bad(ctx, value, "such as 172.28.0.0/16", "a subnet");
	return 0;
}

static const struct key pool_keys[] = {
	KEY("subnet", NODE_SCALAR, read_subnet, struct ipam, text),
	KEY("ip_range", NODE_SCALAR, read_subnet, struct ipam, text),
	KEY("gateway", NODE_SCALAR, compose_read_addresses, struct ipam, words),
	KEY("aux_addresses", NODE_MAP, compose_read_labels, struct ipam, words),
};

static int read_pools(struct ctx *ctx, const struct node *value, void *out)
{
	static const struct schema schema = {
		.what = "ipam's config", .keys = pool_keys, .n_keys = ARRAY_SIZE(pool_keys), .unknown = DIAG_ERROR, .extensions = true,
	};
	int r = 0;

	for (const struct item *i = value->items; i; i = i->next) {
		if (i->value->type != NODE_MAP)
			r = diag_at(ctx->diags, DIAG_ERROR, i->value, "{subnet: 172.28.0.0/16}", "an entry of config is a mapping, not %s", node_describe(i->value));
		else if (schema_read(ctx, &schema, i->value, out))
			r = -EINVAL;
	}
	return r;
}

static const struct key ipam_keys[] = {
	KEY("driver", NODE_SCALAR, value_line, struct ipam, text),
	{ "config", NODE_LIST, read_pools, 0 },
	KEY("options", NODE_MAP, compose_read_labels, struct ipam, words),
};

static int read_ipam(struct ctx *ctx, const struct node *value, void *out)
{
	static const struct schema schema = {
		.what = "ipam", .keys = ipam_keys, .n_keys = ARRAY_SIZE(ipam_keys), .unknown = DIAG_ERROR, .extensions = true,
	};
	struct ipam ipam = { .text = NULL };

	(void)out;
	return schema_read(ctx, &schema, value, &ipam) ? -EINVAL : 0;
}

struct network {
	const char *text;
	bool flag;
	struct strings words;
};

static const struct key network_keys[] = {
	KEY("name", NODE_SCALAR, value_line, struct network, text),
	KEY("driver", NODE_SCALAR, value_line, struct network, text),
	KEY("driver_opts", NODE_MAP, compose_read_labels, struct network, words),
	{ "ipam", NODE_MAP, read_ipam, 0 },
	KEY("internal", NODE_SCALAR, value_bool, struct network, flag),
	KEY("attachable", NODE_SCALAR, value_bool, struct network, flag),
	KEY("enable_ipv4", NODE_SCALAR, value_bool, struct network, flag),
	KEY("enable_ipv6", NODE_SCALAR, value_bool, struct network, flag),
	KEY("external", NODE_SCALAR, value_bool, struct network, flag),
	KEY("labels", NODE_LIST | NODE_MAP, compose_read_labels, struct network, words),
};

int compose_read_top_networks(struct ctx *ctx, const struct node *value, void *out)
{
	static const struct schema schema = {
		.what = "a network", .keys = network_keys, .n_keys = ARRAY_SIZE(network_keys), .unknown = DIAG_ERROR, .extensions = true,
	};
	struct compose *c = out;

	for (const struct item *i = value->items; i; i = i->next) {
		struct compose_network *n = ARENA_NEW(ctx->arena, struct compose_network);
		struct network f = { .text = NULL };

		n->key = i->key->text;
		n->next = c->networks;
		c->networks = n;
		if (!compose_name_ok(n->key))
			bad(ctx, i->key, "letters, digits and _ . -", "a name for a network");
		else if (i->value->type == NODE_MAP)
			schema_read(ctx, &schema, i->value, &f);
		else if (!node_is_null(i->value))
			diag_at(ctx->diags, DIAG_ERROR, i->value, "{}", "a network is a mapping, not %s", node_describe(i->value));
	}
	if (value->items)
		diag_at(ctx->diags, DIAG_WARNING, value, NULL, "\"networks\" is not supported yet by Coracle: there are no bridge networks yet");
	return 0;
}
