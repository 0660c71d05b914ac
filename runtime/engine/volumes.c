/* volumes.c - volumes on disk and their use (coracle-engine; volumes_mount() in its children). Removing trees is a child's work. */
#include "volumes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yyjson.h>

#include "engine.h"
#include "events.h"
#include "fd.h"
#include "jw.h"
#include "path.h"
#include "report.h"
#include "runtime/store/store.h"
#include "service_fields.h"
#include "sys.h"
#include "text.h"
#include "volumeopts.h"

#define VOLUME_FILE_MAX 262144u
#define REMOVED ".removed-"
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

static char *volume_path(const char *name, const char *file, char *out, size_t size)
{
	text_set(out, size, "%s/volumes/%s%s%s", engine.opt.root, name, file[0] ? "/" : "", file);
	return out;
}

static char **take_pairs(struct arena *mem, yyjson_val *obj)
{
	char **out = arena_strv(mem, yyjson_obj_size(obj));
	size_t i, max;
	yyjson_val *key, *val;

	yyjson_obj_foreach(obj, i, max, key, val)
		if (out && yyjson_is_str(val))
			out[i] = arena_printf(mem, "%s=%s", yyjson_get_str(key), yyjson_get_str(val));
	return out;
}

int volume_load(const char *name, struct volume *out, struct err *err)
{
	CLEANUP_FREE char *text = NULL;
	char path[700];
	yyjson_doc *doc = NULL;
	struct statx st;
	size_t n = 0;

	if (!path_component_ok(name) || name[0] == '.' || statx(AT_FDCWD, volume_path(name, "_data", path, sizeof(path)), AT_STATX_DONT_SYNC, STATX_CTIME, &st) < 0)
		return err_set(err, ENOENT, "get %.255s: no such volume", name);
	*out = (struct volume){ .created_ns = (int64_t)st.stx_ctime.tv_sec * 1000000000 };
	arena_init(&out->mem, VOLUME_FILE_MAX * 2);
	text_set(out->name, sizeof(out->name), "%s", name);
	if (fd_read_file(AT_FDCWD, volume_path(name, "volume.json", path, sizeof(path)), VOLUME_FILE_MAX, &text, &n, NULL) >= 0)
		doc = yyjson_read(text, n, 0);
	if (doc) {
		out->created_ns = yyjson_get_sint(yyjson_obj_get(yyjson_doc_get_root(doc), "created_ns"));
		out->labels = take_pairs(&out->mem, yyjson_obj_get(yyjson_doc_get_root(doc), "labels"));
		out->options = take_pairs(&out->mem, yyjson_obj_get(yyjson_doc_get_root(doc), "options"));
		yyjson_doc_free(doc);
	}
	return 0;
}

void volume_free(struct volume *v)
{
	arena_free(&v->mem);
}

int volume_make(const char *name, char *const *labels, char *const *options, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	char path[700];
	int r = store_volume(engine.store, name, path, sizeof(path), err);

	if (r < 0)
		return r;
	buf_init(&b, VOLUME_FILE_MAX);
	jw_open(&b, '{');
	jw_kint(&b, "created_ns", wall_now());
	jw_kmap(&b, "labels", labels);
	jw_kmap(&b, "options", options);
	jw_close(&b, '}');
	if (buf_error(&b))
		return err_set(err, E2BIG, "volume %s", name);
	return fd_replace_file(AT_FDCWD, volume_path(name, "volume.json", path, sizeof(path)), b.data, b.len, 0600, err);
}

static bool has_volume(const struct container *c, const char *name)
{
	for (size_t i = 0; i < c->svc.mount_count; i++)
		if (c->svc.mounts[i].type == MOUNT_VOLUME && c->svc.mounts[i].source && strcmp(c->svc.mounts[i].source, name) == 0)
			return true;
	return false;
}

const struct container *volume_user(const char *name, const struct container *but)
{
	for (const struct container *c = engine.containers; c; c = c->next)
		if (c != but && has_volume(c, name))
			return c;
	return NULL;
}

/* -- removing ---------------------------------------------------------------- */

static void on_swept(int status, void *arg)
{
	(void)arg;
	if (status != 0)
		report_note("engine", "removing a volume's files failed; the next start of the engine goes on with it");
}

static bool has_removed(const char *path)
{
	DIR *d = opendir(path);
	bool any = false;

	for (struct dirent *e; d && !any && (e = readdir(d));)
		any = strncmp(e->d_name, REMOVED, strlen(REMOVED)) == 0;
	if (d)
		closedir(d);
	return any;
}

void volumes_sweep(void)
{
	struct err err = ERR_INIT;
	char path[600];
	pid_t pid;
	DIR *d;
	bool failed = false;

	text_set(path, sizeof(path), "%s/volumes", engine.opt.root);
	if (!has_removed(path))
		return;
	pid = child_fork(on_swept, NULL, &err);
	if (pid < 0)
		report_note("engine", "%s", err.text);
	if (pid != 0)
		return;
	d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));)
		if (strncmp(e->d_name, REMOVED, strlen(REMOVED)) == 0)
			failed = path_remove_tree(dirfd(d), e->d_name) < 0 || failed;
	_exit(failed);
}

/* Under another name it is no volume any more, whatever happens next. */
static int put_away(const char *name, struct err *err)
{
	char path[600], random[17], removed[32];
	CLEANUP_FD int dir = -1;
	int r;

	text_set(path, sizeof(path), "%s/volumes", engine.opt.root);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	container_random_hex(random, 16);
	text_set(removed, sizeof(removed), REMOVED "%s", random);
	r = dir < 0 ? -errno : sys_renameat2(dir, name, dir, removed, 0);
	if (r < 0)
		return err_set(err, -r, "remove volume %s", name);
	(void)!sys_fsync(dir);
	return 0;
}

int volume_remove(const char *name, struct err *err)
{
	static const char *const attributes[] = { "driver=local", NULL };
	const struct container *user = volume_user(name, NULL);
	char path[700];
	int r;

	if (user)
		return err_set(err, EBUSY, "remove %s: volume is in use - [%s]", name, user->id);
	umount2(volume_path(name, "_data", path, sizeof(path)), MNT_DETACH | UMOUNT_NOFOLLOW);
	r = put_away(name, err);
	if (r < 0)
		return r;
	volumes_sweep();
	event_add("volume", "destroy", name, attributes);
	return 0;
}

void volumes_forget(const struct container *c)
{
	struct err err = ERR_INIT;

	for (size_t i = 0; i < c->svc.mount_count; i++) {
		const struct service_mount *m = &c->svc.mounts[i];

		if (m->type == MOUNT_VOLUME && m->anonymous && m->source && !volume_user(m->source, c) && volume_remove(m->source, &err) == -EBUSY)
			report_note("engine", "%s", err.text);
	}
}

/* -- mounting ---------------------------------------------------------------- */

/* A file server that does not answer must not hold up the loop: what the kernel knows is enough. */
static bool is_mounted(const char *path)
{
	struct statx st;

	return statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &st) == 0 && st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* The options of a volume that is to be mounted and is not; false: none, or it is. */
static bool load_unmounted(const struct service_mount *m, struct volume *v, char *path, size_t size)
{
	if (m->type != MOUNT_VOLUME || !m->source || volume_load(m->source, v, NULL) < 0)
		return false;
	volume_path(m->source, "_data", path, size);
	if (v->options && v->options[0] && !is_mounted(path))
		return true;
	volume_free(v);
	return false;
}

bool volumes_need_mount(const struct container *c)
{
	char path[700];
	struct volume v;

	for (size_t i = 0; i < c->svc.mount_count; i++) {
		if (load_unmounted(&c->svc.mounts[i], &v, path, sizeof(path))) {
			volume_free(&v);
			return true;
		}
	}
	return false;
}

int volumes_mount(const struct container *c, struct err *err)
{
	char path[700];
	struct volume v;

	for (size_t i = 0; i < c->svc.mount_count; i++) {
		int r;

		if (!load_unmounted(&c->svc.mounts[i], &v, path, sizeof(path)))
			continue;
		r = volumeopts_mount(v.options, path, err);
		if (r < 0)
			err_wrap(err, r, "error while mounting volume '%s'", path);
		volume_free(&v);
		if (r < 0)
			return r;
	}
	return 0;
}

void volumes_release(const struct container *c)
{
	char path[700];

	for (size_t i = 0; i < c->svc.mount_count; i++) {
		const struct service_mount *m = &c->svc.mounts[i];
		bool used = false;

		if (m->type != MOUNT_VOLUME || !m->source)
			continue;
		volume_path(m->source, "volume.json", path, sizeof(path));
		if (access(path, F_OK) < 0)
			continue;
		for (const struct container *o = engine.containers; o && !used; o = o->next)
			used = o != c && o->phase != PHASE_DOWN && has_volume(o, m->source);
		if (!used)
			umount2(volume_path(m->source, "_data", path, sizeof(path)), MNT_DETACH | UMOUNT_NOFOLLOW);
	}
}
