/* files.c - the modules write_files and write_files_deferred. In coracle-config boot and apply. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../http/http.h"
#include "module.h"
#include "path.h"
#include "sys.h"

#define SOURCE_TRIES 4	/* cloud-init, cc_write_files.read_url_or_decode: three more after the first */

/* What a source holds takes the place of content; without it, content does. False: there is neither. */
static bool fetch(struct run *r, const struct config_file *f, struct target_file *file)
{
	struct http_request q = { .url = f->url, .headers = f->headers, .max = CONFIG_FILE_MAX, .tries = SOURCE_TRIES };
	struct http_answer a;
	struct err err = ERR_INIT;

	if (!f->url)
		return true;
	if (http_get(&r->ctx, &q, &a, &err) == 0) {
		file->data = a.body;
		file->len = a.len;
		return true;
	}
	diag_at(&r->diags, f->has_content ? DIAG_WARNING : DIAG_ERROR, f->at, NULL, f->has_content ? "%s is written with its content: %s" : "%s is not written: %s",
		f->path, err.text);
	return f->has_content;
}

/* Directories that a deferred file needs belong to its owner, as in cloud-init (util.ensure_dir with user and group). */
static void make_parents(struct run *r, const char *path, uid_t uid, gid_t gid)
{
	for (const char *slash = strchr(path + 1, '/'); slash && uid + gid; slash = strchr(slash + 1, '/')) {
		const char *dir = arena_strndup(&r->arena, path, (size_t)(slash - path));
		int fd = target_exists(&r->target, dir) ? -1 : path_mkdirs_in(r->target.rootfd, dir, 0755);

		/* one that cannot be made is told when the file is written */
		if (fd >= 0) {
			(void)!sys_fchownat(fd, "", uid, gid, AT_EMPTY_PATH);
			close(fd);
		}
	}
}

static void apply_file(struct run *r, const struct config_file *f, struct target_syncs *syncs)
{
	struct target_file file = {
		.path = f->path, .data = f->content, .len = f->len, .mode = f->mode, .owned = true, .append = f->append,
		.sync = r->target.machine, .syncs = syncs, /* a tree on a laptop is not what survives a power cut */
	};
	struct err err = ERR_INIT;
	bool owner_failed = false;

	if (target_owner(&r->target, f->user, f->group, &file.uid, &file.gid, &err) < 0) {
		err_wrap(&err, -EINVAL, "write %s", f->path);
		diag_at(&r->diags, DIAG_ERROR, f->at, NULL, "%s", err.text);
		return;
	}
	if (!fetch(r, f, &file))
		return;
	if (f->defer)
		make_parents(r, f->path, file.uid, file.gid);
	if (target_write(&r->target, &file, r->target.machine ? NULL : &owner_failed, &err) < 0)
		module_failed(r, f->at, &err);
	if (owner_failed)
		diag_at(&r->diags, DIAG_WARNING, f->at, "only root may do that", "%s is written, but not given to %s", f->path, f->user);
}

static void apply_those(struct run *r, bool deferred)
{
	struct target_syncs syncs = { .count = 0 };
	struct err err = ERR_INIT;

	for (const struct config_file *f = r->config.files; f; f = f->next)
		if (f->defer == deferred)
			apply_file(r, f, &syncs);
	if (target_sync(&syncs, &err) < 0)
		module_failed(r, NULL, &err);
}

void apply_files(struct run *r)
{
	apply_those(r, false);
}

void apply_files_deferred(struct run *r)
{
	apply_those(r, true);
}
