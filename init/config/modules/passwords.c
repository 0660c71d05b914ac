/* passwords.c - the module set_passwords, and how a password becomes a hash.
 *
 * Hashes are SHA-512 crypt(3), which every libc can check. A random password is made once for each instance: its hash is kept on /var, because
 * /etc/shadow is new on each boot, and it is shown on the console when it is made, never in a log. */
#include "passwords.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "accounts_apply.h"
#include "fd.h"
#include "sys.h"

#define RANDOM_LENGTH 20
#define KEPT_MAX ((size_t)256 << 10)

/* n characters of the 64 or fewer of set; each as likely as the other. */
static int random_text(const char *set, char *out, size_t n)
{
	size_t size = strlen(set);
	unsigned char byte;

	for (size_t i = 0; i < n;) {
		if (getrandom(&byte, 1, 0) != 1)
			return -errno;
		if ((byte & 63) < size)
			out[i++] = set[byte & 63];
	}
	out[n] = '\0';
	return 0;
}

const char *password_hash(struct run *r, const char *plain)
{
	char salt[24] = "$6$";
	const char *hash = NULL;

	if (random_text("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", salt + 3, 16) == 0)
		hash = crypt(plain, salt);
	if (!hash || hash[0] == '*') {
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "a password cannot be hashed; it is not set");
		return NULL;
	}
	return arena_strndup(&r->arena, hash, strlen(hash));
}

void password_check_hash(struct run *r, const struct node *at, const char *hash)
{
	hash += strspn(hash, "!");
	/* musl's crypt() has MD5, Blowfish, SHA-256 and SHA-512 */
	if (r->target.machine && (!strncmp(hash, "$y$", 3) || !strncmp(hash, "$gy$", 4) || !strncmp(hash, "$7$", 3)))
		diag_at(&r->diags, DIAG_WARNING, at, "mkpasswd --method=SHA-512", "this system cannot check hashes that begin with %.3s: this password lets nobody in", hash);
}

void console_write(const struct run *r, const char *text)
{
	CLEANUP_FD int fd = -1;

	if (!r->target.machine) {
		fputs(text, stdout);
		fflush(stdout);
		return;
	}
	fd = sys_openat(AT_FDCWD, "/dev/console", O_WRONLY | O_NOCTTY | O_NONBLOCK, 0);
	if (fd >= 0)
		(void)!write(fd, text, strlen(text));
}

/* The hash that this instance has for a random password, or NULL. */
static const char *kept_hash(struct run *r, const char *kept, const char *user)
{
	size_t n = strlen(user);

	for (const char *s = kept; s && *s; s = strchr(s, '\n') ? strchr(s, '\n') + 1 : NULL)
		if (!strncmp(s, user, n) && s[n] == ':' && password_is_hash(arena_strndup(&r->arena, s + n + 1, strcspn(s + n + 1, "\n"))))
			return arena_strndup(&r->arena, s + n + 1, strcspn(s + n + 1, "\n"));
	return NULL;
}

/* Random passwords of this run: what is shown, and what is kept. */
struct random {
	char *kept;		/* heap */
	struct buf shown;
	struct buf keep;
};

static const char *random_hash(struct run *r, struct random *random, const char *user)
{
	char password[RANDOM_LENGTH + 1];
	const char *hash = kept_hash(r, random->kept, user);

	if (!hash && random_text("abcdefghijkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789", password, RANDOM_LENGTH) == 0) {
		hash = password_hash(r, password);
		if (hash)
			buf_printf(&random->shown, "%s:%s\n", user, password);
		explicit_bzero(password, sizeof(password));
	}
	if (hash)
		buf_printf(&random->keep, "%s:%s\n", user, hash);
	return hash;
}

static void finish_random(struct run *r, struct random *random)
{
	struct target_file f = { .path = module_instance_path(r, "random-passwords"), .data = random->keep.data, .len = random->keep.len, .mode = 0600, .sync = true };
	struct err err = ERR_INIT;

	if (random->keep.len && target_write(&r->target, &f, NULL, &err) < 0)
		module_failed(r, NULL, &err);
	if (random->shown.len)
		console_write(r, arena_printf(&r->arena, "Set the following 'random' passwords\n%s\n", random->shown.data));
	explicit_bzero(random->shown.data, random->shown.len);
	buf_free(&random->shown);
	buf_free(&random->keep);
	free(random->kept);
}

static void set(struct run *r, struct db *db, struct random *random, const struct password *p, bool expire)
{
	struct err err = ERR_INIT;
	const char *hash;

	if (!db_find(db, DB_PASSWD, p->user)) {
		diag_at(&r->diags, DIAG_ERROR, p->at, NULL, "the password of %s is not set: there is no such user", p->user);
		return;
	}
	hash = p->kind == PASSWORD_RANDOM ? random_hash(r, random, p->user) : p->kind == PASSWORD_TEXT ? password_hash(r, p->value) : p->value;
	if (p->kind == PASSWORD_HASH)
		password_check_hash(r, p->at, hash);
	if (hash && (db_set_hash(db, p->user, hash, &err) < 0 || (expire && db_expire(db, p->user, &err) < 0)))
		diag_at(&r->diags, DIAG_ERROR, p->at, NULL, "the password of %s is not set: %s", p->user, err.text);
}

/* `password` is the default user's, when chpasswd names nobody. */
static const struct password *whose(struct run *r, const struct passwords *c, struct password *one)
{
	const struct account_user *u = accounts_default(accounts_of(r));

	if (c->list || !c->password)
		return c->list;
	if (!u) {
		diag_at(&r->diags, DIAG_WARNING, c->password_at, "users: [default, ...]", "the password is nobody's: there is no default user");
		return NULL;
	}
	*one = (struct password){ .at = c->password_at, .user = u->name, .value = c->password };
	one->kind = password_is_hash(c->password) ? PASSWORD_HASH : PASSWORD_TEXT;
	if (!strcmp(c->password, "R") || !strcmp(c->password, "RANDOM"))
		one->kind = PASSWORD_RANDOM;
	return one;
}

bool set_passwords_wanted(const struct run *r)
{
	return r->config.passwords.list || r->config.passwords.password || r->seed.root_hashed_password;
}

void apply_set_passwords(struct run *r)
{
	const struct passwords *c = &r->config.passwords;
	const char *root = r->seed.root_hashed_password;
	struct password one;
	const struct password *list = whose(r, c, &one);
	struct random random = { NULL, { 0 }, { 0 } };
	struct db *db = accounts_db(r);
	struct err err = ERR_INIT;

	if (!db)
		return;
	buf_init(&random.shown, KEPT_MAX);
	buf_init(&random.keep, KEPT_MAX);
	target_read(&r->target, module_instance_path(r, "random-passwords"), KEPT_MAX, &random.kept, NULL);
	if (root && account_hash_ok(root))
		db_set_hash(db, "root", root, &err);
	/* a line of chpasswd has the password beside the name */
	r->diags.hide = true;
	for (const struct password *p = list; p; p = p->next)
		set(r, db, &random, p, c->expire != CHOICE_NO);
	r->diags.hide = false;
	accounts_write(r);
	finish_random(r, &random);
}
