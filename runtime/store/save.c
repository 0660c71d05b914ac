/* save.c - images as an archive that Docker, podman and this store read. Runs in a child of the engine.
 *
 * Blobs go out as they came in; nothing is compressed or decompressed. A blob that is shorter or longer than its manifest
 * says ends the archive in the middle: whoever reads it must not take it for whole. */
#include "runtime/store/storeint.h"

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
#include "runtime/image/tarhead.h"

#define COPY_BLOCK 65536

struct save {
	struct store *s;
	int fd;
	const struct store_save_item *item;
	size_t items;
	struct image_manifest *m;
	char (*done)[HEX_SIZE];		/* blobs that are out */
	size_t done_n, done_cap;
	char *block;
};

static int out_of_reach(struct save *v, int r, struct err *err)
{
	(void)v;
	return r < 0 ? err_set(err, -r, "write the archive") : 0;
}

static int put_header(struct save *v, const char *name, enum tar_type type, uint64_t size, struct err *err)
{
	CLEANUP_BUF struct buf b;
	struct tar_entry e = { .name = name, .type = type, .mode = type == TAR_DIRECTORY ? 0755 : 0644, .size = size };
	int r;

	buf_init(&b, 65536);
	tar_header(&b, &e, NULL);
	r = buf_error(&b);
	return out_of_reach(v, r < 0 ? r : fd_write_full(v->fd, b.data, b.len), err);
}

static int put_zeros(struct save *v, size_t n, struct err *err)
{
	static const char zeros[TAR_END];

	return out_of_reach(v, n ? fd_write_full(v->fd, zeros, n) : 0, err);
}

static int put_text(struct save *v, const char *name, const char *text, size_t n, struct err *err)
{
	int r = put_header(v, name, TAR_FILE, n, err);

	if (r == 0)
		r = out_of_reach(v, fd_write_full(v->fd, text, n), err);
	return r < 0 ? r : put_zeros(v, tar_padding(n), err);
}

/* 1: it is out already. */
static int remember(struct save *v, const char *hex)
{
	for (size_t i = 0; i < v->done_n; i++)
		if (!strcmp(v->done[i], hex))
			return 1;
	if (v->done_n == v->done_cap) {
		size_t cap = v->done_cap ? 2 * v->done_cap : 64;
		void *more = realloc(v->done, cap * sizeof(*v->done));

		if (!more)
			return -ENOMEM;
		v->done = more;
		v->done_cap = cap;
	}
	memcpy(v->done[v->done_n++], hex, HEX_SIZE);
	return 0;
}

static int copy_blob(struct save *v, int in, uint64_t size, const char *path, struct err *err)
{
	while (size > 0) {
		ssize_t n = sys_read(in, v->block, (size_t)MIN(size, (uint64_t)COPY_BLOCK));
		int r;

		if (n < 0)
			return err_set(err, (int)-n, "read %s/%s", v->s->root, path);
		if (n == 0)
			return image_bad(err, "%s/%s is truncated", v->s->root, path);
		if ((r = fd_write_full(v->fd, v->block, (size_t)n)) < 0)
			return out_of_reach(v, r, err);
		size -= (uint64_t)n;
	}
	return 0;
}

static int put_blob(struct save *v, const char *digest, struct err *err)
{
	CLEANUP_FD int in = -1;
	char path[128];
	struct stat st;
	int r = remember(v, image_digest_hex(digest));

	if (r != 0)
		return r < 0 ? err_set(err, ENOMEM, "save") : 0;
	store_blob_path(digest, path);
	in = sys_openat(v->s->rootfd, path, O_RDONLY | O_NOFOLLOW, 0);
	if (in < 0 || fstat(in, &st) < 0)
		return err_set(err, in < 0 ? -in : errno, "open %s/%s", v->s->root, path);
	if ((r = put_header(v, path + strlen("images/"), TAR_FILE, (uint64_t)st.st_size, err)) < 0 ||
	    (r = copy_blob(v, in, (uint64_t)st.st_size, path, err)) < 0)
		return r;
	return put_zeros(v, tar_padding((uint64_t)st.st_size), err);
}

static int put_image(struct save *v, const struct store_image *image, struct err *err)
{
	int r = store_manifest_read(v->s, image->manifest_digest, v->m, NULL, err);

	if (r < 0)
		return r;
	r = put_blob(v, image->manifest_digest, err);
	if (r == 0)
		r = put_blob(v, v->m->config.digest, err);
	for (size_t i = 0; r == 0 && i < v->m->layer_count; i++)
		r = put_blob(v, v->m->layer[i].digest, err);
	return r;
}

/* Before the first byte: an archive that cannot be finished is not begun. */
static int check_image(struct save *v, const struct store_image *image, struct err *err)
{
	char text[IMAGE_REF_SIZE];
	int r = store_manifest_read(v->s, image->manifest_digest, v->m, NULL, err);

	snprintf(text, sizeof(text), "%s", image->name_count ? image->name[0] : image->id);
	for (size_t i = 0; r == 0 && i < v->m->layer_count; i++)
		if (!store_blob_present(v->s, v->m->layer[i].digest))
			return image_say(err, ENODATA, "image %s cannot be saved: its layers are kept unpacked only, as %s is in memory; "
				"save it on a machine with a data disk, or take it from where it came", text, v->s->root);
	return r;
}

static void put_annotations(struct buf *b, const char *name)
{
	struct image_ref ref;

	if (!name || image_ref_parse(name, &ref, NULL) < 0)
		return;
	buf_puts(b, ",\"annotations\":{\"io.containerd.image.name\":");
	buf_json_string(b, name, strlen(name));
	buf_puts(b, ",\"org.opencontainers.image.ref.name\":");
	buf_json_string(b, ref.tag, strlen(ref.tag));
	buf_putc(b, '}');
}

static int put_index(struct save *v, struct err *err)
{
	CLEANUP_BUF struct buf b;

	buf_init(&b, IMAGE_JSON_MAX);
	buf_puts(&b, "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[");
	for (size_t i = 0; i < v->items; i++) {
		const struct store_image *image = v->item[i].image;
		const char *type = MANIFEST_TYPE;
		uint64_t size = 0;

		for (size_t k = 0; k < v->s->entries; k++)
			if (!strcmp(v->s->entry[k].digest, image->manifest_digest)) {
				type = v->s->entry[k].media_type;
				size = v->s->entry[k].size;
			}
		buf_puts(&b, i ? ",{\"mediaType\":" : "{\"mediaType\":");
		buf_json_string(&b, type, strlen(type));
		buf_printf(&b, ",\"digest\":\"%s\",\"size\":%llu", image->manifest_digest, (unsigned long long)size);
		put_annotations(&b, v->item[i].name);
		buf_putc(&b, '}');
	}
	buf_puts(&b, "]}");
	if (buf_error(&b))
		return err_set(err, EFBIG, "save so many images at once");
	return put_text(v, "index.json", b.data, b.len, err);
}

/* One entry per image, with all its names. */
static int put_docker_manifest(struct save *v, struct err *err)
{
	CLEANUP_BUF struct buf b;
	char full[IMAGE_REF_SIZE];
	struct image_ref ref;
	int r = 0, first = 1;

	buf_init(&b, IMAGE_JSON_MAX);
	buf_putc(&b, '[');
	for (size_t i = 0; r == 0 && i < v->items; i++) {
		const char *id = v->item[i].image->id;
		size_t names = 0, before = 0;

		while (before < i && strcmp(v->item[before].image->id, id) != 0)
			before++;
		if (before < i)
			continue;
		r = store_manifest_read(v->s, v->item[i].image->manifest_digest, v->m, NULL, err);
		buf_printf(&b, "%s{\"Config\":\"blobs/sha256/%s\",\"RepoTags\":", first ? "" : ",", image_digest_hex(id));
		first = 0;
		for (size_t k = i; k < v->items; k++) {
			if (strcmp(v->item[k].image->id, id) != 0 || !v->item[k].name ||
			    image_ref_parse(v->item[k].name, &ref, NULL) < 0)
				continue;
			buf_putc(&b, names++ ? ',' : '[');
			image_ref_familiar(&ref, full);
			buf_json_string(&b, full, strlen(full));
		}
		buf_puts(&b, names ? "],\"Layers\":[" : "null,\"Layers\":[");
		for (size_t k = 0; r == 0 && k < v->m->layer_count; k++)
			buf_printf(&b, "%s\"blobs/sha256/%s\"", k ? "," : "", image_digest_hex(v->m->layer[k].digest));
		buf_puts(&b, "]}");
	}
	buf_puts(&b, "]\n");
	if (r < 0)
		return r;
	if (buf_error(&b))
		return err_set(err, EFBIG, "save so many images at once");
	return put_text(v, "manifest.json", b.data, b.len, err);
}

static int save_all(struct save *v, struct err *err)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	int r;

	if ((r = put_header(v, "blobs", TAR_DIRECTORY, 0, err)) < 0 ||
	    (r = put_header(v, "blobs/sha256", TAR_DIRECTORY, 0, err)) < 0)
		return r;
	for (size_t i = 0; r == 0 && i < v->items; i++)
		r = put_image(v, v->item[i].image, err);
	if (r < 0 || (r = put_index(v, err)) < 0 || (r = put_docker_manifest(v, err)) < 0 ||
	    (r = put_text(v, "oci-layout", layout, sizeof(layout) - 1, err)) < 0)
		return r;
	return put_zeros(v, TAR_END, err);
}

int store_save_check(struct store *s, const struct store_save_item *item, size_t n, struct err *err)
{
	struct save v = { .s = s, .m = malloc(sizeof(*v.m)) };
	int r = v.m ? 0 : err_set(err, ENOMEM, "save");

	for (size_t i = 0; r == 0 && i < n; i++)
		r = check_image(&v, item[i].image, err);
	free(v.m);
	return r;
}

int store_save(struct store *s, const struct store_save_item *item, size_t n, int fd, struct err *err)
{
	struct save v = { .s = s, .fd = fd, .item = item, .items = n };
	CLEANUP_FD int lock = store_lock_content(s, 0, err);
	int r = lock;

	if (r < 0)
		return r;
	v.m = malloc(sizeof(*v.m));
	v.block = malloc(COPY_BLOCK);
	r = v.m && v.block ? store_save_check(s, item, n, err) : 0;
	if (r == 0)
		r = v.m && v.block ? save_all(&v, err) : err_set(err, ENOMEM, "save");
	free(v.m);
	free(v.block);
	free(v.done);
	return r;
}
