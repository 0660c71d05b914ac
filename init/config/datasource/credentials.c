/* credentials.c - systemd's credentials: from fw_cfg, SMBIOS type 11 and the kernel command line.
 *
 * Values are secrets: no message has them. */
#include "credentials.h"

#include <fcntl.h>
#include <string.h>

#include "../base64.h"
#include "../text.h"
#include "datasource.h"
#include "fd.h"
#include "smbios.h"
#include "sys.h"

#define TABLE_MAX ((size_t)1 << 20)

/* those that mean something here; fw_cfg is asked for these only */
static const char *const names[] = {
	"coracle.user-data", "coracle.meta-data", "coracle.vendor-data", "coracle.network-config",
	"cloud-init.user-data", "cloud-init.meta-data", "cloud-init.vendor-data", "cloud-init.network-config",
	"ssh.authorized_keys.root", "passwd.hashed-password.root", "system.hostname",
};

static bool known(const char *s, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == n && !memcmp(names[i], s, n))
			return true;
	return false;
}

static struct credential *make(struct ctx *ctx, const char *name, size_t name_len, const char *value, size_t n, bool base64, const char *from)
{
	struct credential *c = ARENA_NEW(ctx->arena, struct credential);

	if (!known(name, name_len))
		return NULL;
	*c = (struct credential){ .name = arena_strndup(ctx->arena, name, name_len), .from = from };
	if (n > (base64 ? 2 * USERDATA_MAX : USERDATA_MAX)) {
		diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "the credential %s from %s is larger than 1 MiB", c->name, from);
		return NULL;
	}
	c->len = n;
	c->text = base64 ? base64_decode(ctx->arena, value, n, &c->len) : arena_strndup(ctx->arena, value, n);
	if (c->text)
		return c;
	diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "the credential %s from %s is not base64", c->name, from);
	return NULL;
}

/* NAME SEPARATOR VALUE */
static struct credential *split(struct ctx *ctx, const char *s, size_t n, char separator, bool base64, const char *from)
{
	const char *mark = memchr(s, separator, n);

	return mark ? make(ctx, s, (size_t)(mark - s), mark + 1, n - (size_t)(mark + 1 - s), base64, from) : NULL;
}

struct credential *credential_of_string(struct ctx *ctx, const char *s, size_t n)
{
	static const char plain[] = "io.systemd.credential:";
	static const char binary[] = "io.systemd.credential.binary:";

	if (n >= sizeof(plain) - 1 && !memcmp(s, plain, sizeof(plain) - 1))
		return split(ctx, s + sizeof(plain) - 1, n - (sizeof(plain) - 1), '=', false, "SMBIOS");
	if (n >= sizeof(binary) - 1 && !memcmp(s, binary, sizeof(binary) - 1))
		return split(ctx, s + sizeof(binary) - 1, n - (sizeof(binary) - 1), '=', true, "SMBIOS");
	return NULL;
}

struct listing {
	struct ctx *ctx;
	struct credential **end;
};

static void append(struct listing *l, struct credential *c)
{
	if (!c)
		return;
	*l->end = c;
	l->end = &c->next;
}

static int found_string(const char *s, size_t n, void *arg)
{
	struct listing *l = arg;

	append(l, credential_of_string(l->ctx, s, n));
	return 0;
}

static void from_fw_cfg(struct machine_facts *f, struct listing *l)
{
	CLEANUP_FD int dirfd = sys_openat(AT_FDCWD, arena_printf(f->ctx->arena, "%s/opt/io.systemd.credentials", f->places->fw_cfg), O_RDONLY | O_DIRECTORY, 0);

	for (size_t i = 0; dirfd >= 0 && i < ARRAY_SIZE(names); i++) {
		const char *text;
		size_t n;

		if (seed_read_file(f->ctx, dirfd, "fw_cfg", arena_printf(f->ctx->arena, "%s/raw", names[i]), &text, &n) > 0)
			append(l, make(f->ctx, names[i], strlen(names[i]), text, n, false, "fw_cfg"));
	}
}

static void from_smbios(struct machine_facts *f, struct listing *l)
{
	CLEANUP_FREE char *table = NULL;
	size_t n;

	if (fd_read_file(AT_FDCWD, f->places->smbios, TABLE_MAX, &table, &n, NULL) == 0)
		smbios_strings(table, n, SMBIOS_OEM_STRINGS, found_string, l);
}

static void from_cmdline(struct machine_facts *f, struct listing *l)
{
	static const struct { const char *word; bool base64; } words[] = { { "systemd.set_credential=", false }, { "systemd.set_credential_binary=", true } };
	const char *line = facts_get(f, FACT_CMDLINE);

	for (const char *s = line; *s; s += strspn(s, " \t\n")) {
		size_t n = strcspn(s, " \t\n");

		for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
			size_t w = strlen(words[i].word);

			if (n > w && !memcmp(s, words[i].word, w))
				append(l, split(l->ctx, s + w, n - w, ':', words[i].base64, "the kernel command line"));
		}
		s += n;
	}
}

struct credential *credentials_list(struct machine_facts *f)
{
	struct credential *first = NULL;
	struct listing l = { f->ctx, &first };

	if (f->credentials_listed)
		return f->credentials;
	from_fw_cfg(f, &l);
	from_smbios(f, &l);
	from_cmdline(f, &l);
	f->credentials_listed = true;
	f->credentials = first;
	return first;
}

const struct credential *credential_find(const struct credential *list, const char *name)
{
	for (; list; list = list->next)
		if (!strcmp(list->name, name))
			return list;
	return NULL;
}

/* coracle.NAME, or cloud-init.NAME. */
static const struct credential *document(struct machine_facts *f, const char *name)
{
	const struct credential *list = credentials_list(f);
	const struct credential *c = credential_find(list, arena_printf(f->ctx->arena, "coracle.%s", name));

	return c ? c : credential_find(list, arena_printf(f->ctx->arena, "cloud-init.%s", name));
}

static bool take(struct machine_facts *f, const char *name, const char **text, size_t *len)
{
	const struct credential *c = document(f, name);

	if (!c)
		return false;
	*text = c->text;
	*len = c->len;
	return true;
}

int credentials_read(struct machine_facts *f, struct seed *seed)
{
	const struct credential *user = document(f, "user-data");
	const struct credential *meta = document(f, "meta-data");
	const struct credential *first = user ? user : meta;

	if (!first)
		return 0;
	take(f, "user-data", &seed->user_data, &seed->user_data_len);
	take(f, "vendor-data", &seed->vendor_data, &seed->vendor_data_len);
	take(f, "network-config", &seed->network_config, &seed->network_config_len);
	if (meta)
		meta_read(f->ctx, "meta-data", meta->text, meta->len, &seed->meta);
	seed_hash_instance(f->ctx, "credential", seed);
	seed->name = arena_printf(f->ctx->arena, "DataSourceCredentials [%s]", first->from);
	seed->why = arena_printf(f->ctx->arena, "the credential %s from %s", first->name, first->from);
	seed->cloud_name = seed->platform = "credentials";
	seed->subplatform = first->from;
	return 1;
}

/* A string of crypt(3) goes into /etc/shadow: nothing in it may end its field. */
static bool is_hash(const char *s, size_t n)
{
	return n > 0 && n < 512 && text_single_line(s, n) && !memchr(s, ':', n) && (s[0] == '$' || s[0] == '*' || s[0] == '!' || s[0] == '_');
}

static size_t trimmed(const struct credential *c)
{
	size_t n = c->len;

	while (n > 0 && strchr(" \t\r\n", c->text[n - 1]))
		n--;
	return n;
}

void credentials_add(struct machine_facts *f, struct seed *seed)
{
	const struct credential *list = credentials_list(f);
	const struct credential *keys = credential_find(list, "ssh.authorized_keys.root");
	const struct credential *hash = credential_find(list, "passwd.hashed-password.root");
	const struct credential *host = credential_find(list, "system.hostname");
	struct arena *a = f->ctx->arena;

	for (const char *s = keys ? keys->text : ""; *s; s += strspn(s, "\r\n")) {
		size_t n = strcspn(s, "\r\n");

		if (n > 0 && s[0] != '#' && text_single_line(s, n))
			strings_add(f->ctx, &seed->root_keys, arena_strndup(a, s, n));
		else if (n > 0 && s[0] != '#')
			diag_add(f->ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "a key of the credential %s has a control character in it", keys->name);
		s += n;
	}
	if (hash && is_hash(hash->text, trimmed(hash)))
		seed->root_hashed_password = arena_strndup(a, hash->text, trimmed(hash));
	else if (hash)
		diag_add(f->ctx->diags, DIAG_ERROR, NULL, 0, 0, "as mkpasswd makes it", "the credential %s is not a hash of crypt(3)", hash->name);
	if (host)
		meta_set_hostname(f->ctx, "the credential system.hostname", arena_strndup(a, host->text, trimmed(host)), &seed->meta);
}
