/* ssh_read.c - reads the keys of cloud-config that begin with ssh, disable_root and their like. Private keys never go into messages. */
#include <errno.h>
#include <string.h>

#include "../scalar.h"
#include "../text.h"
#include "ssh.h"

#define HOST_KEY_MAX 16384

int read_ssh_authorized_keys(struct ctx *ctx, const struct node *value, void *out)
{
	struct ssh_config *c = out;

	c->keys = NULL;
	c->keys_at = value;
	return account_keys_read(ctx, value, &c->keys);
}

/* true, false or "unchanged". */
int read_ssh_pwauth(struct ctx *ctx, const struct node *value, void *out)
{
	bool truth;

	if (scalar_bool(value->text, &truth) == 0) {
		*(enum choice *)out = truth ? CHOICE_YES : CHOICE_NO;
		return 0;
	}
	if (!strcmp(value->text, "unchanged"))
		return 0;
	return diag_at(ctx->diags, DIAG_ERROR, value, "true or false", "%s is no value of ssh_pwauth; nothing is changed",
		       diag_quote(ctx->arena, value->text, value->len));
}

/* What goes in front of a key of root: options of authorized_keys(5), on one line. */
int read_ssh_options(struct ctx *ctx, const struct node *value, void *out)
{
	return value_line(ctx, value, out);
}

static const char *const types[] = { "rsa", "ecdsa", "ed25519" };

int read_ssh_types(struct ctx *ctx, const struct node *value, void *out)
{
	struct strings all = { NULL, 0 };
	struct strings *list = out;
	int r = 0;

	*list = all;
	if (value_strings(ctx, value, &all) < 0)
		return -EINVAL;
	for (size_t i = 0; i < all.n; i++) {
		size_t k = 0;

		while (k < ARRAY_SIZE(types) && strcmp(all.v[i], types[k]) != 0)
			k++;
		if (k < ARRAY_SIZE(types))
			strings_add(ctx, list, types[k]);
		else if (!strcmp(all.v[i], "dsa"))
			diag_at(ctx->diags, DIAG_WARNING, value, NULL, "a host key of type dsa is not made: no ssh takes it any more");
		else
			r = diag_at(ctx->diags, DIAG_ERROR, value, "rsa, ecdsa or ed25519", "%s is no type of host key",
				    diag_quote(ctx->arena, all.v[i], strlen(all.v[i])));
	}
	return r;
}

static const char *const parts[] = { "private", "public", "certificate" };

static int host_key(struct ctx *ctx, struct ssh_config *c, const struct item *item)
{
	const struct node *key = item->key;
	const char *dash = strchr(key->text, '_');
	struct ssh_host_key **tail = &c->host_keys;
	size_t type = 0;
	size_t part = 0;
	const char *text;

	while (dash && type < ARRAY_SIZE(types) && (strlen(types[type]) != (size_t)(dash - key->text) || strncmp(key->text, types[type], strlen(types[type])) != 0))
		type++;
	while (dash && part < ARRAY_SIZE(parts) && strcmp(dash + 1, parts[part]) != 0)
		part++;
	if (!strncmp(key->text, "dsa_", 4)) {
		diag_at(ctx->diags, DIAG_WARNING, key, NULL, "a host key of type dsa is not used: no ssh takes it any more");
		return 0;
	}
	if (!dash || type == ARRAY_SIZE(types) || part == ARRAY_SIZE(parts))
		return diag_at(ctx->diags, DIAG_UNKNOWN, key, "such as ed25519_private and ed25519_public", "%s is no host key of ssh_keys",
			       diag_quote(ctx->arena, key->text, key->len));
	if (item->value->type != NODE_SCALAR || item->value->len > HOST_KEY_MAX || strlen(item->value->text) != item->value->len)
		return diag_at(ctx->diags, DIAG_ERROR, key, NULL, "the host key %s must be text of at most %d bytes", key->text, HOST_KEY_MAX);
	text = item->value->text;
	while (*tail)
		tail = &(*tail)->next;
	*tail = ARENA_NEW(ctx->arena, struct ssh_host_key);
	**tail = (struct ssh_host_key){ .at = key, .type = types[type], .part = parts[part], .text = text };
	return 0;
}

int read_ssh_keys(struct ctx *ctx, const struct node *value, void *out)
{
	struct ssh_config *c = out;
	int r = 0;

	c->host_keys = NULL;
	c->host_keys_given = true;
	for (const struct item *i = value->items; i; i = i->next)
		if (!node_is_null(i->value) && host_key(ctx, c, i) < 0)
			r = -EINVAL;
	return r;
}

struct publish {
	bool enabled;
	struct strings blacklist;
};

static const struct key publish_keys[] = {
	KEY("enabled", NODE_SCALAR, value_bool, struct publish, enabled),
	KEY("blacklist", NODE_SCALAR | NODE_LIST, value_strings, struct publish, blacklist),
};

static const struct schema publish_schema = {
	.what = "ssh_publish_hostkeys",
	.keys = publish_keys,
	.n_keys = ARRAY_SIZE(publish_keys),
	.unknown = DIAG_UNKNOWN,
};

/* Only GCE takes host keys from its guests: checked, and nothing else. */
int read_ssh_publish(struct ctx *ctx, const struct node *value, void *out)
{
	struct publish p = { true, { NULL, 0 } };

	(void)out;
	return schema_read(ctx, &publish_schema, value, &p) ? -EINVAL : 0;
}

static const struct key console_keys[] = {
	KEY("emit_keys_to_console", NODE_SCALAR, value_choice, struct ssh_config, emit_keys),
};

static const struct schema console_schema = {
	.what = "ssh",
	.keys = console_keys,
	.n_keys = ARRAY_SIZE(console_keys),
	.unknown = DIAG_UNKNOWN,
};

int read_ssh_console(struct ctx *ctx, const struct node *value, void *out)
{
	return schema_read(ctx, &console_schema, value, out) ? -EINVAL : 0;
}

int read_ssh_hash(struct ctx *ctx, const struct node *value, void *out)
{
	if (!strcmp(value->text, "sha256") || !strcmp(value->text, "sha512") || !strcmp(value->text, "md5")) {
		*(const char **)out = value->text;
		if (strcmp(value->text, "sha256") != 0)
			diag_at(ctx->diags, DIAG_WARNING, value, NULL, "fingerprints of authorized keys are shown by sha256 here");
		return 0;
	}
	return diag_at(ctx->diags, DIAG_ERROR, value, "sha256 or sha512", "%s is no hash for fingerprints", diag_quote(ctx->arena, value->text, value->len));
}

/* Types and fingerprints: words without blanks, for they become words of a shell script too. */
int read_ssh_skip(struct ctx *ctx, const struct node *value, void *out)
{
	struct strings all = { NULL, 0 };
	struct strings *list = out;

	*list = all;
	if (value_strings(ctx, value, &all) < 0)
		return -EINVAL;
	for (size_t i = 0; i < all.n; i++) {
		if (all.v[i][strspn(all.v[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-@.:+/=")])
			return diag_at(ctx->diags, DIAG_ERROR, value, "such as ssh-rsa", "%s is no type of key", diag_quote(ctx->arena, all.v[i], strlen(all.v[i])));
		strings_add(ctx, list, all.v[i]);
	}
	return 0;
}
