/* phone_home.c - phone_home: tells a server that this machine is up, with its keys and names.
 *
 * Runs in coracle-config, in the last stage, once for each instance. Only public keys are sent. */
#include <errno.h>
#include <string.h>

#include "../http/http.h"
#include "../scalar.h"
#include "hostname.h"
#include "module.h"

#define KEY_MAX ((size_t)16384)
#define BODY_MAX ((size_t)65536)
#define TRIES 10
#define TRY_MS 10000

/* In cloud-init's order (cc_phone_home.POST_LIST_ALL). */
static const char *const all[] = { "pub_key_rsa", "pub_key_ecdsa", "pub_key_ed25519", "instance_id", "hostname", "fqdn" };

static int read_url(struct ctx *ctx, const struct node *value, void *out)
{
	if (value_line(ctx, value, out) < 0)
		return -EINVAL;
	/* it may be a template, and hold a password: it is not shown */
	if (value->len > HTTP_URL_MAX || (value->text[0] != '$' && value->text[0] != '{' && strncmp(value->text, "http://", 7) != 0 && strncmp(value->text, "https://", 8) != 0))
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "the url of phone_home begins with http:// or https://");
	return 0;
}

static int read_post(struct ctx *ctx, const struct node *value, void *out)
{
	struct strings *s = out;
	int r = value_strings(ctx, value, s);

	if (r == 0 && value->type == NODE_SCALAR && !strcmp(value->text, "all")) {
		*s = (struct strings){ NULL, 0 };
		return 0;
	}
	for (size_t i = 0; r == 0 && i < s->n; i++) {
		size_t k = 0;

		while (k < ARRAY_SIZE(all) && strcmp(s->v[i], all[k]) != 0)
			k++;
		if (k == ARRAY_SIZE(all) && strcmp(s->v[i], "pub_key_dsa") != 0)
			r = diag_at(ctx->diags, DIAG_ERROR, value, "pub_key_rsa, pub_key_ecdsa, pub_key_ed25519, instance_id, hostname, fqdn", "%s cannot be posted",
				    diag_quote(ctx->arena, s->v[i], strlen(s->v[i])));
	}
	return r;
}

static int read_tries(struct ctx *ctx, const struct node *value, void *out)
{
	uint64_t n;

	if (scalar_uint(value->text, 100, &n) < 0 || n == 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, "1 to 100", "%s is not a number of tries", diag_quote(ctx->arena, value->text, value->len));
	*(unsigned *)out = (unsigned)n;
	return 0;
}

static const struct key phone_keys[] = {
	KEY("url", NODE_SCALAR, read_url, struct system_phone, url),
	KEY("post", NODE_SCALAR | NODE_LIST, read_post, struct system_phone, post),
	KEY("tries", NODE_SCALAR, read_tries, struct system_phone, tries),
};

static const struct schema phone_schema = {
	.what = "phone_home",
	.keys = phone_keys,
	.n_keys = ARRAY_SIZE(phone_keys),
	.unknown = DIAG_UNKNOWN,
};

int read_phone_home(struct ctx *ctx, const struct node *value, void *out)
{
	struct system_phone p = { .at = value, .tries = TRIES };

	if (schema_read(ctx, &phone_schema, value, &p) > 0)
		return -EINVAL;
	if (!p.url)
		return diag_at(ctx->diags, DIAG_ERROR, value, "phone_home: {url: https://...}", "phone_home needs a url");
	*(struct system_phone *)out = p;
	return 0;
}

/* application/x-www-form-urlencoded, as Python's urlencode: a blank is +. */
static void add_encoded(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~", *s))
			buf_putc(b, *s);
		else if (*s == ' ')
			buf_putc(b, '+');
		else
			buf_printf(b, "%%%02X", (unsigned)(unsigned char)*s);
	}
}

/* NULL: there is none. */
static const char *value_of(struct run *r, const char *name)
{
	CLEANUP_FREE char *key = NULL;
	struct hostname h;
	size_t len;

	if (!strcmp(name, "instance_id"))
		return r->instance_id;
	hostname_choose(r, &h);
	if (!strcmp(name, "hostname"))
		return h.host;
	if (!strcmp(name, "fqdn"))
		return h.fqdn ? h.fqdn : h.host;
	if (target_read(&r->target, arena_printf(&r->arena, "/etc/ssh/ssh_host_%s_key.pub", name + strlen("pub_key_")), KEY_MAX, &key, &len) < 0)
		return NULL;
	return arena_strndup(&r->arena, key, len);
}

static void add_form(struct run *r, const struct system_phone *p, struct buf *b)
{
	size_t n = p->post.n ? p->post.n : ARRAY_SIZE(all);

	for (size_t i = 0; i < n; i++) {
		const char *name = p->post.n ? p->post.v[i] : all[i];
		const char *value = value_of(r, name);

		if (!value && p->post.n)
			diag_at(&r->diags, DIAG_WARNING, NULL, NULL, "phone_home: this machine has no %s; N/A is sent", name);
		buf_puts(b, i ? "&" : "");
		add_encoded(b, name);
		buf_putc(b, '=');
		add_encoded(b, value ? value : "N/A");
	}
}

bool phone_home_wanted(const struct run *r)
{
	return r->config.system.phone.url != NULL;
}

void apply_phone_home(struct run *r)
{
	static const char *const headers[] = { "Content-Type: application/x-www-form-urlencoded", NULL };
	const struct system_phone *p = &r->config.system.phone;
	const struct fill names[] = { { "instance_id", r->instance_id } };
	CLEANUP_BUF struct buf body = { 0 };
	struct http_request q = { .method = "POST", .headers = headers, .timeout_ms = TRY_MS, .tries = p->tries, .total_ms = p->tries * (TRY_MS + 1000) };
	struct http_answer a;
	struct err err = ERR_INIT;
	const char *unknown;

	if (!r->target.machine)
		return;
	buf_init(&body, BODY_MAX);
	add_form(r, p, &body);
	q.url = system_fill(&r->ctx, p->url, names, ARRAY_SIZE(names), &unknown);
	q.body = body.data;
	q.body_len = body.len;
	if (unknown)
		diag_at(&r->diags, DIAG_WARNING, NULL, "$INSTANCE_ID", "the url of phone_home has the unknown name \"%s\"", unknown);
	if (http_fetch(&r->ctx, &q, &a, &err) < 0)
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "phone_home: %s", err.text);
	else if (a.status < 200 || a.status > 299)
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "phone_home: the server answers %d", a.status);
}
