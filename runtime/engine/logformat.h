/* logformat.h - records of Docker's json-file log: one JSON object per line. Pure.
 *
 *	{"log":"text\n","stream":"stdout","time":"2026-11-23T23:42:38.257995795Z"}
 *
 * Escapes are those of moby's jsonlog (also < > & and U+2028/9), so that the files are
 * the same byte for byte. A line of more than 16 KiB is several records; only the last one's text ends in a newline. */
#ifndef CORACLE_ENGINE_LOGFORMAT_H
#define CORACLE_ENGINE_LOGFORMAT_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"

#define LOG_LINE_MAX 16384u
#define LOG_RECORD_MAX (LOG_LINE_MAX * 6 + 128)	/* bytes of one record at most */

enum log_stream { LOG_STDOUT, LOG_STDERR };

/* Adds one record. newline: the text ended in one (not part of n). */
void logformat_add(struct buf *b, const char *text, size_t n, bool newline, enum log_stream stream, int64_t time_ns);

struct log_record {
	enum log_stream stream;
	int64_t time_ns;
	const char *text;	/* decoded, in the buffer given to logformat_parse */
	size_t len;
};

/* Reads one line (without its end). text: holds the decoded bytes until the next call. Returns 0 or -EINVAL. */
int logformat_parse(const char *line, size_t n, struct buf *text, struct log_record *out);

#endif
