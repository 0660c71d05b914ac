/* jobs.c - layers to unpack, several at once. Runs in the engine. */
#include "runtime/store/importint.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/image/say.h"

#define MARKS_MAX (4u << 20)	/* bytes of a layer's marks */
#define JOBS_MAX 4

void import_warn(struct import *im, const char *text)
{
	if (im->opt->warning)
		im->opt->warning(text, im->opt->arg);
}

void import_progress(struct import *im, const char *step)
{
	struct store_progress p = { .image = im->label, .step = step, .layer = im->done, .layers = im->jobs,
		.total = im->total };

	if (!im->opt->progress)
		return;
	if (im->plan.images && im->plan.image[0].names)
		p.image = im->plan.image[0].name[0];
	for (size_t i = 0; i < im->jobs; i++)
		p.bytes += im->job[i].state == JOB_DONE ? im->job[i].image->layer[im->job[i].index].size : im->job[i].progress;
	im->opt->progress(&p, im->opt->arg);
}

static const struct plan_layer *layer_of(const struct job *j)
{
	return &j->image->layer[j->index];
}

/* What a person can recognise: the blob's digest, or the name in the docker-archive. */
static const char *layer_name(const struct job *j)
{
	return layer_of(j)->docker_member ? layer_of(j)->docker_member : layer_of(j)->digest;
}

static int add_job(struct import *im, const struct plan_image *image, size_t index)
{
	const struct plan_layer *layer = &image->layer[index];
	int unpack = !store_layer_present(im->s, layer->chain_id);
	int keep = im->s->keep_blobs && (layer->docker_member || !store_blob_present(im->s, layer->digest));
	struct job *j;

	/* a docker-archive does not name its blobs: a plain layer's is its diff id */
	if (keep && layer->docker_member)
		keep = !store_blob_present(im->s, image->config.diff_id[index]);
	for (size_t i = 0; i < im->jobs; i++) {
		const struct plan_layer *other = layer_of(&im->job[i]);

		if (!strcmp(other->chain_id, layer->chain_id))
			unpack = 0;
		if (strcmp(layer->digest, "-") ? !strcmp(other->digest, layer->digest) :
		    !strcmp(im->job[i].diff_id, image->config.diff_id[index]))
			keep = 0;
	}
	if (!unpack && !keep)
		return 0;
	j = &im->job[im->jobs++];
	j->image = image;
	j->index = index;
	j->diff_id = image->config.diff_id[index];
	j->unpack = unpack;
	j->keep = keep;
	j->child.out = -1;
	buf_init(&j->marks, MARKS_MAX);
	im->total += layer->size;
	return 0;
}

int import_jobs_make(struct import *im, struct err *err)
{
	size_t most = 0;

	for (size_t i = 0; i < im->plan.images; i++)
		most += im->plan.image[i].config.layer_count;
	im->job = calloc(most + 1, sizeof(*im->job));
	if (!im->job)
		return err_set(err, ENOMEM, "plan the import");
	for (size_t i = 0; i < im->plan.images; i++)
		for (size_t k = 0; k < im->plan.image[i].config.layer_count; k++)
			add_job(im, &im->plan.image[i], k);
	return 0;
}

void import_jobs_free(struct import *im)
{
	for (size_t i = 0; i < im->jobs; i++) {
		child_kill(&im->job[i].child);
		buf_free(&im->job[i].marks);
	}
	free(im->job);
	im->job = NULL;
	im->jobs = 0;
}

/* The directory the layer goes to (its "diff"), or for a blob alone any directory. */
static int make_layer_directory(struct import *im, size_t n, struct err *err)
{
	char name[64];
	int fd, r;

	snprintf(name, sizeof(name), "layer.%zu", n);
	r = sys_mkdirat(im->stage, name, 0755);
	if (r == 0 || r == -EEXIST) {
		snprintf(name, sizeof(name), "layer.%zu/diff", n);
		r = sys_mkdirat(im->stage, name, 0755);
	}
	if (r < 0 && r != -EEXIST)
		return err_set(err, -r, "make %s", name);
	fd = sys_openat(im->stage, name, O_RDONLY | O_DIRECTORY, 0);
	return fd < 0 ? err_set(err, -fd, "open %s", name) : fd;
}

static int start_job(struct import *im, size_t n, struct err *err)
{
	struct job *j = &im->job[n];
	const struct plan_layer *layer = layer_of(j);
	const char *member = layer->docker_member ? layer->docker_member : layer->member;
	const struct source_member *m = source_find(&im->src, member);
	char name[64], offset[32], size[32];
	CLEANUP_FD int in = -1, dir = -1, copy = -1;
	int64_t at;
	char *argv[] = { im->s->fetch, (char *)(j->unpack ? "unpack" : "verify"), (char *)"--digest", (char *)layer->digest,
		(char *)"--diff-id", (char *)(uintptr_t)j->diff_id, (char *)"--offset", offset, (char *)"--size", size,
		j->keep ? (char *)"--copy" : NULL, NULL };

	if (!m)
		return image_say(err, ENOENT, "layer %s: its blob is missing", layer_name(j));
	if (m->size != layer->size)
		return image_bad(err, "layer %s: %llu bytes are there, the manifest says %llu: truncated or altered",
			layer_name(j), (unsigned long long)m->size, (unsigned long long)layer->size);
	if (m->digest[0] && strcmp(layer->digest, "-") && strcmp(m->digest, layer->digest))
		return image_bad(err, "layer %s: the content's digest is %s: damaged or altered", layer_name(j), m->digest);
	if ((in = source_member_fd(&im->src, m, &at, err)) < 0)
		return in;
	snprintf(offset, sizeof(offset), "%lld", (long long)at);
	snprintf(size, sizeof(size), "%llu", (unsigned long long)m->size);
	if ((dir = make_layer_directory(im, n, err)) < 0)
		return dir;
	if (j->keep) {
		snprintf(name, sizeof(name), "blob.%zu", n);
		copy = sys_openat(im->stage, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
		if (copy < 0)
			return err_set(err, -copy, "create %s", name);
	}
	j->state = JOB_RUNNING;
	return child_start(&j->child, argv, in, dir, copy, err);
}

static int take_done(const char *text, struct job *j, struct err *err)
{
	char diff[IMAGE_DIGEST_SIZE], digest[IMAGE_DIGEST_SIZE], how[8];
	unsigned long long unpacked, bytes;

	if (sscanf(text, "done %71s %llu %71s %llu %7s", diff, &unpacked, digest, &bytes, how) != 5 ||
	    !image_digest_ok(diff) || !image_digest_ok(digest) || strcmp(diff, j->diff_id) != 0 ||
	    (strcmp(layer_of(j)->digest, "-") && strcmp(layer_of(j)->digest, digest)) || bytes != layer_of(j)->size)
		return image_say(err, EPROTO, "coracle-fetch said '%.300s'", text);
	memcpy(j->digest, digest, sizeof(digest));
	j->unpacked = unpacked;
	j->bytes = bytes;
	j->how = !strcmp(how, "gzip") ? IMAGE_GZIP : !strcmp(how, "zstd") ? IMAGE_ZSTD : IMAGE_PLAIN;
	return 0;
}

struct answer_context {
	struct import *im;
	struct job *j;
};

static int take_answer(char *text, void *arg, struct err *err)
{
	struct answer_context *c = arg;
	int opaque = !strncmp(text, "opaque ", 7);
	unsigned long long bytes;

	if (opaque || !strncmp(text, "implicit ", 9)) {
		char *path = text + (opaque ? 7 : 9);

		if (fetch_unescape(path) < 0)
			return image_say(err, EPROTO, "coracle-fetch named a path that cannot be");
		buf_putc(&c->j->marks, opaque ? 'o' : 'i');
		buf_add(&c->j->marks, path, strlen(path) + 1);
		if (buf_error(&c->j->marks))
			return image_bad(err, "too many directories without entries or too many opaque ones");
		return 0;
	}
	if (!strncmp(text, "done ", 5))
		return take_done(text, c->j, err);
	if (sscanf(text, "progress %llu", &bytes) == 1) {
		c->j->progress = MIN(bytes, layer_of(c->j)->size);
		import_progress(c->im, "unpack");
		return 0;
	}
	if (!strncmp(text, "warning ", 8)) {
		char line[ERR_TEXT_MAX];

		snprintf(line, sizeof(line), "layer %s: %s", layer_name(c->j), text + 8);
		import_warn(c->im, line);
		return 0;
	}
	return image_say(err, EPROTO, "coracle-fetch said '%.60s'", text);
}

static int finish_job(struct import *im, struct job *j, struct err *err)
{
	char name[64], text[32];
	int n, fd, r;

	j->state = JOB_DONE;
	im->done++;
	import_progress(im, "unpack");
	if (!j->unpack)
		return 0;
	snprintf(name, sizeof(name), "layer.%zu/size", (size_t)(j - im->job));
	n = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)j->unpacked);
	fd = sys_openat(im->stage, name, O_WRONLY | O_CREAT | O_EXCL, 0644);
	r = fd < 0 ? fd : fd_write_full(fd, text, (size_t)n);
	fd_close(&fd);
	return r < 0 ? err_set(err, -r, "write %s", name) : 0;
}

/* Reads from whoever has something to say. */
static int serve(struct import *im, struct err *err)
{
	struct pollfd p[JOBS_MAX];
	struct job *who[JOBS_MAX];
	nfds_t n = 0;
	int r;

	for (size_t i = 0; i < im->jobs && n < JOBS_MAX; i++)
		if (im->job[i].state == JOB_RUNNING) {
			p[n] = (struct pollfd){ .fd = im->job[i].child.out, .events = POLLIN };
			who[n++] = &im->job[i];
		}
	if (poll(p, n, -1) < 0)
		return errno == EINTR ? 0 : err_set(err, errno, "wait for coracle-fetch");
	for (nfds_t i = 0; i < n; i++) {
		struct answer_context c = { im, who[i] };

		if (!p[i].revents)
			continue;
		r = child_read(&who[i]->child, take_answer, &c, err);
		if (r < 0)
			return err_wrap(err, r, "layer %s", layer_name(who[i]));
		if (r == 0 && (r = finish_job(im, who[i], err)) < 0)
			return r;
	}
	return 0;
}

int import_jobs_run(struct import *im, struct err *err)
{
	size_t next = 0;
	int r;

	while (im->done < im->jobs) {
		if (next < im->jobs && next - im->done < (size_t)MIN(im->s->jobs, JOBS_MAX)) {
			if ((r = start_job(im, next++, err)) < 0)
				return r;
			continue;
		}
		if ((r = serve(im, err)) < 0)
			return r;
	}
	return 0;
}
