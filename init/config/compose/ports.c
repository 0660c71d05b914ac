/* ports.c - the ports of a service, as far as the host's network carries them.
 *
 * With network_mode host a container listens on the machine's own ports, so a
 * mapping is right when it changes nothing: 80:80 is, 8080:80 needs a bridge network. */
#include <string.h>

#include "../scalar.h"
#include "compose.h"

#define NO_BRIDGE "there are no bridge networks yet: with host networking the container's port is the machine's port"

struct long_port {
	const char *target;
	const char *published;
	const char *host_ip;
	const char *protocol;
	const char *ignored;
};

static bool port_range(const char *s, size_t n)
{
	char text[16];
	char *dash;
	uint64_t low;
	uint64_t high;

	if (n == 0 || n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	dash = strchr(text, '-');
	if (dash)
		*dash++ = '\0';
	if (scalar_uint(text, 65535, &low) < 0 || low == 0)
		return false;
	return !dash || (scalar_uint(dash, 65535, &high) == 0 && high >= low);
}

/* An address that means every address. */
static bool any_address(const char *s, size_t n)
{
	return (n == 7 && !memcmp(s, "0.0.0.0", 7)) || (n == 4 && !memcmp(s, "[::]", 4)) || (n == 2 && !memcmp(s, "::", 2));
}

/* [[IP:]HOST:]CONTAINER[/PROTOCOL]. Returns what is wrong, or NULL. */
static const char *check_short(const char *text, const char **hint)
{
	size_t end = strcspn(text, "/");
	const char *container;
	const char *host = NULL;
	size_t container_n;
	size_t host_n = 0;

	*hint = "such as \"80:80\"";
	if (text[end] && strcmp(text + end, "/tcp") != 0 && strcmp(text + end, "/udp") != 0)
		return "its protocol is not tcp or udp";
	container = memrchr(text, ':', end);
	container = container ? container + 1 : text;
	container_n = end - (size_t)(container - text);
	if (container > text) {
		size_t before = (size_t)(container - text) - 1;

		host = memrchr(text, ':', before);
		host = host ? host + 1 : text;
		host_n = before - (size_t)(host - text);
	}
	if (!port_range(container, container_n) || (host_n && !port_range(host, host_n)))
		return "a port is a number from 1 to 65535, or a range of them";
	*hint = NO_BRIDGE;
	if (!host_n)
		return "it publishes on a random port of the machine";
	if (host_n != container_n || memcmp(host, container, host_n) != 0)
		return "it changes the port";
	if (host > text && !any_address(text, (size_t)(host - text) - 1))
		return "it publishes on one address only";
	return NULL;
}

static const struct key long_keys[] = {
	KEY("target", NODE_SCALAR, value_line, struct long_port, target),
	KEY("published", NODE_SCALAR, value_line, struct long_port, published),
	KEY("host_ip", NODE_SCALAR, value_line, struct long_port, host_ip),
	KEY("protocol", NODE_SCALAR, value_line, struct long_port, protocol),
	KEY("mode", NODE_SCALAR, value_line, struct long_port, ignored),
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

static unsigned check_port(struct ctx *ctx, const struct node *n)
{
	struct long_port p = { .protocol = "tcp" };
	const char *text;
	const char *hint;
	const char *wrong;

	if (n->type == NODE_LIST) {
		diag_at(ctx->diags, DIAG_ERROR, n, NULL, "a port is text or a mapping, not a list");
		return 1;
	}
	if (n->type == NODE_MAP) {
		if (schema_read(ctx, &long_schema, n, &p))
			return 1;
		text = arena_printf(ctx->arena, "%s%s%s%s%s/%s", p.host_ip ? p.host_ip : "", p.host_ip ? ":" : "",
				    p.published ? p.published : "", p.published ? ":" : "", p.target ? p.target : "", p.protocol);
	} else if (value_line(ctx, n, &text) < 0) {
		return 1;
	}
	wrong = check_short(text, &hint);
	if (wrong)
		diag_at(ctx->diags, DIAG_ERROR, n, hint, "the port %s cannot be used: %s", diag_quote(ctx->arena, text, strlen(text)), wrong);
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
