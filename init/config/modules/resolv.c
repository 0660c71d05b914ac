/* resolv.c - manage_resolv_conf and resolv_conf: an /etc/resolv.conf that DHCP does not change.
 *
 * Runs in coracle-config on each boot. Without it /etc/resolv.conf is a link to what DHCP writes. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "../scalar.h"
#include "module.h"

static int bad_word(struct ctx *ctx, const struct node *at, const char *word, const char *what)
{
	return diag_at(ctx->diags, DIAG_ERROR, at, NULL, "%s is not %s", diag_quote(ctx->arena, word, strlen(word)), what);
}

static int read_addresses(struct ctx *ctx, const struct node *value, void *out)
{
	struct strings *s = out;
	unsigned char bytes[16];
	int r = value_strings(ctx, value, s);

	for (size_t i = 0; r == 0 && i < s->n; i++)
		if (inet_pton(AF_INET, s->v[i], bytes) != 1 && inet_pton(AF_INET6, s->v[i], bytes) != 1)
			r = bad_word(ctx, value, s->v[i], "an address");
	return r;
}

/* Nothing that ends the word, or the line. */
static int check_words(struct ctx *ctx, const struct node *value, const struct strings *s, const char *what)
{
	for (size_t i = 0; i < s->n; i++) {
		size_t len = strlen(s->v[i]);

		if (len == 0 || len > 253 || strspn(s->v[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/:-") != len)
			return bad_word(ctx, value, s->v[i], what);
	}
	return 0;
}

static int read_domains(struct ctx *ctx, const struct node *value, void *out)
{
	return value_strings(ctx, value, out) < 0 ? -EINVAL : check_words(ctx, value, out, "a domain");
}

static int read_sortlist(struct ctx *ctx, const struct node *value, void *out)
{
	return value_strings(ctx, value, out) < 0 ? -EINVAL : check_words(ctx, value, out, "an address and mask");
}

static int read_domain(struct ctx *ctx, const struct node *value, void *out)
{
	struct strings one = { NULL, 0 };

	if (read_domains(ctx, value, &one) < 0)
		return -EINVAL;
	*(const char **)out = one.v[0];
	return 0;
}

/* {rotate: true, timeout: 1}: a true one is its name, a number is NAME:NUMBER. */
static int read_options(struct ctx *ctx, const struct node *value, void *out)
{
	struct strings *s = out;
	uint64_t number;
	bool on;

	for (const struct item *i = value->items; i; i = i->next) {
		const char *v = i->value->type == NODE_SCALAR ? i->value->text : "";

		if (i->key->len == 0 || strspn(i->key->text, "abcdefghijklmnopqrstuvwxyz0123456789-") != i->key->len)
			return bad_word(ctx, i->key, i->key->text, "an option");
		if (scalar_uint(v, 1000, &number) == 0)
			strings_add(ctx, s, arena_printf(ctx->arena, "%s:%u", i->key->text, (unsigned)number));
		else if (scalar_bool(v, &on) < 0)
			return diag_at(ctx->diags, DIAG_ERROR, i->value, NULL, "the option %s must be true, false or a number", i->key->text);
		else if (on)
			strings_add(ctx, s, i->key->text);
	}
	return 0;
}

static const struct key resolv_keys[] = {
	KEY("nameservers", NODE_SCALAR | NODE_LIST, read_addresses, struct system_resolv, nameservers),
	KEY("searchdomains", NODE_SCALAR | NODE_LIST, read_domains, struct system_resolv, search),
	KEY("domain", NODE_SCALAR, read_domain, struct system_resolv, domain),
	KEY("sortlist", NODE_SCALAR | NODE_LIST, read_sortlist, struct system_resolv, sortlist),
	KEY("options", NODE_MAP, read_options, struct system_resolv, options),
};

static const struct schema resolv_schema = {
	.what = "resolv_conf",
	.keys = resolv_keys,
	.n_keys = ARRAY_SIZE(resolv_keys),
	.unknown = DIAG_UNKNOWN,
};

int read_resolv_conf(struct ctx *ctx, const struct node *value, void *out)
{
	struct system_resolv *s = out;

	if (schema_read(ctx, &resolv_schema, value, s) > 0)
		return -EINVAL;
	s->at = value;
	return 0;
}

bool resolv_wanted(const struct run *r)
{
	return r->config.system.resolv.manage && r->config.system.resolv.at;
}

static void add_line(struct buf *b, const char *name, const struct strings *words)
{
	if (words->n == 0)
		return;
	buf_puts(b, name);
	for (size_t i = 0; i < words->n; i++)
		buf_printf(b, " %s", words->v[i]);
	buf_putc(b, '\n');
}

void apply_resolv(struct run *r)
{
	const struct system_resolv *s = &r->config.system.resolv;
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 65536);
	buf_puts(&b, "# From the boot configuration: resolv_conf\n");
	for (size_t i = 0; i < s->nameservers.n; i++)
		buf_printf(&b, "nameserver %s\n", s->nameservers.v[i]);
	add_line(&b, "search", &s->search);
	if (s->domain)
		buf_printf(&b, "domain %s\n", s->domain);
	add_line(&b, "sortlist", &s->sortlist);
	add_line(&b, "options", &s->options);
	if (buf_error(&b))
		diag_at(&r->diags, DIAG_ERROR, s->at, NULL, "resolv_conf is more than 64 KiB; /etc/resolv.conf stays as it is");
	else
		module_put(r, "/etc/resolv.conf", b.data, 0644);
}
