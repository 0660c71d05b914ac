/* ignition_apply.c - makes the directories and links that an Ignition configuration asks for. In coracle-config boot and apply; everything stays
 * inside the tree. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../modules/module.h"
#include "containers.h"
#include "fd.h"
#include "path.h"

/* Missing directories above it are 0755, root's. */
static int make_directory(struct run *r, const struct config_directory *d, struct err *err)
{
	CLEANUP_FD int path = -1;
	char self[32];
	uid_t uid;
	gid_t gid;

	if (target_owner(&r->target, d->user, d->group, &uid, &gid, err) < 0)
		return err_wrap(err, -EINVAL, "make %s", d->path);
	path = path_mkdirs_in(r->target.rootfd, d->path, 0755);
	if (path < 0)
		return err_set(err, -path, "make %s", d->path);
	/* an O_PATH descriptor has no fchown and fchmod of its own */
	path_of_fd(path, self, sizeof(self));
	if (chown(self, uid, gid) < 0 && (r->target.machine || errno != EPERM))
		return err_set(err, errno, "give %s to %s", d->path, d->user);
	if (chmod(self, d->mode) < 0)
		return err_set(err, errno, "set the mode of %s", d->path);
	return 0;
}

void ignition_apply(struct run *r)
{
	for (const struct config_directory *d = r->config.tree.directories; d; d = d->next) {
		struct err err = ERR_INIT;

		if (make_directory(r, d, &err) < 0)
			module_failed(r, d->at, &err);
	}
	for (const struct config_link *l = r->config.tree.links; l; l = l->next) {
		struct err err = ERR_INIT;

		if (target_symlink(&r->target, l->target, l->path, &err) < 0)
			module_failed(r, l->at, &err);
	}
}
