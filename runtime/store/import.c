/* import.c - an import from its beginning to its end. Runs in the engine or coracle-import. */
#include "runtime/store/importint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/sys.h"

static void source_progress(uint64_t bytes, void *arg)
{
	struct import *im = arg;
	struct store_progress p = { .image = im->label, .step = "read", .bytes = bytes };

	if (im->opt->progress)
		im->opt->progress(&p, im->opt->arg);
}

static int make_staging(struct import *im, struct err *err)
{
	int r;

	snprintf(im->stage_name, sizeof(im->stage_name), "tmp/import-%d-%u", (int)getpid(), im->s->serial++);
	r = sys_mkdirat(im->s->rootfd, im->stage_name, 0700);
	if (r < 0)
		return err_set(err, -r, "make %s/%s", im->s->root, im->stage_name);
	im->stage = sys_openat(im->s->rootfd, im->stage_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (im->stage < 0)
		return err_set(err, -im->stage, "open %s/%s", im->s->root, im->stage_name);
	return 0;
}

/* The directory that members of a compressed archive go to: apart from the import's own names. */
static int make_member_directory(struct import *im, struct err *err)
{
	int fd, r = sys_mkdirat(im->stage, "members", 0700);

	fd = r < 0 ? r : sys_openat(im->stage, "members", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	return fd < 0 ? err_set(err, -fd, "make members") : fd;
}

static int is_known(struct store *s, const char *id)
{
	for (size_t i = 0; i < s->entries; i++) {
		const char *have = store_entry_id(s, &s->entry[i]);

		if (have && !strcmp(have, id))
			return 1;
	}
	return 0;
}

static int take_result(struct import *im, struct store_import_result *result, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < im->plan.images; i++)
		n += im->plan.image[i].names;
	result->image = calloc(n + 1, sizeof(*result->image));
	if (!result->image)
		return err_set(err, ENOMEM, "report the import");
	for (size_t i = 0; i < im->plan.images; i++)
		for (size_t k = 0; k < im->plan.image[i].names; k++) {
			struct store_imported *out = &result->image[result->count++];

			memcpy(out->name, im->plan.image[i].name[k], strlen(im->plan.image[i].name[k]) + 1);
			memcpy(out->id, im->plan.image[i].id, IMAGE_DIGEST_SIZE);
			out->known = is_known(im->s, im->plan.image[i].id);
		}
	return 0;
}

static int run_steps(struct import *im, int fd, int members, struct store_import_result *result, struct err *err)
{
	struct plan_options how = { &im->platform, im->label, im->opt->name, im->opt->warning, im->opt->arg };
	int r;

	im->src.progress = source_progress;
	im->src.arg = im;
	if ((r = source_open(&im->src, im->s, fd, members, err)) < 0 ||
	    (r = plan_make(&im->plan, &im->src, &how, err)) < 0 ||
	    (r = import_jobs_make(im, err)) < 0 ||
	    (r = import_space_check(im, err)) < 0 ||
	    (r = import_jobs_run(im, err)) < 0 ||
	    (r = import_marks_apply(im, err)) < 0 ||
	    (r = take_result(im, result, err)) < 0)
		return r;
	return import_commit(im, err);
}

static int import_fd(struct store *s, int fd, const char *label, const struct store_import_options *opt,
	struct store_import_result *result, struct err *err)
{
	struct import *im = calloc(1, sizeof(*im));
	CLEANUP_FD int members = -1;
	int r;

	if (!im)
		return err_set(err, ENOMEM, "import %s", label);
	im->s = s;
	im->opt = opt;
	im->label = label;
	im->stage = -1;
	im->platform = opt->platform ? *opt->platform : image_platform_host();
	r = make_staging(im, err);
	if (r == 0)
		r = members = make_member_directory(im, err);
	if (r >= 0)
		r = run_steps(im, fd, members, result, err);
	for (size_t i = 0; i < im->jobs; i++)
		child_kill(&im->job[i].child);
	fd_close(&im->stage);
	store_tree_remove(s->rootfd, im->stage_name);
	if (r < 0)
		r = import_space_explain(im, r, err);
	import_jobs_free(im);
	plan_free(&im->plan);
	source_close(&im->src);
	free(im);
	if (r < 0) {
		free(result->image);
		memset(result, 0, sizeof(*result));
	}
	return r < 0 ? err_wrap(err, r, "import %s", label) : 0;
}

int store_import_fd(struct store *s, int fd, const char *label, const struct store_import_options *opt,
	struct store_import_result *result, struct err *err)
{
	static const struct store_import_options none;
	struct store_import_result own = { 0, NULL };
	struct err text = ERR_INIT;
	int r = import_fd(s, fd, label, opt ? opt : &none, &own, &text);

	if (r < 0 && err)
		*err = text;
	if (result)
		*result = own;
	else
		free(own.image);
	return r;
}

/* What stands for the archive: its own size and time, or those of a layout's index.json. */
static int look_at(int fd, struct stat *st)
{
	if (fstat(fd, st) < 0)
		return -errno;
	if (S_ISDIR(st->st_mode) && fstatat(fd, "index.json", st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return S_ISREG(st->st_mode);
}

int store_import(struct store *s, const char *path, const struct store_import_options *opt,
	struct store_import_result *result, struct err *err)
{
	struct image_platform platform = opt && opt->platform ? *opt->platform : image_platform_host();
	struct store_import_result own = { 0, NULL };
	CLEANUP_FREE char *file = strdup(path);
	CLEANUP_FD int fd = -1;
	struct stat st;
	size_t n;
	int64_t mtime;
	int r, remember = 0;

	if (!file)
		return err_set(err, ENOMEM, "import %s", path);
	/* "images/nginx/" is called nginx */
	for (n = strlen(file); n > 1 && file[n - 1] == '/'; n--)
		file[n - 1] = '\0';
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_NOCTTY, 0);
	if (fd < 0 || (remember = look_at(fd, &st)) < 0)
		return err_set(err, fd < 0 ? -fd : -remember, "import %s: open", path);
	mtime = st.st_mtim.tv_sec * 1000000000ll + st.st_mtim.tv_nsec;
	if (strrchr(file, '/') && strrchr(file, '/')[1])
		memmove(file, strrchr(file, '/') + 1, strlen(strrchr(file, '/')));
	if (remember && !(opt && (opt->force || opt->name)) &&
	    imported_find(s, file, (uint64_t)st.st_size, mtime, &platform, result))
		return 0;
	r = store_import_fd(s, fd, file, opt, &own, err);
	/* what cannot be remembered is imported again: no failure */
	if (r == 0 && remember)
		imported_add(s, file, (uint64_t)st.st_size, mtime, &platform, &own, NULL);
	if (result)
		*result = own;
	else
		free(own.image);
	return r;
}
