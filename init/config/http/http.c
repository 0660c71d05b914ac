/* http.c - asks coracle-http to fetch something, and takes its answer apart.
 *
 * The program is started with the first request and kept for the next ones. It is trusted with nothing: the size of its answer, its form and the
 * time it takes are watched here as well, and one that breaks a rule is killed. */
#include "http.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "fd.h"
#include "httpframe.h"
#include "sys.h"

#define PROGRAM "coracle-http"
#define PROGRAM_PATH "/usr/lib/coracle/" PROGRAM
#define GRACE_MS 5000	/* beyond the request's own total */
#define FRAME_BYTES (HTTP_FRAME_HEAD + HTTP_FRAME_MAX)

static struct {
	pid_t pid;
	int fd;
} helper = { 0, -1 };

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void http_end(void)
{
	if (helper.fd >= 0)
		fd_close(&helper.fd);
	if (helper.pid > 0) {
		kill(helper.pid, SIGKILL); /* it has nothing that could be lost */
		while (waitpid(helper.pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	helper.pid = 0;
}

/* Beside this program, as in a build folder; else where the machine has it. */
static void program_path(char *out, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", out, size - sizeof(PROGRAM) - 1);
	char *slash;

	out[n > 0 ? n : 0] = '\0';
	slash = strrchr(out, '/');
	if (slash)
		memcpy(slash + 1, PROGRAM, sizeof(PROGRAM));
	if (!slash || access(out, X_OK) < 0)
		memcpy(out, PROGRAM_PATH, sizeof(PROGRAM_PATH));
}

/* After fork: nothing but system calls. */
static NORETURN void run_program(int fd, const char *path)
{
	static char name[] = PROGRAM;
	char *argv[] = { name, NULL };
	char *envp[] = { NULL };
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(null, 2) < 0)
		_exit(126);
	execve(path, argv, envp);
	_exit(127);
}

static int start_program(struct err *err)
{
	char path[4096];
	int pair[2];

	if (helper.pid > 0)
		return 0;
	program_path(path, sizeof(path));
	if (access(path, X_OK) < 0)
		return err_set(err, errno, "%s, which fetches", path);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "socketpair");
	helper.pid = fork();
	if (helper.pid == 0)
		run_program(pair[1], path);
	close(pair[1]);
	helper.fd = pair[0];
	if (helper.pid < 0) {
		helper.pid = 0;
		fd_close(&helper.fd);
		return err_set(err, errno, "start %s", path);
	}
	return 0;
}

static int send_bytes(const void *data, size_t n)
{
	const char *p = data;

	while (n > 0) {
		ssize_t done = send(helper.fd, p, n, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static int send_request(const struct http_request *q, const struct http_limits *l)
{
	char limits[HTTP_LIMITS_TEXT];
	size_t n = http_limits_print(l, limits);
	int r = http_frame_send(send_bytes, HTTP_URL, q->url, strlen(q->url));

	if (r == 0 && q->method)
		r = http_frame_send(send_bytes, HTTP_METHOD, q->method, strlen(q->method));
	for (const char *const *h = q->headers; r == 0 && h && *h; h++)
		r = http_frame_send(send_bytes, HTTP_HEADER, *h, strlen(*h));
	if (r == 0 && q->body)
		r = http_frame_send(send_bytes, HTTP_BODY, q->body, q->body_len);
	if (r == 0)
		r = http_frame_send(send_bytes, HTTP_LIMITS, limits, n);
	return r == 0 ? http_frame_send(send_bytes, HTTP_GO, NULL, 0) : r;
}

static int read_answer(struct answering *a, uint64_t end)
{
	CLEANUP_BUF struct buf in = { 0 };
	int r = 0;

	buf_init(&in, 2 * FRAME_BYTES);
	while (r == 0 && !a->done) {
		struct pollfd p = { .fd = helper.fd, .events = POLLIN };
		uint64_t now = now_ms();
		char piece[16384];
		ssize_t n;

		if (now >= end || poll(&p, 1, (int)(end - now)) == 0)
			return -ETIMEDOUT;
		n = recv(helper.fd, piece, sizeof(piece), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EPIPE;
		buf_add(&in, piece, (size_t)n);
		r = buf_error(&in) ? -EBADMSG : http_take_frames(&in, a);
	}
	return r;
}

static int check_request(const struct http_request *q, struct err *err)
{
	size_t headers = 0;

	if (strlen(q->url) > HTTP_URL_MAX)
		return err_set(err, ENAMETOOLONG, "the URL is longer than %zu bytes", HTTP_URL_MAX);
	for (const char *p = q->url; *p; p++)
		if ((unsigned char)*p <= 0x20 || *p == 0x7f)
			return err_set(err, 0, "the URL has a blank or a control character in it");
	if (strncmp(q->url, "http://", 7) && strncmp(q->url, "https://", 8)) {
		err_set(err, 0, "only http:// and https:// can be fetched");
		return -EPROTONOSUPPORT;
	}
	for (const char *const *h = q->headers; h && *h; h++, headers++)
		for (const char *p = *h; *p; p++)
			if ((unsigned char)*p < 0x20 || *p == 0x7f)
				return err_set(err, 0, "a header has a control character in it");
	if (headers > HTTP_HEADERS_MAX || q->body_len > HTTP_BODY_MAX)
		return err_set(err, E2BIG, "the request");
	return 0;
}

static int exchange(const struct http_request *q, const struct http_limits *l, struct answering *a)
{
	int r = start_program(a->err);

	if (r < 0)
		return r;
	r = send_request(q, l);
	if (r == 0)
		r = read_answer(a, now_ms() + l->total_ms + GRACE_MS);
	if (r < 0) {
		http_end();
		if (r == -EFBIG)
			return err_set(a->err, EFBIG, "the answer");
		return err_set(a->err, -r, "%s does not answer as it should", PROGRAM);
	}
	return a->failed ? -a->failed : 0;
}

int http_fetch(struct ctx *ctx, const struct http_request *q, struct http_answer *a, struct err *err)
{
	struct http_limits l = {
		.max = MIN(q->max ? q->max : (size_t)1 << 20, HTTP_BODY_MAX), .timeout_ms = q->timeout_ms ? q->timeout_ms : 5000,
		.total_ms = q->total_ms ? q->total_ms : 60000, .tries = q->tries ? q->tries : 1, .redirects = 5,
	};
	struct err own = ERR_INIT;
	struct answering in = { .err = err ? err : &own };
	const char *shown = http_url_shown(ctx->arena, q->url);
	int r = check_request(q, in.err);

	*a = (struct http_answer){ 0 };
	buf_init(&in.body, l.max);
	buf_init(&in.url, HTTP_URL_MAX);
	if (r == 0 && ctx->need_network)
		r = ctx->need_network(ctx, in.err);
	if (r == 0)
		r = exchange(q, &l, &in);
	if (r == 0)
		*a = (struct http_answer){
			in.status, arena_strndup(ctx->arena, in.body.data, in.body.len), in.body.len,
			arena_strndup(ctx->arena, in.url.data, in.url.len),
		};
	buf_free(&in.body);
	buf_free(&in.url);
	return r < 0 ? err_wrap(in.err, r, "%s", shown) : 0;
}
