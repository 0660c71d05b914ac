/* fetch.c - fetching of parts: one clock and one count for all of them; copies of #include-once. */
#include "fetch.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "../http/http.h"
#include "err.h"

#define TRY_MS 5000u	/* as cloud-init: 5 s and 10 tries */
#define TRIES 10u
#define LEAST_MS 1000u	/* what coracle-http needs to look up a name at all */

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The name is a hash of the URL, which may hold secrets and slashes. */
static const char *cache_path(struct ctx *ctx, const struct fetch *f, const char *url)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */

	for (const char *p = url; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 1099511628211u;
	return arena_printf(ctx->arena, "/var/lib/cloud/instances/%s/data/urlcache/%016" PRIx64, f->instance_id, hash);
}

static bool read_copy(struct ctx *ctx, const struct fetch *f, const char *path, struct source *out)
{
	CLEANUP_FREE char *text = NULL;
	size_t len;

	if (target_read(f->target, path, PARTS_BLOB_MAX, &text, &len) < 0)
		return false;
	out->text = arena_strndup(ctx->arena, text, len);
	out->len = len;
	return true;
}

static void keep_copy(struct ctx *ctx, const struct fetch *f, const char *path, const struct source *from)
{
	struct target_file file = { .path = path, .data = from->text, .len = from->len, .mode = 0600 };
	struct err err = ERR_INIT;

	if (target_write(f->target, &file, NULL, &err) < 0)
		diag_add(ctx->diags, DIAG_WARNING, NULL, 0, 0, "it will be fetched again on the next boot", "#include-once: %s", err.text);
}

int fetch_part(struct ctx *ctx, void *arg, const char *url, bool once, struct source *out, struct err *err)
{
	struct fetch *f = arg;
	const char *path = once ? cache_path(ctx, f, url) : NULL;
	struct http_request q = { .url = url, .timeout_ms = TRY_MS, .tries = TRIES };
	struct http_answer a = { .status = 0 };
	uint64_t now = now_ms();
	int r;

	if (path && read_copy(ctx, f, path, out))
		return 0;
	if (!f->end_ms)
		f->end_ms = now + FETCH_TOTAL_MS;
	if (now + LEAST_MS > f->end_ms)
		return err_set(err, 0, "all that is included may take 60 s together, and they are over");
	if (f->bytes >= FETCH_TOTAL_MAX)
		return err_set(err, 0, "all that is included may be 8 MiB together, and that is reached");
	q.total_ms = (unsigned)(f->end_ms - now);
	q.max = MIN(PARTS_BLOB_MAX, FETCH_TOTAL_MAX - f->bytes);
	r = http_get(ctx, &q, &a, err);
	if (r == -EFBIG && q.max < PARTS_BLOB_MAX)
		return err_set(err, EFBIG, "all that is included may be 8 MiB together, and with this it is more");
	if (r < 0)
		return r;
	f->bytes += a.len;
	out->text = a.body;
	out->len = a.len;
	if (path)
		keep_copy(ctx, f, path, out);
	return 0;
}
