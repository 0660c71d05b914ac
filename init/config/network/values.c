/* values.c - readers of the scalars and lists of a network-config.
 *
 * Runs in coracle-config; nothing here touches the machine. Names and domains that get through hold no character that could end a line of resolv.conf or
 * mean something to a shell. */
#include "values.h"

#include <errno.h>
#include <string.h>

#include "../scalar.h"
#include "../text.h"

#define SEARCH_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

const char *net_quote(struct ctx *ctx, const struct node *value)
{
	return value->type == NODE_SCALAR ? diag_quote(ctx->arena, value->text, value->len) : node_describe(value);
}

int net_accepted(struct ctx *ctx, const struct node *value, void *out)
{
	(void)ctx;
	(void)value;
	(void)out;
	return 0;
}

int net_node(struct ctx *ctx, const struct node *value, void *out)
{
	(void)ctx;
	*(const struct node **)out = value;
	return 0;
}

int net_choice(struct ctx *ctx, const struct node *value, void *out)
{
	bool truth;

	if (value_bool(ctx, value, &truth) < 0)
		return -EINVAL;
	*(enum plan_choice *)out = truth ? PLAN_YES : PLAN_NO;
	return 0;
}

int net_mac(struct ctx *ctx, const struct node *value, void *out)
{
	if (value->type != NODE_SCALAR || plan_parse_mac(value->text, out) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, "such as \"52:54:00:12:34:56\"", "%s is not a hardware address", net_quote(ctx, value));
	return 0;
}

static int number(struct ctx *ctx, const struct node *value, uint64_t min, uint64_t max, const char *what, int64_t *out)
{
	uint64_t n;

	if (value->type != NODE_SCALAR || scalar_uint(value->text, max, &n) < 0 || n < min)
		return diag_at(ctx->diags, DIAG_ERROR, value, arena_printf(ctx->arena, "%llu to %llu", (unsigned long long)min, (unsigned long long)max),
			       "%s is not %s", net_quote(ctx, value), what);
	*out = (int64_t)n;
	return 0;
}

int net_mtu(struct ctx *ctx, const struct node *value, void *out)
{
	return number(ctx, value, 68, 65536, "an MTU", out);
}

int net_u32(struct ctx *ctx, const struct node *value, void *out)
{
	return number(ctx, value, 0, UINT32_MAX, "a number that is taken here", out);
}

int net_table(struct ctx *ctx, const struct node *value, void *out)
{
	static const struct { const char *name; int64_t number; } names[] = { { "default", 253 }, { "main", 254 }, { "local", 255 } };

	for (size_t i = 0; value->type == NODE_SCALAR && i < ARRAY_SIZE(names); i++)
		if (!strcmp(value->text, names[i].name)) {
			*(int64_t *)out = names[i].number;
			return 0;
		}
	return number(ctx, value, 1, UINT32_MAX, "a routing table", out);
}

int net_vlan_id(struct ctx *ctx, const struct node *value, void *out)
{
	return number(ctx, value, 0, 4094, "a VLAN id", out);
}

int net_globs(struct ctx *ctx, const struct node *value, void *out)
{
	const struct strings *s = out;

	if (value_strings(ctx, value, out) < 0)
		return -EINVAL;
	for (size_t i = 0; i < s->n; i++)
		if (!text_single_line(s->v[i], strlen(s->v[i])))
			return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "control characters are not allowed in a pattern");
	return 0;
}

int net_name(struct ctx *ctx, const struct node *value, void *out)
{
	if (value->type != NODE_SCALAR || strlen(value->text) != value->len || !plan_name_ok(value->text))
		return diag_at(ctx->diags, DIAG_ERROR, value, "1 to 15 letters, digits and . _ - @, and not lo", "%s cannot be the name of a network device",
			       net_quote(ctx, value));
	*(const char **)out = value->text;
	return 0;
}

int net_ids(struct ctx *ctx, const struct node *value, void *out)
{
	struct strings *s = out;
	int r = value_strings(ctx, value, s);

	for (size_t i = 0; r == 0 && i < s->n; i++)
		for (size_t k = 0; k < i; k++)
			if (!strcmp(s->v[i], s->v[k]))
				return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "%s is here twice",
					       diag_quote(ctx->arena, s->v[i], strlen(s->v[i])));
	return r;
}

/* Each word of a text, or of each text of a list. */
static int words(struct ctx *ctx, const struct node *value, int (*take)(struct ctx *, const struct node *, const char *, size_t, void *), void *out)
{
	static const char blanks[] = " ,\t\n";
	int r = 0;

	if (value->type == NODE_MAP)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "a list is wanted here, not a mapping");
	if (value->type == NODE_LIST) {
		for (const struct item *i = value->items; i; i = i->next)
			if (i->value->type == NODE_LIST)
				r = diag_at(ctx->diags, DIAG_ERROR, i->value, NULL, "text is wanted here, not a list");
			else if (!node_is_null(i->value) && words(ctx, i->value, take, out) < 0)
				r = -EINVAL;
		return r;
	}
	if (strlen(value->text) != value->len)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "a NUL character is not allowed here");
	for (const char *s = value->text + strspn(value->text, blanks); *s;) {
		size_t n = strcspn(s, blanks);

		if (take(ctx, value, s, n, out) < 0)
			r = -EINVAL;
		s += n;
		s += strspn(s, blanks);
	}
	return r;
}

static int take_nameserver(struct ctx *ctx, const struct node *at, const char *s, size_t n, void *out)
{
	struct plan_address ip;

	if (plan_parse_ip(s, n, &ip) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, at, "an IPv4 or IPv6 address", "%s is not the address of a name server", diag_quote(ctx->arena, s, n));
	plan_add_address(ctx, out, &ip);
	return 0;
}

int net_nameservers(struct ctx *ctx, const struct node *value, void *out)
{
	return words(ctx, value, take_nameserver, out);
}

static int take_domain(struct ctx *ctx, const struct node *at, const char *s, size_t n, void *out)
{
	if (n > 253 || s[0] == '-' || strspn(s, SEARCH_CHARACTERS) < n)
		return diag_at(ctx->diags, DIAG_ERROR, at, NULL, "%s is not a domain to search in", diag_quote(ctx->arena, s, n));
	strings_add(ctx, out, arena_strndup(ctx->arena, s, n));
	return 0;
}

int net_search(struct ctx *ctx, const struct node *value, void *out)
{
	return words(ctx, value, take_domain, out);
}

int net_address(struct ctx *ctx, const struct node *value, struct plan_addresses *out)
{
	struct plan_address a;

	if (value->type != NODE_SCALAR || strlen(value->text) != value->len || plan_parse_prefixed(value->text, &a) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, "such as 192.0.2.10/24 or 2001:db8::10/64", "%s is not an address with its prefix length",
			       net_quote(ctx, value));
	if (!strchr(value->text, '/'))
		return diag_at(ctx->diags, DIAG_ERROR, value, arena_printf(ctx->arena, "such as %s/%s", value->text, a.family == AF_INET ? "24" : "64"),
			       "the address %s has no prefix length", net_quote(ctx, value));
	plan_add_address(ctx, out, &a);
	return 0;
}
