/* scripts.c - the modules boothook, bootcmd, runcmd and scripts_*: commands of the user and the vendor, at once or in the last stage.
 *
 * The scripts of a folder run sorted by name, as run-parts; how often says the table of modules. With a stateless /var "once" is on each boot. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
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

/* Where scripts of a kind go, NULL: below the instance. */
static const char *const script_dirs[] = {
	[SCRIPT_USER] = "scripts",
	[SCRIPT_VENDOR] = "scripts/vendor",
	[SCRIPT_BOOTHOOK] = "boothooks",
	[SCRIPT_PER_BOOT] = "/var/lib/cloud/scripts/per-boot",
	[SCRIPT_PER_INSTANCE] = "/var/lib/cloud/scripts/per-instance",
	[SCRIPT_PER_ONCE] = "/var/lib/cloud/scripts/per-once",
};

static const char *script_dir(struct run *r, enum config_script_kind kind)
{
	const char *dir = script_dirs[kind];

	return dir[0] == '/' ? dir : module_instance_path(r, dir);
}

static const char *script_path(struct run *r, const struct config_script *s)
{
	return arena_printf(&r->arena, "%s/%s", script_dir(r, s->kind), s->name);
}

static bool write_script(struct run *r, const struct config_script *s)
{
	struct target_file f = { .path = script_path(r, s), .data = s->text, .len = s->len, .mode = 0700 };
	struct err err = ERR_INIT;

	if (target_write(&r->target, &f, NULL, &err) == 0)
		return true;
	module_failed(r, NULL, &err);
	return false;
}

bool boothooks_wanted(const struct run *r)
{
	const struct config_script *s = r->config.scripts;

	while (s && s->kind != SCRIPT_BOOTHOOK)
		s = s->next;
	return s != NULL;
}

/* At once, one after the other, on each boot. */
void apply_boothooks(struct run *r)
{
	for (const struct config_script *s = r->config.scripts; s; s = s->next)
		if (s->kind == SCRIPT_BOOTHOOK && write_script(r, s) && r->target.machine)
			module_script_ended(r, arena_printf(&r->arena, "the boothook %s", s->name), script_run(r, NULL, script_path(r, s), 0));
}

void apply_scripts(struct run *r)
{
	/* of an earlier configuration of the instance that was not run yet */
	if (!r->config.runcmd)
		target_unlink(&r->target, arena_printf(&r->arena, "%s/runcmd", script_dir(r, SCRIPT_USER)));
	for (const struct config_script *s = r->config.scripts; s; s = s->next) {
		/* cloud-init has one file for both as well, and says nothing */
		for (const struct config_script *t = s->next; t; t = t->next)
			if (t->kind == s->kind && !strcmp(t->name, s->name))
				diag_at(&r->diags, DIAG_WARNING, NULL, "give each part a file name of its own",
					"two scripts are called %s; only the later one is run", s->name);
		if (s->kind != SCRIPT_BOOTHOOK)
			write_script(r, s);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_script(int dirfd, const struct dirent *e)
{
	struct stat st;

	return e->d_name[0] != '.' && fstatat(dirfd, e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0100);
}

static DIR *open_scripts(const struct run *r, const char *dir)
{
	int fd = path_open_in(r->target.rootfd, dir, O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

/* The executable files of the directory, sorted, as run-parts. */
static size_t list_scripts(struct run *r, const char *dir, const char **names)
{
	DIR *d = open_scripts(r, dir);
	const struct dirent *e;
	size_t n = 0;

	while (d && (e = readdir(d))) {
		if (!is_script(dirfd(d), e))
			continue;
		if (n == SCRIPTS_MAX) {
			diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "%s has more than 256 scripts; the others are not run", dir);
			break;
		}
		names[n++] = arena_strndup(&r->arena, e->d_name, strlen(e->d_name));
	}
	if (d)
		closedir(d);
	qsort(names, n, sizeof(names[0]), by_name);
	return n;
}

/* What is there counts, whoever put it there. */
static bool has_scripts(const struct run *r, enum config_script_kind kind)
{
	char path[512];
	DIR *d;
	const struct dirent *e = NULL;

	if (script_dirs[kind][0] == '/')
		snprintf(path, sizeof(path), "%s", script_dirs[kind]);
	else
		snprintf(path, sizeof(path), "/var/lib/cloud/instances/%s/%s", r->instance_id, script_dirs[kind]);
	d = open_scripts(r, path);
	while (d && (e = readdir(d)) && !is_script(dirfd(d), e))
		;
	if (d)
		closedir(d);
	return e != NULL;
}

static void run_scripts(struct run *r, enum config_script_kind kind)
{
	static const struct strings none = { NULL, 0 };
	const char *names[SCRIPTS_MAX];
	const char *dir = script_dir(r, kind);
	size_t n = list_scripts(r, dir, names);

	for (size_t i = 0; i < n; i++)
		module_script_ended(r, arena_printf(&r->arena, "the script %s", names[i]),
				    script_run_prefixed(r, kind == SCRIPT_VENDOR ? &r->config.vendor.prefix : &none,
							arena_printf(&r->arena, "%s/%s", dir, names[i])));
}

#define SCRIPTS_MODULE(name, kind) \
	bool name##_wanted(const struct run *r) \
	{ \
		return has_scripts(r, kind); \
	} \
	void apply_##name(struct run *r) \
	{ \
		run_scripts(r, kind); \
	}

SCRIPTS_MODULE(scripts_vendor, SCRIPT_VENDOR)
SCRIPTS_MODULE(scripts_per_once, SCRIPT_PER_ONCE)
SCRIPTS_MODULE(scripts_per_boot, SCRIPT_PER_BOOT)
SCRIPTS_MODULE(scripts_per_instance, SCRIPT_PER_INSTANCE)
SCRIPTS_MODULE(scripts_user, SCRIPT_USER)
