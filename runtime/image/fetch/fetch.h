/* fetch.h - the private protocol between the store and coracle-fetch.
 *
 * coracle-fetch is the only program that decompresses and reads tar, so it is
 * written to be taken over: it owns nothing, knows no path and can do nothing
 * but make files below one directory. Descriptors it is given:
 *
 *	0  the archive or blob	3  the directory it is locked into
 *	1  answers, one line each	4  (unpack --copy) a file that gets the blob's bytes
 *
 * Command lines:
 *	coracle-fetch index [--extract]
 *	coracle-fetch unpack --digest D --diff-id D [--offset N] [--size N] [--max-size N] [--copy]
 *	coracle-fetch verify ...	the same without unpacking: a blob to keep of a layer that is there
 *
 * --offset: read with pread(2) from there (the descriptor may be shared); without it
 * fd 0 is read as a stream. --digest or --diff-id "-": not known (docker-archives know
 * no blob digest). --extract: fd 0 cannot be read at an offset later (pipe), so
 * every member is written to fd 3; a compressed archive always is.
 *
 * Answers; NAME is escaped by fetch_escape() and always last:
 *	at OFFSET SIZE NAME		a member of a plain archive, where it lies (index)
 *	staged N SIZE DIGEST NAME	a member, written to the file "N" in fd 3 (index)
 *	link NAME TARGET		a member that is a link; TARGET relative to the archive's root
 *	implicit NAME			a directory that has no entry of its own (unpack)
 *	opaque NAME			a directory that hides what is below (unpack)
 *	progress BYTES			input read so far
 *	warning TEXT			something left away
 *	done DIFFID SIZE DIGEST BYTES HOW	unpack, verify: bytes unpacked; digest and bytes of the blob; "plain" when
 *					it is not compressed, else "gzip" or "zstd"
 *	done				index
 *	error ERRNO TEXT		then exit code 1
 * Anything but exactly one done or error at the end is a failure.
 */
#ifndef CORACLE_FETCH_H
#define CORACLE_FETCH_H

#include <stddef.h>
#include <stdint.h>
#include "lib/cdefs.h"
#include "lib/err.h"

#define FETCH_MEMBERS_MAX 16384		/* members of an outer archive */
#define FETCH_MARKS_MAX 65536		/* implicit and opaque lines of a layer */
#define FETCH_WARNINGS_MAX 20
#define FETCH_LINE_MAX (3 * 4096 + 256)	/* bytes of an answer */
#define FETCH_BLOCK (256u << 10)	/* bytes read, decompressed and handed on at once */
#define FETCH_PROGRESS (2u << 20)	/* bytes of input between two progress lines */

/* Writes s with every byte outside 0x21..0x7e, and '%', as %XX. Returns out, cut to size. */
char *fetch_escape(const char *s, char *out, size_t size);
/* Undoes it in place. Returns 0 or -EINVAL. A NUL byte is refused. */
int fetch_unescape(char *s);

#endif
