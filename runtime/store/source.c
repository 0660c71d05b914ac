/* source.c - members of archives and layout directories. Runs in the engine; the archive's
 * headers are read by coracle-fetch, never here. */
#include "runtime/store/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/image/say.h"
#include "runtime/store/child.h"
#include "runtime/store/storeint.h"

#define LINKS_MAX 8

static struct source_member *add_member(struct source *src, char *name, struct err *err)
{
	struct source_member *m;

	if (fetch_unescape(name) < 0 || src->members >= FETCH_MEMBERS_MAX) {
		image_say(err, EPROTO, "coracle-fetch named a member that cannot be");
		return NULL;
	}
	if (src->members == src->cap) {
		size_t cap = src->cap ? 2 * src->cap : 64;
		struct source_member *more = realloc(src->member, cap * sizeof(*more));

		if (!more)
			goto no_memory;
		src->member = more;
		src->cap = cap;
	}
	m = &src->member[src->members];
	memset(m, 0, sizeof(*m));
	m->offset = -1;
	m->name = strdup(name);
	if (m->name) {
		src->members++;
		return m;
	}
no_memory:
	err_set(err, ENOMEM, "index the archive");
	return NULL;
}

static int take_answer(char *text, void *arg, struct err *err)
{
	struct source *src = arg;
	struct source_member *m;
	unsigned long long a, b;
	char digest[IMAGE_DIGEST_SIZE];
	int at = 0;

	if (sscanf(text, "at %llu %llu %n", &a, &b, &at) == 2 && at) {
		if (a > INT64_MAX || b > INT64_MAX || !(m = add_member(src, text + at, err)))
			return -EPROTO;
		m->offset = (int64_t)a;
		m->size = b;
	} else if (sscanf(text, "staged %llu %llu %71s %n", &a, &b, digest, &at) == 3 && at) {
		if (!image_digest_ok(digest) || !(m = add_member(src, text + at, err)))
			return -EPROTO;
		m->staged = a;
		m->size = b;
		memcpy(m->digest, digest, sizeof(digest));
	} else if (!strncmp(text, "link ", 5) && strchr(text + 5, ' ')) {
		char *target = strchr(text + 5, ' ');

		*target++ = '\0';
		if (fetch_unescape(target) < 0 || !(m = add_member(src, text + 5, err)))
			return -EPROTO;
		m->link = strdup(target);
		if (!m->link)
			return err_set(err, ENOMEM, "index the archive");
	} else if (sscanf(text, "progress %llu", &a) == 1) {
		if (src->progress)
			src->progress(a, src->arg);
	} else if (strcmp(text, "done") && strncmp(text, "warning ", 8)) {
		return image_say(err, EPROTO, "coracle-fetch said '%.60s'", text);
	}
	return 0;
}

static int index_archive(struct source *src, struct store *s, struct err *err)
{
	int seekable = lseek(src->fd, 0, SEEK_SET) == 0;
	char *argv[] = { s->fetch, (char *)"index", seekable ? NULL : (char *)"--extract", NULL };
	struct child *c = malloc(sizeof(*c));
	int r;

	if (!c)
		return err_set(err, ENOMEM, "index the archive");
	r = child_start(c, argv, src->fd, src->stage, -1, err);
	if (r == 0)
		while ((r = child_read(c, take_answer, src, err)) > 0)
			;
	child_kill(c);
	free(c);
	return r;
}

int source_open(struct source *src, struct store *s, int fd, int stage, struct err *err)
{
	struct stat st;

	src->fd = fd;
	src->stage = stage;
	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "look at it");
	src->is_directory = S_ISDIR(st.st_mode);
	return src->is_directory ? 0 : index_archive(src, s, err);
}

void source_close(struct source *src)
{
	for (size_t i = 0; i < src->members; i++) {
		free(src->member[i].name);
		free(src->member[i].link);
	}
	free(src->member);
	free(src->scratch.name);
	src->member = NULL;
	src->scratch.name = NULL;
	src->members = src->cap = 0;
}

static const struct source_member *find_in_directory(struct source *src, const char *name)
{
	CLEANUP_FD int fd = path_open_in(src->fd, name, O_PATH, 0);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	free(src->scratch.name);
	src->scratch.name = strdup(name);
	src->scratch.offset = 0;
	src->scratch.size = (uint64_t)st.st_size;
	return src->scratch.name ? &src->scratch : NULL;
}

const struct source_member *source_find(struct source *src, const char *name)
{
	if (src->is_directory)
		return find_in_directory(src, name);
	for (int links = 0; links < LINKS_MAX; links++) {
		const struct source_member *m = NULL;

		/* a later member of the same name is the one that counts, as when a tar is unpacked */
		for (size_t i = src->members; i-- > 0 && !m;)
			if (!strcmp(src->member[i].name, name))
				m = &src->member[i];
		if (!m || !m->link)
			return m;
		name = m->link;
	}
	return NULL;
}

int source_member_fd(struct source *src, const struct source_member *m, int64_t *offset, struct err *err)
{
	char number[32];
	int fd;

	*offset = 0;
	if (src->is_directory) {
		fd = path_open_in(src->fd, m->name, O_RDONLY, 0);
	} else if (m->offset >= 0) {
		*offset = m->offset;
		fd = fcntl(src->fd, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			fd = -errno;
	} else {
		snprintf(number, sizeof(number), "%llu", (unsigned long long)m->staged);
		fd = sys_openat(src->stage, number, O_RDONLY | O_NOFOLLOW, 0);
	}
	return fd < 0 ? err_set(err, -fd, "open %s", m->name) : fd;
}

int source_read(struct source *src, const char *name, size_t max, const char *digest, char **out, size_t *n, struct err *err)
{
	const struct source_member *m = source_find(src, name);
	CLEANUP_FREE char *data = NULL;
	CLEANUP_FD int fd = -1;
	char actual[IMAGE_DIGEST_SIZE];
	int64_t offset;
	size_t got = 0;

	if (!m)
		return image_say(err, ENOENT, "it has no %s", name);
	if (m->size > max)
		return image_bad(err, "%s is %llu bytes long, more than %zu", name, (unsigned long long)m->size, max);
	fd = source_member_fd(src, m, &offset, err);
	if (fd < 0)
		return fd;
	data = malloc((size_t)m->size + 1);
	if (!data)
		return err_set(err, ENOMEM, "read %s", name);
	while (got < m->size) {
		ssize_t r = pread(fd, data + got, (size_t)m->size - got, (off_t)(offset + (int64_t)got));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_set(err, errno, "read %s", name);
		if (r == 0)
			return image_bad(err, "%s is truncated", name);
		got += (size_t)r;
	}
	data[got] = '\0';
	if (digest) {
		image_digest_of(data, got, actual);
		if (strcmp(actual, digest) != 0)
			return image_bad(err, "%s: the content's digest is %s, not %s: damaged or altered", name, actual, digest);
	}
	*out = ptr_take(&data);
	*n = got;
	return 0;
}
