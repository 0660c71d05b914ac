/* pack.c - walks a tree that a stranger's program may have made, and may be changing. Runs in coracle-fetch.
 *
 * Nothing recurses: the names of the directories on the way are kept in memory, each entry is opened by its path from the root, and
 * no symbolic link is followed. What vanishes between two steps was never there. */
#include "runtime/image/fetch/packint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/image/fetch/answer.h"
#include "runtime/image/fetch/fetch.h"
#include "runtime/image/say.h"

#define WHITEOUT ".wh."
#define OPAQUE_MARK ".wh..wh..opq"

struct level {			/* a directory on the way */
	char **name;
	size_t n, next;
	size_t path_len;	/* of the directory itself */
};

static void level_free(struct level *l)
{
	for (size_t i = l->next; i < l->n; i++)
		free(l->name[i]);
	free(l->name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(int fd, struct level *l, struct err *err)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 5);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e = NULL;
	size_t cap = 0;
	int r = d ? 0 : -errno;

	while (r == 0 && (errno = 0, e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (l->n == cap) {
			char **more = realloc(l->name, (cap ? 2 * cap : 64) * sizeof(*more));

			if (!more) {
				r = -ENOMEM;
				break;
			}
			l->name = more;
			cap = cap ? 2 * cap : 64;
		}
		l->name[l->n] = strdup(e->d_name);
		r = l->name[l->n] ? 0 : -ENOMEM;
		l->n += r == 0;
	}
	if (r == 0 && !e && errno)
		r = -errno;
	if (d)
		closedir(d);
	if (l->n)
		qsort(l->name, l->n, sizeof(*l->name), by_name);
	return r < 0 ? err_set(err, -r, "read the directory") : 0;
}

/* An empty file that tells something about its directory or a neighbour. */
static int put_mark(struct pack *p, const char *path, size_t dir_len, const char *prefix, const char *base, struct err *err)
{
	char name[PATH_MAX + 32];
	struct tar_entry e = { .name = name, .type = TAR_FILE, .mode = 0 };

	snprintf(name, sizeof(name), "%.*s%s%s%s", (int)dir_len, path, dir_len ? "/" : "", prefix, base);
	return pack_header(p, &e, NULL, err);
}

static int put_directory(struct pack *p, int fd, const char *path, const struct stat *st, struct err *err)
{
	CLEANUP_BUF struct buf pax;
	struct tar_entry e = pack_entry(*path ? path : ".", st, TAR_DIRECTORY);
	int r;

	buf_init(&pax, 16u << 20);
	if (p->as == PACK_UPPER && (r = pack_check_overlay(fd, err)) < 0)
		return r;
	if (!*path && p->as == PACK_TREE)
		return 0;
	if ((r = pack_xattrs(fd, &pax, err)) < 0 || (r = pack_header(p, &e, &pax, err)) < 0)
		return r;
	if (p->as == PACK_UPPER && *path && pack_is_opaque(fd))
		return put_mark(p, path, strlen(path), "", OPAQUE_MARK, err);
	return 0;
}

static int put_symlink(struct pack *p, int fd, const char *path, const struct stat *st, struct err *err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);
	struct tar_entry e = pack_entry(path, st, TAR_SYMLINK);

	if (n < 0)
		return err_set(err, errno, "read the link");
	target[n] = '\0';
	e.link = target;
	e.mode = 0777;
	return pack_header(p, &e, NULL, err);
}

static int put_regular(struct pack *p, const char *path, const struct stat *look, struct err *err)
{
	CLEANUP_FD int fd = pack_open(p, path, O_RDONLY | O_NONBLOCK);
	struct stat st;
	int r;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, fd < 0 ? -fd : errno, "open");
	/* another file has taken its place: as if it came later */
	if (!S_ISREG(st.st_mode) || st.st_ino != look->st_ino)
		return 0;
	if (p->as == PACK_UPPER && (r = pack_check_overlay(fd, err)) < 0)
		return r;
	return pack_file(p, fd, path, &st, err);
}

static int put_node(struct pack *p, const char *path, const struct stat *st, struct err *err)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	char name[FETCH_LINE_MAX - 64];
	struct tar_entry e = pack_entry(path, st, S_ISCHR(st->st_mode) ? TAR_CHAR : S_ISBLK(st->st_mode) ? TAR_BLOCKDEV : TAR_FIFO);

	if (S_ISSOCK(st->st_mode)) {
		answer_warning("%s: sockets are left away", fetch_escape(path, name, sizeof(name)));
		return 0;
	}
	if (p->as == PACK_UPPER && S_ISCHR(st->st_mode) && st->st_rdev == 0)
		return put_mark(p, path, base == path ? 0 : (size_t)(base - path - 1), WHITEOUT, base, err);
	return pack_header(p, &e, NULL, err);
}

/* An entry that is no directory. */
static int put_other(struct pack *p, int fd, const char *path, const struct stat *st, struct err *err)
{
	const char *first;
	int r;

	if (st->st_nlink > 1 && !(S_ISCHR(st->st_mode) && st->st_rdev == 0)) {
		struct tar_entry e = pack_entry(path, st, TAR_LINK);

		first = pack_link_find(p, st, path, &r);
		if (r < 0)
			return err_set(err, -r, "remember its names");
		e.link = first;
		if (first)
			return pack_header(p, &e, NULL, err);
	}
	if (S_ISREG(st->st_mode))
		return put_regular(p, path, st, err);
	return S_ISLNK(st->st_mode) ? put_symlink(p, fd, path, st, err) : put_node(p, path, st, err);
}

/* Returns 1 when path is a directory whose names are in *next. */
static int put_entry(struct pack *p, const char *path, struct level *next, struct err *err)
{
	CLEANUP_FD int fd = pack_open(p, path, O_PATH);
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct stat st;
	int r;

	if (fd == -ENOENT || fd == -EXDEV)	/* gone, or a mount */
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, fd < 0 ? -fd : errno, "open");
	if (p->as != PACK_TREE && !strncmp(base, WHITEOUT, strlen(WHITEOUT)))
		return image_say(err, EINVAL, "a layer cannot hold a file of this name: it would mean that another one is removed");
	if (!S_ISDIR(st.st_mode))
		return put_other(p, fd, path, &st, err);
	fd_close(&fd);
	fd = pack_open(p, path, O_RDONLY | O_DIRECTORY);
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -EXDEV)
		return 0;
	if (fd < 0)
		return err_set(err, -fd, "open");
	memset(next, 0, sizeof(*next));
	next->path_len = strlen(path);
	if ((r = put_directory(p, fd, path, &st, err)) < 0)
		return r;
	r = read_names(fd, next, err);
	if (r < 0)
		level_free(next);
	return r < 0 ? r : 1;
}

static int walk(struct pack *p, struct level *stack, char *path, struct err *err)
{
	char text[FETCH_LINE_MAX - 64];
	size_t depth = 0;
	int r = put_entry(p, "", &stack[0], err);

	if (r <= 0)
		return r;
	depth = 1;
	while (depth > 0) {
		struct level *l = &stack[depth - 1];
		char *name;
		size_t n;

		if (l->next == l->n) {
			level_free(l);
			depth--;
			continue;
		}
		name = l->name[l->next++];
		n = (size_t)snprintf(path + l->path_len, PATH_MAX - l->path_len, "%s%s", l->path_len ? "/" : "", name);
		free(name);
		if (l->path_len + n >= PATH_MAX || depth >= PATH_MAX / 2) {
			r = image_say(err, ENAMETOOLONG, "'%.60s...' is nested too deeply", path);
			break;
		}
		r = put_entry(p, path, &stack[depth], err);
		if (r < 0) {
			err_wrap(err, r, "entry '%s'", fetch_escape(path, text, sizeof(text)));
			break;
		}
		depth += r == 1;
	}
	while (depth > 0)
		level_free(&stack[--depth]);
	return r < 0 ? r : 0;
}

int pack_tree(int rootfd, enum pack_as as, int out, char digest[IMAGE_DIGEST_SIZE], uint64_t *bytes, struct err *err)
{
	struct pack p = { .root = rootfd, .out = out, .as = as };
	CLEANUP_FREE struct level *stack = calloc(PATH_MAX / 2 + 1, sizeof(*stack));
	char path[PATH_MAX] = "";
	int r;

	p.block = malloc(PACK_BLOCK);
	sha256_init(&p.hash);
	r = stack && p.block ? walk(&p, stack, path, err) : err_set(err, ENOMEM, "pack");
	if (r == 0)
		r = pack_zeros(&p, TAR_END, err);
	if (r == 0)
		r = pack_flush(&p, err);
	memcpy(digest, "sha256:", 7);
	sha256_final_hex(&p.hash, digest + 7);
	*bytes = p.bytes;
	for (size_t i = 0; i < p.links_cap; i++)
		free(p.link[i].name);
	free(p.link);
	free(p.block);
	return r;
}
