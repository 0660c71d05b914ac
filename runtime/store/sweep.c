/* sweep.c - removes what no image needs, and counts what is there. Runs in a child of the engine.
 *
 * Mark: all that the manifests in index.json name. Sweep: the rest. Nobody who relies on unnamed content runs meanwhile
 * (lock.content); the names may only lose images meanwhile, as whoever adds one holds that lock. A layer leaves
 * layers/ by one rename, on the disk before the first file of it goes: a half-removed layer is never taken for a whole one. */
#include "runtime/store/storeint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/image/say.h"

struct marks {
	char (*hex)[HEX_SIZE];
	size_t n, cap;
};

static int mark(struct marks *m, const char *digest)
{
	if (m->n == m->cap) {
		size_t cap = m->cap ? 2 * m->cap : 256;
		void *more = realloc(m->hex, cap * sizeof(*m->hex));

		if (!more)
			return -ENOMEM;
		m->hex = more;
		m->cap = cap;
	}
	memcpy(m->hex[m->n++], image_digest_hex(digest), HEX_SIZE);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int is_marked(const struct marks *m, const char *hex)
{
	return m->n && bsearch(hex, m->hex, m->n, sizeof(*m->hex), by_text) != NULL;
}

static int mark_image(struct store *s, const struct store_entry *e, struct image_manifest *m, struct marks *blobs,
	struct marks *layers, struct err *err)
{
	struct image_config config;
	char chain[IMAGE_DIGEST_SIZE] = "";
	int r = store_manifest_read(s, e->digest, m, &config, err);

	/* what it needs cannot be known then: nothing may go */
	if (r < 0)
		return err_wrap(err, r, "image %s", e->name[0] ? e->name : e->digest);
	r = mark(blobs, e->digest);
	r = r < 0 ? r : mark(blobs, m->config.digest);
	for (size_t i = 0; r == 0 && i < m->layer_count; i++)
		r = mark(blobs, m->layer[i].digest);
	for (size_t i = 0; r == 0 && i < config.layer_count; i++) {
		image_chain_id(chain, config.diff_id[i], chain);
		r = mark(layers, chain);
	}
	image_config_free(&config);
	return r < 0 ? err_set(err, -r, "mark what is needed") : 0;
}

static int mark_all(struct store *s, struct marks *blobs, struct marks *layers, struct err *err)
{
	CLEANUP_FREE struct image_manifest *m = malloc(sizeof(*m));
	int r = m ? 0 : err_set(err, ENOMEM, "mark what is needed");

	for (size_t i = 0; r == 0 && i < s->entries; i++)
		r = mark_image(s, &s->entry[i], m, blobs, layers, err);
	if (r == 0 && blobs->n)
		qsort(blobs->hex, blobs->n, sizeof(*blobs->hex), by_text);
	if (r == 0 && layers->n)
		qsort(layers->hex, layers->n, sizeof(*layers->hex), by_text);
	return r;
}

static int open_list(struct store *s, const char *path, DIR **out, struct err *err)
{
	int fd = sys_openat(s->rootfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	*out = fd < 0 ? NULL : fdopendir(fd);
	return *out ? 0 : err_set(err, fd < 0 ? -fd : errno, "open %s/%s", s->root, path);
}

static int is_hex(const char *name)
{
	return strlen(name) == HEX_SIZE - 1 && strspn(name, "0123456789abcdef") == HEX_SIZE - 1;
}

static int sweep_blobs(struct store *s, const struct marks *needed, struct store_swept *out, struct err *err)
{
	DIR *d;
	struct dirent *e;
	struct stat st;
	int r = open_list(s, BLOBS, &d, err);

	if (r < 0)
		return r;
	while (r == 0 && (e = readdir(d))) {
		if (!is_hex(e->d_name) || is_marked(needed, e->d_name) ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		r = sys_unlinkat(dirfd(d), e->d_name, 0);
		if (r < 0) {
			err_set(err, -r, "remove %s/" BLOBS "/%s", s->root, e->d_name);
			break;
		}
		out->blobs++;
		out->bytes += (uint64_t)st.st_size;
	}
	closedir(d);
	return r;
}

static uint64_t size_of_layer(int layers, const char *name)
{
	char path[HEX_SIZE + 8], text[32];

	snprintf(path, sizeof(path), "%s/size", name);
	return fd_read_small(layers, path, text, sizeof(text)) < 0 ? 0 : strtoull(text, NULL, 10);
}

/* The layers go to stage, which is removed as a whole. */
static int move_layers(struct store *s, int stage, const struct marks *needed, struct store_swept *out, struct err *err)
{
	DIR *d;
	struct dirent *e;
	int r = open_list(s, "layers", &d, err);

	if (r < 0)
		return r;
	while (r == 0 && (e = readdir(d))) {
		uint64_t size;

		if (!is_hex(e->d_name) || is_marked(needed, e->d_name))
			continue;
		size = size_of_layer(dirfd(d), e->d_name);
		r = sys_renameat2(dirfd(d), e->d_name, stage, e->d_name, 0);
		if (r < 0) {
			err_set(err, -r, "remove %s/layers/%s", s->root, e->d_name);
			break;
		}
		out->layers++;
		out->bytes += size;
	}
	if (r == 0 && out->layers && (r = sys_fsync(dirfd(d))) < 0)
		err_set(err, -r, "sync %s/layers", s->root);
	closedir(d);
	return r;
}

static int sweep_layers(struct store *s, const struct marks *needed, struct store_swept *out, struct err *err)
{
	CLEANUP_FD int stage = -1;
	char name[64];
	int r, removed;

	snprintf(name, sizeof(name), "tmp/sweep-%d-%u", (int)getpid(), s->serial++);
	r = sys_mkdirat(s->rootfd, name, 0700);
	if (r == 0)
		r = stage = sys_openat(s->rootfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (r < 0)
		return err_set(err, -r, "make %s/%s", s->root, name);
	r = move_layers(s, stage, needed, out, err);
	removed = store_tree_remove(s->rootfd, name);
	if (r == 0 && removed < 0)
		r = err_set(err, -removed, "remove %s/%s", s->root, name);
	return r;
}

int store_sweep(struct store *s, struct store_swept *out, struct err *err)
{
	struct store_swept own = { 0, 0, 0 };
	struct marks blobs = { NULL, 0, 0 }, layers = { NULL, 0, 0 };
	CLEANUP_FD int alone = store_lock_content(s, 1, err);
	int r = alone < 0 ? alone : store_index_load(s, err);

	if (r == 0)
		r = mark_all(s, &blobs, &layers, err);
	/* layers first: a blob without its layer serves the next import, a layer without its blob could not be saved */
	if (r == 0)
		r = sweep_layers(s, &layers, &own, err);
	if (r == 0)
		r = sweep_blobs(s, &blobs, &own, err);
	free(blobs.hex);
	free(layers.hex);
	if (out)
		*out = own;
	return r;
}

int store_usage(struct store *s, uint64_t *layers, uint64_t *blobs, struct err *err)
{
	struct dirent *e;
	struct stat st;
	DIR *d;
	int r = open_list(s, "layers", &d, err);

	*layers = *blobs = 0;
	if (r < 0)
		return r;
	while ((e = readdir(d)))
		if (is_hex(e->d_name))
			*layers += size_of_layer(dirfd(d), e->d_name);
	closedir(d);
	if ((r = open_list(s, BLOBS, &d, err)) < 0)
		return r;
	while ((e = readdir(d)))
		if (is_hex(e->d_name) && fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			*blobs += (uint64_t)st.st_size;
	closedir(d);
	return 0;
}
