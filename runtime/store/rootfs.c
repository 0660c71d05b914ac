/* rootfs.c - container roots: overlayfs over an image's layers. Runs in the engine, in its mount namespace.
 *
 * The new mount interface adds lower layers one by one ("lowerdir+", Linux 6.8), so that 127 of them
 * are no matter. Older kernels take one page of options: there each layer is named by
 * its descriptor's number, relative to /proc/self/fd, which is four bytes instead of a hundred. */
#include "runtime/store/storeint.h"

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
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/image/say.h"

struct root {
	struct store *s;
	const struct store_image *image;
	char upper[192], work[192], rootfs[192];	/* below the store's root */
};

static int id_ok(const char *id)
{
	size_t n = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

	return path_component_ok(id) && id[n] == '\0' && n <= 128;
}

char *store_rootfs_path(const struct store *s, const char *id, char *out, size_t size)
{
	snprintf(out, size, "%s/containers/%s/rootfs", s->root, id);
	return out;
}

static int make_directories(struct root *r, const char *id, struct err *err)
{
	struct stat st;
	mode_t mode;
	char path[160];
	int e;

	snprintf(path, sizeof(path), "containers/%s", id);
	if ((e = sys_mkdirat(r->s->rootfd, path, 0700)) < 0 && e != -EEXIST)
		return err_set(err, -e, "make %s/%s", r->s->root, path);
	snprintf(r->upper, sizeof(r->upper), "%s/upper", path);
	snprintf(r->work, sizeof(r->work), "%s/work", path);
	snprintf(r->rootfs, sizeof(r->rootfs), "%s/rootfs", path);
	/* the root directory's own attributes are the topmost one's: the image's have to be repeated in upper */
	snprintf(path, sizeof(path), "layers/%s/diff",
		image_digest_hex(r->image->chain_id[r->image->config.layer_count - 1]));
	if (fstatat(r->s->rootfd, path, &st, 0) < 0)
		return err_set(err, errno, "layer %s is missing", path);
	mode = st.st_mode & 07777;
	e = sys_mkdirat(r->s->rootfd, r->upper, mode);
	if (e == 0 && ((e = sys_fchownat(r->s->rootfd, r->upper, st.st_uid, st.st_gid, 0)) < 0 ||
		       (e = sys_fchmodat(r->s->rootfd, r->upper, mode)) < 0))
		return err_set(err, -e, "prepare %s/%s", r->s->root, r->upper);
	if (e < 0 && e != -EEXIST)
		return err_set(err, -e, "make %s/%s", r->s->root, r->upper);
	if (((e = sys_mkdirat(r->s->rootfd, r->work, 0700)) < 0 && e != -EEXIST) ||
	    ((e = sys_mkdirat(r->s->rootfd, r->rootfs, 0755)) < 0 && e != -EEXIST))
		return err_set(err, -e, "make %s and %s", r->work, r->rootfs);
	return 0;
}

/* Names are relative to the store's root, which is the working directory meanwhile: an option holds 255 bytes. */
static int configure(struct root *r, int fs, struct err *err)
{
	char path[160];
	int e;

	if ((e = sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", "coracle", 0)) < 0)
		return err_set(err, -e, "overlay: source");
	for (size_t i = r->image->config.layer_count; i-- > 0;) {
		snprintf(path, sizeof(path), "layers/%s/diff", image_digest_hex(r->image->chain_id[i]));
		if ((e = sys_fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", path, 0)) < 0)
			return e == -EINVAL ? e : err_set(err, -e, "overlay: layer %s", path);
	}
	if ((e = sys_fsconfig(fs, FSCONFIG_SET_STRING, "upperdir", r->upper, 0)) < 0 ||
	    (e = sys_fsconfig(fs, FSCONFIG_SET_STRING, "workdir", r->work, 0)) < 0)
		return err_set(err, -e, "overlay: %s", r->upper);
	if ((e = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)) < 0)
		return err_set(err, -e, "overlay of %s", r->rootfs);
	return 0;
}

static int mount_new(struct root *r, struct err *err)
{
	CLEANUP_FD int fs = sys_fsopen("overlay", FSOPEN_CLOEXEC);
	CLEANUP_FD int mnt = -1;
	int e;

	if (fs < 0)
		return fs == -ENOSYS ? -EINVAL : err_set(err, -fs, "overlay");
	if ((e = configure(r, fs, err)) < 0)
		return e;
	mnt = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mnt < 0)
		return err_set(err, -mnt, "overlay of %s", r->rootfs);
	e = sys_move_mount(mnt, "", AT_FDCWD, r->rootfs, MOVE_MOUNT_F_EMPTY_PATH);
	return e < 0 ? err_set(err, -e, "mount on %s", r->rootfs) : 0;
}

static int mount_old(struct root *r, struct err *err)
{
	CLEANUP_BUF struct buf b;
	int fd[IMAGE_LAYERS_MAX], e = 0;
	size_t n = 0;
	char path[160];

	buf_init(&b, 4000);
	for (size_t i = r->image->config.layer_count; i-- > 0;) {
		snprintf(path, sizeof(path), "layers/%s/diff", image_digest_hex(r->image->chain_id[i]));
		fd[n] = sys_openat(r->s->rootfd, path, O_PATH | O_DIRECTORY, 0);
		if (fd[n] < 0) {
			e = err_set(err, -fd[n], "layer %s", path);
			break;
		}
		buf_printf(&b, n ? ":%d" : "lowerdir=%d", fd[n]);
		n++;
	}
	buf_printf(&b, ",upperdir=%s/%s,workdir=%s/%s", r->s->root, r->upper, r->s->root, r->work);
	if (e == 0 && (e = buf_error(&b)) < 0)
		err_set(err, -e, "overlay of %s: too many layers for this kernel", r->rootfs);
	if (e == 0 && chdir("/proc/self/fd") < 0)
		e = err_set(err, errno, "enter /proc/self/fd");
	if (e == 0) {
		char target[PATH_MAX + 192];

		snprintf(target, sizeof(target), "%s/%s", r->s->root, r->rootfs);
		e = sys_mount("coracle", target, "overlay", 0, b.data);
		if (e < 0)
			err_set(err, -e, "overlay of %s", r->rootfs);
	}
	while (n > 0)
		close(fd[--n]);
	return e;
}

static int is_mounted(struct store *s, const char *rootfs)
{
	struct stat a, b;
	char parent[160];

	snprintf(parent, sizeof(parent), "%s", rootfs);
	*strrchr(parent, '/') = '\0';
	return fstatat(s->rootfd, rootfs, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
		fstatat(s->rootfd, parent, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_dev != b.st_dev;
}

int store_rootfs_mount(struct store *s, const struct store_image *image, const char *id, struct err *err)
{
	struct root r = { .s = s, .image = image };
	CLEANUP_FD int cwd = -1;
	int e;

	if (!id_ok(id))
		return image_say(err, EINVAL, "'%.80s' is not a container id", id);
	if (image->config.layer_count == 0)
		return image_say(err, EINVAL, "the image has no layers");
	if ((e = make_directories(&r, id, err)) < 0)
		return e;
	if (is_mounted(s, r.rootfs))
		return image_say(err, EBUSY, "%s/%s is mounted", s->root, r.rootfs);
	cwd = sys_openat(AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0);
	if (cwd < 0 || fchdir(s->rootfd) < 0)
		return err_set(err, cwd < 0 ? -cwd : errno, "enter %s", s->root);
	e = mount_new(&r, err);
	if (e == -EINVAL)
		e = mount_old(&r, err);
	if (fchdir(cwd) < 0 && e == 0)
		e = err_set(err, errno, "return to the working directory");
	return e;
}

int store_rootfs_unmount(struct store *s, const char *id, struct err *err)
{
	char below[160], path[PATH_MAX + 160];
	int e;

	if (!id_ok(id))
		return image_say(err, EINVAL, "'%.80s' is not a container id", id);
	snprintf(below, sizeof(below), "containers/%s/rootfs", id);
	if (!is_mounted(s, below))
		return 0;
	store_rootfs_path(s, id, path, sizeof(path));
	/* a stray file kept open (a crashed exec) must not keep the container from being removed */
	e = sys_umount2(path, UMOUNT_NOFOLLOW);
	if (e == -EBUSY)
		e = sys_umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH);
	return e < 0 && e != -EINVAL ? err_set(err, -e, "unmount %s", path) : 0;
}

int store_volume(struct store *s, const char *name, char *path, size_t size, struct err *err)
{
	char below[300];
	int made = 0, e;

	if (!id_ok(name))
		return image_say(err, EINVAL, "'%.80s' is not a volume's name", name);
	if ((size_t)snprintf(path, size, "%s/volumes/%s/_data", s->root, name) >= size)
		return err_set(err, ENAMETOOLONG, "volume %s", name);
	snprintf(below, sizeof(below), "volumes/%s", name);
	if ((e = sys_mkdirat(s->rootfd, below, 0711)) < 0 && e != -EEXIST)
		return err_set(err, -e, "make %s/%s", s->root, below);
	snprintf(below, sizeof(below), "volumes/%s/_data", name);
	e = sys_mkdirat(s->rootfd, below, 0755);
	if (e < 0 && e != -EEXIST)
		return err_set(err, -e, "make %s/%s", s->root, below);
	made = e == 0;
	return made;
}
