/* scripts.c - the modules bootcmd, runcmd and scripts_user: commands of the user, at once or in the last stage.
 *
 * Scripts run once for each instance-id, sorted by name, as cloud-init's scripts_user; with a stateless /var that is on each boot. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "module.h"
#include "path.h"

#define BOOTCMD_PATH "/run/coracle/bootcmd"
#define SCRIPTS_MAX 256

bool bootcmd_wanted(const struct run *r)
{
	return r->config.bootcmd != NULL;
}

void apply_bootcmd(struct run *r)
{
	module_put(r, BOOTCMD_PATH, r->config.bootcmd, 0700);
	if (r->target.machine)
		module_script_ended(r, "bootcmd", script_run(r, "/bin/sh", BOOTCMD_PATH, 0));
}

bool scripts_wanted(const struct run *r)
{
	return r->config.scripts != NULL || r->has_scripts;
}

void apply_scripts(struct run *r)
{
	for (const struct config_script *s = r->config.scripts; s; s = s->next) {
		struct target_file f = {
			.path = arena_printf(&r->arena, "%s/%s", module_instance_path(r, "scripts"), s->name),
			.data = s->text, .len = s->len, .mode = 0700,
		};
		struct err err = ERR_INIT;

		if (target_write(&r->target, &f, NULL, &err) < 0)
			module_failed(r, NULL, &err);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The executable files of the directory, sorted, as run-parts. */
static size_t list_scripts(struct run *r, const char *dir, const char **names)
{
	int fd = path_open_in(r->target.rootfd, dir, O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct stat st;
	size_t n = 0;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while ((e = readdir(d)) && n < SCRIPTS_MAX)
		if (e->d_name[0] != '.' && fstatat(dirfd(d), e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0100))
			names[n++] = arena_strndup(&r->arena, e->d_name, strlen(e->d_name));
	closedir(d);
	qsort(names, n, sizeof(names[0]), by_name);
	return n;
}

void apply_scripts_user(struct run *r)
{
	const char *names[SCRIPTS_MAX];
	const char *dir = module_instance_path(r, "scripts");
	size_t n = list_scripts(r, dir, names);

	for (size_t i = 0; i < n; i++)
		module_script_ended(r, arena_printf(&r->arena, "the script %s", names[i]),
				    script_run(r, NULL, arena_printf(&r->arena, "%s/%s", dir, names[i]), 0));
}
