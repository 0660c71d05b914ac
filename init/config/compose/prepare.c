/* prepare.c - what services need of the tree that is applied to: env_files are read, texts of secrets and configs become files.
 *
 * Runs once, after files are written and before containers.json is. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "../scalar.h"
#include "../target.h"
#include "env_file.h"
#include "fd.h"
#include "path.h"

#define RUN_FOLDER "/run/coracle"
#define SECRETS_FOLDER "/run/coracle/secrets"

static int load_env_file(struct ctx *ctx, const struct target *t, const struct compose_env_file *f, struct strings *out)
{
	struct source *source = ARENA_NEW(ctx->arena, struct source);
	CLEANUP_FREE char *text = NULL;
	size_t len = 0;
	int r = target_read(t, f->path, ENV_FILE_MAX, &text, &len);

	if (r == -ENOENT && !f->required)
		return 0;
	if (r < 0)
		return diag_at(ctx->diags, DIAG_ERROR, f->at, r == -ENOENT ? "write it with write_files, or say required: false" : NULL,
			       "the env_file %s cannot be read: %s", f->path, err_name(-r));
	*source = (struct source){ f->path, arena_strndup(ctx->arena, text, len), len };
	return env_file_read(ctx, source, f->raw, out);
}

/* The later file wins, and environment over all of them. */
static void put_variable(struct ctx *ctx, struct strings *all, const char *pair)
{
	size_t n = strcspn(pair, "=") + 1;

	for (size_t i = 0; i < all->n; i++)
		if (!strncmp(all->v[i], pair, n)) {
			all->v[i] = pair;
			return;
		}
	strings_add(ctx, all, pair);
}

static void load_environment(struct ctx *ctx, const struct target *t, struct compose_service *s)
{
	struct strings all = { NULL, 0 };
	unsigned errors = 0;

	for (const struct compose_env_file *f = s->env_files; f; f = f->next) {
		struct strings one = { NULL, 0 };

		errors += load_env_file(ctx, t, f, &one) < 0;
		for (size_t i = 0; i < one.n; i++)
			put_variable(ctx, &all, one.v[i]);
	}
	for (size_t i = 0; i < s->environment.n; i++)
		put_variable(ctx, &all, s->environment.v[i]);
	s->environment = all;
	if (!errors)
		return;
	s->broken = true;
	diag_at(ctx->diags, DIAG_ERROR, s->at, NULL, "the service \"%s\" is left out, because of its env_file", s->name);
}

static void write_secret(struct ctx *ctx, const struct target *t, const struct compose_file *f)
{
	struct target_file file = { .path = f->path, .data = f->content, .len = f->len, .mode = f->mode, .owned = true };
	struct err err = ERR_INIT;
	bool owner_failed = false;
	uint64_t uid = 0, gid = 0;

	scalar_uint(f->uid, UINT32_MAX - 1, &uid);
	scalar_uint(f->gid, UINT32_MAX - 1, &gid);
	file.uid = (uid_t)uid;
	file.gid = (gid_t)gid;
	if (target_write(t, &file, t->machine ? NULL : &owner_failed, &err) < 0)
		diag_at(ctx->diags, DIAG_ERROR, f->at, NULL, "%s", err.text);
}

void compose_prepare(struct ctx *ctx, const struct target *t, struct compose *c)
{
	for (struct compose_service *s = c->services; s; s = s->next)
		if (!s->broken && s->env_files)
			load_environment(ctx, t, s);
	compose_spread_broken(ctx, c);
	if (!c->files)
		return;
	/* nobody on the machine reads them here, whatever their own modes say: those are for the containers */
	for (int i = 0; i < 2; i++) {
		CLEANUP_FD int fd = path_mkdirs_in(t->rootfd, i == 0 ? RUN_FOLDER : SECRETS_FOLDER, i == 0 ? 0755 : 0700);

		if (fd < 0) {
			diag_at(ctx->diags, DIAG_ERROR, c->files->at, NULL, "make " SECRETS_FOLDER ": %s", err_name(-fd));
			return;
		}
	}
	for (const struct compose_file *f = c->files; f; f = f->next)
		if (!f->service->broken)
			write_secret(ctx, t, f);
}
