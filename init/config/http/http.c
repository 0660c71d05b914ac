/* http.c - asks coracle-http to fetch something. */
#include "http.h"

#include <errno.h>

int http_fetch(struct ctx *ctx, const struct http_request *q, struct http_answer *a, struct err *err)
{
	(void)a;
	err_set(err, 0, "%s: fetching is not supported yet", http_url_shown(ctx->arena, q->url));
	return -EPROTONOSUPPORT;
}
