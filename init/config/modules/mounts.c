/* mounts.c - the module "mounts": the swap file, /etc/fstab, and on the machine mounting what it says.
 *
 * Runs in coracle-config, on each boot: /etc is new then, and nothing is mounted yet. One mount that fails is reported and the others go on. */
#include "../run.h"
#include "fd.h"
#include "path.h"
#include "storage.h"

#define FSTAB "/etc/fstab"
#define FSTAB_OLD_MAX ((size_t)1 << 20)

/* Off the machine nothing is mounted; the directories are made as cloud-init makes them. */
static void make_directory(struct run *r, const struct storage_line *l)
{
	CLEANUP_FD int fd = -1;

	if (l->field[FSTAB_FILE][0] != '/')
		return;
	fd = path_mkdirs_in(r->target.rootfd, l->field[FSTAB_FILE], 0755);
	if (fd < 0)
		diag_at(&r->diags, DIAG_ERROR, l->at, NULL, "make the directory %s: %s", l->field[FSTAB_FILE], err_name(-fd));
}

static void carry_out(struct run *r, const struct storage_line *l)
{
	struct err err = ERR_INIT;

	if (!r->target.machine)
		make_directory(r, l);
	else if (storage_mount(r, l, &err) < 0)
		diag_at(&r->diags, DIAG_ERROR, l->at, NULL, "%s", err.text);
}

bool mounts_wanted(const struct run *r)
{
	return r->config.storage.mounts || r->config.storage.swap.at;
}

void apply_mounts(struct run *r)
{
	struct storage_line lines[MOUNTS_MAX + 1];
	CLEANUP_FREE char *old = NULL;
	struct err err = ERR_INIT;
	const char *swap;
	const char *text;
	unsigned n;

	swap = storage_swap_file(r);
	target_read(&r->target, FSTAB, FSTAB_OLD_MAX, &old, NULL); /* there need not be one */
	text = storage_fstab(&r->ctx, &r->config.storage, old ? old : "", swap, r->target.machine, lines, &n);
	if (!text)
		return;
	if (target_put(&r->target, FSTAB, text, 0644, &err) < 0)
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "%s", err.text);
	for (unsigned i = 0; i < n; i++)
		carry_out(r, &lines[i]);
}
