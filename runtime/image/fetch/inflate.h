/* inflate.h - gzip, zstd or nothing, behind one call. Bounded memory; no system calls. */
#ifndef CORACLE_FETCH_INFLATE_H
#define CORACLE_FETCH_INFLATE_H

#include <stddef.h>
#include "lib/err.h"
#include "runtime/image/image.h"

#define INFLATE_WINDOW_LOG_MAX 27	/* zstd --ultra's 128 MiB; what zstd -d takes without being asked */

struct inflate;

/* What the first bytes (at least 4 where there are as many) say. Anything unknown is plain. */
enum image_compression inflate_guess(const unsigned char *p, size_t n);
int inflate_new(struct inflate **out, enum image_compression how, struct err *err);
void inflate_free(struct inflate *z);
/* Takes bytes from *in (moves *in and *n on), fills out with at most cap bytes. Returns the bytes
 * written (0: wants more input) or -EBADMSG. */
long inflate_step(struct inflate *z, const unsigned char **in, size_t *n, unsigned char *out, size_t cap, struct err *err);
/* To be asked at the end of the input: 0, or -EBADMSG when a stream is not complete. */
int inflate_end(struct inflate *z, struct err *err);

#endif
