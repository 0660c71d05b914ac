/* exec.c - the way of an exec from start to end (coracle-engine). Never waits: its runtime is a child like the others. */
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bundle.h"
#include "engine.h"
#include "events.h"
#include "fd.h"
#include "jw.h"
#include "lifecycle.h"
#include "path.h"
#include "runner.h"
#include "runtime/store/store.h"
#include "terminal.h"
#include "text.h"

#define READ_MAX 32768u

static struct exec *execs;	/* newest first */

static char *exec_path(const struct exec *e, const char *what, char *out, size_t size)
{
	text_set(out, size, "%s/exec/%.16s.%s", engine.opt.run, e->id, what);
	return out;
}

/* -- records ----------------------------------------------------------------- */

static void drop_old(void)
{
	size_t n = 0;

	for (struct exec *e = execs, *next; e; e = next) {
		next = e->next;
		if (!e->running && !e->child && ++n > EXECS_KEPT)
			exec_free(e);
	}
}

struct exec *exec_new(struct container *c)
{
	struct exec *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	drop_old();
	arena_init(&e->mem, SERVICE_ARENA_MAX);
	container_random_hex(e->id, 64);
	text_set(e->container_id, sizeof(e->container_id), "%s", c->id);
	e->c = c;
	e->stream[0].e = e->stream[1].e = e;
	e->stream[0].watch.fd = e->stream[1].watch.fd = e->input.fd = -1;
	e->next = execs;
	execs = e;
	return e;
}

struct exec *exec_find(const char *id)
{
	for (struct exec *e = execs; e; e = e->next)
		if (strcmp(e->id, id) == 0)
			return e;
	return NULL;
}

static void close_watch(struct loop_watch *w)
{
	loop_remove(w);
	fd_close(&w->fd);
}

void exec_free(struct exec *e)
{
	struct exec **p = &execs;

	while (*p && *p != e)
		p = &(*p)->next;
	if (*p)
		*p = e->next;
	terminal_forget(e);
	close_watch(&e->stream[0].watch);
	close_watch(&e->stream[1].watch);
	close_watch(&e->input);
	arena_free(&e->mem);
	free(e);
}

void exec_container_gone(struct container *c)
{
	for (struct exec *e = execs, *next; e; e = next) {
		next = e->next;
		if (e->c != c)
			continue;
		e->c = NULL;
		if (!e->child)
			exec_free(e);
	}
}

void exec_write_ids(struct buf *b, const struct container *c)
{
	bool any = false;

	for (const struct exec *e = execs; e; e = e->next) {
		if (e->c != c || !e->running || e->quiet)
			continue;
		if (!any)
			jw_karr(b, "ExecIDs");
		any = true;
		jw_str(b, e->id);
	}
	if (any)
		jw_close(b, ']');
	else
		jw_kraw(b, "ExecIDs", "null");
}

/* -- bytes --------------------------------------------------------------------- */

static ssize_t read_once(struct exec_stream *s)
{
	static char scratch[READ_MAX];
	struct exec *e = s->e;
	ssize_t n = read(s->watch.fd, scratch, sizeof(scratch));

	if (n <= 0)
		return n < 0 ? -errno : 0;
	if (e->ops && !e->ops->output(s == &e->stream[1], scratch, (size_t)n, e->arg) && e->running) {
		s->paused = true;
		loop_remove(&s->watch);
	}
	return n;
}

static void on_readable(uint32_t events, void *arg)
{
	struct exec_stream *s = arg;
	ssize_t n = read_once(s);

	(void)events;
	if (n == 0 || (n < 0 && n != -EAGAIN && n != -EINTR))
		close_watch(&s->watch);
}

void exec_go_on(struct exec *e)
{
	for (int i = 0; i < 2; i++) {
		if (e->stream[i].paused && e->stream[i].watch.fd >= 0)
			loop_add(&e->stream[i].watch, EPOLLIN);
		e->stream[i].paused = false;
	}
}

static void on_room(uint32_t events, void *arg)
{
	struct exec *e = arg;

	(void)events;
	loop_remove(&e->input);
	e->input_full = false;
	if (e->ops)
		e->ops->pull(e->arg);
}

size_t exec_write(struct exec *e, const char *data, size_t n)
{
	size_t done = 0;

	if (e->input_ended || !e->running)
		return n;
	if (e->input.fd < 0)
		return 0;	/* its terminal is not here yet */
	while (done < n && !e->input_full) {
		ssize_t w = write(e->input.fd, data + done, n - done);

		if (w >= 0) {
			done += (size_t)w;
		} else if (errno == EAGAIN) {
			e->input_full = true;
			e->input.ready = on_room;
			e->input.arg = e;
			loop_add(&e->input, EPOLLOUT);
		} else if (errno != EINTR) {
			return n;
		}
	}
	return done;
}

bool exec_end_input(struct exec *e)
{
	if (e->tty)
		return true;
	if (!e->running)
		return e->started;
	close_watch(&e->input);
	e->input_ended = true;
	return true;
}

static void watch_stream(struct exec *e, int i, int fd)
{
	fd_set_nonblock(fd);
	e->stream[i].watch = (struct loop_watch){ .fd = fd, .ready = on_readable, .arg = &e->stream[i] };
	loop_add(&e->stream[i].watch, EPOLLIN);
}

static void on_terminal(int fd, void *arg)
{
	struct exec *e = arg;

	if (e->size.ws_row && e->size.ws_col)
		ioctl(fd, TIOCSWINSZ, &e->size);
	e->input.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	fd_set_nonblock(e->input.fd);
	watch_stream(e, 0, fd);
	if (e->ops)
		e->ops->pull(e->arg);
}

int exec_resize(struct exec *e, const struct winsize *size)
{
	e->size = *size;
	if (!e->tty || !e->running)
		return -ENOTTY;
	if (e->stream[0].watch.fd < 0)
		return 0;	/* it gets the size with its terminal */
	return ioctl(e->stream[0].watch.fd, TIOCSWINSZ, size) < 0 ? -errno : 0;
}

/* -- end ------------------------------------------------------------------------ */

static void clean_files(const struct exec *e)
{
	static const char *const files[] = { "json", "log", "pid" };
	char path[512];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlink(exec_path(e, files[i], path, sizeof(path)));
}

static void tell_end(struct exec *e)
{
	char id[80], code[32];
	const char *const extra[] = { id, code, NULL };

	text_set(id, sizeof(id), "execID=%s", e->id);
	text_set(code, sizeof(code), "exitCode=%d", e->exit_code);
	if (e->c && !e->quiet)
		event_container(e->c, "exec_die", extra);
}

static void on_done(int status, void *arg)
{
	struct exec *e = arg;
	const struct exec_ops *ops;
	char path[512];

	e->child = NULL;
	e->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	if (e->exit_code != 0 && runner_last_message(exec_path(e, "log", path, sizeof(path)), e->failure, sizeof(e->failure)))
		e->exit_code = lifecycle_code_of_failure(e->failure);
	clean_files(e);
	e->running = false;
	/* what a process of its own left behind may hold the pipes: what is there now is all */
	for (int i = 0; i < 2; i++)
		for (int round = 0; e->stream[i].watch.fd >= 0 && round < 64; round++)
			if (read_once(&e->stream[i]) <= 0)
				break;
	terminal_forget(e);
	close_watch(&e->stream[0].watch);
	close_watch(&e->stream[1].watch);
	close_watch(&e->input);
	tell_end(e);
	ops = e->ops;
	e->ops = NULL;
	if (ops)
		ops->ended(e->exit_code, e->arg);
	else if (!e->c)
		exec_free(e);
}

void exec_abandon(struct exec *e)
{
	e->ops = NULL;
	exec_go_on(e);
	if (e->running && !e->tty) {
		close_watch(&e->input);
		e->input_ended = true;
	}
}

pid_t exec_pid(const struct exec *e)
{
	char path[512], number[32];
	long pid = 0;

	if (e->child && fd_read_small(AT_FDCWD, exec_path(e, "pid", path, sizeof(path)), number, sizeof(number)) > 0)
		pid = strtol(number, NULL, 10);
	return pid > 1 ? (pid_t)pid : 0;
}

/* The process itself: its runtime, which has not reaped it yet, ends after it. */
void exec_kill(struct exec *e)
{
	pid_t pid = exec_pid(e);

	if (e->child)
		kill(pid ? pid : e->child->pid, SIGKILL);
}

/* -- start ----------------------------------------------------------------------- */

/* The container's own process, but for what was asked for. */
static struct service process_of(const struct exec *e, struct arena *mem)
{
	struct service s = e->c->svc;
	size_t own = strv_len(s.environment), more = strv_len(e->env);
	char **env = arena_strv(mem, own + more);

	for (size_t i = 0; env && i < own; i++)
		env[i] = s.environment[i];
	for (size_t i = 0; env && i < more; i++)
		env[own + i] = e->env[i];
	s.environment = env;
	s.entrypoint = NULL;
	s.command = e->argv;
	s.init = false;
	s.tty = e->tty;
	if (e->user) {
		s.user = e->user;
		s.group_add = NULL;
	}
	if (e->cwd)
		s.working_dir = e->cwd;
	if (e->privileged) {
		s.privileged = true;
		s.security_opt = NULL;
	}
	return s;
}

static int write_process(struct exec *e, const char *path, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct service s = process_of(e, &e->mem);
	char rootfs[512], hostname[256];
	CLEANUP_FD int root = open(store_rootfs_path(engine.store, e->c->id, rootfs, sizeof(rootfs)), O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct user_ids ids;
	int r;

	if (root < 0)
		return err_set(err, errno, "open %s", rootfs);
	r = user_resolve(root, s.user, &ids, err);
	if (r == 0)
		r = user_add_groups(root, s.group_add, &ids, err);
	if (r < 0)
		return r;
	bundle_hostname(e->c, hostname, sizeof(hostname));
	buf_init(&b, BUNDLE_CONFIG_MAX);
	r = bundle_add_process(&b, &s, &ids, hostname, err);
	if (r < 0)
		return r;
	return buf_error(&b) ? err_set(err, -buf_error(&b), "the process") : bundle_write_file(path, b.data, b.len, err);
}

static int make_pipes(struct exec *e, int child_end[3], char *input, size_t size, struct err *err)
{
	int p[2];

	for (int i = 1; i < 3; i++) {
		if (pipe2(p, O_CLOEXEC) < 0)
			return err_set(err, errno, "make a pipe");
		watch_stream(e, i - 1, p[0]);
		child_end[i] = p[1];
	}
	input[0] = '\0';
	if (!e->in)
		return 0;
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe");
	child_end[0] = p[0];
	e->input.fd = p[1];
	fd_set_nonblock(p[1]);
	text_set(input, size, "/proc/self/fd/%d", p[0]);
	return 0;
}

static int spawn(struct exec *e, const char *process, struct err *err)
{
	char root[512], log[512], pid[512], socket[108], input[64] = "";
	char *argv[20];
	int ends[3] = { -1, -1, -1 }, r = 0;
	size_t n = 0;

	text_set(root, sizeof(root), "%s/runtime", engine.opt.run);
	argv[n++] = (char *)(uintptr_t)engine.opt.runtime;
	argv[n++] = (char *)(uintptr_t)"--root";
	argv[n++] = root;
	argv[n++] = (char *)(uintptr_t)"--log";
	argv[n++] = exec_path(e, "log", log, sizeof(log));
	argv[n++] = (char *)(uintptr_t)"--log-format";
	argv[n++] = (char *)(uintptr_t)"json";
	argv[n++] = (char *)(uintptr_t)"exec";
	argv[n++] = (char *)(uintptr_t)"--process";
	argv[n++] = (char *)(uintptr_t)process;
	argv[n++] = (char *)(uintptr_t)"--pid-file";
	argv[n++] = exec_path(e, "pid", pid, sizeof(pid));
	if (e->tty) {
		argv[n++] = (char *)(uintptr_t)"--console-socket";
		argv[n++] = exec_path(e, "sock", socket, sizeof(socket));
		r = terminal_listen(socket, on_terminal, e, err);
		ends[1] = ends[2] = open("/dev/null", O_WRONLY | O_CLOEXEC);
		ends[2] = fcntl(ends[1], F_DUPFD_CLOEXEC, 3);
	} else {
		r = make_pipes(e, ends, input, sizeof(input), err);
	}
	argv[n++] = e->container_id;
	argv[n] = NULL;
	if (r == 0)
		r = child_spawn_with(input[0] ? input : NULL, O_RDONLY, argv, ends[1], ends[2], on_done, e, &e->child, err);
	for (int i = 0; i < 3; i++)
		fd_close(&ends[i]);
	return r;
}

static void tell_start(const struct exec *e, const char *what)
{
	CLEANUP_BUF struct buf b = { 0 };
	char id[80];
	const char *const extra[] = { id, NULL };

	buf_init(&b, 4096);
	buf_puts(&b, what);
	for (char **a = e->argv; *a && !buf_error(&b); a++)
		buf_printf(&b, " %s", *a);
	text_set(id, sizeof(id), "execID=%s", e->id);
	if (!e->quiet)
		event_container(e->c, b.data, extra);
}

int exec_start(struct exec *e, const struct exec_ops *ops, void *arg, struct err *err)
{
	char path[512];
	int r;

	text_set(path, sizeof(path), "%s/exec", engine.opt.run);
	r = path_mkdirs(path, 0700);
	if (r < 0)
		return err_set(err, -r, "make %s", path);
	e->ops = ops;
	e->arg = arg;
	r = write_process(e, exec_path(e, "json", path, sizeof(path)), err);
	if (r == 0)
		r = spawn(e, path, err);
	if (r < 0) {
		e->ops = NULL;
		clean_files(e);
		return r;
	}
	e->started = e->running = true;
	tell_start(e, "exec_start:");
	return 0;
}
