/* bundle_devices.c - a privileged container has the devices of the machine (coracle-engine). Only looks at /dev. */
#include "bundle.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fd.h"
#include "jw.h"
#include "text.h"

#define DEVICES_MAX 2048
#define DEPTH_MAX 4

/* libcontainer devices.GetDevices: what a container has of its own */
static bool is_own(const char *name)
{
	static const char *const own[] = { ".", "..", "pts", "shm", "fd", "mqueue", ".lxc", ".udev", "console", "ptmx", "hugepages" };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (strcmp(name, own[i]) == 0)
			return true;
	return false;
}

static void add_device(struct buf *b, const char *path, const struct stat *st)
{
	jw_open(b, '{');
	jw_kstr(b, "type", S_ISBLK(st->st_mode) ? "b" : "c");
	jw_kstr(b, "path", path);
	jw_kint(b, "major", major(st->st_rdev));
	jw_kint(b, "minor", minor(st->st_rdev));
	jw_kint(b, "fileMode", st->st_mode & 0777);
	jw_kint(b, "uid", st->st_uid);
	jw_kint(b, "gid", st->st_gid);
	jw_close(b, '}');
}

static void walk(struct buf *b, const char *dir, int depth, int *count)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		fd_close(&fd);
		return;
	}
	for (struct dirent *e; *count < DEVICES_MAX && (e = readdir(d));) {
		char path[512];
		struct stat st;

		if (is_own(e->d_name) || fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !text_set(path, sizeof(path), "%s/%s", dir, e->d_name))
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
			walk(b, path, depth + 1, count);
		} else if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
			add_device(b, path, &st);
			++*count;
		}
	}
	closedir(d);
}

void bundle_add_devices(struct buf *b)
{
	int count = 0;

	jw_karr(b, "devices");
	walk(b, "/dev", 0, &count);
	jw_close(b, ']');
}
