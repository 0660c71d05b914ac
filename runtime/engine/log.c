/* log.c - from a container's pipes to its log file (coracle-engine). Never blocks on a pipe, a console or a full disk. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console.h"
#include "fd.h"
#include "loop.h"
#include "notify.h"
#include "report.h"
#include "text.h"

#define READ_MAX 65536u		/* bytes taken from one pipe per round, so that no container starves the others */
#define BATCH_MAX (READ_MAX * 6 + 2 * LOG_RECORD_MAX + READ_MAX * 96)

struct stream {
	struct log *log;
	int r, w;
	struct loop_watch watch;
	struct buf line;	/* the part of a line read so far */
	int64_t line_time;	/* when its first part came; 0: at its start */
};

struct log {
	char *path, *name;
	char id12[13];
	int fd;
	int64_t size, max_size;
	int max_files;
	bool terminal;
	uint64_t dropped;
	struct stream stream[2];
	struct log_follower *followers;
};

static char scratch[READ_MAX];

struct log *log_new(const char *path, const char *id, const char *name, int64_t max_size, int max_files)
{
	struct log *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->path = strdup(path);
	l->name = strdup(name);
	text_set(l->id12, sizeof(l->id12), "%.12s", id);
	l->fd = -1;
	l->max_size = max_size;
	l->max_files = max_files;
	for (int i = 0; i < 2; i++) {
		l->stream[i] = (struct stream){ .log = l, .r = -1, .w = -1 };
		buf_init(&l->stream[i].line, LOG_LINE_MAX);
	}
	if (!l->path || !l->name) {
		log_free(l);
		return NULL;
	}
	return l;
}

/* A power cut may leave half a record at the end: what comes next begins a line of its own. */
static void open_file(struct log *l)
{
	struct stat st = { 0 };
	char last = '\n';

	l->fd = open(l->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	l->size = l->fd >= 0 && fstat(l->fd, &st) == 0 ? st.st_size : 0;
	if (l->size > 0 && pread(l->fd, &last, 1, (off_t)l->size - 1) == 1 && last != '\n' && fd_write_full(l->fd, "\n", 1) == 0)
		l->size++;
}

static void rotate(struct log *l)
{
	char from[512], to[512];

	fd_close(&l->fd);
	for (int i = l->max_files - 1; i > 0; i--) {
		if (i == 1)
			text_set(from, sizeof(from), "%s", l->path);
		else
			text_set(from, sizeof(from), "%s.%d", l->path, i - 1);
		text_set(to, sizeof(to), "%s.%d", l->path, i);
		rename(from, to);
	}
	if (l->max_files <= 1)
		unlink(l->path);
	open_file(l);
}

static void drop(struct log *l, int code)
{
	if (l->dropped++ == 0)
		report_problem("engine", "log of %s: write %s: %s; its output is lost until there is room", l->name, l->path,
			       err_name(code));
}

static void write_batch(struct log *l, struct buf *b)
{
	off_t before;
	int r;

	if (buf_error(b) || b->len == 0)
		return;
	if (l->fd < 0)
		open_file(l);
	if (l->fd >= 0 && l->max_size > 0 && l->size >= l->max_size)
		rotate(l);
	if (l->fd < 0) {
		drop(l, EIO);
		return;
	}
	before = (off_t)l->size;
	r = fd_write_full(l->fd, b->data, b->len);
	if (r < 0) {
		(void)!ftruncate(l->fd, before);	/* no half record stays */
		drop(l, -r);
		return;
	}
	if (l->dropped) {
		report_note("engine", "log of %s: writing again, %llu batches were lost", l->name, (unsigned long long)l->dropped);
		l->dropped = 0;
	}
	l->size += (int64_t)b->len;
}

static void emit(struct stream *s, struct buf *out, bool newline)
{
	enum log_stream which = s == &s->log->stream[1] ? LOG_STDERR : LOG_STDOUT;
	int64_t when = s->line_time ? s->line_time : wall_now();

	logformat_add(out, s->line.data, s->line.len, newline, which, when);
	console_line(s->log->name, s->line.data, s->line.len);
	buf_reset(&s->line);
	s->line_time = newline ? 0 : when;
}

static void take_bytes(struct stream *s, struct buf *out, const char *p, size_t n)
{
	while (n > 0) {
		size_t room = LOG_LINE_MAX - s->line.len;
		const char *end = memchr(p, '\n', MIN(n, room + 1));
		size_t len = end ? (size_t)(end - p) : MIN(n, room);

		buf_add(&s->line, p, len);
		p += len;
		n -= len;
		if (end) {
			emit(s, out, true);
			p++;
			n--;
		} else if (s->line.len == LOG_LINE_MAX) {
			emit(s, out, false);
		}
	}
}

static void poke(struct log *l, bool ended)
{
	for (struct log_follower *f = l->followers, *next; f; f = next) {
		next = f->next;
		f->poke(ended, f->arg);
	}
}

/* Reads once; returns the bytes read, 0 at the end, -errno. */
static ssize_t read_once(struct stream *s)
{
	struct buf out;
	ssize_t n = read(s->r, scratch, sizeof(scratch));

	if (n <= 0)
		return n < 0 ? -errno : 0;
	buf_init(&out, BATCH_MAX);
	take_bytes(s, &out, scratch, (size_t)n);
	write_batch(s->log, &out);
	buf_free(&out);
	if (s->line.len == 0)
		buf_free(&s->line);
	poke(s->log, false);
	return n;
}

static void stop_reading(struct stream *s)
{
	loop_remove(&s->watch);
	fd_close(&s->r);
}

static void on_readable(uint32_t events, void *arg)
{
	struct stream *s = arg;
	ssize_t n = read_once(s);

	(void)events;
	if (n == 0 || (n < 0 && n != -EAGAIN && n != -EINTR))
		stop_reading(s);	/* a terminal gives EIO when its last user is gone */
}

static int attach(struct stream *s, int r, int w)
{
	s->r = r;
	s->w = w;
	fd_set_nonblock(r);
	s->watch = (struct loop_watch){ .fd = r, .ready = on_readable, .arg = s };
	return loop_add(&s->watch, EPOLLIN);
}

static void fd_store_name(const struct log *l, int stream, char end, char out[32])
{
	text_set(out, 32, "c.%s.%s.%c", l->id12, stream ? "err" : "out", end);
}

int log_make_pipes(struct log *l, int w[2], struct err *err)
{
	char name[32];

	for (int i = 0; i < 2; i++) {
		int p[2], r;

		if (pipe2(p, O_CLOEXEC) < 0)
			return err_set(err, errno, "make a pipe");
		r = attach(&l->stream[i], p[0], p[1]);
		if (r < 0)
			return err_set(err, -r, "watch a pipe");
		w[i] = p[1];
		fd_store_name(l, i, 'r', name);
		notify_store_fd(name, p[0]);
		fd_store_name(l, i, 'w', name);
		notify_store_fd(name, p[1]);
	}
	return 0;
}

int log_adopt(struct log *l, int stream, int r, int w)
{
	return attach(&l->stream[stream], r, w);
}

int log_adopt_terminal(struct log *l, int fd, struct err *err)
{
	char name[32];
	int r;

	text_set(name, sizeof(name), "c.%s.tty", l->id12);
	notify_store_fd(name, fd);
	l->terminal = true;
	r = attach(&l->stream[0], fd, -1);
	return r < 0 ? err_set(err, -r, "watch the terminal") : 0;
}

static void end_stream(struct log *l, int i)
{
	struct stream *s = &l->stream[i];
	struct buf out;
	char name[32];

	/* Bounded: a pipe holds 1 MiB at most, but a process that escaped the container's pid namespace could go on writing. */
	for (int round = 0; s->r >= 0 && round < 64; round++)
		if (read_once(s) <= 0)
			break;
	if (s->line.len > 0) {
		buf_init(&out, BATCH_MAX);
		emit(s, &out, false);
		write_batch(l, &out);
		buf_free(&out);
	}
	buf_free(&s->line);
	s->line_time = 0;
	if (s->r < 0 && s->w < 0)
		return;
	stop_reading(s);
	if (s->w < 0)
		return;
	fd_close(&s->w);
	fd_store_name(l, i, 'r', name);
	notify_remove_fd(name);
	fd_store_name(l, i, 'w', name);
	notify_remove_fd(name);
}

void log_end_run(struct log *l)
{
	char name[32];

	for (int i = 0; i < 2; i++)
		end_stream(l, i);
	text_set(name, sizeof(name), "c.%s.tty", l->id12);
	if (l->terminal)
		notify_remove_fd(name);
	l->terminal = false;
	poke(l, true);
}

void log_free(struct log *l)
{
	if (!l)
		return;
	for (int i = 0; i < 2; i++) {
		loop_remove(&l->stream[i].watch);
		fd_close(&l->stream[i].r);
		fd_close(&l->stream[i].w);
		buf_free(&l->stream[i].line);
	}
	fd_close(&l->fd);
	free(l->path);
	free(l->name);
	free(l);
}

void log_follow(struct log *l, struct log_follower *f)
{
	f->next = l->followers;
	f->added = true;
	l->followers = f;
}

void log_unfollow(struct log *l, struct log_follower *f)
{
	if (!f->added)
		return;
	f->added = false;
	for (struct log_follower **p = &l->followers; *p; p = &(*p)->next) {
		if (*p == f) {
			*p = f->next;
			return;
		}
	}
}
