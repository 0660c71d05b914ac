/* ssh_authorized.c - writes ~/.ssh/authorized_keys, as cloud-init's ssh_util.py does.
 *
 * Runs as root in directories of users who may be hostile: ~/.ssh is opened without following a link, must be the user's or root's, and
 * the file is replaced by rename inside it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accounts_apply.h"
#include "fd.h"
#include "path.h"
#include "sys.h"

#define AUTHORIZED_MAX ((size_t)1 << 20)
#define TEMPORARY ".authorized_keys.coracle"

static void add_key(struct buf *b, const struct account_key *k, const char *options)
{
	const char *own = options ? options : k->options;

	buf_printf(b, "%s%s%s %s%s%s\n", own ? own : "", own && *own ? " " : "", k->type, k->base64, k->comment ? " " : "", k->comment ? k->comment : "");
}

static const struct account_key *same_key(const struct account_key *list, const char *base64)
{
	for (; list; list = list->next)
		if (!strcmp(list->base64, base64))
			return list;
	return NULL;
}

/* The old lines, each key that is given again in its new form; then the keys that were not among them, each once. */
static void merge(struct ctx *ctx, const char *old, const struct account_key *keys, const char *options, struct buf *b)
{
	const struct account_key *had = NULL;

	for (const char *s = old, *end; *s; s = *end ? end + 1 : end) {
		struct account_key *k = ARENA_NEW(ctx->arena, struct account_key);
		char *line;
		const struct account_key *better = NULL;

		end = s + strcspn(s, "\n");
		line = arena_strndup(ctx->arena, s, (size_t)(end - s));
		if (account_key_parse(ctx, line, k) == 0) {
			better = same_key(keys, k->base64);
			k->next = (struct account_key *)had;
			had = k;
		}
		if (better)
			add_key(b, better, options);
		else
			buf_printf(b, "%s\n", line);
	}
	for (const struct account_key *k = keys; k; k = k->next)
		if (!same_key(had, k->base64) && same_key(keys, k->base64) == k)
			add_key(b, k, options);
}

/* The directory, made when it is missing. */
static int open_ssh_directory(const struct run *r, int home, const struct account_place *p)
{
	struct stat st;
	int fd = sys_openat(home, ".ssh", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	bool fresh = fd == -ENOENT;

	if (fresh) {
		int e = sys_mkdirat(home, ".ssh", 0700);

		if (e < 0)
			return e;
		fd = sys_openat(home, ".ssh", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	}
	if (fd < 0)
		return fd == -ENOTDIR ? -ELOOP : fd;
	if (fstat(fd, &st) == 0 && (fresh || (st.st_uid != p->uid && st.st_uid != 0)) && fchown(fd, p->uid, p->gid) < 0 && r->target.machine) {
		int e = -errno;

		close(fd);
		return e;
	}
	return fd;
}

static int replace(const struct run *r, int dir, const struct account_place *p, mode_t mode, const struct buf *b)
{
	CLEANUP_FD int fd = -1;
	int e;

	sys_unlinkat(dir, TEMPORARY, 0);
	fd = sys_openat(dir, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fd;
	e = fd_write_full(fd, b->data, b->len);
	if (e == 0 && fchown(fd, p->uid, p->gid) < 0 && (r->target.machine || errno != EPERM))
		e = -errno;
	if (e == 0 && fchmod(fd, mode) < 0)
		e = -errno;
	if (e == 0)
		e = sys_renameat2(dir, TEMPORARY, dir, "authorized_keys", 0);
	if (e < 0)
		sys_unlinkat(dir, TEMPORARY, 0);
	return e;
}

static int write_keys(struct run *r, int dir, const struct account_place *p, const struct account_key *keys, const char *options)
{
	CLEANUP_FD int old = sys_openat(dir, "authorized_keys", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	CLEANUP_BUF struct buf b = { 0 };
	CLEANUP_FREE char *text = NULL;
	struct stat st = { .st_mode = 0600 };
	size_t len = 0;
	int e;

	if (old < 0 && old != -ENOENT && old != -ELOOP)
		return old;
	if (old >= 0) {
		e = fd_read_whole(old, "authorized_keys", AUTHORIZED_MAX, &text, &len, NULL);
		if (e < 0 || fstat(old, &st) < 0)
			return e < 0 ? e : -errno;
	}
	buf_init(&b, 2 * AUTHORIZED_MAX);
	merge(&r->ctx, text ? text : "", keys, options, &b);
	if (buf_error(&b))
		return buf_error(&b);
	if (old >= 0 && S_ISREG(st.st_mode) && st.st_uid == p->uid && len == b.len && !memcmp(text, b.data, len))
		return 0;
	/* what others may write, no server reads */
	return replace(r, dir, p, st.st_mode & 0755, &b);
}

/* root's home may be missing: /root is a link to /var on the machine. */
static int open_home(struct run *r, const struct account_place *p)
{
	int home = path_open_in(r->target.rootfd, p->home, O_RDONLY | O_DIRECTORY, 0);
	CLEANUP_FD int made = -1;

	if (home != -ENOENT)
		return home;
	made = path_mkdirs_in(r->target.rootfd, p->home, 0700);
	if (made < 0)
		return made;
	home = path_open_in(r->target.rootfd, p->home, O_RDONLY | O_DIRECTORY, 0);
	if (home >= 0 && p->uid != 0 && fchown(home, p->uid, p->gid) < 0 && r->target.machine) {
		int e = -errno;

		close(home);
		return e;
	}
	return home;
}

void ssh_write_keys(struct run *r, const struct db *db, const struct node *at, const char *user, const struct account_key *keys, const char *options)
{
	struct account_place p;
	CLEANUP_FD int home = -1;
	CLEANUP_FD int dir = -1;
	int e;

	if (accounts_place(db, user, &p) < 0) {
		diag_at(&r->diags, DIAG_ERROR, at, NULL, "the ssh keys of %s are not written: there is no such user", user);
		return;
	}
	home = open_home(r, &p);
	dir = home < 0 ? home : open_ssh_directory(r, home, &p);
	e = dir < 0 ? dir : write_keys(r, dir, &p, keys, options);
	if (e == -ELOOP)
		diag_at(&r->diags, DIAG_ERROR, at, NULL, "the ssh keys of %s are not written: %s/.ssh is no directory", user, p.home);
	else if (e < 0)
		diag_at(&r->diags, DIAG_ERROR, at, NULL, "the ssh keys of %s are not written: %s", user, err_name(-e));
}
