/* url.c - what of a URL may be shown, and the shorthand for answers that have to be 200. */
#include <errno.h>
#include <string.h>

#include "http.h"

const char *http_url_shown(struct arena *a, const char *url)
{
	const char *host = strstr(url, "://");
	size_t scheme = host ? (size_t)(host + 3 - url) : 0;
	size_t authority = strcspn(url + scheme, "/?#");
	const char *at = memrchr(url + scheme, '@', authority);
	const char *rest = at ? at + 1 : url + scheme;

	return arena_printf(a, "%.*s%.*s", (int)scheme, url, (int)strcspn(rest, "?#"), rest);
}

int http_get(struct ctx *ctx, const struct http_request *q, struct http_answer *a, struct err *err)
{
	int r = http_fetch(ctx, q, a, err);
	int code = EREMOTEIO;

	if (r < 0 || a->status == 200)
		return r;
	if (a->status == 404)
		code = ENOENT;
	else if (a->status == 401 || a->status == 403)
		code = EACCES;
	err_set(err, 0, "%s: the server answers %d", http_url_shown(ctx->arena, q->url), a->status);
	return -code;
}
