/* state.c - the state directory of a container. Runs in coracle-runtime. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/oci/jsonv.h"
#include "runtime/oci/proc.h"
#include "runtime/oci/state.h"

#define STATE_BYTES_MAX (1u << 20)

int state_check_id(const char *id, struct err *err)
{
	size_t n = strlen(id);

	if (!n)
		return err_set(err, 0, "container id cannot be empty");
	if (n > 255 || strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.") != n || !strcmp(id, ".") || !strcmp(id, ".."))
		return err_set(err, 0, "invalid container ID format: \"%.255s\"", id);
	return 0;
}

int state_create_dir(const char *root, const char *id, struct err *err)
{
	char path[PATH_MAX];
	int r, fd;

	if (snprintf(path, sizeof path, "%s/%s", root, id) >= (int)sizeof path)
		return err_set(err, ENAMETOOLONG, "--root");
	r = sys_mkdirat(AT_FDCWD, path, 0700);
	if (r == -ENOENT) {
		if ((r = path_mkdirs(root, 0700)) < 0)
			return err_set(err, -r, "make the state directory %s", root);
		r = sys_mkdirat(AT_FDCWD, path, 0700);
	}
	if (r == -EEXIST) {
		err_set(err, 0, "container with given ID already exists");
		return r;
	}
	if (r < 0)
		return err_set(err, -r, "make the state directory %s", path);
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0) {
		sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
		return err_set(err, -fd, "open the state directory %s", path);
	}
	return fd;
}

void state_remove_dir(const char *root, const char *id)
{
	int fd = sys_openat(AT_FDCWD, root, O_PATH | O_DIRECTORY, 0);

	if (fd < 0)
		return;
	path_remove_tree(fd, id);
	close(fd);
}

static void member(struct buf *b, const char *key, const char *value)
{
	buf_printf(b, ",\"%s\":", key);
	buf_json_string(b, value, strlen(value));
}

static void annotations(struct buf *b, const struct spec_pair *list, size_t n)
{
	if (!n)
		return;
	buf_puts(b, ",\"annotations\":{");
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_putc(b, ',');
		buf_json_string(b, list[i].key, strlen(list[i].key));
		buf_putc(b, ':');
		buf_json_string(b, list[i].value, strlen(list[i].value));
	}
	buf_putc(b, '}');
}

void state_json(struct buf *out, const char *version, const char *id, const char *status, pid_t pid, const char *bundle, const struct spec_pair *list, size_t n)
{
	buf_puts(out, "{\"ociVersion\":");
	buf_json_string(out, version, strlen(version));
	member(out, "id", id);
	member(out, "status", status);
	if (pid > 0)
		buf_printf(out, ",\"pid\":%d", (int)pid);
	member(out, "bundle", bundle);
	annotations(out, list, n);
	buf_putc(out, '}');
}

static int write_file(int dir, const char *name, const void *data, size_t n)
{
	CLEANUP_FD int fd = sys_openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	return fd < 0 ? fd : fd_write_full(fd, data, n);
}

int state_write_config(int dir, const struct spec *s, struct err *err)
{
	int r = write_file(dir, "config.json", s->text, s->text_len);

	return r < 0 ? err_set(err, -r, "keep config.json in the state directory") : 0;
}

static void resctrl(struct buf *b, const struct rdt *rdt)
{
	const char *path;

	for (int i = 0; (path = rdt_owned(rdt, i)); i++) {
		buf_puts(b, i ? "," : ",\"resctrl\":[");
		buf_json_string(b, path, strlen(path));
	}
	if (rdt_owned(rdt, 0))
		buf_putc(b, ']');
}

int state_write(int dir, const char *id, const struct spec *s, const char *bundle, const char *rootfs, const struct cgroup *c, const struct rdt *rdt, pid_t pid, const char *created, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	uint64_t start = proc_start_time(pid);
	bool hooks = false, ours = false;
	unsigned namespaces = 0;
	int r;

	/* without it the process would pass for another one's, and the container for stopped */
	if (!start)
		return err_set(err, 0, "/proc/%d/stat: no start time", (int)pid);
	for (int i = 0; i < HOOK_KINDS; i++)
		hooks |= s->hooks[i].n > 0;
	for (int i = 0; i < NS_COUNT; i++)
		namespaces |= s->ns[i].present ? 1u << i : 0;
	for (int i = 0; i < c->n; i++)
		ours |= c->h[i].created;
	buf_init(&b, STATE_BYTES_MAX);
	buf_puts(&b, "{\"ociVersion\":");
	buf_json_string(&b, s->version, strlen(s->version));
	member(&b, "id", id);
	buf_printf(&b, ",\"pid\":%d,\"startTime\":%llu", (int)pid, (unsigned long long)start);
	member(&b, "bundle", bundle);
	member(&b, "rootfs", rootfs);
	member(&b, "created", created);
	member(&b, "cgroup", c->path);
	buf_printf(&b, ",\"cgroupOurs\":%s,\"hooks\":%s,\"namespaces\":%u", ours ? "true" : "false", hooks ? "true" : "false", namespaces);
	resctrl(&b, rdt);
	if (c->adopted)
		member(&b, "systemdUnit", c->unit);
	if (c->late >= 0)
		buf_printf(&b, ",\"memoryLimit\":%lld", (long long)s->resources.mem_limit);
	annotations(&b, s->annotations, s->annotations_n);
	buf_puts(&b, "}\n");
	r = buf_error(&b);
	if (r == 0)
		r = write_file(dir, "state.new", b.data, b.len);
	return r < 0 ? err_set(err, -r, "write state.json") : 0;
}

int state_publish(int dir, struct err *err)
{
	int r = sys_renameat2(dir, "state.new", dir, "state.json", 0);

	return r < 0 ? err_set(err, -r, "write state.json") : 0;
}

int state_add_rdt(const struct state *s, const struct rdt *rdt, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	CLEANUP_FREE char *text = NULL;
	char *end;
	int r = fd_read_file(s->dir, "state.json", STATE_BYTES_MAX, &text, NULL, err);

	if (r < 0)
		return r;
	end = strrchr(text, '}');
	if (!end || s->resctrl)
		return err_set(err, 0, "state.json: not as create has written it");
	*end = '\0';
	buf_init(&b, STATE_BYTES_MAX);
	buf_puts(&b, text);
	resctrl(&b, rdt);
	buf_puts(&b, "}\n");
	r = buf_error(&b);
	if (r == 0)
		r = write_file(s->dir, "state.new", b.data, b.len);
	return r < 0 ? err_set(err, -r, "write state.json") : state_publish(s->dir, err);
}

static int parse(struct state *s, struct err *err)
{
	yyjson_val *top = yyjson_doc_get_root(s->doc);
	uint64_t pid = 0, namespaces = 0;
	const char *id = "";
	int r;

	s->version = s->bundle = s->rootfs = s->created = s->cgroup = s->unit = "";
	if ((r = jsonv_string(top, "", "id", &id, err)) < 0)
		return r;
	/* a directory that was moved or restored from elsewhere: the process and the groups are not this container's */
	if (strcmp(id, s->id))
		return err_set(err, 0, "is of container \"%s\"", id);
	if ((r = jsonv_string(top, "", "ociVersion", &s->version, err)) < 0 ||
	    (r = jsonv_string(top, "", "bundle", &s->bundle, err)) < 0 ||
	    (r = jsonv_string(top, "", "rootfs", &s->rootfs, err)) < 0 ||
	    (r = jsonv_string(top, "", "created", &s->created, err)) < 0 ||
	    (r = jsonv_string(top, "", "cgroup", &s->cgroup, err)) < 0 ||
	    (r = jsonv_string(top, "", "systemdUnit", &s->unit, err)) < 0 ||
	    (r = jsonv_bool(top, "", "cgroupOurs", &s->cgroup_ours, err)) < 0 ||
	    (r = jsonv_bool(top, "", "hooks", &s->has_hooks, err)) < 0 ||
	    (r = jsonv_uint(top, "", "pid", &pid, INT32_MAX, err)) < 0 ||
	    (r = jsonv_uint(top, "", "startTime", &s->start_time, UINT64_MAX, err)) < 0 ||
	    (r = jsonv_int(top, "", "memoryLimit", &s->memory_limit, 0, INT64_MAX, err)) < 0 ||
	    (r = jsonv_uint(top, "", "namespaces", &namespaces, UINT32_MAX, err)) < 0 ||
	    (r = jsonv_array(top, "", "resctrl", &s->resctrl, err)) < 0 ||
	    (r = jsonv_object(top, "", "annotations", &s->annotations, err)) < 0)
		return r;
	s->pid = (pid_t)pid;
	s->namespaces = (unsigned)namespaces;
	return pid ? 0 : err_set(err, 0, "no pid");
}

int state_load(struct state *s, const char *root, const char *id, struct err *err)
{
	yyjson_read_err e = { 0 };
	CLEANUP_FREE char *text = NULL;
	char path[PATH_MAX];
	size_t n = 0;
	int r;

	memset(s, 0, sizeof *s);
	s->dir = -1;
	s->id = id;
	if ((r = state_check_id(id, err)) < 0)
		return r;
	if (snprintf(path, sizeof path, "%s/%s", root, id) >= (int)sizeof path)
		return err_set(err, ENAMETOOLONG, "--root");
	s->dir = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	if (s->dir < 0) {
		r = s->dir;
		if (r != -ENOENT)
			return err_set(err, -r, "open the state directory %s", path);
		err_set(err, 0, "container does not exist");
		return -ENOENT;
	}
	r = fd_read_file(s->dir, "state.json", STATE_BYTES_MAX, &text, &n, err);
	if (r == -ENOENT) {
		r = fd_read_file(s->dir, "state.new", STATE_BYTES_MAX, &text, &n, err);
		s->creating = r == 0;
	}
	/* created in between */
	if (r == -ENOENT)
		r = fd_read_file(s->dir, "state.json", STATE_BYTES_MAX, &text, &n, err);
	if (r == -ENOENT || (s->creating && !n)) {
		err_set(err, 0, "container does not exist (it is being created, or its creation was cut off)");
		return -ENOENT;
	}
	if (r < 0)
		return err_wrap(err, r, "%s", path);
	s->doc = yyjson_read_opts(text, n, 0, NULL, &e);
	if (!s->doc)
		return err_set(err, 0, "%s/state.json: %s", path, e.msg ? e.msg : "not JSON");
	r = parse(s, err);
	return r < 0 ? err_wrap(err, r, "%s/state.json", path) : 0;
}

void state_fini(struct state *s)
{
	yyjson_doc_free(s->doc);
	s->doc = NULL;
	fd_close(&s->dir);
}

enum state_status state_status(const struct state *s, const struct cgroup *cg)
{
	struct proc_info p;
	int r = proc_read(s->pid, &p);

	/* one that cannot be looked at is not one that has ended: delete would take it for that */
	if (r < 0 ? r == -ENOENT || r == -ESRCH : p.start_time != s->start_time || p.state == 'Z' || p.state == 'X')
		return STATUS_STOPPED;
	if (s->creating)
		return STATUS_CREATING;
	if (faccessat(s->dir, "start.sock", F_OK, 0) == 0)
		return STATUS_CREATED;
	return cg && cgroup_frozen(cg) ? STATUS_PAUSED : STATUS_RUNNING;
}

const char *state_status_name(enum state_status st)
{
	static const char *const NAMES[] = { "creating", "created", "running", "paused", "stopped" };

	return NAMES[st];
}

int state_open_cgroup(const struct state *s, struct cgroup *c, struct err *err)
{
	int r = cgroup_init(c, s->cgroup, s->id, err);

	return r < 0 ? r : cgroup_open_main(c, err);
}

int state_pidfd(const struct state *s)
{
	int fd = sys_pidfd_open(s->pid, 0);
	struct proc_info p;

	/* the pidfd first: what is read afterwards is about the process that it holds, or about none */
	if (fd >= 0 && (proc_read(s->pid, &p) < 0 || p.start_time != s->start_time || p.state == 'Z')) {
		close(fd);
		return -ESRCH;
	}
	return fd;
}

void state_time(char out[40])
{
	struct timespec t;
	struct tm tm;
	char part[24];

	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	strftime(part, sizeof part, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, 40, "%s.%09ldZ", part, t.tv_nsec);
}
