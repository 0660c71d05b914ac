/* net.c - how a service is connected: network_mode, names and addresses. Its networks are networks.c's. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "../scalar.h"
#include "../text.h"
#include "compose.h"

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
	if (!strcmp(value->text, "host") || !strcmp(value->text, "none") || !strcmp(value->text, "bridge"))
		return 0;
	if ((!strncmp(value->text, "service:", 8) && compose_name_ok(value->text + 8)) ||
	    (!strncmp(value->text, "container:", 10) && compose_name_ok(value->text + 10)))
		return 0;
	return diag_at(ctx->diags, DIAG_ERROR, value, "host, none, bridge, service:NAME or container:NAME; others are named under networks",
		       "%s is not a network_mode", quoted);
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
	/* host-gateway: the engine knows the address */
	if (!host_name_ok(name, n) || (strcmp(bare, "host-gateway") != 0 && !compose_address_ok(bare)))
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
	bool host = s->network_mode && !strcmp(s->network_mode, "host");
	unsigned errors = 0;

	if (s->network_mode && !strcmp(s->network_mode, "none") && s->dns.n + s->dns_search.n + s->dns_opt.n > 0) {
		diag_at(ctx->diags, DIAG_ERROR, s->at, NULL, "a service with network_mode none asks no name server: remove dns");
		errors++;
	}
	for (size_t i = 0; host && i < s->limits.sysctls.n; i += 2)
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
