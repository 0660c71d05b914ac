/* devices.c - device nodes and links of the container's /dev. Runs in the
 * container's first process before pivot_root. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/oci/rootfs.h"

/* config-linux.md, "Default Devices"; owned by root of the container. */
static const struct spec_device DEFAULTS[] = {
	{ 'c', "/dev/null", 1, 3, 0666, 0, 0 }, { 'c', "/dev/zero", 1, 5, 0666, 0, 0 }, { 'c', "/dev/full", 1, 7, 0666, 0, 0 },
	{ 'c', "/dev/random", 1, 8, 0666, 0, 0 }, { 'c', "/dev/urandom", 1, 9, 0666, 0, 0 }, { 'c', "/dev/tty", 5, 0, 0666, 0, 0 },
};

static const struct { const char *name, *target; bool must; } LINKS[] = {
	{ "fd", "/proc/self/fd", true }, { "stdin", "/proc/self/fd/0", true }, { "stdout", "/proc/self/fd/1", true },
	{ "stderr", "/proc/self/fd/2", true }, { "core", "/proc/kcore", false }, { "ptmx", "pts/ptmx", true },
};

static mode_t kind_of(char type)
{
	return type == 'b' ? S_IFBLK : type == 'p' ? S_IFIFO : S_IFCHR;
}

/* In a user namespace mknod is not allowed: the host's node of that name is bound instead. */
static int bind_device(struct rootfs *r, int dir, const char *base, const struct spec_device *d, struct err *err)
{
	CLEANUP_FD int target = -1;
	char to[32];
	int rc;

	if (!r->spec->ns[NS_MNT].present)
		return err_set(err, EPERM, "make the device %s (and without a mount namespace it cannot be bound)", d->path);
	target = rootfs_open_file_at(dir, base, d->path, err);
	if (target < 0)
		return target;
	rc = sys_mount(d->path, path_of_fd(target, to, sizeof to), NULL, MS_BIND, NULL);
	if (rc == -ENOENT)
		return err_set(err, ENOENT, "linux.devices: %s: not to be made in a user namespace, and the host has none to bind", d->path);
	return rc < 0 ? err_set(err, -rc, "bind the device %s", d->path) : 0;
}

static int check_existing(int dir, const char *base, const struct spec_device *d, struct err *err)
{
	struct stat st;

	if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, errno, "stat the device %s", d->path);
	if ((st.st_mode & S_IFMT) != kind_of(d->type) || (d->type != 'p' && st.st_rdev != makedev(d->major, d->minor)))
		return err_set(err, EEXIST, "linux.devices: %s: the rootfs has something else there (type or number differ)", d->path);
	return 0;
}

/* dev: the open /dev; other places are opened one by one. */
static int make_node(struct rootfs *r, int dev, const struct spec_device *d, struct err *err)
{
	CLEANUP_FD int other = -1;
	const char *base = d->path + 5, *below = d->path;
	int at = rootfs_at(r, &below);
	dev_t number = d->type == 'p' ? 0 : makedev(d->major, d->minor);
	int rc, dir = dev;

	if (strncmp(d->path, "/dev/", 5) || strchr(base, '/')) {
		other = dir = path_open_parent_in(at, below, 0755, &base);
		if (dir < 0)
			return err_set(err, -dir, "make the directory of the device %s", d->path);
	}
	/* a pipe may be made anywhere */
	rc = r->in_userns && d->type != 'p' ? -EPERM : sys_mknodat(dir, base, kind_of(d->type) | d->mode, number);
	if (rc == -EPERM && d->type != 'p')
		return bind_device(r, dir, base, d, err);
	if (rc == -EEXIST) {
		if ((rc = check_existing(dir, base, d, err)) < 0)
			return rc;
	} else if (rc < 0)
		return err_set(err, -rc, "make the device %s", d->path);
	/* the umask is 0 here, so mknod gave the mode; the owner is root already */
	if ((d->uid || d->gid) && (rc = sys_fchownat(dir, base, d->uid, d->gid, AT_SYMLINK_NOFOLLOW)) < 0)
		return err_set(err, -rc, "chown the device %s", d->path);
	return 0;
}

static bool listed(const struct spec *s, const char *path)
{
	for (size_t i = 0; i < s->devices_n; i++)
		if (!strcmp(s->devices[i].path, path))
			return true;
	return false;
}

static int make_links(int dev, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(LINKS); i++) {
		int rc;

		if (!LINKS[i].must && access(LINKS[i].target, F_OK) < 0)
			continue;
		rc = sys_symlinkat(LINKS[i].target, dev, LINKS[i].name);
		if (rc == -EEXIST && !strcmp(LINKS[i].name, "ptmx")) {
			/* an image's own node would be the host's instance */
			sys_unlinkat(dev, "ptmx", 0);
			rc = sys_symlinkat(LINKS[i].target, dev, LINKS[i].name);
		}
		if (rc < 0 && rc != -EEXIST)
			return err_set(err, -rc, "link /dev/%s", LINKS[i].name);
	}
	return 0;
}

/* A bind mount of the host's /dev already has everything, and is not ours to change. */
static bool dev_is_bound(const struct spec *s)
{
	bool bound = false;

	for (size_t i = 0; i < s->mounts_n; i++) {
		const struct spec_mount *m = &s->mounts[i];

		if (strcmp(m->destination, "/dev"))
			continue;
		bound = m->type && !strcmp(m->type, "bind");
		for (char **o = m->options; *o; o++)
			bound = bound || !strcmp(*o, "bind") || !strcmp(*o, "rbind");
	}
	return bound;
}

/* A container without a mount namespace in the host's own tree: its devices are the host's. */
static bool is_host_root(const struct rootfs *r)
{
	struct stat ours, host;

	return !r->spec->ns[NS_MNT].present && fstat(r->fd, &ours) == 0 && stat("/", &host) == 0 &&
	       ours.st_dev == host.st_dev && ours.st_ino == host.st_ino;
}

int rootfs_make_devices(struct rootfs *r, struct err *err)
{
	CLEANUP_FD int dev = -1;
	int rc = 0;

	if (dev_is_bound(r->spec) || is_host_root(r))
		return 0;
	dev = rootfs_open_plain(r, "/dev", err);
	if (dev < 0)
		return dev;
	for (size_t i = 0; i < ARRAY_SIZE(DEFAULTS) && rc >= 0; i++)
		if (!listed(r->spec, DEFAULTS[i].path))
			rc = make_node(r, dev, &DEFAULTS[i], err);
	for (size_t i = 0; i < r->spec->devices_n && rc >= 0; i++)
		rc = make_node(r, dev, &r->spec->devices[i], err);
	return rc < 0 ? rc : make_links(dev, err);
}
