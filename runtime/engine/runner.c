/* runner.c - calls of coracle-runtime and the files around them (coracle-engine). Decides nothing. */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <yyjson.h>

#include "bundle.h"
#include "copyup.h"
#include "engine.h"
#include "fd.h"
#include "jw.h"
#include "notify.h"
#include "report.h"
#include "runtime/store/store.h"
#include "terminal.h"
#include "text.h"

#define FAILURE_LOG_MAX 65536u

struct runtime_paths {
	char root[512], log[512], bundle[512], pidfile[512];
};

static void fill_paths(const struct container *c, struct runtime_paths *p)
{
	text_set(p->root, sizeof(p->root), "%s/runtime", engine.opt.run);
	engine_container_path(c->id, "bundle/runtime.log", p->log, sizeof(p->log));
	engine_container_path(c->id, "bundle", p->bundle, sizeof(p->bundle));
	engine_container_path(c->id, "bundle/pid", p->pidfile, sizeof(p->pidfile));
}

static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static int mount_root(struct container *c, struct err *err)
{
	struct store_image *img;
	int r = store_image_lookup(engine.store, c->image_id, &img, err);

	if (r < 0)
		return r;
	r = store_rootfs_mount(engine.store, img, c->id, err);
	store_image_free(img);
	return r == -EBUSY ? 0 : r;
}

static int spawn_create(struct container *c, const int w[2], void (*done)(int, void *), struct err *err)
{
	struct runtime_paths p;
	char *argv[20], console[512], input[512];
	const char *stdin_path = NULL;
	size_t n = 0;

	fill_paths(c, &p);
	unlink(p.log);
	argv[n++] = text(engine.opt.runtime);
	argv[n++] = text("--root");
	argv[n++] = p.root;
	argv[n++] = text("--log");
	argv[n++] = p.log;
	argv[n++] = text("--log-format");
	argv[n++] = text("json");
	argv[n++] = text("create");
	argv[n++] = text("--bundle");
	argv[n++] = p.bundle;
	argv[n++] = text("--pid-file");
	argv[n++] = p.pidfile;
	if (c->svc.tty) {
		argv[n++] = text("--console-socket");
		argv[n++] = terminal_path(c, console, sizeof(console));
	}
	argv[n++] = c->id;
	argv[n] = NULL;
	if (c->svc.stdin_open && !c->svc.tty) {
		stdin_path = engine_container_path(c->id, "bundle/stdin", input, sizeof(input));
		if (mkfifo(stdin_path, 0600) < 0 && errno != EEXIST)
			return err_set(err, errno, "make %s", stdin_path);
	}
	return child_spawn_with(stdin_path, argv, w[0], w[1], done, c, &c->child, err);
}

static int create_now(struct container *c, void (*done)(int status, void *arg), struct err *err)
{
	int w[2] = { -1, -1 };
	int r = bundle_write(c, err);

	if (r == 0)
		r = c->svc.tty ? terminal_expect(c, err) : log_make_pipes(c->log, w, err);
	if (r == 0)
		r = spawn_create(c, w, done, err);
	return r;
}

/* A failure outside of coracle-runtime goes where its own would: runner_failure() finds it. */
static void leave_failure(const struct container *c, const struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct runtime_paths p;
	CLEANUP_FD int fd = -1;

	fill_paths(c, &p);
	mkdir(p.bundle, 0700);
	buf_init(&b, 8192);
	jw_open(&b, '{');
	jw_kstr(&b, "level", "error");
	jw_kstr(&b, "msg", err->text);
	jw_close(&b, '}');
	buf_putc(&b, '\n');
	fd = open(p.log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		fd_write_full(fd, b.data, b.len);
}

static void on_copied(int status, void *arg)
{
	struct container *c = arg;
	struct err err = ERR_INIT;

	if (status == 0 && create_now(c, c->create_done, &err) == 0)
		return;
	if (status == 0)
		leave_failure(c, &err);
	c->create_done(status ? status : 1 << 8, c);
}

int runner_create(struct container *c, void (*done)(int status, void *arg), struct err *err)
{
	pid_t pid;
	int r;

	if (!c->image_id[0])
		return err_set(err, 0, "No such image: %s", c->svc.image);
	r = mount_root(c, err);
	if (r < 0)
		return r;
	if (!copyup_needed(c))
		return create_now(c, done, err);
	c->create_done = done;
	pid = child_fork(on_copied, c, err);
	if (pid == 0) {
		r = copyup_run(c, err);
		if (r < 0)
			leave_failure(c, err);
		_exit(r < 0);
	}
	return pid < 0 ? (int)pid : 0;
}

static int simple(struct container *c, const char *verb, const char *option, void (*done)(int, void *), struct err *err)
{
	static int null = -1;
	struct runtime_paths p;
	char *argv[12];
	size_t n = 0;

	fill_paths(c, &p);
	argv[n++] = text(engine.opt.runtime);
	argv[n++] = text("--root");
	argv[n++] = p.root;
	argv[n++] = text("--log");
	argv[n++] = p.log;
	argv[n++] = text("--log-format");
	argv[n++] = text("json");
	argv[n++] = text(verb);
	if (option)
		argv[n++] = text(option);
	argv[n++] = c->id;
	argv[n] = NULL;
	if (null < 0)
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return child_spawn(argv, null, null, done, c, &c->child, err);	/* what it has to say is in its log */
}

int runner_start(struct container *c, void (*done)(int status, void *arg), struct err *err)
{
	return simple(c, "start", NULL, done, err);
}

int runner_delete(struct container *c, void (*done)(int status, void *arg), struct err *err)
{
	return simple(c, "delete", "--force", done, err);
}

uint64_t runner_pid_ticks(pid_t pid)
{
	char path[32], stat[1024], *p;
	unsigned long long ticks = 0;

	text_set(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (fd_read_small(AT_FDCWD, path, stat, sizeof(stat)) < 0)
		return 0;
	p = strrchr(stat, ')');	/* the name before it may hold anything */
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (!p || sscanf(p, " %llu", &ticks) != 1)
		return 0;
	return ticks;
}

int runner_read_pid(struct container *c)
{
	struct runtime_paths p;
	char number[32];
	long pid;

	fill_paths(c, &p);
	if (fd_read_small(AT_FDCWD, p.pidfile, number, sizeof(number)) < 0)
		return -ESRCH;
	pid = strtol(number, NULL, 10);
	if (pid <= 1)
		return -ESRCH;
	c->pid = (pid_t)pid;
	c->pid_ticks = runner_pid_ticks(c->pid);
	return 0;
}

/* The last message of the runtime's JSON log. */
static bool last_message(const char *path, char *out, size_t size)
{
	CLEANUP_FREE char *data = NULL;
	size_t n = 0;
	bool found = false;
	char *save;

	if (fd_read_file(AT_FDCWD, path, FAILURE_LOG_MAX, &data, &n, NULL) < 0)
		return false;
	for (char *line = strtok_r(data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		yyjson_doc *doc = yyjson_read(line, strlen(line), 0);
		const char *msg = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), "msg"));
		const char *level = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), "level"));

		if (msg && (!level || strcmp(level, "error") == 0 || strcmp(level, "fatal") == 0)) {
			text_set(out, size, "%s", msg);
			found = true;
		}
		yyjson_doc_free(doc);
	}
	return found;
}

void runner_failure(const struct container *c, const char *verb, int status, char *out, size_t size)
{
	struct runtime_paths p;

	fill_paths(c, &p);
	if (last_message(p.log, out, size))
		return;
	if (WIFSIGNALED(status))
		text_set(out, size, "coracle-runtime %s was killed by signal %d", verb, WTERMSIG(status));
	else
		text_set(out, size, "coracle-runtime %s failed with code %d", verb, WEXITSTATUS(status));
}

void runner_adopt_pipes(struct container *c)
{
	static const char *const streams[] = { "out", "err" };
	struct err err = ERR_INIT;
	char name[40];
	int r, w;

	for (int i = 0; i < 2; i++) {
		text_set(name, sizeof(name), "c.%.12s.%s.r", c->id, streams[i]);
		r = notify_take_fd(name);
		text_set(name, sizeof(name), "c.%.12s.%s.w", c->id, streams[i]);
		w = notify_take_fd(name);
		if (r >= 0)
			log_adopt(c->log, i, r, w);
		else if (w >= 0)
			close(w);
	}
	text_set(name, sizeof(name), "c.%.12s.tty", c->id);
	r = notify_take_fd(name);
	if (r >= 0)
		log_adopt_terminal(c->log, r, &err);
}

bool runner_has_leftovers(const struct container *c)
{
	char path[512];

	text_set(path, sizeof(path), "%s/runtime/%s", engine.opt.run, c->id);
	return access(path, F_OK) == 0;
}

void runner_unmount(struct container *c)
{
	struct err err = ERR_INIT;

	if (c->image_id[0] && store_rootfs_unmount(engine.store, c->id, &err) < 0)
		report_note("engine", "%s: %s", c->svc.container_name, err.text);
}
