/* bundle.c - config.json of a Docker-default container (coracle-engine). Starts nothing, mounts nothing. */
#include "bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine.h"
#include "fd.h"
#include "jw.h"
#include "path.h"
#include "runtime/store/store.h"
#include "text.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define SMALL_FILE_MAX 65536u

static const char default_hosts[] =
	"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n"
	"ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";

static bool host_network(const struct container *c)
{
	return strcmp(c->svc.network_mode, "host") == 0;
}

void bundle_hostname(const struct container *c, char *out, size_t size)
{
	if (c->svc.hostname) {
		text_set(out, size, "%s", c->svc.hostname);
	} else if (host_network(c)) {
		if (gethostname(out, size) < 0)
			out[0] = '\0';
		out[size - 1] = '\0';
	} else {
		text_set(out, size, "%.12s", c->id);
	}
}

/* In place: a container may have the file bound already. */
static int write_file(const char *path, const char *text, size_t n, struct err *err)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0 || fd_write_full(fd, text, n) < 0)
		return err_set(err, errno, "write %s", path);
	return 0;
}

/* The host's file, or text when there is none. */
static int copy_file(const char *from, const char *text, const char *to, struct err *err)
{
	CLEANUP_FREE char *data = NULL;
	size_t n = 0;

	if (fd_read_file(AT_FDCWD, from, SMALL_FILE_MAX, &data, &n, NULL) < 0)
		return write_file(to, text, strlen(text), err);
	return write_file(to, data, n, err);
}

void bundle_refresh_resolv(const struct container *c)
{
	char path[512];

	if (host_network(c))
		copy_file("/etc/resolv.conf", "", engine_container_path(c->id, "resolv.conf", path, sizeof(path)), NULL);
}

static int write_etc_files(const struct container *c, const char *hostname, struct err *err)
{
	char path[512], line[300];
	bool host = host_network(c);
	int n, r;

	engine_container_path(c->id, "hosts", path, sizeof(path));
	r = host ? copy_file("/etc/hosts", default_hosts, path, err) : write_file(path, default_hosts, sizeof(default_hosts) - 1, err);
	if (r < 0)
		return r;
	n = snprintf(line, sizeof(line), "%s\n", hostname);
	r = write_file(engine_container_path(c->id, "hostname", path, sizeof(path)), line, (size_t)n, err);
	if (r < 0)
		return r;
	engine_container_path(c->id, "resolv.conf", path, sizeof(path));
	return host ? copy_file("/etc/resolv.conf", "", path, err) : write_file(path, "", 0, err);
}

static int make_bind_source(const char *path, struct err *err)
{
	struct stat st;
	int r;

	if (stat(path, &st) == 0)
		return 0;
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
			r = make_bind_source(m->source, err);
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

/* As systemd and Docker 29: room for servers that raise it, no trap for programs that close every descriptor. On a host
 * that gives us less, what it gives. */
static void add_rlimits(struct buf *b)
{
	struct rlimit mine;
	rlim_t hard = 524288;

	if (getrlimit(RLIMIT_NOFILE, &mine) == 0 && mine.rlim_max < hard)
		hard = mine.rlim_max;
	jw_karr(b, "rlimits");
	jw_open(b, '{');
	jw_kstr(b, "type", "RLIMIT_NOFILE");
	jw_kint(b, "soft", (int64_t)MIN(hard, 1024));
	jw_kint(b, "hard", (int64_t)hard);
	jw_close(b, '}');
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
	add_rlimits(b);
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
	bundle_hostname(c, hostname, sizeof(hostname));
	r = write_etc_files(c, hostname, err);
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
	jw_kstr(b, "hostname", hostname);
	r = bundle_add_mounts(b, c, source, err);
	if (r < 0)
		return r;
	bundle_add_linux(b, c);
	if (!c->svc.privileged)
		jw_kraw(b, "annotations", "{\"org.coracle.seccomp\":\"default\"}");
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
	return write_file(engine_container_path(c->id, "bundle/config.json", path, sizeof(path)), b.data, b.len, err);
}
