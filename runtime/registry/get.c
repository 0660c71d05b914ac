/* get.c - endpoints in their order, each with its tries; one try with its authentication. Runs in coracle-registry.
 *
 * An error of one endpoint is a reason to ask the next one; what the last one says is the answer. */
#include "runtime/registry/get.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <yyjson.h>

#include "lib/buf.h"
#include "runtime/image/say.h"
#include "runtime/registry/auth.h"

#define REFUSAL_MAX 8192u	/* bytes kept of the body of an error */
#define REFUSAL_END (1u << 20)	/* bytes of it until the connection is given up */
#define RETRY_AFTER_MAX_S 60
#define DOCUMENT_TRIES 3
#define AUTH_ROUNDS 3
#define PROGRESS_LEAST (256u << 10)	/* bytes that a try has to bring to begin the count anew: a trickle must end */

struct try {
	const struct get *g;
	struct buf refusal;
	uint64_t refused;
	uint64_t moved;		/* bytes of the body */
};

static int on_body(const struct http_head *head, const char *data, size_t n, void *arg, struct err *err)
{
	struct try *t = arg;

	if (head->status == 200 || head->status == 206) {
		t->moved += n;
		return t->g->body(head, data, n, t->g->arg, err);
	}
	t->refused += n;
	if (t->refused > REFUSAL_END)
		return image_say(err, EBADMSG, "status %d with an endless text", head->status);
	buf_add(&t->refusal, data, MIN(n, REFUSAL_MAX - MIN(t->refusal.len, (size_t)REFUSAL_MAX)));
	return 0;
}

/* ": manifest unknown" of {"errors": [{"message": ..}]}, as clean text */
static void refusal_text(const struct try *t, char out[256])
{
	yyjson_doc *doc = yyjson_read(t->refusal.data, t->refusal.len, 0);
	const char *s = yyjson_get_str(yyjson_obj_get(yyjson_arr_get_first(yyjson_obj_get(yyjson_doc_get_root(doc), "errors")), "message"));

	snprintf(out, 256, "%s%.200s", s ? ": " : "", s ? s : "");
	for (char *p = out; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	yyjson_doc_free(doc);
}

static int judge(const struct try *t, const struct http_head *head, struct err *err)
{
	const struct get *g = t->g;
	char text[256];

	if (head->status == 200 || head->status == 206)
		return g->whole(head, g->arg, err);
	refusal_text(t, text);
	if (head->status == 404)
		return image_say(err, ENOENT, "%s for %s%s%s not found%s", g->what, g->settings->repository, strchr(g->reference, ':') ? "@" : ":",
			g->reference, text);
	if (head->status == 403 || head->status == 401)
		return image_say(err, EACCES, "pull access denied for %s, repository does not exist or may require 'docker login': denied%s",
			g->settings->repository, text);
	if (head->status == 429 || head->status == 408 || head->status >= 500)
		return image_say(err, EAGAIN, head->status == 429 ? "toomanyrequests: the registry's rate limit is reached (status %d)%s" :
			"the registry has an error (status %d)%s", head->status, text);
	return image_say(err, EBADMSG, "the registry answers with status %d%s", head->status, text);
}

/* What coracle-http says of a failure, with the way out. */
static int explain(const struct get *g, const struct endpoint *e, int r, struct err *err)
{
	if (r == -EFBIG)
		return image_say(err, EBADMSG, "%s %s: the registry sends more than the %llu bytes that are allowed", g->what, g->reference,
			(unsigned long long)g->max);
	if (r == -EPROTO && !strncmp(e->url, "https://", 8))
		return err_wrap(err, r, "no TLS (a registry with plain HTTP has to be named in registries.json with \"plain_http\": true)");
	return r;
}

static int one_try(const struct get *g, size_t n, struct http_head *head, uint64_t *moved, struct err *err)
{
	const struct endpoint *e = &g->settings->endpoint[n];
	CLEANUP_FREE char *authorization = malloc(AUTH_HEADER_MAX);
	char url[2048], range[64];
	int r = 0;

	if (!authorization)
		return err_set(err, ENOMEM, "ask the registry");
	snprintf(url, sizeof(url), "%s/v2/%s/%s/%s", e->url, g->settings->repository, g->kind, g->reference);
	for (int round = 0; round < AUTH_ROUNDS; round++) {
		struct http_call call = { .url = url, .ca = e->ca, .max = g->max, .stall_ms = g->settings->stall_ms, .total_ms = g->total_ms };
		struct try t = { .g = g };
		uint64_t from = g->from ? g->from(g->arg) : 0;
		unsigned number = auth_header(n, authorization);
		size_t h = 0;

		if (g->accept)
			call.header[h++] = g->accept;
		if (authorization[0])
			call.header[h++] = authorization;
		snprintf(range, sizeof(range), "Range: bytes=%llu-", (unsigned long long)from);
		if (from)
			call.header[h++] = range;
		buf_init(&t.refusal, REFUSAL_MAX);
		g->again(g->arg);
		r = http_do(g->http, &call, head, on_body, &t, err);
		*moved += t.moved;
		if (r == 0 && head->status == 401 && head->challenge.realm[0] && round + 1 < AUTH_ROUNDS) {
			buf_free(&t.refusal);
			if ((r = auth_answer(g->settings, n, number, &head->challenge, g->http, err)) < 0)
				return r;
			continue;
		}
		r = r < 0 ? explain(g, e, r, err) : judge(&t, head, err);
		buf_free(&t.refusal);
		return r;
	}
	return r;
}

/* Is the same endpoint worth another try? What is certain is not: no such thing, no right, a lie, a wrong certificate. */
static bool is_temporary(int r, bool blob)
{
	switch (-r) {
	case EAGAIN: case ETIMEDOUT: case ECONNRESET: case EHOSTUNREACH: case ENETUNREACH: case EPROTO: case ENETDOWN:
		return true;
	case ECONNREFUSED:
		return blob;	/* it was there a moment ago */
	default:
		return false;
	}
}

static void pause_ms(uint64_t ms)
{
	struct timespec ts = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

static int try_endpoint(const struct get *g, size_t n, struct err *err)
{
	bool blob = g->from != NULL;
	unsigned most = blob ? g->settings->tries : MIN(g->settings->tries, (unsigned)DOCUMENT_TRIES), failed = 0;

	for (;;) {
		struct http_head head = { 0 };
		uint64_t moved = 0;
		uint64_t ms;
		int r;

		err->code = 0;
		r = one_try(g, n, &head, &moved, err);
		if (r == 0 || !is_temporary(r, blob))
			return r;
		failed = moved >= PROGRESS_LEAST ? 1 : failed + 1;
		if (failed >= most)
			return err_wrap(err, r, "tried %u times", failed);
		ms = (uint64_t)500 << MIN(failed - 1, 4u);
		if (head.retry_after_s)
			ms = MAX(ms, 1000ull * MIN(head.retry_after_s, (uint32_t)RETRY_AFTER_MAX_S));
		pause_ms(ms);
	}
}

int get_thing(const struct get *g, struct err *err)
{
	int r = -ENOENT;

	for (size_t n = 0; n < g->settings->endpoints; n++) {
		struct err why = ERR_INIT;

		r = try_endpoint(g, n, &why);
		if (r == 0)
			return 0;
		*err = why;
		if (r == -EPIPE || r == -EINTR || r == -ENOMEM)
			return r;
		err_wrap(err, r, "%s", strstr(g->settings->endpoint[n].url, "://") + 3);
	}
	return r;
}
