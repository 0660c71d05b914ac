/* pack.c - trees out of the store: coracle-fetch as a packer, and the root of a container mounted to be read. Runs in a child
 * of the engine. */
#include "runtime/store/packint.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/image/say.h"
#include "runtime/store/child.h"

static int take_answer(char *text, void *arg, struct err *err)
{
	struct packed *out = arg;
	char other[IMAGE_DIGEST_SIZE];
	unsigned long long size, bytes;

	if (strncmp(text, "done ", 5) != 0)
		return 0;
	if (sscanf(text, "done %71s %llu %71s %llu", out->diff_id, &size, other, &bytes) != 4 || !image_digest_ok(out->diff_id) ||
	    !image_digest_ok(other))
		return image_say(err, EPROTO, "coracle-fetch said '%.100s'", text);
	memcpy(out->digest, other, sizeof(other));
	out->unpacked = size;
	out->bytes = bytes;
	out->gzip = strstr(text, " gzip") != NULL;
	out->zstd = strstr(text, " zstd") != NULL;
	return 0;
}

int store_fetch_run(char *const argv[], int in, int dir, int copy, struct packed *out, struct err *err)
{
	struct child *c = malloc(sizeof(*c));
	int r;

	if (!c)
		return err_set(err, ENOMEM, "start %s", argv[0]);
	r = child_start(c, argv, in, dir, copy, err);
	if (r == 0)
		while ((r = child_read(c, take_answer, out, err)) > 0)
			;
	child_kill(c);
	free(c);
	return r;
}

int store_pack(struct store *s, int dir, const char *as, int fd, struct packed *out, struct err *err)
{
	char *argv[] = { s->fetch, (char *)"pack", (char *)(uintptr_t)as, NULL };

	return store_fetch_run(argv, -1, dir, fd, out, err);
}

/* The overlay without an upper directory: what the container wrote is the topmost of the lower ones, so that nothing can be
 * written and it does not matter whether the container is started meanwhile. */
static int mount_to_read(struct store *s, const struct store_image *image, const char *id, const char *empty, struct err *err)
{
	CLEANUP_FD int fs = sys_fsopen("overlay", FSOPEN_CLOEXEC);
	char path[192];
	int r = fs < 0 ? fs : fchdir(s->rootfd) < 0 ? -errno : 0, mnt;

	/* one that never started has what the image has; overlayfs wants two lower directories or an upper one */
	snprintf(path, sizeof(path), "containers/%s/upper", id);
	if (r == 0 && faccessat(s->rootfd, path, F_OK, 0) < 0) {
		snprintf(path, sizeof(path), "%s", empty);
		r = sys_mkdirat(s->rootfd, path, 0755);
	}
	if (r == 0)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", path, 0);
	for (size_t i = image->config.layer_count; r == 0 && i-- > 0;) {
		snprintf(path, sizeof(path), "layers/%s/diff", image_digest_hex(image->chain_id[i]));
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", path, 0);
	}
	if (r == 0)
		r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0)
		return err_set(err, -r, "mount the root of %s", id);
	mnt = sys_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	return mnt < 0 ? err_set(err, -mnt, "mount the root of %s", id) : mnt;
}

/* The root as it is mounted already, else mounted here. */
static int open_root(struct store *s, const struct store_image *image, const char *id, const char *empty, struct err *err)
{
	CLEANUP_FD int fd = -1;
	struct stat root, parent;
	char path[192];

	snprintf(path, sizeof(path), "containers/%s", id);
	if (fstatat(s->rootfd, path, &parent, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, errno, "open %s/%s", s->root, path);
	snprintf(path, sizeof(path), "containers/%s/rootfs", id);
	fd = sys_openat(s->rootfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd >= 0 && fstat(fd, &root) == 0 && root.st_dev != parent.st_dev)
		return fd_take(&fd);
	if (image->config.layer_count == 0)
		return image_say(err, EINVAL, "the image of %s has no layers", id);
	return mount_to_read(s, image, id, empty, err);
}

int store_export(struct store *s, const struct store_image *image, const char *id, int fd, struct err *err)
{
	struct packed done;
	char empty[64];
	CLEANUP_FD int root = -1;
	int r;

	snprintf(empty, sizeof(empty), "tmp/empty-%d-%u", (int)getpid(), s->serial++);
	root = open_root(s, image, id, empty, err);
	r = root < 0 ? root : store_pack(s, root, NULL, fd, &done, err);
	sys_unlinkat(s->rootfd, empty, AT_REMOVEDIR);
	return r;
}
