/* api.c - libmicrohttpd inside the engine's loop: requests from their first byte to their last (coracle-engine). */
#include "api.h"

#include <errno.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "apiint.h"
#include "apiroute.h"
#include "engine.h"
#include "fd.h"
#include "jw.h"
#include "report.h"
#include "runtime/image/image.h"
#include "text.h"

#define REQUEST_ARENA_MAX (4u << 20)
#define IDLE_SECONDS 300u	/* of a connection that sends nothing */

static struct MHD_Daemon *daemon_;
static struct loop_watch watch = { .fd = -1 };
static struct loop_timer timer;

/* -- the loop ------------------------------------------------------------ */

static void run(void)
{
	uint64_t ms;

	MHD_run(daemon_);
	if (MHD_get_timeout64(daemon_, &ms) == MHD_YES)
		loop_timer_set(&timer, ms);
	else
		loop_timer_cancel(&timer);
}

static void on_ready(uint32_t events, void *arg)
{
	(void)events;
	(void)arg;
	run();
}

static void on_timer(void *arg)
{
	(void)arg;
	run();
}

/* -- answers ------------------------------------------------------------- */

static void set_response(struct request *r, unsigned status, struct MHD_Response *response, const char *type)
{
	if (!response)
		return;
	if (type)
		MHD_add_response_header(response, "Content-Type", type);
	MHD_add_response_header(response, "Api-Version", API_VERSION);
	MHD_add_response_header(response, "Ostype", "linux");
	MHD_add_response_header(response, "Docker-Experimental", "false");
	MHD_add_response_header(response, "Server", "Coracle/" CORACLE_VERSION " (linux)");
	if (r->response)
		MHD_destroy_response(r->response);
	r->response = response;
	r->status = status;
}

void api_json(struct request *r, unsigned status, struct buf *b)
{
	size_t n;
	char *text;

	buf_putc(b, '\n');
	n = b->len;
	if (buf_error(b)) {
		api_error(r, 500, "the reply is too large");
		return;
	}
	text = buf_take(b);
	if (text)
		set_response(r, status, MHD_create_response_from_buffer(n, text, MHD_RESPMEM_MUST_FREE), "application/json");
}

void api_error(struct request *r, unsigned status, const char *fmt, ...)
{
	char text[1200];
	struct buf b;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_init(&b, 16384);
	jw_open(&b, '{');
	jw_kstr(&b, "message", text);
	jw_close(&b, '}');
	api_json(r, status, &b);
}

void api_empty(struct request *r, unsigned status)
{
	set_response(r, status, MHD_create_response_from_buffer_static(0, ""), NULL);
}

void api_text(struct request *r, unsigned status, const char *text)
{
	set_response(r, status, MHD_create_response_from_buffer_copy(strlen(text), text), "text/plain; charset=utf-8");
}

void api_stream(struct request *r, const char *type, MHD_ContentReaderCallback reader)
{
	set_response(r, 200, MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 32768, reader, r, NULL), type);
}

/* -- suspending ---------------------------------------------------------- */

static void on_peer(uint32_t events, void *arg)
{
	struct request *r = arg;

	(void)events;
	r->gone = true;
	api_resume(r);
}

void api_suspend(struct request *r)
{
	const union MHD_ConnectionInfo *info;

	if (r->suspended)
		return;
	r->suspended = true;
	MHD_suspend_connection(r->conn);
	/* A suspended connection is not watched by libmicrohttpd: a client that goes must not stay for ever. */
	info = MHD_get_connection_info(r->conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info) {
		r->peer = (struct loop_watch){ .fd = info->connect_fd, .ready = on_peer, .arg = r };
		loop_add(&r->peer, 0);
	}
}

void api_resume(struct request *r)
{
	if (!r->suspended)
		return;
	r->suspended = false;
	loop_remove(&r->peer);
	MHD_resume_connection(r->conn);
}

void api_wait(struct request *r, struct container *c, int events, void (*fire)(struct container *, enum container_event, int, void *))
{
	r->waiter = (struct container_waiter){ .events = events, .fire = fire, .arg = r };
	r->waited = c;
	container_wait(c, &r->waiter);
}

/* -- parameters ---------------------------------------------------------- */

const char *api_query(struct request *r, const char *key)
{
	return MHD_lookup_connection_value(r->conn, MHD_GET_ARGUMENT_KIND, key);
}

bool api_flag(struct request *r, const char *key)
{
	static const char *const no[] = { "", "0", "no", "false", "none" };
	const char *v = api_query(r, key);

	for (size_t i = 0; v && i < ARRAY_SIZE(no); i++)
		if (strcasecmp(v, no[i]) == 0)
			return false;
	return v != NULL;
}

struct container *api_container(struct request *r)
{
	bool ambiguous;
	struct container *c = container_find(r->arg, &ambiguous);

	if (c)
		text_set(r->id, sizeof(r->id), "%s", c->id);
	else if (ambiguous)
		api_error(r, 400, "Multiple IDs found with provided prefix: %s", r->arg);
	else
		api_error(r, 404, "No such container: %s", r->arg);
	return c;
}

char *api_familiar(const char *image, char *out, size_t size)
{
	char full[IMAGE_REF_SIZE];
	struct image_ref ref;

	if (image_ref_parse(image, &ref, NULL) == 0)
		text_set(out, size, "%s", image_ref_familiar(&ref, full));
	else
		text_set(out, size, "%s", image);
	return out;
}

/* -- requests ------------------------------------------------------------ */

static struct request *new_request(struct MHD_Connection *conn, const char *method, const char *url)
{
	struct request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->conn = conn;
	r->peer.fd = -1;
	arena_init(&r->mem, REQUEST_ARENA_MAX);
	buf_init(&r->body, API_BODY_MAX);
	r->method = arena_strdup(&r->mem, method);
	r->path = arena_strdup(&r->mem, url);
	if (!r->method || !r->path) {
		arena_free(&r->mem);
		free(r);
		return NULL;
	}
	return r;
}

static void on_completed(void *cls, struct MHD_Connection *conn, void **con_cls, enum MHD_RequestTerminationCode toe)
{
	struct request *r = *con_cls;

	(void)cls;
	(void)conn;
	(void)toe;
	if (!r)
		return;
	loop_remove(&r->peer);
	if (r->waited)
		container_unwait(r->waited, &r->waiter);
	if (r->state_free)
		r->state_free(r);
	if (r->response)
		MHD_destroy_response(r->response);
	buf_free(&r->body);
	arena_free(&r->mem);
	free(r);
	*con_cls = NULL;
}

static enum MHD_Result answer(struct request *r)
{
	enum MHD_Result q;

	if (!r->response)
		api_error(r, 500, "out of memory");
	q = r->response ? MHD_queue_response(r->conn, r->status, r->response) : MHD_NO;
	if (r->response)
		MHD_destroy_response(r->response);
	r->response = NULL;
	return q;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *conn, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_size, void **con_cls)
{
	struct request *r = *con_cls;

	(void)cls;
	(void)version;
	if (!r) {
		*con_cls = r = new_request(conn, method, url);
		return r ? MHD_YES : MHD_NO;
	}
	if (*upload_size > 0) {
		buf_add(&r->body, upload, *upload_size);
		*upload_size = 0;
		return MHD_YES;
	}
	if (!r->dispatched) {
		r->dispatched = true;
		if (buf_error(&r->body))
			api_error(r, 413, "request body too large");
		else
			api_route(r);
		if (r->suspended)
			return MHD_YES;
	}
	if (r->gone)
		return MHD_NO;
	return answer(r);
}

/* -- socket -------------------------------------------------------------- */

/* Members of the group docker may use the engine, as they expect. They could become root by it: the group is for those who may. */
static void give_to_group(const char *path)
{
	const struct group *g = getgrnam("docker");

	if (g)
		(void)!chown(path, (uid_t)-1, g->gr_gid); /* without it the socket is root's alone */
}

/* Bound under another name and renamed: clients never find a socket that nobody listens on. */
static int listen_on(const char *path, struct err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t old;
	int r;

	if (fd < 0)
		return err_set(err, errno, "socket");
	if ((size_t)snprintf(a.sun_path, sizeof(a.sun_path), "%s.new", path) >= sizeof(a.sun_path))
		return err_set(err, ENAMETOOLONG, "%s", path);
	unlink(a.sun_path);
	old = umask(0117);
	r = bind(fd, (struct sockaddr *)&a, sizeof(a));
	umask(old);
	if (r == 0)
		give_to_group(a.sun_path);
	if (r < 0 || listen(fd, 64) < 0 || rename(a.sun_path, path) < 0)
		return err_set(err, errno, "listen on %s", path);
	return fd_take(&fd);
}

static void on_error(void *arg, const char *fmt, va_list ap)
{
	char text[400];

	(void)arg;
	vsnprintf(text, sizeof(text), fmt, ap);
	report_note("engine", "HTTP: %s", text);
}

int api_open(const char *path, struct err *err)
{
	int fd = listen_on(path, err);
	const union MHD_DaemonInfo *info;

	if (fd < 0)
		return fd;
	daemon_ = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, NULL,
				   MHD_OPTION_EXTERNAL_LOGGER, on_error, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
				   MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
				   MHD_OPTION_CONNECTION_LIMIT, (unsigned)API_CONNECTIONS_MAX,
				   MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_END);
	if (!daemon_) {
		close(fd);
		return err_set(err, EIO, "start HTTP on %s", path);
	}
	info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
	watch = (struct loop_watch){ .fd = info ? info->epoll_fd : -1, .ready = on_ready };
	timer.fire = on_timer;
	if (loop_add(&watch, EPOLLIN) < 0)
		return err_set(err, EIO, "watch HTTP on %s", path);
	run();
	return 0;
}

void api_close(void)
{
	loop_remove(&watch);
	loop_timer_cancel(&timer);
}
