/* bundle.c - config.json of a Docker-default container (coracle-engine). Starts nothing, mounts nothing. */
#include "bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine.h"
#include "fd.h"
#include "jw.h"
#include "path.h"
#include "runtime/store/store.h"
#include "text.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int make_bind_source(const struct service_mount *m, struct err *err)
{
	const char *path = m->source;
	struct stat st;
	int r;

	if (stat(path, &st) == 0)
		return 0;
	for (char **o = m->options; *o; o++)
		if (strcmp(*o, "nocreate") == 0)
			return err_set(err, errno, "bind source %s", path);
	r = path_mkdirs(path, 0755);
	return r < 0 ? err_set(err, -r, "make bind source %s", path) : 0;
}

/* Host paths of the mounts; the array and its strings live in the arena of the caller. */
static int make_sources(struct container *c, struct arena *mem, char ***out, struct err *err)
{
	char **source = arena_strv(mem, c->svc.mount_count);
	char path[512];

	if (!source)
		return err_set(err, ENOMEM, "mounts");
	for (size_t i = 0; i < c->svc.mount_count; i++) {
		struct service_mount *m = &c->svc.mounts[i];
		int r = 0;

		if (m->type == MOUNT_TMPFS)
			continue;
		if (m->type == MOUNT_BIND)
			r = make_bind_source(m, err);
		else
			r = store_volume(engine.store, m->source, path, sizeof(path), err);
		if (r < 0)
			return err_wrap(err, r, "volume for %s", m->target);
		source[i] = arena_strdup(mem, m->type == MOUNT_BIND ? m->source : path);
		if (!source[i])
			return err_set(err, ENOMEM, "mounts");
	}
	*out = source;
	return 0;
}

static bool has_env(char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; env && *env; env++)
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			return true;
	return false;
}

static void add_env(struct buf *b, const struct service *s, const char *hostname, const char *home)
{
	char line[600];

	jw_karr(b, "env");
	if (!has_env(s->environment, "PATH"))
		jw_str(b, DEFAULT_PATH);
	if (!has_env(s->environment, "HOSTNAME")) {
		text_set(line, sizeof(line), "HOSTNAME=%s", hostname);
		jw_str(b, line);
	}
	if (s->tty && !has_env(s->environment, "TERM"))
		jw_str(b, "TERM=xterm");
	for (char **e = s->environment; e && *e; e++)
		jw_str(b, *e);
	if (!has_env(s->environment, "HOME")) {
		text_set(line, sizeof(line), "HOME=%s", home);
		jw_str(b, line);
	}
	jw_close(b, ']');
}

static int add_process(struct buf *b, const struct container *c, const struct user_ids *ids, const char *hostname, struct err *err)
{
	const struct service *s = &c->svc;
	uint64_t caps;
	int r = bundle_caps(s->cap_add, s->cap_drop, &caps, err);

	if (r < 0)
		return r;
	jw_kobj(b, "process");
	jw_kbool(b, "terminal", s->tty);
	jw_kobj(b, "user");
	jw_kint(b, "uid", ids->uid);
	jw_kint(b, "gid", ids->gid);
	jw_karr(b, "additionalGids");
	for (size_t i = 0; i < ids->group_count; i++)
		jw_int(b, ids->groups[i]);
	jw_close(b, ']');
	jw_close(b, '}');
	jw_karr(b, "args");
	for (char **a = s->entrypoint; a && *a; a++)
		jw_str(b, *a);
	for (char **a = s->command; a && *a; a++)
		jw_str(b, *a);
	jw_close(b, ']');
	add_env(b, s, hostname, ids->home);
	jw_kstr(b, "cwd", s->working_dir ? s->working_dir : "/");
	bundle_add_caps(b, s, caps, ids->uid == 0);
	r = bundle_add_rlimits(b, s, err);
	if (r < 0)
		return r;
	if (bundle_has_option(s, "no-new-privileges"))
		jw_kbool(b, "noNewPrivileges", true);
	if (s->oom_score_adj)
		jw_kint(b, "oomScoreAdj", s->oom_score_adj);
	jw_close(b, '}');
	return 0;
}

static int build(struct buf *b, struct container *c, char *const *source, struct err *err)
{
	char rootfs[512], hostname[256];
	CLEANUP_FD int rootfd = -1;
	struct user_ids ids;
	int r;

	store_rootfs_path(engine.store, c->id, rootfs, sizeof(rootfs));
	rootfd = open(rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rootfd < 0)
		return err_set(err, errno, "open %s", rootfs);
	r = user_resolve(rootfd, c->svc.user, &ids, err);
	if (r < 0)
		return r;
	r = user_add_groups(rootfd, c->svc.group_add, &ids, err);
	if (r < 0)
		return r;
	bundle_hostname(c, hostname, sizeof(hostname));
	r = bundle_write_etc(c, hostname, err);
	if (r < 0)
		return r;
	jw_open(b, '{');
	jw_kstr(b, "ociVersion", "1.0.2");
	r = add_process(b, c, &ids, hostname, err);
	if (r < 0)
		return r;
	jw_kobj(b, "root");
	jw_kstr(b, "path", rootfs);
	jw_kbool(b, "readonly", c->svc.read_only);
	jw_close(b, '}');
	if (!c->svc.uts)
		jw_kstr(b, "hostname", hostname);
	if (c->svc.domainname)
		jw_kstr(b, "domainname", c->svc.domainname);
	r = bundle_add_mounts(b, c, source, err);
	if (r < 0)
		return r;
	r = bundle_add_linux(b, c, err);
	if (r < 0)
		return r;
	bundle_add_annotations(b, &c->svc);
	jw_close(b, '}');
	return buf_error(b) ? err_set(err, -buf_error(b), "config.json") : 0;
}

int bundle_write(struct container *c, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct arena mem;
	char path[512];
	char **source = NULL;
	int r;

	if (!c->svc.entrypoint || (!c->svc.entrypoint[0] && (!c->svc.command || !c->svc.command[0])))
		return err_set(err, 0, "no command specified");
	buf_init(&b, BUNDLE_CONFIG_MAX);
	arena_init(&mem, BUNDLE_CONFIG_MAX);
	r = make_sources(c, &mem, &source, err);
	if (r == 0)
		r = build(&b, c, source, err);
	arena_free(&mem);
	if (r < 0)
		return r;
	if (mkdir(engine_container_path(c->id, "bundle", path, sizeof(path)), 0700) < 0 && errno != EEXIST)
		return err_set(err, errno, "make %s", path);
	return bundle_write_file(engine_container_path(c->id, "bundle/config.json", path, sizeof(path)), b.data, b.len, err);
}
