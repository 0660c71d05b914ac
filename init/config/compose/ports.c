/* ports.c - the ports of a service: all that Compose can say is read and checked, and then what the host's network carries.
 *
 * With network_mode host a container listens on the machine's own ports, so a
 * mapping is right when it changes nothing: 80:80 is, 8080:80 needs a bridge network. */
#include <errno.h>
#include <string.h>

#include "../scalar.h"
#include "compose.h"

#define NO_BRIDGE "there are no bridge networks yet: with host networking the container's port is the machine's port"
#define PORT_HINT "such as \"80:80\", \"127.0.0.1:8000-8010:8000-8010/udp\""

struct range {
	uint64_t low, high;	/* 0: not given */
};

struct port {
	const char *text;	/* for messages */
	const char *address;	/* NULL: every one */
	struct range host;
	struct range container;
	const char *protocol;
};

static bool read_range(const char *s, size_t n, struct range *out)
{
	char text[16];
	char *dash;

	if (n == 0 || n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	dash = strchr(text, '-');
	if (dash)
		*dash++ = '\0';
	if (scalar_uint(text, 65535, &out->low) < 0 || out->low == 0)
		return false;
	out->high = out->low;
	return !dash || (scalar_uint(dash, 65535, &out->high) == 0 && out->high >= out->low);
}

/* [[IP:]HOST:]CONTAINER[/PROTOCOL]. Returns what is wrong, or NULL. */
static const char *read_short(struct ctx *ctx, const char *text, struct port *p)
{
	size_t end = strcspn(text, "/");
	const char *container = memrchr(text, ':', end);
	const char *host = NULL;
	size_t host_n = 0;

	p->protocol = text[end] ? text + end + 1 : "tcp";
	container = container ? container + 1 : text;
	if (container > text) {
		size_t before = (size_t)(container - text) - 1;

		host = memrchr(text, ':', before);
		host = host ? host + 1 : text;
		host_n = before - (size_t)(host - text);
		if (host > text)
			p->address = arena_strndup(ctx->arena, text, (size_t)(host - text) - 1);
	}
	if (!read_range(container, end - (size_t)(container - text), &p->container) || (host_n && !read_range(host, host_n, &p->host)))
		return "a port is a number from 1 to 65535, or a range of them";
	return NULL;
}

struct long_port {
	const char *target;
	const char *published;
	const char *host_ip;
	const char *protocol;
	const char *mode;
	const char *ignored;
};

static const struct key long_keys[] = {
	KEY("target", NODE_SCALAR, value_line, struct long_port, target),
	KEY("published", NODE_SCALAR, value_line, struct long_port, published),
	KEY("host_ip", NODE_SCALAR, value_line, struct long_port, host_ip),
	KEY("protocol", NODE_SCALAR, value_line, struct long_port, protocol),
	KEY("mode", NODE_SCALAR, value_line, struct long_port, mode),
	KEY("name", NODE_SCALAR, value_line, struct long_port, ignored),
	KEY("app_protocol", NODE_SCALAR, value_line, struct long_port, ignored),
};

static const struct schema long_schema = {
	.what = "a port",
	.keys = long_keys,
	.n_keys = ARRAY_SIZE(long_keys),
	.unknown = DIAG_ERROR,
	.extensions = true,
};

static const char *read_long(struct ctx *ctx, const struct long_port *l, struct port *p)
{
	p->text = arena_printf(ctx->arena, "%s%s%s%s%s/%s", l->host_ip ? l->host_ip : "", l->host_ip ? ":" : "", l->published ? l->published : "",
			       l->published ? ":" : "", l->target ? l->target : "", l->protocol);
	p->protocol = l->protocol;
	p->address = l->host_ip;
	if (!l->target || !read_range(l->target, strlen(l->target), &p->container) || p->container.low != p->container.high)
		return "its target is a number from 1 to 65535";
	if (l->published && !read_range(l->published, strlen(l->published), &p->host))
		return "a port is a number from 1 to 65535, or a range of them";
	if (l->mode && strcmp(l->mode, "host") != 0 && strcmp(l->mode, "ingress") != 0)
		return "its mode is not host or ingress";
	return NULL;
}

/* What no network could do. */
static const char *check_sense(struct ctx *ctx, struct port *p)
{
	uint64_t host = p->host.high - p->host.low;
	uint64_t container = p->container.high - p->container.low;

	if (strcmp(p->protocol, "tcp") != 0 && strcmp(p->protocol, "udp") != 0)
		return "its protocol is not tcp or udp";
	if (p->address && p->address[0] == '[') {
		size_t n = strlen(p->address);

		if (n < 3 || p->address[n - 1] != ']')
			return "its address is not closed by ]";
		p->address = arena_strndup(ctx->arena, p->address + 1, n - 2);
	}
	if (p->address && p->address[0] && !compose_address_ok(p->address) && strcmp(p->address, ":") != 0)
		return "its address is not one";
	/* one port of the container may take the first free one of a range of the machine */
	if (p->host.low && host != container && container != 0)
		return "its two ranges are not of the same length";
	return NULL;
}

/* An address that means every address. */
static bool any_address(const char *s)
{
	return !s || !s[0] || !strcmp(s, "0.0.0.0") || !strcmp(s, "::");
}

/* What the network of the machine cannot do. */
static const char *check_host(const struct port *p)
{
	if (!p->host.low)
		return "it publishes on a random port of the machine";
	if (p->host.low != p->container.low || p->host.high != p->container.high)
		return "it changes the port";
	if (!any_address(p->address))
		return "it publishes on one address only";
	return NULL;
}

static unsigned check_port(struct ctx *ctx, const struct node *n)
{
	struct long_port l = { .protocol = "tcp" };
	const char *hint = PORT_HINT;
	struct port p = { .text = "" };
	const char *wrong;

	if (n->type == NODE_LIST) {
		diag_at(ctx->diags, DIAG_ERROR, n, NULL, "a port is text or a mapping, not a list");
		return 1;
	}
	if (n->type == NODE_MAP ? schema_read(ctx, &long_schema, n, &l) > 0 : value_line(ctx, n, &p.text) < 0)
		return 1;
	wrong = n->type == NODE_MAP ? read_long(ctx, &l, &p) : read_short(ctx, p.text, &p);
	if (!wrong)
		wrong = check_sense(ctx, &p);
	if (!wrong) {
		hint = NO_BRIDGE;
		wrong = check_host(&p);
	}
	if (wrong)
		diag_at(ctx->diags, DIAG_ERROR, n, hint, "the port %s cannot be used: %s", diag_quote(ctx->arena, p.text, strlen(p.text)), wrong);
	return wrong != NULL;
}

unsigned compose_check_ports(struct ctx *ctx, const struct compose_service *s)
{
	unsigned errors = 0;

	if (!s->ports || !s->ports->items)
		return 0;
	if (strcmp(s->network_mode, "host") != 0) {
		diag_at(ctx->diags, DIAG_ERROR, s->ports, NULL, "a service with network_mode %s has no ports", s->network_mode);
		return 1;
	}
	for (const struct item *i = s->ports->items; i; i = i->next)
		errors += check_port(ctx, i->value);
	return errors;
}
