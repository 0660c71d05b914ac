/* logs.c - coracle logs: a container's output, standard error to standard error; or that of a service. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "fd.h"
#include "http.h"

/* Frames of 8 bytes {stream, 0, 0, 0, length big-endian} and text (docker-api: multiplexed-stream). */
struct demux {
	unsigned char head[8];
	size_t have;		/* bytes of head */
	size_t left;		/* bytes of the frame's text still to come */
	struct buf error;	/* body of an error */
};

static int demux_frames(struct demux *d, const char *p, size_t n)
{
	while (n > 0) {
		size_t part;
		int r;

		if (d->left == 0) {
			part = MIN(n, sizeof(d->head) - d->have);
			memcpy(d->head + d->have, p, part);
			d->have += part;
			if (d->have == sizeof(d->head)) {
				d->left = (size_t)d->head[4] << 24 | (size_t)d->head[5] << 16 | (size_t)d->head[6] << 8 | d->head[7];
				d->have = 0;
			}
		} else {
			part = MIN(n, d->left);
			r = fd_write_full(d->head[0] == 2 ? STDERR_FILENO : STDOUT_FILENO, p, part);
			if (r < 0)
				return r;
			d->left -= part;
		}
		p += part;
		n -= part;
	}
	return 0;
}

static int on_body(const struct http_reply *reply, const char *data, size_t n, void *arg)
{
	struct demux *d = arg;

	if (reply->status != 200) {
		buf_add(&d->error, data, n);
		return buf_error(&d->error);
	}
	if (strstr(reply->type, "multiplexed"))
		return demux_frames(d, data, n);
	return fd_write_full(STDOUT_FILENO, data, n);
}

/* Returns 0, 1 when there is no such container or no engine (*err says which), -errno. */
static int fetch(const char *path, struct err *err)
{
	struct demux d = { 0 };
	struct http_reply reply;
	int r;

	buf_init(&d.error, 65536);
	r = http_stream(cli.docker_socket, "GET", path, &reply, on_body, &d, err);
	if (r == 0 && reply.status != 200) {
		yyjson_doc *doc = yyjson_read(d.error.data, d.error.len, 0);
		const char *msg = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), "message"));

		err_set(err, 0, "%s", msg ? msg : "the engine refused");
		r = reply.status == 404 ? 1 : -EREMOTEIO;
		yyjson_doc_free(doc);
	}
	buf_free(&d.error);
	return r == -ENOENT || r == -ECONNREFUSED ? 1 : r;
}

int verb_logs(int argc, char **argv)
{
	static const char how[] = "logs [-f] [-t] [-n N] NAME";
	CLEANUP_BUF struct buf path = { 0 };
	const char *tail = "all";
	bool follow = false, times = false;
	struct err err = ERR_INIT;
	int o, r;

	while ((o = getopt(argc, argv, "ftn:")) != -1) {
		if (o == 'f')
			follow = true;
		else if (o == 't')
			times = true;
		else if (o == 'n')
			tail = optarg;
		else
			return cli_usage(how);
	}
	if (optind + 1 != argc)
		return cli_usage(how);
	buf_init(&path, 4096);
	buf_puts(&path, "/containers/");
	http_escape(&path, argv[optind]);
	buf_printf(&path, "/logs?stdout=1&stderr=1&follow=%d&timestamps=%d&tail=", follow, times);
	http_escape(&path, tail);
	r = fetch(path.data, &err);
	if (r == 1 && cli_has_unit(argv[optind]))
		r = cli_unit_logs(argv[optind], strcmp(tail, "all") ? strtol(tail, NULL, 10) : -1, follow, times, &err);
	return r != 0 ? cli_fail(&err) : 0;
}
