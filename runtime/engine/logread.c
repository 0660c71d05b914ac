/* logread.c - reads json-file logs back (coracle-engine). Never writes, never waits. */
#include "logread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "gotime.h"
#include "logformat.h"
#include "text.h"

#define CHUNK 32768u
#define PENDING_MAX (LOG_RECORD_MAX + CHUNK)

static void open_files(struct logread *r, int max_files)
{
	char path[540];

	for (int i = MIN(max_files, LOGREAD_FILES_MAX) - 1; i >= 0; i--) {
		int fd;

		if (i > 0)
			text_set(path, sizeof(path), "%s.%d", r->path, i);
		else
			text_set(path, sizeof(path), "%s", r->path);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0)
			r->fd[r->count++] = fd;
	}
}

/* Where the last `want` lines of the file begin; *found counts them. */
static off_t find_tail(int fd, int64_t want, int64_t *found)
{
	char block[8192];
	off_t end = lseek(fd, 0, SEEK_END), at = end;

	while (at > 0) {
		size_t n = (size_t)MIN(at, (off_t)sizeof(block));

		at -= (off_t)n;
		if (pread(fd, block, n, at) != (ssize_t)n)
			return 0;
		for (size_t i = n; i > 0; i--) {
			if (block[i - 1] != '\n' || at + (off_t)i == end)
				continue;
			if (++*found == want)
				return at + (off_t)i;
		}
	}
	*found += end > 0;
	return 0;
}

static void seek_tail(struct logread *r)
{
	int64_t left = r->opt.tail;

	if (left < 0)
		return;
	for (int i = r->count - 1; i >= 0; i--) {
		int64_t found = 0;

		if (left == 0) {
			lseek(r->fd[i], 0, SEEK_END);
			continue;
		}
		lseek(r->fd[i], find_tail(r->fd[i], left, &found), SEEK_SET);
		left -= MIN(found, left);
	}
}

int logread_open(struct logread *r, const char *path, int max_files, const struct logread_options *opt, struct err *err)
{
	*r = (struct logread){ .opt = *opt };
	buf_init(&r->pending, PENDING_MAX);
	buf_init(&r->text, LOG_RECORD_MAX);
	if ((size_t)snprintf(r->path, sizeof(r->path), "%s", path) >= sizeof(r->path))
		return err_set(err, ENAMETOOLONG, "log");
	open_files(r, max_files);
	seek_tail(r);
	return 0;
}

void logread_close(struct logread *r)
{
	for (int i = r->at; i < r->count; i++)
		fd_close(&r->fd[i]);
	buf_free(&r->pending);
	buf_free(&r->text);
}

static void add_frame(struct logread *r, const struct log_record *rec, struct buf *out)
{
	char when[GOTIME_MAX];
	size_t stamp = r->opt.timestamps ? strlen(gotime_format_fixed(rec->time_ns, when)) + 1 : 0;
	size_t n = stamp + rec->len;
	unsigned char head[8] = {
		rec->stream == LOG_STDERR ? 2 : 1, 0, 0, 0,
		(unsigned char)(n >> 24), (unsigned char)(n >> 16), (unsigned char)(n >> 8), (unsigned char)n,
	};

	if (!r->opt.raw)
		buf_add(out, head, sizeof(head));
	if (stamp) {
		buf_puts(out, when);
		buf_putc(out, ' ');
	}
	buf_add(out, rec->text, rec->len);
}

static void take_line(struct logread *r, const char *line, size_t n, struct buf *out)
{
	struct log_record rec;

	if (logformat_parse(line, n, &r->text, &rec) < 0)
		return;	/* a torn record of a power cut */
	if (r->opt.until_ns && rec.time_ns > r->opt.until_ns) {
		r->done = true;
		return;
	}
	if (r->opt.since_ns && rec.time_ns < r->opt.since_ns)
		return;
	if (rec.stream == LOG_STDERR ? r->opt.err : r->opt.out)
		add_frame(r, &rec, out);
}

static void take_pending(struct logread *r, struct buf *out, size_t want)
{
	size_t at = 0;
	char *end;

	while (!r->done && out->len < want && (end = memchr(r->pending.data + at, '\n', r->pending.len - at))) {
		take_line(r, r->pending.data + at, (size_t)(end - r->pending.data) - at, out);
		at = (size_t)(end - r->pending.data) + 1;
	}
	buf_consume(&r->pending, at);
}

/* The current file was rotated away, or there was none: goes on with the new one. */
static bool reopen(struct logread *r)
{
	struct stat have = { 0 }, now;
	int fd;

	if (r->at < r->count && fstat(r->fd[r->at], &have) < 0)
		return false;
	fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	if (fstat(fd, &now) < 0 || (r->at < r->count && now.st_ino == have.st_ino && now.st_dev == have.st_dev)) {
		close(fd);
		return false;
	}
	for (int i = r->at; i < r->count; i++)
		fd_close(&r->fd[i]);
	r->fd[0] = fd;
	r->at = 0;
	r->count = 1;
	return true;
}

static ssize_t read_chunk(struct logread *r)
{
	char chunk[CHUNK];
	ssize_t n = r->at < r->count ? read(r->fd[r->at], chunk, sizeof(chunk)) : 0;

	if (n > 0)
		buf_add(&r->pending, chunk, (size_t)n);
	if (buf_error(&r->pending)) {
		buf_reset(&r->pending);	/* a line no engine has written */
		return 1;
	}
	return n;
}

int logread_next(struct logread *r, struct buf *out, size_t want)
{
	while (!r->done) {
		take_pending(r, out, want);
		if (out->len >= want)
			return 1;
		if (r->done || read_chunk(r) > 0)
			continue;
		if (r->at + 1 < r->count) {
			fd_close(&r->fd[r->at++]);
			continue;
		}
		/* Between the last read and the rotation something may have been added. */
		if (read_chunk(r) > 0 || reopen(r))
			continue;
		return 0;
	}
	return -1;
}
