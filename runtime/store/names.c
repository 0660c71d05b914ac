/* names.c - index.json: which names mean which manifests. Runs in the engine. */
#include "runtime/store/storeint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/fd.h"

#define INDEX "images/index.json"

int store_index_load(struct store *s, struct err *err)
{
	CLEANUP_FREE char *json = NULL;
	CLEANUP_FREE struct image_descriptor *d = NULL;
	struct store_entry *entry;
	size_t n = 0;
	int count = 0, r;

	r = faccessat(s->rootfd, INDEX, F_OK, 0) < 0 && errno == ENOENT ? 0 :
		fd_read_file(s->rootfd, INDEX, IMAGE_JSON_MAX, &json, &n, err);
	if (r == 0 && json)
		r = count = image_index_parse(json, n, &d, err);
	if (r < 0)
		return err_wrap(err, r, "%s/" INDEX, s->root);
	entry = calloc((size_t)count + 1, sizeof(*entry));
	if (!entry)
		return err_set(err, ENOMEM, "%s/" INDEX, s->root);
	for (int i = 0; i < count; i++) {
		memcpy(entry[i].name, d[i].name, sizeof(d[i].name));
		memcpy(entry[i].digest, d[i].digest, sizeof(d[i].digest));
		memcpy(entry[i].media_type, d[i].media_type, sizeof(d[i].media_type));
		entry[i].size = d[i].size;
	}
	free(s->entry);
	s->entry = entry;
	s->entries = (size_t)count;
	return 0;
}

int store_index_save(struct store *s, struct store_entry *entry, size_t n, struct err *err)
{
	CLEANUP_BUF struct buf b;
	int r;

	buf_init(&b, IMAGE_JSON_MAX);
	buf_puts(&b, "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[");
	for (size_t i = 0; i < n; i++) {
		const struct store_entry *e = &entry[i];

		buf_puts(&b, i ? ",\n{\"mediaType\":" : "\n{\"mediaType\":");
		buf_json_string(&b, e->media_type, strlen(e->media_type));
		buf_printf(&b, ",\"digest\":\"%s\",\"size\":%llu", e->digest, (unsigned long long)e->size);
		if (e->name[0]) {
			buf_puts(&b, ",\"annotations\":{\"org.opencontainers.image.ref.name\":");
			buf_json_string(&b, e->name, strlen(e->name));
			buf_putc(&b, '}');
		}
		buf_putc(&b, '}');
	}
	buf_puts(&b, "]}\n");
	if ((r = buf_error(&b)) < 0)
		return err_set(err, -r, "write %s/" INDEX, s->root);
	if ((r = fd_replace_file(s->rootfd, INDEX, b.data, b.len, 0644, err)) < 0)
		return err_wrap(err, r, "%s", s->root);
	free(s->entry);
	s->entry = entry;
	s->entries = n;
	return 0;
}
