/* stream.c - the reader thread and its ring of blocks. Runs in coracle-fetch. */
#include "runtime/image/fetch/stream.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cdefs.h"
#include "lib/fd.h"
#include "lib/sha256.h"
#include "runtime/image/fetch/answer.h"
#include "runtime/image/fetch/fetch.h"
#include "runtime/image/fetch/inflate.h"
#include "runtime/image/say.h"

#define SLOTS 6

struct slot {
	size_t len;
	unsigned char data[FETCH_BLOCK];
};

struct stream {
	struct stream_options opt;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	/* under the lock */
	unsigned filled, taken;		/* counts; filled - taken slots are ready */
	int started, abandoned, ended;
	int joined, at_end;		/* the caller's alone */
	int holding;			/* the caller uses slot taken */
	struct err err;			/* of the reader; final once ended */
	/* the reader's */
	struct sha256 hash_in;
	uint64_t in_bytes, reported;
	/* the caller's */
	struct sha256 hash_out;
	uint64_t out_bytes;
	char in_digest[IMAGE_DIGEST_SIZE], out_digest[IMAGE_DIGEST_SIZE];
	enum image_compression how;
	unsigned char input[FETCH_BLOCK];
	struct slot slot[SLOTS];
};

/* Returns bytes, 0 at the end, or -errno. */
static long read_input(struct stream *s, struct err *err)
{
	uint64_t left = s->opt.size == UINT64_MAX ? FETCH_BLOCK : s->opt.size - s->in_bytes;
	size_t want = (size_t)MIN(left, (uint64_t)FETCH_BLOCK);
	ssize_t n;
	int r;

	if (want == 0)
		return 0;
	do {
		if (s->opt.offset >= 0)
			n = pread(s->opt.fd, s->input, want, s->opt.offset + (off_t)s->in_bytes);
		else
			n = read(s->opt.fd, s->input, want);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(err, errno, "read");
	if (n == 0 && s->opt.size != UINT64_MAX)
		return image_bad(err, "truncated: ends after %llu of %llu bytes",
			(unsigned long long)s->in_bytes, (unsigned long long)s->opt.size);
	if (s->opt.hash_in)
		sha256_update(&s->hash_in, s->input, (size_t)n);
	if (s->opt.copy_fd >= 0 && (r = fd_write_full(s->opt.copy_fd, s->input, (size_t)n)) < 0)
		return err_set(err, -r, "keep the blob");
	s->in_bytes += (uint64_t)n;
	if (s->in_bytes - s->reported >= FETCH_PROGRESS) {
		s->reported = s->in_bytes;
		answer("progress %llu", (unsigned long long)s->in_bytes);
		answer_flush();
	}
	return n;
}

/* Waits for a free slot; NULL when the caller wants no more. */
static struct slot *free_slot(struct stream *s)
{
	struct slot *slot = NULL;

	pthread_mutex_lock(&s->lock);
	while (!s->abandoned && s->filled - s->taken >= SLOTS)
		pthread_cond_wait(&s->cond, &s->lock);
	if (!s->abandoned)
		slot = &s->slot[s->filled % SLOTS];
	pthread_mutex_unlock(&s->lock);
	return slot;
}

static void hand_over(struct stream *s, struct slot *slot, size_t len)
{
	slot->len = len;
	pthread_mutex_lock(&s->lock);
	s->filled++;
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->lock);
}

/* Decompresses one input block; *slot and *used are the block being filled. Returns 0, 1: abandoned, or -errno. */
static int expand(struct stream *s, struct inflate *z, size_t n, struct slot **slot, size_t *used, struct err *err)
{
	const unsigned char *in = s->input;

	for (;;) {
		long got;

		if (!*slot && !(*slot = free_slot(s)))
			return 1;
		got = inflate_step(z, &in, &n, (*slot)->data + *used, FETCH_BLOCK - *used, err);
		if (got < 0)
			return (int)got;
		*used += (size_t)got;
		if (*used == FETCH_BLOCK) {
			hand_over(s, *slot, *used);
			*slot = NULL;
			*used = 0;
			continue;	/* the decompressor may hold more output */
		}
		if (n == 0 && got == 0)
			return 0;
	}
}

static int read_all(struct stream *s, struct err *err)
{
	struct inflate *z = NULL;
	struct slot *slot = NULL;
	size_t used = 0;
	long n;
	int r = 0;

	while ((n = read_input(s, err)) > 0) {
		if (!z) {
			s->how = inflate_guess(s->input, (size_t)n);
			if ((r = inflate_new(&z, s->how, err)) < 0)
				return r;
		}
		if ((r = expand(s, z, (size_t)n, &slot, &used, err)) != 0)
			break;
	}
	if (r == 0 && n < 0)
		r = (int)n;
	if (r == 0 && z)
		r = inflate_end(z, err);
	if (r == 0 && used)
		hand_over(s, slot, used);
	inflate_free(z);
	return r;
}

static void *reader(void *arg)
{
	struct stream *s = arg;
	struct err err = ERR_INIT, ignored = ERR_INIT;
	int r, abandoned;

	pthread_mutex_lock(&s->lock);
	while (!s->started)
		pthread_cond_wait(&s->cond, &s->lock);
	abandoned = s->abandoned;
	pthread_mutex_unlock(&s->lock);
	r = abandoned ? 1 : read_all(s, &err);
	/* Content that cannot be used is still hashed to its end: a wrong digest is the better
	 * message. The copy is of no use any more. */
	if (r != 0) {
		s->opt.copy_fd = -1;
		while (s->opt.hash_in && s->opt.size != UINT64_MAX && read_input(s, &ignored) > 0)
			;
	}
	pthread_mutex_lock(&s->lock);
	s->ended = 1;
	if (r < 0)
		s->err = err;
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int stream_new(struct stream **out, const struct stream_options *opt, struct err *err)
{
	struct stream *s = malloc(sizeof(*s));
	pthread_attr_t attr;
	int r;

	if (!s)
		return err_set(err, ENOMEM, "buffers");
	/* the blocks stay untouched: memory that is not used is not resident */
	memset(s, 0, offsetof(struct stream, input));
	s->opt = *opt;
	sha256_init(&s->hash_in);
	sha256_init(&s->hash_out);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->cond, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256u << 10);
	r = pthread_create(&s->thread, &attr, reader, s);
	pthread_attr_destroy(&attr);
	if (r) {
		free(s);
		return err_set(err, r, "start the reader");
	}
	*out = s;
	return 0;
}

void stream_start(struct stream *s)
{
	pthread_mutex_lock(&s->lock);
	s->started = 1;
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->lock);
}

long stream_next(struct stream *s, const void **data)
{
	struct slot *slot = NULL;
	int failed = 0;

	pthread_mutex_lock(&s->lock);
	if (s->holding) {
		s->holding = 0;
		s->taken++;
		pthread_cond_broadcast(&s->cond);
	}
	while (s->filled == s->taken && !s->ended)
		pthread_cond_wait(&s->cond, &s->lock);
	if (s->abandoned) {
		failed = s->err.code ? s->err.code : ECANCELED;
	} else if (s->filled != s->taken) {
		slot = &s->slot[s->taken % SLOTS];
		s->holding = 1;
	} else {
		failed = s->err.code;
	}
	pthread_mutex_unlock(&s->lock);
	if (!slot) {
		s->at_end = failed == 0;
		return -failed;
	}
	s->out_bytes += slot->len;
	if (s->out_bytes > s->opt.max_out) {
		stream_abandon(s);
		s->err.code = 0;
		return err_set(&s->err, EFBIG, "unpacks to more than %llu bytes", (unsigned long long)s->opt.max_out);
	}
	if (s->opt.hash_out && !(s->how == IMAGE_PLAIN && s->opt.hash_in))
		sha256_update(&s->hash_out, slot->data, slot->len);
	*data = slot->data;
	return (long)slot->len;
}

static void finish(struct stream *s)
{
	if (s->joined)
		return;
	s->joined = 1;
	pthread_join(s->thread, NULL);
	memcpy(s->in_digest, "-", 2);
	memcpy(s->out_digest, "-", 2);
	if (s->opt.hash_in) {
		memcpy(s->in_digest, "sha256:", 7);
		sha256_final_hex(&s->hash_in, s->in_digest + 7);
	}
	if (s->opt.hash_in && s->opt.hash_out && s->how == IMAGE_PLAIN) {
		memcpy(s->out_digest, s->in_digest, IMAGE_DIGEST_SIZE);
	} else if (s->opt.hash_out) {
		memcpy(s->out_digest, "sha256:", 7);
		sha256_final_hex(&s->hash_out, s->out_digest + 7);
	}
}

int stream_at_end(const struct stream *s)
{
	return s->at_end;
}

int stream_drain(struct stream *s)
{
	const void *data;
	long n;

	while ((n = stream_next(s, &data)) > 0)
		;
	finish(s);
	return (int)n;
}

void stream_abandon(struct stream *s)
{
	pthread_mutex_lock(&s->lock);
	s->abandoned = 1;
	s->started = 1;
	s->taken = s->filled;
	s->holding = 0;
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->lock);
	finish(s);
}

const struct err *stream_error(const struct stream *s)
{
	return &s->err;
}

void stream_digests(const struct stream *s, char in[IMAGE_DIGEST_SIZE], uint64_t *in_bytes,
	char out[IMAGE_DIGEST_SIZE], uint64_t *out_bytes)
{
	memcpy(in, s->in_digest, IMAGE_DIGEST_SIZE);
	memcpy(out, s->out_digest, IMAGE_DIGEST_SIZE);
	*in_bytes = s->in_bytes;
	*out_bytes = s->out_bytes;
}

enum image_compression stream_compression(const struct stream *s)
{
	return s->how;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	pthread_cond_destroy(&s->cond);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
