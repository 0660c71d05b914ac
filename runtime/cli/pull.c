/* pull.c - coracle pull: an image from its registry, with progress. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "http.h"

#define LINE_MAX_BYTES 65536u
#define LAYERS_MAX 256

struct layer {
	char id[16];
	uint64_t current, total;
	bool done;
};

struct progress {
	struct buf line;	/* what has come of a line */
	struct layer layer[LAYERS_MAX];
	size_t layers;
	bool tty, failed;
	struct err *err;
};

static struct layer *layer_of(struct progress *p, const char *id)
{
	for (size_t i = 0; i < p->layers; i++)
		if (!strcmp(p->layer[i].id, id))
			return &p->layer[i];
	if (p->layers == LAYERS_MAX)
		return NULL;
	snprintf(p->layer[p->layers].id, sizeof(p->layer[0].id), "%s", id);
	return &p->layer[p->layers++];
}

static void show_sum(const struct progress *p)
{
	uint64_t current = 0, total = 0;
	size_t done = 0;
	char a[24], b[24];

	for (size_t i = 0; i < p->layers; i++) {
		current += p->layer[i].done ? p->layer[i].total : p->layer[i].current;
		total += p->layer[i].total;
		done += p->layer[i].done;
	}
	printf("\r\033[K%zu of %zu layers, %s of %s so far", done, p->layers, cli_size(current, a), cli_size(total, b));
	fflush(stdout);
}

static void take_line(struct progress *p, yyjson_val *v)
{
	const char *error = yyjson_get_str(yyjson_obj_get(v, "error"));
	const char *status = yyjson_get_str(yyjson_obj_get(v, "status")), *id = yyjson_get_str(yyjson_obj_get(v, "id"));
	yyjson_val *detail = yyjson_obj_get(v, "progressDetail");
	struct layer *l = detail && id ? layer_of(p, id) : NULL;

	if (error) {
		p->failed = true;
		err_set(p->err, 0, "%s", cli_safe(error));
		return;
	}
	if (!status)
		return;
	if (l && yyjson_obj_get(detail, "total")) {
		l->current = yyjson_get_uint(yyjson_obj_get(detail, "current"));
		l->total = yyjson_get_uint(yyjson_obj_get(detail, "total"));
	}
	if (l && (!strcmp(status, "Pull complete") || !strcmp(status, "Already exists")))
		l->done = true;
	if (l && p->tty)
		show_sum(p);
	else if (!l || strcmp(status, "Downloading"))
		printf("%s%s%s%s\n", p->tty ? "\r\033[K" : "", id ? cli_safe(id) : "", id ? ": " : "", cli_safe(status));
}

static int take(const struct http_reply *reply, const char *data, size_t n, void *arg)
{
	struct progress *p = arg;
	char *end;

	buf_add(&p->line, data, n);
	while (reply->status < 400 && (end = memchr(p->line.data, '\n', p->line.len))) {
		size_t used = (size_t)(end - p->line.data) + 1;
		yyjson_doc *doc = yyjson_read(p->line.data, used, YYJSON_READ_STOP_WHEN_DONE);

		take_line(p, yyjson_doc_get_root(doc));
		yyjson_doc_free(doc);
		buf_consume(&p->line, used);
	}
	return buf_error(&p->line);
}

static int pull_one(const char *name)
{
	struct err err = ERR_INIT;
	struct progress *p = calloc(1, sizeof(*p));
	CLEANUP_BUF struct buf path = { 0 };
	struct http_reply reply;
	yyjson_doc *doc;
	const char *msg;
	int r;

	if (!p)
		return 1;
	buf_init(&p->line, LINE_MAX_BYTES);
	buf_init(&path, 4096);
	p->tty = isatty(STDOUT_FILENO);
	p->err = &err;
	buf_puts(&path, "/images/create?fromImage=");
	http_escape(&path, name);
	r = http_stream(cli.docker_socket, "POST", path.data, &reply, take, p, &err);
	if (r == 0 && reply.status >= 400) {
		doc = yyjson_read(p->line.data, p->line.len, 0);
		msg = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), "message"));
		r = err_set(&err, 0, "%s", msg ? cli_safe(msg) : "the engine answers with an error");
		yyjson_doc_free(doc);
	}
	r = r < 0 || p->failed ? cli_fail(&err) : 0;
	buf_free(&p->line);
	free(p);
	return r;
}

int verb_pull(int argc, char **argv)
{
	int code = 0;

	if (argc < 2 || argv[1][0] == '-')
		return cli_usage("pull NAME...");
	for (int i = 1; i < argc; i++)
		code |= pull_one(argv[i]);
	return code;
}
