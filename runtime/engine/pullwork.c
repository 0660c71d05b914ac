/* pullwork.c - a pull as Docker's clients see it. pull_work_run() runs in a child of coracle-engine, which may block. */
#include "pullwork.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "fd.h"
#include "jw.h"
#include "runtime/image/say.h"
#include "runtime/registry/client/pull.h"
#include "text.h"

#define AUTH_MAX 32768u		/* bytes of X-Registry-Auth */
#define BAR 50			/* Docker's bar is that long */

int pull_work_init(struct pull_work *w, const char *name, const char *platform, const char *auth, struct err *err)
{
	int r;

	memset(w, 0, sizeof(*w));
	w->platform = image_platform_host();
	if ((r = image_ref_parse(name, &w->ref, err)) < 0)
		return r;
	if (platform && *platform && (r = image_platform_parse(platform, &w->platform, err)) < 0)
		return r;
	if (auth && strlen(auth) > AUTH_MAX)
		return image_say(err, EINVAL, "X-Registry-Auth is too long");
	if (auth && *auth && !(w->auth = strdup(auth)))
		return err_set(err, ENOMEM, "pull");
	return 0;
}

void pull_work_free(struct pull_work *w)
{
	if (w->auth)
		explicit_bzero(w->auth, strlen(w->auth));
	free(w->auth);
	w->auth = NULL;
}

bool pull_work_same(const struct pull_work *a, const struct pull_work *b)
{
	return !strcmp(a->ref.repository, b->ref.repository) && !strcmp(a->ref.tag, b->ref.tag) && !strcmp(a->ref.digest, b->ref.digest) &&
		!memcmp(&a->platform, &b->platform, sizeof(a->platform)) && !strcmp(a->auth ? a->auth : "", b->auth ? b->auth : "");
}

/* -- lines ------------------------------------------------------------------ */

struct worker {
	const struct pull_work *work;
	int out;
	bool begun;		/* "Pulling from" is said */
};

static void tell(const struct worker *w, char kind, const char *text)
{
	char line[PULL_LINE_MAX];
	int n = snprintf(line, sizeof(line) - 1, "%c%s", kind, text);

	n = MIN(n, (int)sizeof(line) - 2);
	for (int i = 0; i < n; i++)
		if (line[i] == '\n')
			line[i] = ' ';
	line[n++] = '\n';
	fd_write_full(w->out, line, (size_t)n);
}

/* {"status": ..., "id": ...}, id may be NULL; total 0: without progress. */
static void tell_status(const struct worker *w, const char *status, const char *id, bool layer, uint64_t current, uint64_t total)
{
	CLEANUP_BUF struct buf b = { 0 };
	char bar[BAR + 64];
	int full = total ? (int)(current * BAR / total) : 0, n = 0;

	buf_init(&b, PULL_LINE_MAX);
	jw_open(&b, '{');
	jw_kstr(&b, "status", status);
	if (layer && total) {
		jw_kobj(&b, "progressDetail");
		jw_kint(&b, "current", (int64_t)current);
		jw_kint(&b, "total", (int64_t)total);
		jw_close(&b, '}');
		bar[n++] = '[';
		for (int i = 0; i < BAR; i++)
			bar[n++] = i < full ? '=' : i == full ? '>' : ' ';
		snprintf(bar + n, sizeof(bar) - (size_t)n, "] %.4gMB/%.4gMB", (double)current / 1e6, (double)total / 1e6);
		jw_kstr(&b, "progress", bar);
	} else if (layer) {
		jw_kraw(&b, "progressDetail", "{}");
	}
	if (id)
		jw_kstr(&b, "id", id);
	jw_close(&b, '}');
	if (!buf_error(&b))
		tell(w, 'J', b.data);
}

static void begin(struct worker *w)
{
	const struct image_ref *ref = &w->work->ref;
	char text[400], familiar[IMAGE_REF_SIZE];
	struct image_ref bare = *ref;

	if (w->begun)
		return;
	w->begun = true;
	bare.tag[0] = bare.digest[0] = '\0';
	image_ref_familiar(&bare, familiar);
	/* Docker says the path, with library/ and without its own domain */
	text_set(text, sizeof(text), "Pulling from %s", strncmp(ref->repository, "docker.io/", 10) ? strchr(ref->repository, '/') + 1 :
		 ref->repository + 10);
	tell_status(w, text, ref->digest[0] ? ref->digest : ref->tag, false, 0, 0);
}

static void on_layer(const struct store_layer_progress *p, void *arg)
{
	static const char *const words[] = { "Already exists", "Pulling fs layer", "Downloading", "Pull complete" };
	struct worker *w = arg;
	char id[13];

	begin(w);
	text_set(id, sizeof(id), "%.12s", image_digest_hex(p->digest));
	tell_status(w, words[p->state], id, true, p->bytes, p->state == STORE_LAYER_READING ? p->total : 0);
}

static void on_warning(const char *text, void *arg)
{
	struct worker *w = arg;
	char full[IMAGE_REF_SIZE], line[1600];

	text_set(line, sizeof(line), "pull %s: %s", image_ref_full(&w->work->ref, full), text);
	tell(w, 'N', line);
}

/* -- the work ---------------------------------------------------------------- */

/* Is the name there, and what it means? */
static bool has_now(const char *name, char id[IMAGE_DIGEST_SIZE])
{
	struct store_image *img = NULL;

	if (store_image_lookup(engine.store, name, &img, NULL) < 0)
		return false;
	text_set(id, IMAGE_DIGEST_SIZE, "%s", img->id);
	store_image_free(img);
	return true;
}

void pull_work_run(const struct pull_work *work, int out)
{
	struct worker w = { .work = work, .out = out };
	struct pull_options opt = {
		.config = { engine.opt.registries, engine.opt.docker_config, work->auth },
		.import = { .platform = &work->platform, .warning = on_warning, .layer = on_layer, .arg = &w },
	};
	char full[IMAGE_REF_SIZE], familiar[IMAGE_REF_SIZE], digest[IMAGE_DIGEST_SIZE] = "", before[IMAGE_DIGEST_SIZE] = "", text[1400];
	struct store_import_result result = { 0, NULL };
	struct err err = ERR_INIT;
	bool had = has_now(image_ref_full(&work->ref, full), before);
	int r = pull_image(engine.store, &work->ref, &opt, &result, digest, &err);

	image_ref_familiar(&work->ref, familiar);
	if (r < 0) {
		text_set(text, sizeof(text), "%d %.1200s", -r, err.text);
		tell(&w, 'E', text);
		return;
	}
	begin(&w);
	text_set(text, sizeof(text), "Digest: %s", digest);
	tell_status(&w, text, NULL, false, 0, 0);
	text_set(text, sizeof(text), had && result.count && !strcmp(before, result.image[0].id) ? "Status: Image is up to date for %s" :
		 "Status: Downloaded newer image for %s", familiar);
	tell_status(&w, text, NULL, false, 0, 0);
	free(result.image);
	tell(&w, 'D', "");
}
