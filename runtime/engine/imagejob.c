/* imagejob.c - children that work for a request, and their pipes in the loop (coracle-engine). Nothing here waits. */
#include "imagejob.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "engine.h"
#include "fd.h"
#include "images.h"
#include "jw.h"
#include "runtime/store/store.h"
#include "text.h"

#define HEAD_MAX 16
#define ERROR_MAX 4096
#define UPLOADS_MAX 8	/* children that read a body, at once */

struct imagejob {
	struct request *r;		/* NULL: the client has gone */
	pid_t pid;
	bool exited;
	int status;
	const char *type;
	struct loop_watch in, out;	/* fd -1: closed */
	unsigned code;			/* of the answer; 0: its line has not come */
	char head[ERROR_MAX];		/* that line, or the message of an error */
	size_t head_len, body_at;	/* bytes behind the line that came with it */
};

static int uploads;

/* -- in the child -------------------------------------------------------- */

void imagejob_begin(const struct imagejob_io *io)
{
	fd_write_full(io->out, "200\n", 4);
}

void imagejob_answer(const struct imagejob_io *io, const char *body, size_t n)
{
	imagejob_begin(io);
	fd_write_full(io->out, body, n);
}

void imagejob_fail(const struct imagejob_io *io, unsigned status, const char *fmt, ...)
{
	char text[ERROR_MAX - HEAD_MAX];
	int n = snprintf(text, sizeof(text), "%u\n", status);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	fd_write_full(io->out, text, strlen(text));
}

void imagejob_line(const struct imagejob_io *io, const char *key, const char *fmt, ...)
{
	CLEANUP_BUF struct buf b;
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_init(&b, 65536);
	jw_open(&b, '{');
	jw_kstr(&b, key, text);
	jw_close(&b, '}');
	buf_puts(&b, "\r\n");
	fd_write_full(io->out, b.data, b.len);
}

void imagejob_error_line(const struct imagejob_io *io, const char *text)
{
	CLEANUP_BUF struct buf b;

	buf_init(&b, 65536);
	jw_open(&b, '{');
	jw_kobj(&b, "errorDetail");
	jw_kstr(&b, "message", text);
	jw_close(&b, '}');
	jw_kstr(&b, "error", text);
	jw_close(&b, '}');
	buf_puts(&b, "\r\n");
	fd_write_full(io->out, b.data, b.len);
}

/* -- ending -------------------------------------------------------------- */

static void close_watch(struct loop_watch *w)
{
	loop_remove(w);
	fd_close(&w->fd);
}

static void free_when_over(struct imagejob *j)
{
	if (j->r || !j->exited)
		return;
	close_watch(&j->in);
	close_watch(&j->out);
	free(j);
}

static void end_upload(struct imagejob *j)
{
	if (j->in.fd >= 0)
		uploads--;
	close_watch(&j->in);
}

static void on_exit(int status, void *arg)
{
	struct imagejob *j = arg;

	j->exited = true;
	j->status = status;
	images_reload();
	if (j->r)
		api_resume(j->r);
	free_when_over(j);
}

/* The request has ended: by its answer, or as the client has gone. Then nobody wants the work any more. */
static void request_over(struct request *r)
{
	struct imagejob *j = r->state;

	r->state = NULL;
	end_upload(j);
	close_watch(&j->out);
	j->r = NULL;
	if (!j->exited)
		kill(j->pid, SIGKILL);
	free_when_over(j);
}

/* -- the answer ---------------------------------------------------------- */

static void on_output(uint32_t events, void *arg)
{
	struct imagejob *j = arg;

	(void)events;
	loop_remove(&j->out);
	if (j->r)
		api_resume(j->r);
}

static void wait_for_output(struct imagejob *j)
{
	if (j->out.fd >= 0 && !j->out.added)
		loop_add(&j->out, EPOLLIN);
	api_suspend(j->r);
}

static ssize_t body_reader(void *cls, uint64_t pos, char *out, size_t max)
{
	struct request *r = cls;
	struct imagejob *j = r->state;
	size_t n = j->head_len - j->body_at;
	ssize_t got;

	(void)pos;
	if (n > 0) {
		n = MIN(n, max);
		memcpy(out, j->head + j->body_at, n);
		j->body_at += n;
		return (ssize_t)n;
	}
	if (j->out.fd >= 0) {
		got = read(j->out.fd, out, max);
		if (got > 0)
			return got;
		if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
			wait_for_output(j);
			return 0;
		}
		close_watch(&j->out);
	}
	/* whether that was all, its end tells */
	if (!j->exited) {
		api_suspend(r);
		return 0;
	}
	return j->status == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

/* Reads up to the end of the line, or of the message of an error. False: more is to come. */
static bool read_head(struct imagejob *j)
{
	char *end;
	ssize_t n = 0;

	while (j->code == 0 || j->code >= 400) {
		if (j->head_len == sizeof(j->head) - 1)
			break;
		n = read(j->out.fd, j->head + j->head_len, sizeof(j->head) - 1 - j->head_len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		j->head_len += (size_t)n;
		j->head[j->head_len] = '\0';
		end = memchr(j->head, '\n', j->head_len);
		if (j->code == 0 && end) {
			j->code = (unsigned)strtoul(j->head, NULL, 10);
			j->body_at = (size_t)(end - j->head) + 1;
		}
	}
	return !(n < 0 && errno == EAGAIN);
}

static void imagejob_continue(struct request *r)
{
	struct imagejob *j = r->state;

	if (!read_head(j)) {
		wait_for_output(j);
		return;
	}
	if (j->code == 0 || j->code >= 400) {
		/* the store may have changed: the answer comes behind its reload */
		if (!j->exited) {
			api_suspend(r);
			return;
		}
		api_error(r, j->code ? j->code : 500, "%s", j->code ? j->head + j->body_at : "the work was interrupted; try again");
		return;
	}
	api_stream(r, j->type, body_reader);
	r->status = j->code;
}

void imagejob_respond(struct request *r)
{
	struct imagejob *j = r->state;

	end_upload(j);
	r->resume = imagejob_continue;
	imagejob_continue(r);
}

/* -- the body ------------------------------------------------------------ */

static enum MHD_Result take_body(struct request *r, const char *data, size_t *n)
{
	struct imagejob *j = r->state;
	ssize_t done = j->in.fd < 0 ? (ssize_t)*n : write(j->in.fd, data, *n);

	if (done < 0 && (errno == EAGAIN || errno == EINTR)) {
		loop_add(&j->in, EPOLLOUT);
		api_suspend(r);
		return MHD_YES;
	}
	/* The child has had enough: it tells why, when all has come. */
	*n = done < 0 ? 0 : *n - (size_t)done;
	return MHD_YES;
}

static void on_room(uint32_t events, void *arg)
{
	struct imagejob *j = arg;

	(void)events;
	loop_remove(&j->in);
	if (j->r)
		api_resume(j->r);
}

/* -- starting ------------------------------------------------------------ */

struct pipes {
	int in[2], out[2];
};

static int make_pipes(struct pipes *p, bool upload)
{
	*p = (struct pipes){ { -1, -1 }, { -1, -1 } };
	if (pipe2(p->out, O_CLOEXEC) < 0 || (upload && pipe2(p->in, O_CLOEXEC) < 0))
		return -errno;
	return 0;
}

static void close_pipes(struct pipes *p)
{
	for (int i = 0; i < 2; i++) {
		fd_close(&p->in[i]);
		fd_close(&p->out[i]);
	}
}

static void fail(struct request *r, struct imagejob *j, struct pipes *p, const char *why)
{
	close_pipes(p);
	free(j);
	api_error(r, 500, "start a process for it: %s", why);
}

bool imagejob_start(struct request *r, const char *type, bool upload, void (*work)(const struct imagejob_io *io, void *arg), void *arg)
{
	struct imagejob *j = calloc(1, sizeof(*j));
	struct err err = ERR_INIT;
	struct pipes p;
	int e = make_pipes(&p, upload);

	if (!j || e < 0 || (upload && uploads >= UPLOADS_MAX)) {
		fail(r, j, &p, !j ? "out of memory" : e < 0 ? strerror(-e) : "too many archives are being sent at once");
		return false;
	}
	j->pid = child_fork(on_exit, j, &err);
	if (j->pid == 0) {
		struct imagejob_io io = { .in = p.in[0], .out = p.out[1] };
		int keep[] = { io.in, io.out };

		store_keep_only(engine.store, keep, ARRAY_SIZE(keep));
		work(&io, arg);
		_exit(0);
	}
	if (j->pid < 0) {
		fail(r, j, &p, err.text);
		return false;
	}
	j->r = r;
	j->type = type;
	j->in = (struct loop_watch){ .fd = p.in[1], .ready = on_room, .arg = j };
	j->out = (struct loop_watch){ .fd = p.out[0], .ready = on_output, .arg = j };
	fd_close(&p.in[0]);
	fd_close(&p.out[1]);
	fd_set_nonblock(j->out.fd);
	r->state = j;
	r->state_free = request_over;
	if (upload) {
		uploads++;
		fd_set_nonblock(j->in.fd);
		r->upload = take_body;
	} else {
		imagejob_respond(r);
	}
	return true;
}

/* -- without a request --------------------------------------------------- */

static void background_over(int status, void *arg)
{
	void (*done)(int) = *(void (**)(int))arg;

	free(arg);
	images_reload();
	if (done)
		done(status);
}

int imagejob_background(void (*work)(void), void (*done)(int status), struct err *err)
{
	void (**arg)(int) = malloc(sizeof(*arg));
	pid_t pid;

	if (!arg)
		return err_set(err, ENOMEM, "fork");
	*arg = done;
	pid = child_fork(background_over, arg, err);
	if (pid == 0) {
		store_keep_only(engine.store, NULL, 0);
		work();
		_exit(0);
	}
	if (pid < 0)
		free(arg);
	return pid < 0 ? (int)pid : 0;
}
