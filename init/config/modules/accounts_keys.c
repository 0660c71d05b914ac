/* accounts_keys.c - public keys as authorized_keys(5) has them: taken apart, checked.
 *
 * cloud-init drops what it does not understand without a word; here it is an error with its place. The text of a line is never
 * quoted as a whole: people do put private keys there. */
#include <errno.h>
#include <string.h>

#include "../base64.h"
#include "../text.h"
#include "accounts.h"

#define KEY_LINE_MAX 16384
#define KEYS_MAX 1000

/* What OpenSSH takes, and four short names from old times (cloudinit/ssh_util.py, VALID_KEY_TYPES). */
static const char *const key_types[] = {
	"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "sk-ssh-ed25519@openssh.com",
	"sk-ecdsa-sha2-nistp256@openssh.com", "ssh-dss", "ssh-ed25519-cert-v01@openssh.com", "ssh-rsa-cert-v01@openssh.com",
	"ecdsa-sha2-nistp256-cert-v01@openssh.com", "ecdsa-sha2-nistp384-cert-v01@openssh.com", "ecdsa-sha2-nistp521-cert-v01@openssh.com",
	"sk-ssh-ed25519-cert-v01@openssh.com", "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", "ssh-dss-cert-v01@openssh.com",
	"ssh-xmss@openssh.com", "ssh-xmss-cert-v01@openssh.com", "dsa", "rsa", "ecdsa", "ed25519",
};

#define BLANKS " \t"

static bool known_type(const char *s, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(key_types); i++)
		if (strlen(key_types[i]) == n && !memcmp(key_types[i], s, n))
			return true;
	return false;
}

/* TYPE BASE64 [COMMENT] */
static int parse_bare(struct ctx *ctx, const char *s, struct account_key *key)
{
	size_t type = strcspn(s, BLANKS);
	const char *data = s + type + strspn(s + type, BLANKS);
	size_t n = strcspn(data, BLANKS);
	const char *comment = data + n + strspn(data + n, BLANKS);

	if (!known_type(s, type) || n == 0)
		return -EINVAL;
	key->type = arena_strndup(ctx->arena, s, type);
	key->base64 = arena_strndup(ctx->arena, data, n);
	key->comment = *comment ? comment : NULL;
	return 0;
}

/* Length of the options in front of a key: no blanks but in double quotes (sshd(8)). */
static size_t options_length(const char *s)
{
	bool quoted = false;
	size_t i = 0;

	for (; s[i] && (quoted || (s[i] != ' ' && s[i] != '\t')); i++) {
		if (s[i] == '\\' && s[i + 1] == '"')
			i++;
		else if (s[i] == '"')
			quoted = !quoted;
	}
	return i;
}

int account_key_parse(struct ctx *ctx, const char *line, struct account_key *key)
{
	const char *s = line + strspn(line, BLANKS "\r");
	size_t n = strlen(s);

	while (n > 0 && strchr(BLANKS "\r\n", s[n - 1]))
		n--;
	if (n == 0 || s[0] == '#')
		return 1;
	if (n > KEY_LINE_MAX || !text_single_line(s, n))
		return -EINVAL;
	s = arena_strndup(ctx->arena, s, n);
	key->options = NULL;
	if (parse_bare(ctx, s, key) == 0)
		return 0;
	n = options_length(s);
	key->options = arena_strndup(ctx->arena, s, n);
	return parse_bare(ctx, s + n + strspn(s + n, BLANKS), key);
}

/* The data of a key begin with its type once more (RFC 4253, 6.6): a key that was cut in a copy is told from a whole one. */
static bool looks_whole(struct ctx *ctx, const struct account_key *key)
{
	size_t len;
	size_t fields = 0;
	const char *d = base64_decode(ctx->arena, key->base64, strlen(key->base64), &len);

	if (!d)
		return false;
	for (size_t i = 0; i < len; fields++) {
		const unsigned char *p = (const unsigned char *)d + i;
		size_t n;

		if (len - i < 4)
			return false;
		n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
		if (n > len - i - 4)
			return false;
		if (i == 0 && strchr(key->type, '-') && (n != strlen(key->type) || memcmp(p + 4, key->type, n) != 0))
			return false;
		i += 4 + n;
	}
	return fields >= 2;
}

static void report_no_key(struct ctx *ctx, const struct node *at, const char *line, size_t n)
{
	const char *hint = "TYPE BASE64 COMMENT, such as ssh-ed25519 AAAA... me@home";
	size_t word = strcspn(line, BLANKS "\r\n");

	if (n >= 10 && memmem(line, n, "PRIVATE KEY", 11))
		hint = "that is a private key: what is wanted is in the file that ends in .pub";
	else if (n > 4 && !memcmp(line, "AAAA", 4))
		hint = "the type is missing in front of it, such as ssh-ed25519";
	if (!text_single_line(line, n))
		diag_at(ctx->diags, DIAG_ERROR, at, "one key per line", "an ssh key has control characters in it; it is left out");
	else if (word <= 20 && word < n)
		diag_at(ctx->diags, DIAG_ERROR, at, hint, "this is no ssh public key: it begins with %s, which is no type of key; it is left out",
			diag_quote(ctx->arena, line, word));
	else
		diag_at(ctx->diags, DIAG_ERROR, at, hint, "this is no ssh public key; it is left out");
}

static size_t count(const struct account_key *list)
{
	size_t n = 0;

	for (; list; list = list->next)
		n++;
	return n;
}

int account_keys_add(struct ctx *ctx, const struct node *at, const char *text, struct account_key **list)
{
	struct account_key **tail = list;
	int result = 0;

	while (*tail)
		tail = &(*tail)->next;
	for (const char *end; *text; text = end + (*end != '\0')) {
		struct account_key key = { .at = at };
		char *line;
		int r;

		end = text + strcspn(text, "\n");
		line = arena_strndup(ctx->arena, text, (size_t)(end - text));
		r = account_key_parse(ctx, line, &key);
		if (r > 0)
			continue;
		if (r < 0) {
			line += strspn(line, BLANKS);
			report_no_key(ctx, at, line, strlen(line));
			result = -EINVAL;
			continue;
		}
		if (count(*list) >= KEYS_MAX)
			return diag_at(ctx->diags, DIAG_ERROR, at, NULL, "more than %d ssh keys", KEYS_MAX);
		if (!looks_whole(ctx, &key))
			diag_at(ctx->diags, DIAG_WARNING, at, "copy it once more", "this ssh key is damaged: no server will take it");
		*tail = ARENA_NEW(ctx->arena, struct account_key);
		**tail = key;
		tail = &(*tail)->next;
	}
	return result;
}

int account_keys_read(struct ctx *ctx, const struct node *value, struct account_key **list)
{
	const char *text;
	int r = 0;

	if (value->type == NODE_SCALAR)
		return value_text(ctx, value, &text) < 0 ? -EINVAL : account_keys_add(ctx, value, text, list);
	for (const struct item *i = value->items; i; i = i->next) {
		if (node_is_null(i->value))
			continue;
		/* a mapping's own lists: the meta-data of OpenStack and EC2 have such */
		if (i->value->type == NODE_LIST && value->type == NODE_MAP) {
			if (account_keys_read(ctx, i->value, list) < 0)
				r = -EINVAL;
			continue;
		}
		if (value_text(ctx, i->value, &text) < 0 || account_keys_add(ctx, i->value, text, list) < 0)
			r = -EINVAL;
	}
	return r;
}
