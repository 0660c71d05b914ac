/* stream.h - from the descriptor to the tar reader, in one pass and two threads.
 *
 * The reader thread reads, hashes and copies the bytes as they are and
 * decompresses them into a ring of blocks; the caller takes the blocks and hashes
 * what came out. So decompression and file creation share two processors,
 * and no byte is read twice. */
#ifndef CORACLE_FETCH_STREAM_H
#define CORACLE_FETCH_STREAM_H

#include <stdint.h>
#include "lib/err.h"
#include "runtime/image/image.h"

struct stream;

struct stream_options {
	int fd;
	int64_t offset;		/* -1: read(2) instead of pread(2) */
	uint64_t size;		/* bytes of input; UINT64_MAX: to the end of the file */
	uint64_t max_out;	/* most bytes that may come out */
	int copy_fd;		/* gets the input as it is; -1: none */
	int hash_in, hash_out;	/* compute the digests */
};

/* Allocates everything and makes the thread, which waits for stream_start(). Returns 0 or -errno. */
int stream_new(struct stream **out, const struct stream_options *opt, struct err *err);
void stream_start(struct stream *s);
/* The next block, valid until the next call. Returns its bytes, 0 at the end, or -errno. */
long stream_next(struct stream *s, const void **data);
/* 1 when stream_next() has said that all is read, and well. */
int stream_at_end(const struct stream *s);
/* Reads all that is left, without keeping it. After this the digests are final. Returns 0 or -errno. */
int stream_drain(struct stream *s);
/* Hashes what is left of the input without decompressing: to tell damage from malice. Then as stream_drain(). */
void stream_abandon(struct stream *s);
const struct err *stream_error(const struct stream *s);
/* After the drain: */
void stream_digests(const struct stream *s, char in[IMAGE_DIGEST_SIZE], uint64_t *in_bytes,
	char out[IMAGE_DIGEST_SIZE], uint64_t *out_bytes);
enum image_compression stream_compression(const struct stream *s);
/* The caller has drained or abandoned it. */
void stream_free(struct stream *s);

#endif
