/* hijack.c - hijacked connections: both directions of one socket (coracle-engine). Never blocks, never waits for a client for ever. */
#include "hijack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fd.h"

#define INPUT_MAX 65536u

struct hijack {
	struct request *r;		/* until the connection is closed */
	struct MHD_UpgradeResponseHandle *urh;	/* NULL: the 101 is not out yet */
	const struct hijack_ops *ops;
	void *owner;
	struct loop_watch watch;
	struct loop_timer stall, over;
	struct buf out, in;
	bool full;		/* the source was told to wait */
	bool raw, in_end, end_told, ending, closing;
};

static void finish(struct hijack *h)
{
	if (h->closing)
		return;
	h->closing = true;
	loop_timer_cancel(&h->stall);
	loop_timer_cancel(&h->over);
	loop_remove(&h->watch);
	h->r->state = NULL;
	h->r->state_free = NULL;
	h->ops->closed(h->owner);
	if (h->urh) {
		shutdown(h->watch.fd, SHUT_RDWR);
		MHD_upgrade_action(h->urh, MHD_UPGRADE_ACTION_CLOSE);
	}
	buf_free(&h->out);
	buf_free(&h->in);
	free(h);
}

static void on_stall(void *arg)
{
	finish(arg);
}

static void update_watch(struct hijack *h)
{
	uint32_t events = 0;

	if (!h->in_end && h->in.len == 0)
		events |= EPOLLIN;
	if (h->out.len > 0)
		events |= EPOLLOUT;
	loop_change(&h->watch, events);
}

/* False: the connection is over and h is freed. */
static bool flush(struct hijack *h)
{
	if (!h->urh)
		return true;
	while (h->out.len > 0) {
		ssize_t n = send(h->watch.fd, h->out.data, h->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			finish(h);
			return false;
		}
		if (n <= 0)
			break;
		buf_consume(&h->out, (size_t)n);
		loop_timer_cancel(&h->stall);
	}
	if (h->out.len == 0 && h->ending) {
		finish(h);
		return false;
	}
	if (h->out.len > 0 && !h->stall.armed)
		loop_timer_set(&h->stall, HIJACK_STALL_MS);
	if (h->out.len == 0 && h->out.cap > INPUT_MAX)
		buf_free(&h->out);
	update_watch(h);
	if (h->full && h->out.len <= HIJACK_HIGH / 2) {
		h->full = false;
		h->ops->drained(h->owner);
	}
	return true;
}

bool hijack_send(struct hijack *h, int stream, const char *data, size_t n)
{
	unsigned char head[8] = { (unsigned char)stream, 0, 0, 0, (unsigned char)(n >> 24), (unsigned char)(n >> 16),
				  (unsigned char)(n >> 8), (unsigned char)n };
	bool idle = h->out.len == 0;

	if (n == 0 || h->ending)
		return true;
	if (!h->raw)
		buf_add(&h->out, head, sizeof(head));
	buf_add(&h->out, data, n);
	if (buf_error(&h->out)) {
		finish(h);
		return true;
	}
	if (idle && !flush(h))
		return true;
	h->full = h->full || h->out.len > HIJACK_HIGH;
	return !h->full;
}

void hijack_pull(struct hijack *h)
{
	if (h->in.len > 0) {
		size_t n = h->ops->input(h->owner, h->in.data, h->in.len);

		buf_consume(&h->in, n);
	}
	if (h->in.len == 0 && h->in_end && !h->end_told)
		h->end_told = h->ops->input_end(h->owner);
	if (h->urh)
		update_watch(h);
}

static void on_over(void *arg)
{
	flush(arg);
}

/* From the loop: whoever calls may be in the middle of input(). */
void hijack_end(struct hijack *h)
{
	h->ending = true;
	loop_timer_set(&h->over, 0);
}

static void on_socket(uint32_t events, void *arg)
{
	static char scratch[INPUT_MAX];
	struct hijack *h = arg;
	ssize_t n;

	if (events & EPOLLIN && h->in.len == 0 && !h->in_end) {
		n = recv(h->watch.fd, scratch, sizeof(scratch), MSG_DONTWAIT);
		if (n > 0)
			buf_add(&h->in, scratch, (size_t)n);
		else if (n == 0)
			h->in_end = true;
		else if (errno != EAGAIN && errno != EINTR) {
			finish(h);
			return;
		}
		hijack_pull(h);
	} else if (events & (EPOLLHUP | EPOLLERR)) {
		finish(h);
		return;
	}
	if (events & EPOLLOUT)
		flush(h);
}

static void on_upgrade(void *cls, struct MHD_Connection *conn, void *req_cls, const char *extra, size_t extra_size, MHD_socket sock,
	struct MHD_UpgradeResponseHandle *urh)
{
	struct hijack *h = cls;

	(void)conn;
	(void)req_cls;
	h->urh = urh;
	h->watch = (struct loop_watch){ .fd = sock, .ready = on_socket, .arg = h };
	fd_set_nonblock(sock);
	buf_add(&h->in, extra, extra_size);	/* bytes behind the request belong to standard input */
	if (loop_add(&h->watch, EPOLLIN) < 0) {
		finish(h);
		return;
	}
	hijack_pull(h);
	flush(h);
}

/* The connection ended before the 101 was out. */
static void on_request_over(struct request *r)
{
	finish(r->state);
}

struct hijack *hijack_begin(struct request *r, bool raw, const struct hijack_ops *ops, void *owner)
{
	const char *upgrade = MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND, "Upgrade");
	struct hijack *h;

	if (!upgrade) {
		api_error(r, 400, "%s needs a connection that can be upgraded: send \"Connection: Upgrade\" and \"Upgrade: tcp\"", r->path);
		return NULL;
	}
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->r = r;
	h->raw = raw;
	h->ops = ops;
	h->owner = owner;
	h->watch.fd = -1;
	h->stall = (struct loop_timer){ .fire = on_stall, .arg = h };
	h->over = (struct loop_timer){ .fire = on_over, .arg = h };
	buf_init(&h->out, HIJACK_MAX);
	buf_init(&h->in, 2 * INPUT_MAX);
	r->state = h;
	r->state_free = on_request_over;
	api_upgrade(r, raw || r->minor < 42 ? "application/vnd.docker.raw-stream" : "application/vnd.docker.multiplexed-stream", on_upgrade, h);
	return h;
}
