/* commit.c - from staging to the store. Runs in the engine.
 *
 * Order: documents into staging, everything to disk (one syncfs), renames,
 * directories to disk, and only then the names in index.json. A crash in between
 * leaves whole layers and blobs without a name, which the next import uses. */
#include "runtime/store/importint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/sys.h"

static const char *layer_media_type(enum image_compression how)
{
	switch (how) {
	case IMAGE_GZIP:
		return "application/vnd.oci.image.layer.v1.tar+gzip";
	case IMAGE_ZSTD:
		return "application/vnd.oci.image.layer.v1.tar+zstd";
	default:
		return "application/vnd.oci.image.layer.v1.tar";
	}
}

/* What is known of a docker-archive's layer once it has been read (or was there already: then it is
 * described as plain, which is what its digest is of). */
static void describe_layer(struct import *im, const struct plan_image *image, size_t k, struct buf *b)
{
	const char *digest = image->config.diff_id[k];
	uint64_t size = image->layer[k].size;
	enum image_compression how = IMAGE_PLAIN;

	for (size_t i = 0; i < im->jobs; i++)
		if (!strcmp(im->job[i].diff_id, digest)) {
			size = im->job[i].bytes;
			how = im->job[i].how;
			digest = im->job[i].digest;
			break;
		}
	buf_printf(b, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%llu}", k ? "," : "", layer_media_type(how), digest,
		(unsigned long long)size);
}

/* The image may be there already, from another kind of archive: then its manifest serves. */
static int find_manifest(struct import *im, struct plan_image *image)
{
	for (size_t i = 0; i < im->s->entries; i++) {
		struct store_entry *e = &im->s->entry[i];
		const char *id = store_entry_id(im->s, e);

		if (!id || strcmp(id, image->id) != 0 ||
		    store_blob_read(im->s, e->digest, IMAGE_JSON_MAX, &image->manifest_json, &image->manifest_len, NULL) < 0)
			continue;
		memcpy(image->manifest_digest, e->digest, sizeof(e->digest));
		memcpy(image->manifest_type, e->media_type, sizeof(e->media_type));
		return 1;
	}
	return 0;
}

/* A docker-archive has no manifest: this is the one its content has in an OCI layout. */
static int make_manifest(struct import *im, struct plan_image *image, struct err *err)
{
	CLEANUP_BUF struct buf b;

	buf_init(&b, IMAGE_JSON_MAX);
	buf_printf(&b, "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST_TYPE "\",\"config\":{\"mediaType\":"
		"\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[", image->id,
		image->config_len);
	for (size_t k = 0; k < image->config.layer_count; k++)
		describe_layer(im, image, k, &b);
	buf_puts(&b, "]}");
	if (buf_error(&b))
		return err_set(err, ENOMEM, "make the manifest");
	image->manifest_len = b.len;
	image_digest_of(b.data, b.len, image->manifest_digest);
	memcpy(image->manifest_type, MANIFEST_TYPE, sizeof(MANIFEST_TYPE));
	image->manifest_json = buf_take(&b);
	return image->manifest_json ? 0 : err_set(err, ENOMEM, "make the manifest");
}

static int write_document(struct import *im, const char *name, const char *data, size_t n, struct err *err)
{
	CLEANUP_FD int fd = sys_openat(im->stage, name, O_WRONLY | O_CREAT | O_EXCL, 0644);
	int r = fd < 0 ? fd : fd_write_full(fd, data, n);

	return r < 0 ? err_set(err, -r, "write %s", name) : 0;
}

static int write_documents(struct import *im, struct err *err)
{
	char name[64];
	int r;

	for (size_t i = 0; i < im->plan.images; i++) {
		struct plan_image *image = &im->plan.image[i];

		if (!image->manifest_json && !find_manifest(im, image) && (r = make_manifest(im, image, err)) < 0)
			return r;
		snprintf(name, sizeof(name), "doc.%zu.manifest", i);
		if ((r = write_document(im, name, image->manifest_json, image->manifest_len, err)) < 0)
			return r;
		snprintf(name, sizeof(name), "doc.%zu.config", i);
		if ((r = write_document(im, name, image->config_json, image->config_len, err)) < 0)
			return r;
	}
	return 0;
}

static int move_to(struct import *im, const char *name, const char *to, struct err *err)
{
	int r = sys_renameat2(im->stage, name, im->s->rootfd, to, 0);

	return r < 0 ? err_set(err, -r, "move %s to %s/%s", name, im->s->root, to) : 0;
}

static int move_all(struct import *im, struct err *err)
{
	char name[64], to[128];
	int r;

	for (size_t i = 0; i < im->jobs; i++) {
		struct job *j = &im->job[i];

		if (j->keep) {
			snprintf(name, sizeof(name), "blob.%zu", i);
			store_blob_path(j->digest, to);
			j->blob_moved = !store_blob_present(im->s, j->digest);
			if ((r = move_to(im, name, to, err)) < 0)
				return r;
		}
		if (j->unpack) {
			snprintf(name, sizeof(name), "layer.%zu", i);
			snprintf(to, sizeof(to), "layers/%s", image_digest_hex(j->image->layer[j->index].chain_id));
			if ((r = move_to(im, name, to, err)) < 0)
				return r;
			j->layer_moved = 1;
		}
	}
	for (size_t i = 0; i < im->plan.images; i++) {
		snprintf(name, sizeof(name), "doc.%zu.config", i);
		store_blob_path(im->plan.image[i].id, to);
		if ((r = move_to(im, name, to, err)) < 0)
			return r;
		snprintf(name, sizeof(name), "doc.%zu.manifest", i);
		store_blob_path(im->plan.image[i].manifest_digest, to);
		if ((r = move_to(im, name, to, err)) < 0)
			return r;
	}
	return 0;
}

/* A disk that is full at the last step: nothing stays that was not there. Documents are
 * small, and harmless without a name. */
static void move_back(struct import *im)
{
	char path[128];

	for (size_t i = 0; i < im->jobs; i++) {
		const struct job *j = &im->job[i];

		if (j->layer_moved) {
			snprintf(path, sizeof(path), "layers/%s", image_digest_hex(j->image->layer[j->index].chain_id));
			store_tree_remove(im->s->rootfd, path);
		}
		if (j->blob_moved) {
			store_blob_path(j->digest, path);
			sys_unlinkat(im->s->rootfd, path, 0);
		}
	}
}

static int sync_directory(struct store *s, const char *path, struct err *err)
{
	CLEANUP_FD int fd = sys_openat(s->rootfd, path, O_RDONLY | O_DIRECTORY, 0);
	int r = fd < 0 ? fd : sys_fsync(fd);

	return r < 0 ? err_set(err, -r, "sync %s/%s", s->root, path) : 0;
}

static size_t find_name(const struct store_entry *entry, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(entry[i].name, name) != 0)
		i++;
	return i;
}

static size_t find_digest(const struct store_entry *entry, size_t n, const char *digest)
{
	size_t i = 0;

	while (i < n && strcmp(entry[i].digest, digest) != 0)
		i++;
	return i;
}

/* The name means the image from now on. One that loses its last name so stays, without a name. */
static size_t set_name(struct store *s, struct store_entry *entry, size_t n, const char *name, const struct plan_image *image)
{
	struct store_entry before;
	size_t at = find_name(entry, n, name);
	const char *id;

	memset(&before, 0, sizeof(before));
	if (at < n)
		before = entry[at];
	else
		n++;
	memset(&entry[at], 0, sizeof(entry[at]));
	memcpy(entry[at].name, name, strlen(name) + 1);
	memcpy(entry[at].digest, image->manifest_digest, IMAGE_DIGEST_SIZE);
	memcpy(entry[at].media_type, image->manifest_type, sizeof(entry[at].media_type));
	memcpy(entry[at].id, image->id, IMAGE_DIGEST_SIZE);
	entry[at].size = image->manifest_len;
	id = before.digest[0] ? store_entry_id(s, &before) : NULL;
	if (id && strcmp(id, image->id) != 0 && find_digest(entry, n, before.digest) == n) {
		before.name[0] = '\0';
		entry[n++] = before;
	}
	return n;
}

static int write_names(struct import *im, struct err *err)
{
	struct store *s = im->s;
	size_t n = s->entries, most = n;
	struct store_entry *entry;
	int r;

	for (size_t i = 0; i < im->plan.images; i++)
		most += 2 * im->plan.image[i].names;
	entry = calloc(most + 1, sizeof(*entry));
	if (!entry)
		return err_set(err, ENOMEM, "write the names");
	if (n)
		memcpy(entry, s->entry, n * sizeof(*entry));
	for (size_t i = 0; i < im->plan.images; i++) {
		const struct plan_image *image = &im->plan.image[i];

		for (size_t k = 0; k < image->names; k++)
			n = set_name(s, entry, n, image->name[k], image);
	}
	r = store_index_save(s, entry, n, err);
	if (r < 0)
		free(entry);
	return r;
}

/* Does index.json on the disk name what this import brought? A failure after its rename leaves the new one there. */
static int names_are_out(struct import *im)
{
	/* not readable: nothing may be taken away that it could name */
	if (store_index_load(im->s, NULL) < 0)
		return 1;
	for (size_t i = 0; i < im->plan.images; i++)
		if (find_digest(im->s->entry, im->s->entries, im->plan.image[i].manifest_digest) < im->s->entries)
			return 1;
	return 0;
}

/* Writes the names; when that fails, the old ones are there again and the new content may go: returns -errno then. In the
 * one case that neither can be written the new names stay, with all that belongs to them. */
static int publish(struct import *im, struct err *err)
{
	struct store *s = im->s;
	size_t n = s->entries;
	struct store_entry *old = calloc(n + 1, sizeof(*old));
	int r;

	if (!old)
		return err_set(err, ENOMEM, "write the names");
	if (n)
		memcpy(old, s->entry, n * sizeof(*old));
	r = write_names(im, err);
	if (r < 0 && names_are_out(im)) {
		if (store_index_save(s, old, n, NULL) == 0)
			return r;
		store_index_load(s, NULL);
		r = 0;
	}
	free(old);
	return r;
}

int import_commit(struct import *im, struct err *err)
{
	int r;

	import_progress(im, "commit");
	if ((r = write_documents(im, err)) < 0)
		return r;
	if (syncfs(im->stage) < 0)
		return err_set(err, errno, "sync %s", im->s->root);
	if ((r = move_all(im, err)) < 0 || (r = sync_directory(im->s, "layers", err)) < 0 ||
	    (r = sync_directory(im->s, BLOBS, err)) < 0 || (r = publish(im, err)) < 0)
		move_back(im);
	return r;
}
