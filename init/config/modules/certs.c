/* certs.c - ca_certs: whom this machine trusts, /etc/ssl/certs/ca-certificates.crt.
 *
 * Runs in coracle-config on each boot. The bundle is what coracle-http and image pulls verify by. Only certificates get into it: of what was written, the
 * blocks that decode to DER are copied and nothing around them. A key that somebody pasted by mistake is refused without being shown. */
#include <errno.h>
#include <string.h>

#include "../base64.h"
#include "module.h"

#define BUNDLE "/etc/ssl/certs/ca-certificates.crt"
#define BUNDLE_MAX ((size_t)4 << 20)
#define CERTS_MAX 256
#define OURS "# From the boot configuration:\n"

static const char begin[] = "-----BEGIN CERTIFICATE-----";
static const char end[] = "-----END CERTIFICATE-----";

/* True for base64 that begins as a DER sequence whose length is that of the bytes. */
static bool is_der(struct ctx *ctx, const char *text, size_t n)
{
	size_t len;
	const unsigned char *d = (const unsigned char *)base64_decode(ctx->arena, text, n, &len);

	return d && len > 4 && d[0] == 0x30 && d[1] == 0x82 ? ((size_t)d[2] << 8 | d[3]) + 4 == len : d && len > 3 && d[0] == 0x30 && d[1] == 0x81 && (size_t)d[2] + 3 == len;
}

static int read_certificate(struct ctx *ctx, const struct node *at, struct strings *out)
{
	const char *text;
	const char *from;
	size_t before = out->n;

	if (value_text(ctx, at, &text) < 0)
		return -EINVAL;
	if (strstr(text, "PRIVATE KEY-----"))
		return diag_at(ctx->diags, DIAG_ERROR, at, "give the certificate alone", "this is a private key, not a certificate");
	for (from = strstr(text, begin); from; from = strstr(from, begin)) {
		const char *to = strstr(from, end);

		from += strlen(begin);
		if (!to || !is_der(ctx, from, (size_t)(to - from)) || out->n == CERTS_MAX)
			break;
		strings_add(ctx, out, arena_strndup(ctx->arena, from - strlen(begin), (size_t)(to - from) + strlen(begin) + strlen(end)));
		from = to;
	}
	if (from || out->n == before)
		diag_at(ctx->diags, DIAG_WARNING, at, "PEM: a line -----BEGIN CERTIFICATE-----, base64, a line -----END CERTIFICATE-----",
			"this is no certificate; it is left out");
	return 0;
}

static int read_trusted(struct ctx *ctx, const struct node *value, void *out)
{
	int r = 0;

	if (value->type == NODE_SCALAR)
		return read_certificate(ctx, value, out);
	for (const struct item *i = value->items; i; i = i->next)
		if (read_certificate(ctx, i->value, out) < 0)
			r = -EINVAL;
	return r;
}

static const struct key certs_keys[] = {
	KEY("remove_defaults", NODE_SCALAR, value_bool, struct system_certs, remove_defaults),
	KEY("trusted", NODE_SCALAR | NODE_LIST, read_trusted, struct system_certs, trusted),
};

static const struct schema certs_schema = {
	.what = "ca_certs",
	.keys = certs_keys,
	.n_keys = ARRAY_SIZE(certs_keys),
	.unknown = DIAG_UNKNOWN,
	.fold_dashes = true, /* remove-defaults, deprecated */
};

int read_ca_certs(struct ctx *ctx, const struct node *value, void *out)
{
	struct system_certs *c = out;
	struct system_certs fresh = { .at = value };

	if (c->at)
		diag_at(ctx->diags, DIAG_WARNING, value, "ca-certs is the older name", "ca_certs is here twice; this one counts");
	/* a key among the certificates is left out; the others are right all the same */
	schema_read(ctx, &certs_schema, value, &fresh);
	*c = fresh;
	return 0;
}

bool certs_wanted(const struct run *r)
{
	return r->config.system.certs.remove_defaults || r->config.system.certs.trusted.n > 0;
}

/* The bundle of the image, without what an earlier run has added. */
static void add_defaults(struct run *r, struct buf *b)
{
	CLEANUP_FREE char *old = NULL;
	const char *ours;

	if (target_read(&r->target, BUNDLE, BUNDLE_MAX, &old, NULL) < 0)
		return;
	ours = strstr(old, OURS);
	buf_add(b, old, ours ? (size_t)(ours - old) : strlen(old));
	if (b->len && b->data[b->len - 1] != '\n')
		buf_putc(b, '\n');
}

void apply_certs(struct run *r)
{
	const struct system_certs *c = &r->config.system.certs;
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 2 * BUNDLE_MAX);
	if (!c->remove_defaults)
		add_defaults(r, &b);
	buf_puts(&b, OURS);
	for (size_t i = 0; i < c->trusted.n; i++)
		buf_printf(&b, "%s\n", c->trusted.v[i]);
	if (buf_error(&b))
		diag_at(&r->diags, DIAG_ERROR, c->at, NULL, "the certificates are more than 8 MiB; " BUNDLE " stays as it is");
	else
		module_put(r, BUNDLE, b.data, 0644);
}
