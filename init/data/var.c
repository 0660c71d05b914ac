/* var.c - the directories of /var. Runs in coracle-data and in init. No heap. */
#include "init/data/var.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

#include "fd.h"
#include "sys.h"

int var_make_directories(const char *root, struct err *err)
{
	static const struct { const char *name; mode_t mode; } dirs[] = {
		{ "lib", 0755 }, { "lib/coracle", 0700 }, { "lib/cloud", 0755 }, { "log", 0755 }, { "tmp", 01777 },
		{ "home", 0755 }, { "roothome", 0700 }, { "opt", 0755 }, { "srv", 0755 }, { "mnt", 0755 },
	};
	CLEANUP_FD int fd = sys_openat(AT_FDCWD, root, O_PATH | O_DIRECTORY, 0);

	if (fd < 0)
		return err_set(err, -fd, "open %s", root);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		int r = sys_mkdirat(fd, dirs[i].name, dirs[i].mode);

		if (r == -EEXIST)
			continue;
		/* mkdir's mode goes through the umask */
		if (r == 0 && dirs[i].mode & 07000)
			r = sys_fchmodat(fd, dirs[i].name, dirs[i].mode);
		if (r < 0)
			return err_set(err, -r, "make %s/%s", root, dirs[i].name);
	}
	return 0;
}

/* Neither nosuid nor nodev: containers live here, and their images have setuid programs and device nodes. */
int var_mount_tmpfs(struct err *err)
{
	int r = sys_mount("tmpfs", "/var", "tmpfs", 0, "mode=755,size=75%");

	if (r < 0)
		return err_set(err, -r, "mount a tmpfs on /var");
	return var_make_directories("/var", err);
}
