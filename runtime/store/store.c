/* store.c - opening a store: its directories, its lock, its staging.
 * Runs in the engine. Must never touch anything outside the root it was given. */
#include "runtime/store/storeint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/image/say.h"

#ifndef RAMFS_MAGIC
#define RAMFS_MAGIC 0x858458f6
#endif

#define FETCH_INSTALLED "/usr/lib/coracle/coracle-fetch"

static int make_directories(struct store *s, struct err *err)
{
	static const struct {
		const char *path;
		mode_t mode;
	} dirs[] = {
		{ "images", 0700 }, { "images/blobs", 0700 }, { BLOBS, 0700 }, { "layers", 0700 },
		{ "containers", 0710 }, { "volumes", 0711 }, { "tmp", 0700 },
	};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		r = sys_mkdirat(s->rootfd, dirs[i].path, dirs[i].mode);
		if (r < 0 && r != -EEXIST)
			return err_set(err, -r, "make %s/%s", s->root, dirs[i].path);
	}
	if (faccessat(s->rootfd, "images/oci-layout", F_OK, 0) < 0) {
		static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}\n";

		return fd_replace_file(s->rootfd, "images/oci-layout", layout, sizeof(layout) - 1, 0644, err);
	}
	return 0;
}

static int take_lock(struct store *s, struct err *err)
{
	s->lockfd = sys_openat(s->rootfd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (s->lockfd < 0)
		return err_set(err, -s->lockfd, "open %s/lock", s->root);
	if (flock(s->lockfd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? image_say(err, EBUSY, "store %s is used by another process", s->root) :
			err_set(err, errno, "lock %s", s->root);
	return 0;
}

/* What a crash left behind was never visible. */
static int empty_staging(struct store *s, struct err *err)
{
	int fd = sys_openat(s->rootfd, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (!d)
		return err_set(err, fd < 0 ? -fd : errno, "open %s/tmp", s->root);
	while (r == 0 && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		r = store_tree_remove(dirfd(d), e->d_name);
		if (r < 0)
			err_set(err, -r, "empty %s/tmp: %s", s->root, e->d_name);
	}
	closedir(d);
	return r;
}

/* Beside the program for a build tree and for the machine's /usr/lib/coracle; ../bin for build/tools. */
static void find_fetch(struct store *s, const char *given)
{
	static const char *const places[] = { "", "../bin/" };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	snprintf(s->fetch, sizeof(s->fetch), "%s", given ? given : FETCH_INSTALLED);
	if (given || n <= 0)
		return;
	self[n] = '\0';
	if (strrchr(self, '/'))
		strrchr(self, '/')[1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char path[2 * PATH_MAX];
		int len = snprintf(path, sizeof(path), "%s%scoracle-fetch", self, places[i]);

		if (len < PATH_MAX && access(path, X_OK) == 0) {
			memcpy(s->fetch, path, (size_t)len + 1);
			return;
		}
	}
}

static int open_all(struct store *s, const char *root, const struct store_options *opt, struct err *err)
{
	struct statfs fs;
	int r;

	if ((r = path_mkdirs(root, 0711)) < 0)
		return err_set(err, -r, "make %s", root);
	if (!realpath(root, s->root))
		return err_set(err, errno, "open %s", root);
	s->rootfd = sys_openat(AT_FDCWD, s->root, O_RDONLY | O_DIRECTORY, 0);
	if (s->rootfd < 0)
		return err_set(err, -s->rootfd, "open %s", root);
	if ((r = take_lock(s, err)) < 0 || (r = make_directories(s, err)) < 0 || (r = empty_staging(s, err)) < 0)
		return r;
	if (fstatfs(s->rootfd, &fs) < 0)
		return err_set(err, errno, "look at %s", root);
	s->keep_blobs = fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC;
	if (opt && opt->keep_blobs)
		s->keep_blobs = opt->keep_blobs > 0;
	s->jobs = opt && opt->jobs > 0 ? opt->jobs : 2;
	find_fetch(s, opt ? opt->fetch : NULL);
	return store_index_load(s, err);
}

int store_open(struct store **out, const char *root, const struct store_options *opt, struct err *err)
{
	struct store *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_set(err, ENOMEM, "open the store");
	s->rootfd = s->lockfd = -1;
	r = open_all(s, root, opt, err);
	if (r < 0)
		store_close(s);
	else
		*out = s;
	return r;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	fd_close(&s->lockfd);
	fd_close(&s->rootfd);
	free(s->entry);
	free(s);
}

const char *store_root(const struct store *s)
{
	return s->root;
}

int store_reload(struct store *s, struct err *err)
{
	return store_index_load(s, err);
}
