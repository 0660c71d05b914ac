/* accounts_home.c - home directories: made as useradd -m makes them, with copies of what is in /etc/skel.
 *
 * A home is the user's, who may have left links in it: nothing here follows one below it. */
#include "accounts_apply.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "path.h"
#include "sys.h"

#define SKEL_DEPTH_MAX 8
#define SKEL_FILES_MAX 1000
#define SKEL_FILE_MAX ((size_t)4 << 20)

struct copy {
	uid_t uid;
	gid_t gid;
	bool machine;		/* there a file that cannot be given away is an error */
	unsigned left;		/* files that may still be copied */
};

static int give(const struct copy *c, int fd)
{
	if (fchown(fd, c->uid, c->gid) == 0 || (errno == EPERM && !c->machine))
		return 0;
	return -errno;
}

static int copy_file(const struct copy *c, int from, int to, const char *name, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	CLEANUP_FREE char *data = NULL;
	CLEANUP_FD int fd = -1;
	size_t len;
	int r = fd_read_file(from, name, SKEL_FILE_MAX, &data, &len, NULL);

	if (r < 0)
		return r;
	fd = sys_openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fd;
	r = fd_write_full(fd, data, len);
	if (r == 0)
		r = give(c, fd);
	if (r == 0 && fchmod(fd, st->st_mode & 07777) < 0)
		r = -errno;
	futimens(fd, times);
	return r;
}

static int copy_link(const struct copy *c, int from, int to, const char *name)
{
	char value[4096];
	ssize_t n = readlinkat(from, name, value, sizeof(value) - 1);
	int r;

	if (n < 0)
		return -errno;
	value[n] = '\0';
	r = sys_symlinkat(value, to, name);
	if (r == 0 && sys_fchownat(to, name, c->uid, c->gid, AT_SYMLINK_NOFOLLOW) < 0 && c->machine)
		r = -EPERM;
	return r;
}

static int copy_tree(struct copy *c, int from, int to, unsigned depth);

static int copy_directory(struct copy *c, int from, int to, const char *name, const struct stat *st, unsigned depth)
{
	CLEANUP_FD int source = sys_openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	CLEANUP_FD int target = -1;
	int r = source < 0 ? source : sys_mkdirat(to, name, 0700);

	if (r < 0)
		return r;
	target = sys_openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (target < 0)
		return target;
	r = copy_tree(c, source, target, depth + 1);
	if (r == 0)
		r = give(c, target);
	if (r == 0 && fchmod(target, st->st_mode & 07777) < 0)
		r = -errno;
	return r;
}

static int copy_entry(struct copy *c, int from, int to, const char *name, unsigned depth)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (c->left == 0)
		return -E2BIG;
	c->left--;
	if (S_ISREG(st.st_mode))
		return copy_file(c, from, to, name, &st);
	if (S_ISLNK(st.st_mode))
		return copy_link(c, from, to, name);
	return S_ISDIR(st.st_mode) && depth < SKEL_DEPTH_MAX ? copy_directory(c, from, to, name, &st, depth) : 0;
}

static int copy_tree(struct copy *c, int from, int to, unsigned depth)
{
	int fd = sys_openat(from, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return fd < 0 ? fd : -ENOMEM;
	}
	while (r == 0 && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = copy_entry(c, from, to, e->d_name, depth);
	closedir(d);
	return r;
}

int accounts_place(const struct db *db, const char *user, struct account_place *out)
{
	const struct db_line *l = db_find(db, DB_PASSWD, user);

	if (!l || db_number(l, 2, &out->uid) < 0 || db_number(l, 3, &out->gid) < 0 || l->fields[5][0] != '/')
		return -EINVAL;
	out->home = l->fields[5];
	return 0;
}

/* A home that is there is from an earlier boot. Its user may have another number now: then it would be locked out of it. */
static void take_over(struct run *r, const struct node *at, int fd, const char *user, const struct account_place *p)
{
	struct stat st;

	if (!r->target.machine || fstat(fd, &st) < 0 || st.st_uid == p->uid)
		return;
	if (fchown(fd, p->uid, p->gid) == 0)
		diag_at(&r->diags, DIAG_WARNING, at, "give a uid, so that it stays", "%s was the number %u's and is now %s's (%u); what is in it is not changed", p->home,
			(unsigned)st.st_uid, user, (unsigned)p->uid);
}

/* The directory that the home is in, made when it is missing: most homes are in one. */
static int parent_of(struct run *r, struct homes *h, const char *home, const char **base)
{
	size_t len = (size_t)(strrchr(home, '/') - home);

	*base = home + len + 1;
	if (h->parent >= 0 && len == h->len && !memcmp(home, h->path, len) && path_component_ok(*base))
		return h->parent;
	fd_close(&h->parent);
	h->path = home;
	h->len = len;
	return h->parent = path_open_parent_in(r->target.rootfd, home, 0755, base);
}

static int make(struct run *r, struct homes *h, const struct db *db, const struct node *at, const char *user, const struct account_place *p)
{
	struct copy c = { .uid = p->uid, .gid = p->gid, .machine = r->target.machine, .left = SKEL_FILES_MAX };
	CLEANUP_FD int there = -1;
	const char *base;
	int parent = parent_of(r, h, p->home, &base);
	int e = parent < 0 ? parent : sys_mkdirat(parent, base, 0700);

	if (e < 0) {
		there = path_open_in(r->target.rootfd, p->home, O_RDONLY | O_DIRECTORY, 0);
		if (there < 0)
			return there == -ENOENT ? e : there;
		take_over(r, at, there, user, p);
		return 0;
	}
	there = sys_openat(parent, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (there < 0)
		return there;
	e = h->skel < 0 ? 0 : copy_tree(&c, h->skel, there, 0);
	if (fchmod(there, db->rules.home_mode) < 0)
		return -errno;
	/* last: until then nobody else can put anything there */
	if (give(&c, there) < 0)
		return -errno;
	return e;
}

void accounts_homes_init(struct homes *h, const struct run *r, const struct db *db)
{
	*h = (struct homes){ .skel = path_open_in(r->target.rootfd, db->rules.skel, O_RDONLY | O_DIRECTORY, 0), .parent = -1 };
}

void accounts_homes_fini(struct homes *h)
{
	fd_close(&h->skel);
	fd_close(&h->parent);
}

void accounts_make_home(struct run *r, const struct db *db, struct homes *h, const struct node *at, const char *user)
{
	struct account_place p;
	int e = accounts_place(db, user, &p);

	if (e == 0)
		e = make(r, h, db, at, user, &p);
	if (e < 0)
		diag_at(&r->diags, DIAG_ERROR, at, NULL, "the home directory of %s: %s", user, err_name(-e));
}
