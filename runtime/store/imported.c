/* imported.c - images/imported.json: archives that need not be read again. Runs in the engine.
 * It is a memory aid: one that is lost or damaged costs an import, nothing else. */
#include "runtime/store/importint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "lib/fd.h"

#define IMPORTED "images/imported.json"
#define IMPORTED_MAX (1u << 20)
#define ARCHIVES_MAX 512

static yyjson_doc *load(struct store *s)
{
	CLEANUP_FREE char *json = NULL;
	size_t n;

	if (fd_read_file(s->rootfd, IMPORTED, IMPORTED_MAX, &json, &n, NULL) < 0)
		return NULL;
	return yyjson_read(json, n, 0);
}

static void platform_text(const struct image_platform *p, char out[96])
{
	snprintf(out, 96, "%s/%s%s%s", p->os, p->architecture, p->variant[0] ? "/" : "", p->variant);
}

static int is_same(yyjson_val *a, const char *file, uint64_t size, int64_t mtime_ns, const char *platform)
{
	return yyjson_equals_str(yyjson_obj_get(a, "file"), file) && yyjson_get_uint(yyjson_obj_get(a, "size")) == size &&
		yyjson_get_sint(yyjson_obj_get(a, "mtime_ns")) == mtime_ns &&
		yyjson_equals_str(yyjson_obj_get(a, "platform"), platform);
}

/* Its images are all still there, whole, under the same names. */
static int take_images(struct store *s, yyjson_val *images, struct store_import_result *result)
{
	size_t i, max, n = yyjson_arr_size(images);
	struct store_imported *out = calloc(n + 1, sizeof(*out));
	yyjson_val *v;
	int ok = out && n > 0;

	yyjson_arr_foreach(images, i, max, v) {
		const char *name = yyjson_get_str(yyjson_obj_get(v, "name"));
		const char *id = yyjson_get_str(yyjson_obj_get(v, "id"));
		struct store_image *image = NULL;

		if (!ok)
			break;
		ok = name && id && strlen(name) < IMAGE_REF_SIZE && image_digest_ok(id) &&
			store_image_lookup(s, name, &image, NULL) == 0 && !strcmp(image->id, id);
		if (ok) {
			memcpy(out[i].name, name, strlen(name) + 1);
			memcpy(out[i].id, id, IMAGE_DIGEST_SIZE);
			out[i].known = 1;
		}
		for (size_t k = 0; ok && k < image->config.layer_count; k++)
			ok = store_layer_present(s, image->chain_id[k]);
		store_image_free(image);
	}
	if (!ok || !result) {
		free(out);
		return ok;
	}
	result->count = n;
	result->image = out;
	return 1;
}

int imported_find(struct store *s, const char *file, uint64_t size, int64_t mtime_ns, const struct image_platform *platform,
	struct store_import_result *result)
{
	yyjson_doc *doc = load(s);
	yyjson_val *list = yyjson_obj_get(yyjson_doc_get_root(doc), "archives"), *a;
	char text[96];
	size_t i, max;
	int found = 0;

	platform_text(platform, text);
	yyjson_arr_foreach(list, i, max, a) {
		if (is_same(a, file, size, mtime_ns, text)) {
			found = take_images(s, yyjson_obj_get(a, "images"), result);
			break;
		}
	}
	yyjson_doc_free(doc);
	return found;
}

static void put_archive(struct buf *b, const char *file, uint64_t size, int64_t mtime_ns, const char *platform)
{
	buf_puts(b, "{\"file\":");
	buf_json_string(b, file, strlen(file));
	buf_printf(b, ",\"size\":%llu,\"mtime_ns\":%lld,\"platform\":\"%s\",\"images\":[", (unsigned long long)size,
		(long long)mtime_ns, platform);
}

static void put_image(struct buf *b, const char *name, const char *id, int first)
{
	buf_puts(b, first ? "{\"name\":" : ",{\"name\":");
	buf_json_string(b, name, strlen(name));
	buf_puts(b, ",\"id\":");
	buf_json_string(b, id, strlen(id));
	buf_putc(b, '}');
}

/* The others, as they were; one file name counts once per platform. */
static void put_others(struct buf *b, yyjson_val *list, const char *file, const char *platform)
{
	yyjson_val *a, *v;
	size_t i, max, k, images;

	yyjson_arr_foreach(list, i, max, a) {
		const char *name = yyjson_get_str(yyjson_obj_get(a, "file"));
		const char *other = yyjson_get_str(yyjson_obj_get(a, "platform"));

		if (!name || !other || i >= ARCHIVES_MAX || (!strcmp(name, file) && !strcmp(other, platform)))
			continue;
		buf_puts(b, ",\n");
		put_archive(b, name, yyjson_get_uint(yyjson_obj_get(a, "size")), yyjson_get_sint(yyjson_obj_get(a, "mtime_ns")),
			other);
		yyjson_arr_foreach(yyjson_obj_get(a, "images"), k, images, v) {
			const char *image = yyjson_get_str(yyjson_obj_get(v, "name"));
			const char *id = yyjson_get_str(yyjson_obj_get(v, "id"));

			put_image(b, image ? image : "", id ? id : "", k == 0);
		}
		buf_puts(b, "]}");
	}
}

int imported_add(struct store *s, const char *file, uint64_t size, int64_t mtime_ns, const struct image_platform *platform,
	const struct store_import_result *result, struct err *err)
{
	CLEANUP_BUF struct buf b;
	yyjson_doc *doc = load(s);
	char text[96];
	int r;

	platform_text(platform, text);
	buf_init(&b, IMPORTED_MAX);
	buf_puts(&b, "{\"version\":1,\"archives\":[\n");
	put_archive(&b, file, size, mtime_ns, text);
	for (size_t i = 0; i < result->count; i++)
		put_image(&b, result->image[i].name, result->image[i].id, i == 0);
	buf_puts(&b, "]}");
	put_others(&b, yyjson_obj_get(yyjson_doc_get_root(doc), "archives"), file, text);
	buf_puts(&b, "]}\n");
	yyjson_doc_free(doc);
	if ((r = buf_error(&b)) < 0)
		return err_set(err, -r, "write %s/" IMPORTED, s->root);
	return fd_replace_file(s->rootfd, IMPORTED, b.data, b.len, 0644, err);
}
