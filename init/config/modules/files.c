/* files.c - the modules write_files and write_files_deferred. In coracle-config boot and apply. */
#include <errno.h>

#include "module.h"

static void apply_file(struct run *r, const struct config_file *f)
{
	struct target_file file = {
		.path = f->path, .data = f->content, .len = f->len, .mode = f->mode, .owned = true, .append = f->append, .sync = true,
	};
	struct err err = ERR_INIT;
	bool owner_failed = false;

	if (target_owner(&r->target, f->user, f->group, &file.uid, &file.gid, &err) < 0) {
		err_wrap(&err, -EINVAL, "write %s", f->path);
		module_failed(r, f->at, &err);
		return;
	}
	if (target_write(&r->target, &file, r->target.machine ? NULL : &owner_failed, &err) < 0)
		module_failed(r, f->at, &err);
	if (owner_failed)
		diag_at(&r->diags, DIAG_WARNING, f->at, "only root may do that", "%s is written, but not given to %s", f->path, f->user);
}

static void apply_those(struct run *r, bool deferred)
{
	for (const struct config_file *f = r->config.files; f; f = f->next)
		if (f->defer == deferred)
			apply_file(r, f);
}

void apply_files(struct run *r)
{
	apply_those(r, false);
}

void apply_files_deferred(struct run *r)
{
	apply_those(r, true);
}
