/* ssh.c - the module ssh: host keys that are given, and who may log in as the default user and as root.
 *
 * As cc_ssh of cloud-init. On the machine it leaves /run/coracle/ssh, by which the server is started (rootfs/skel/usr/lib/coracle/ssh):
 * only when there is a key or passwords are allowed. */
#include "ssh.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accounts_apply.h"
#include "fd.h"
#include "path.h"
#include "sys.h"

#define SSHD_CONFIG "/etc/ssh/sshd_config"
#define SSHD_CONFIG_OURS SSHD_CONFIG ".d/50-cloud-init.conf"
#define SSHD_CONFIG_MAX ((size_t)256 << 10)
#define SERVER_PATH "/run/coracle/ssh"

/* cloudinit/ssh_util.py, DISABLE_USER_OPTS */
#define DISABLE_OPTIONS "no-port-forwarding,no-agent-forwarding,no-X11-forwarding,command=\"echo 'Please login as the user \\\"$USER\\\"" \
	" rather than the user \\\"$DISABLE_USER\\\".';echo;sleep 10;exit 142\""

static const char *replace_word(struct ctx *ctx, const char *s, const char *word, const char *with)
{
	for (const char *p; (p = strstr(s, word));)
		s = arena_printf(ctx->arena, "%.*s%s%s", (int)(p - s), s, with, p + strlen(word));
	return s;
}

const char *ssh_disable_options(struct ctx *ctx, const char *opts, const char *to, const char *from)
{
	const char *s = replace_word(ctx, opts ? opts : DISABLE_OPTIONS, "$USER", to ? to : "NONE");

	return replace_word(ctx, s, "$DISABLE_USER", from);
}

const struct account_key *ssh_public_keys(struct run *r)
{
	struct ssh_config *c = &r->config.ssh;

	if (!c->public_read)
		for (size_t i = 0; i < r->seed.meta.public_keys.n; i++)
			account_keys_add(&r->ctx, NULL, r->seed.meta.public_keys.v[i], &c->public_keys);
	c->public_read = true;
	return c->public_keys;
}

/* Host keys of the image are everybody's: they go, unless they shall stay. */
static void delete_host_keys(struct run *r)
{
	int fd = path_open_in(r->target.rootfd, "/etc/ssh", O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(d)))
		if (fnmatch("ssh_host_*key*", e->d_name, 0) == 0)
			sys_unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

/* The text of a sshd_config with NAME VALUE in it; NULL when it has that already. */
static const char *with_setting(struct run *r, const char *old, const char *name, const char *value)
{
	CLEANUP_BUF struct buf b = { 0 };
	bool found = false;
	bool changed = false;

	buf_init(&b, SSHD_CONFIG_MAX * 2);
	for (const char *s = old, *end; *s; s = *end ? end + 1 : end) {
		size_t blank = strspn(s, " \t");
		size_t n = strcspn(s + blank, " \t=\n");
		const char *have;

		end = s + strcspn(s, "\n");
		have = s + blank + n + strspn(s + blank + n, " \t=");
		if (n != strlen(name) || strncasecmp(s + blank, name, n) != 0) {
			buf_printf(&b, "%.*s\n", (int)(end - s), s);
			continue;
		}
		found = true;
		changed = changed || (size_t)(end - have) != strlen(value) || memcmp(have, value, strlen(value)) != 0;
		buf_printf(&b, "%.*s %s\n", (int)n, s + blank, value);
	}
	if (!found)
		buf_printf(&b, "%s %s\n", name, value);
	return found && !changed ? NULL : arena_strndup(&r->arena, b.data, b.len);
}

/* For OpenSSH's server in the tree, if there is one: a file of our own where it includes such, else in its own. */
static void set_sshd(struct run *r, const char *name, const char *value)
{
	CLEANUP_FREE char *own = NULL;
	CLEANUP_FREE char *extra = NULL;
	struct target_file f = { .path = SSHD_CONFIG, .mode = 0644 };
	struct err err = ERR_INIT;
	const char *old;

	if (target_read(&r->target, SSHD_CONFIG, SSHD_CONFIG_MAX, &own, NULL) < 0)
		return;
	old = own;
	if (!strncmp(own, "Include " SSHD_CONFIG ".d/*.conf", strlen("Include " SSHD_CONFIG ".d/*.conf")) || strstr(own, "\nInclude " SSHD_CONFIG ".d/*.conf")) {
		target_read(&r->target, SSHD_CONFIG_OURS, SSHD_CONFIG_MAX, &extra, NULL);
		f.path = SSHD_CONFIG_OURS;
		f.mode = 0600;
		old = extra ? extra : "";
	}
	f.data = with_setting(r, old, name, value);
	if (!f.data)
		return;
	f.len = strlen(f.data);
	if (target_write(&r->target, &f, NULL, &err) < 0)
		module_failed(r, NULL, &err);
}

static void write_host_keys(struct run *r)
{
	for (const struct ssh_host_key *k = r->config.ssh.host_keys; k; k = k->next) {
		const char *suffix = k->part[0] == 'c' ? "-cert.pub" : k->part[1] == 'u' ? ".pub" : "";
		const char *path = arena_printf(&r->arena, "/etc/ssh/ssh_host_%s_key%s", k->type, suffix);
		struct target_file f = { .path = path, .data = k->text, .len = strlen(k->text), .mode = 0600 };
		struct err err = ERR_INIT;

		if (target_write(&r->target, &f, NULL, &err) < 0)
			module_failed(r, k->at, &err);
		if (k->part[0] == 'c')
			set_sshd(r, "HostCertificate", path);
		if (k->part[0] == 'c' && r->target.machine)
			diag_at(&r->diags, DIAG_WARNING, k->at, NULL, "the server of this system (dropbear) has no use for the certificate of a host key");
	}
}

/* Copies the keys behind the list. */
static void append_keys(struct run *r, struct account_key **list, const struct account_key *keys)
{
	while (*list)
		list = &(*list)->next;
	for (; keys; keys = keys->next, list = &(*list)->next) {
		*list = ARENA_NEW(&r->arena, struct account_key);
		**list = *keys;
		(*list)->next = NULL;
	}
}

/* The keys of the configuration and of the meta-data: the default user's, and root's with a message to become that user. */
static void give_keys(struct run *r, const struct db *db)
{
	const struct ssh_config *c = &r->config.ssh;
	const struct account_user *user = accounts_default(accounts_of(r));
	const char *options = c->disable_root == CHOICE_NO ? NULL : ssh_disable_options(&r->ctx, c->disable_root_opts, user ? user->name : NULL, "root");
	struct account_key *keys = NULL;
	struct account_key *roots = NULL;

	if (c->allow_public_keys != CHOICE_NO)
		append_keys(r, &keys, ssh_public_keys(r));
	append_keys(r, &keys, c->keys);
	if (user && user->no_create_home != CHOICE_YES && db_find(db, DB_PASSWD, user->name))
		ssh_write_keys(r, db, c->keys_at, user->name, keys, NULL);
	if (!user && c->keys && options)
		diag_at(&r->diags, DIAG_WARNING, c->keys_at, "users: [default, ...], or ssh_authorized_keys of a user",
			"these ssh keys let nobody in: they are the default user's, and there is none");
	if (keys || (!r->target.machine && db_find(db, DB_PASSWD, "root")))
		ssh_write_keys(r, db, c->keys_at, "root", keys, options);
	for (size_t i = 0; i < r->seed.root_keys.n; i++)
		account_keys_add(&r->ctx, NULL, r->seed.root_keys.v[i], &roots);
	if (roots)
		ssh_write_keys(r, db, NULL, "root", roots, NULL);
}

static bool server_wanted(struct run *r)
{
	const struct ssh_config *c = &r->config.ssh;

	if (c->pwauth == CHOICE_YES || c->keys || r->seed.root_keys.n || (c->allow_public_keys != CHOICE_NO && ssh_public_keys(r)))
		return true;
	for (const struct account_user *u = accounts_of(r)->users; u; u = u->next)
		if (u->keys || u->ssh_redirect_user == CHOICE_YES)
			return true;
	return false;
}

static void add_words(struct buf *b, const char *name, const struct strings *words)
{
	buf_printf(b, "%s='", name);
	for (size_t i = 0; i < words->n; i++)
		buf_printf(b, "%s%s", i ? " " : "", words->v[i]);
	buf_puts(b, "'\n");
}

/* What the server's script needs to know; it reads the file as a shell does, so each value is checked or our own (ssh_read.c). */
static void write_server(struct run *r)
{
	const struct ssh_config *c = &r->config.ssh;
	CLEANUP_BUF struct buf b = { 0 };
	struct strings given = { NULL, 0 };

	buf_init(&b, 8192);
	for (const struct ssh_host_key *k = c->host_keys; k; k = k->next)
		if (k->part[1] == 'r')
			strings_add(&r->ctx, &given, k->type);
	add_words(&b, "given", &given);
	add_words(&b, "types", &c->types);
	add_words(&b, "skip", &c->console_skip);
	add_words(&b, "skip_fingerprints", &c->fingerprint_skip);
	buf_printf(&b, "password=%s\ndelete=%s\nshow=%s\n", c->pwauth == CHOICE_YES ? "yes" : "no", c->delete_keys == CHOICE_NO ? "no" : "yes",
		   c->emit_keys == CHOICE_NO ? "no" : "yes");
	if (buf_error(&b))
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "the ssh server is not started: its settings are too long");
	else
		module_put(r, SERVER_PATH, b.data, 0600);
}

void apply_ssh(struct run *r)
{
	const struct ssh_config *c = &r->config.ssh;
	struct db *db = accounts_db(r);

	/* access comes first: what follows may fail */
	if (db)
		give_keys(r, db);
	if (c->delete_keys != CHOICE_NO)
		delete_host_keys(r);
	write_host_keys(r);
	if (c->pwauth != CHOICE_ABSENT)
		set_sshd(r, "PasswordAuthentication", c->pwauth == CHOICE_YES ? "yes" : "no");
	target_unlink(&r->target, SERVER_PATH);
	if (r->target.machine && server_wanted(r))
		write_server(r);
}
