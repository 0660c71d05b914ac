/* marks.c - the last touch on unpacked layers, for which coracle-fetch has no
 * right or no sight: trusted.overlay.opaque, and the owner, mode and time of
 * directories that a layer names only as part of a path. For overlayfs the
 * topmost directory is the one that counts, so these take after the layer below (as a
 * tool that unpacks onto the mounted layers below would have it). Runs in the engine. */
#include "runtime/store/importint.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/image/say.h"

#define OPAQUE "trusted.overlay.opaque"
#define OPAQUE_UNPRIVILEGED "user.overlay.opaque"

static int open_strict(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};

	return sys_openat2(root, *path ? path : ".", &how);
}

static int is_opaque(int fd)
{
	char value;

	return fgetxattr(fd, OPAQUE, &value, 1) == 1 && value == 'y';
}

/* Is a directory on the way to path (below root) hiding the layers below? */
static int opaque_above(int root, const char *path)
{
	char part[PATH_MAX];

	for (size_t i = 0; i < sizeof(part); i++) {
		CLEANUP_FD int fd = -1;

		part[i] = path[i];
		if (path[i] != '/' && path[i] != '\0')
			continue;
		part[i] = '\0';
		fd = open_strict(root, part, O_RDONLY | O_DIRECTORY);
		/* a file, a link or a whiteout hides what is below as well */
		if (fd < 0)
			return fd != -ENOENT;
		if (is_opaque(fd))
			return 1;
		if (path[i] == '\0')
			break;
		part[i] = '/';
	}
	return 0;
}

/* The unpacked tree of layer k: staged by this import or in the store. */
static int layer_fd(struct import *im, const struct plan_image *image, size_t k)
{
	char path[128];

	for (size_t i = 0; i < im->jobs; i++)
		if (im->job[i].unpack && !strcmp(im->job[i].image->layer[im->job[i].index].chain_id, image->layer[k].chain_id)) {
			snprintf(path, sizeof(path), "layer.%zu/diff", i);
			return sys_openat(im->stage, path, O_RDONLY | O_DIRECTORY, 0);
		}
	snprintf(path, sizeof(path), "layers/%s/diff", image_digest_hex(image->layer[k].chain_id));
	return sys_openat(im->s->rootfd, path, O_RDONLY | O_DIRECTORY, 0);
}

static int take_after(int fd, const struct stat *st)
{
	struct timespec times[2] = { st->st_mtim, st->st_mtim };

	if (geteuid() == 0 && fchown(fd, st->st_uid, st->st_gid) < 0)
		return -errno;
	if (fchmod(fd, st->st_mode & 07777) < 0 || futimens(fd, times) < 0)
		return -errno;
	return 0;
}

static int apply_implicit(struct import *im, const struct job *j, int root, const char *path, struct err *err)
{
	CLEANUP_FD int fd = open_strict(root, path, O_RDONLY | O_DIRECTORY);
	int r = 0;

	if (fd < 0)
		return err_set(err, -fd, "open the directory '%s'", path);
	/* hidden from the layers below by an opaque directory of its own layer */
	if (opaque_above(root, path))
		return 0;
	for (size_t k = j->index; k-- > 0;) {
		CLEANUP_FD int lower = layer_fd(im, j->image, k);
		CLEANUP_FD int below = -1;
		struct stat st;

		if (lower < 0)
			return err_set(err, -lower, "open the layer below");
		below = open_strict(lower, path, O_PATH);
		if (below >= 0 && fstat(below, &st) == 0 && S_ISDIR(st.st_mode)) {
			r = take_after(fd, &st);
			break;
		}
		if (below >= 0 || opaque_above(lower, path))
			break;
	}
	return r < 0 ? err_set(err, -r, "set the attributes of the directory '%s'", path) : 0;
}

static int apply_opaque(int root, const char *path, struct err *err)
{
	CLEANUP_FD int fd = open_strict(root, path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd == -ELOOP ? image_bad(err, "the opaque directory '%s' is behind a symbolic link", path) :
			err_set(err, -fd, "open the opaque directory '%s'", path);
	/* without root nothing will mount it with trusted attributes either */
	if (fsetxattr(fd, geteuid() == 0 ? OPAQUE : OPAQUE_UNPRIVILEGED, "y", 1, 0) < 0)
		return err_set(err, errno, "mark the directory '%s' as opaque", path);
	return 0;
}

static int apply_layer(struct import *im, struct job *j, char which, struct err *err)
{
	CLEANUP_FD int root = layer_fd(im, j->image, j->index);
	const char *mark = j->marks.data, *end = j->marks.data + j->marks.len;
	int r = 0;

	if (root < 0)
		return err_set(err, -root, "open the layer");
	for (; r == 0 && mark < end; mark += strlen(mark) + 1) {
		if (*mark != which)
			continue;
		r = which == 'o' ? apply_opaque(root, mark + 1, err) : apply_implicit(im, j, root, mark + 1, err);
	}
	return r;
}

int import_marks_apply(struct import *im, struct err *err)
{
	int r = 0;

	/* all opaque marks first: they tell what the directories may take after; jobs are in the order of layers */
	for (size_t i = 0; r == 0 && i < im->jobs; i++)
		r = apply_layer(im, &im->job[i], 'o', err);
	for (size_t i = 0; r == 0 && i < im->jobs; i++)
		r = apply_layer(im, &im->job[i], 'i', err);
	return r;
}
