/* make.c - images that are made here: of a container (commit) and of a root directory's tar (import). Runs in a child of the engine.
 *
 * They are written as a layout in staging and come in by store_import_fd(), so that nothing enters the store by a second way:
 * the layer is unpacked by coracle-fetch and its digests are verified. Layers below it need no blob there, as they are in the store. */
#include "runtime/store/packint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yyjson.h>

#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/image/say.h"

int make_begin(struct make *m, struct store *s, struct err *err)
{
	static const char *const dirs[] = { "blobs", "blobs/sha256" };
	int r;

	memset(m, 0, sizeof(*m));
	m->s = s;
	m->stage = m->blobs = -1;
	snprintf(m->stage_name, sizeof(m->stage_name), "tmp/make-%d-%u", (int)getpid(), s->serial++);
	r = sys_mkdirat(s->rootfd, m->stage_name, 0700);
	if (r == 0)
		r = m->stage = sys_openat(s->rootfd, m->stage_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(dirs); i++)
		r = sys_mkdirat(m->stage, dirs[i], 0700);
	if (r >= 0)
		r = m->blobs = sys_openat(m->stage, "blobs/sha256", O_RDONLY | O_DIRECTORY, 0);
	return r < 0 ? err_set(err, -r, "make %s/%s", s->root, m->stage_name) : 0;
}

void make_end(struct make *m)
{
	fd_close(&m->blobs);
	fd_close(&m->stage);
	if (m->stage_name[0])
		store_tree_remove(m->s->rootfd, m->stage_name);
}

int make_layer_file(struct make *m, struct err *err)
{
	int fd = sys_openat(m->stage, "layer", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);

	return fd < 0 ? err_set(err, -fd, "create %s/%s/layer", m->s->root, m->stage_name) : fd;
}

static int put_file(struct make *m, int dir, const char *name, const char *data, size_t n, struct err *err)
{
	CLEANUP_FD int fd = sys_openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	int r = fd < 0 ? fd : fd_write_full(fd, data, n);

	return r < 0 ? err_set(err, -r, "write %s/%s/%s", m->s->root, m->stage_name, name) : 0;
}

static int put_blob(struct make *m, const char *data, size_t n, char digest[IMAGE_DIGEST_SIZE], struct err *err)
{
	image_digest_of(data, n, digest);
	return put_file(m, m->blobs, image_digest_hex(digest), data, n, err);
}

static void add_text(yyjson_mut_doc *doc, yyjson_mut_val *o, const char *key, const char *value)
{
	if (value && *value)
		yyjson_mut_obj_add_strcpy(doc, o, key, value);
}

/* The list of that name in the object, made when it is missing or no list. */
static yyjson_mut_val *list_of(yyjson_mut_doc *doc, yyjson_mut_val *o, const char *key)
{
	yyjson_mut_val *list = yyjson_mut_obj_get(o, key);

	if (yyjson_mut_is_arr(list))
		return list;
	yyjson_mut_obj_remove_key(o, key);
	return yyjson_mut_obj_add_arr(doc, o, key);
}

/* The configuration with the layer and its line of history. */
static char *finish_config(const struct make *m, const char *config, const char *author, const char *comment, const char *created_by,
	size_t *n)
{
	yyjson_doc *read = yyjson_read(config, strlen(config), 0);
	yyjson_mut_doc *doc = read ? yyjson_doc_mut_copy(read, NULL) : NULL;
	yyjson_mut_val *root = yyjson_mut_doc_get_root(doc), *rootfs, *line;
	char *out = NULL;

	yyjson_doc_free(read);
	if (!yyjson_mut_is_obj(root))
		goto done;
	rootfs = yyjson_mut_obj_get(root, "rootfs");
	if (!yyjson_mut_is_obj(rootfs)) {
		yyjson_mut_obj_remove_key(root, "rootfs");
		rootfs = yyjson_mut_obj_add_obj(doc, root, "rootfs");
		yyjson_mut_obj_add_str(doc, rootfs, "type", "layers");
	}
	yyjson_mut_arr_add_strcpy(doc, list_of(doc, rootfs, "diff_ids"), m->layer.diff_id);
	line = yyjson_mut_arr_add_obj(doc, list_of(doc, root, "history"));
	add_text(doc, line, "created", yyjson_mut_get_str(yyjson_mut_obj_get(root, "created")));
	add_text(doc, line, "created_by", created_by);
	add_text(doc, line, "author", author);
	add_text(doc, line, "comment", comment);
	out = yyjson_mut_write(doc, 0, n);
done:
	yyjson_mut_doc_free(doc);
	return out;
}

static const char *layer_type(const struct packed *p)
{
	return p->gzip ? "application/vnd.oci.image.layer.v1.tar+gzip" : p->zstd ? "application/vnd.oci.image.layer.v1.tar+zstd" :
		"application/vnd.oci.image.layer.v1.tar";
}

static int put_manifest(struct make *m, const struct store_image *base, const char *config_digest, size_t config_len,
	const char *name, struct err *err)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	CLEANUP_FREE struct image_manifest *below = malloc(sizeof(*below));
	CLEANUP_BUF struct buf b;
	char digest[IMAGE_DIGEST_SIZE];
	size_t len;
	int r = below ? 0 : err_set(err, ENOMEM, "make the manifest");

	buf_init(&b, IMAGE_JSON_MAX);
	if (r == 0 && base)
		r = store_manifest_read(m->s, base->manifest_digest, below, NULL, err);
	if (r < 0)
		return r;
	buf_printf(&b, "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST_TYPE "\",\"config\":{\"mediaType\":"
		"\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[", config_digest, config_len);
	for (size_t i = 0; base && i < below->layer_count; i++) {
		buf_puts(&b, "{\"mediaType\":");
		buf_json_string(&b, below->layer[i].media_type, strlen(below->layer[i].media_type));
		buf_printf(&b, ",\"digest\":\"%s\",\"size\":%llu},", below->layer[i].digest, (unsigned long long)below->layer[i].size);
	}
	buf_printf(&b, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%llu}]}", layer_type(&m->layer), m->layer.digest,
		(unsigned long long)m->layer.bytes);
	if (buf_error(&b))
		return err_set(err, EFBIG, "make the manifest");
	len = b.len;
	if ((r = put_blob(m, b.data, b.len, digest, err)) < 0)
		return r;
	buf_reset(&b);
	buf_printf(&b, "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MANIFEST_TYPE "\",\"digest\":\"%s\",\"size\":%zu", digest, len);
	if (name) {
		buf_puts(&b, ",\"annotations\":{\"org.opencontainers.image.ref.name\":");
		buf_json_string(&b, name, strlen(name));
		buf_putc(&b, '}');
	}
	buf_puts(&b, "}]}");
	if ((r = put_file(m, m->stage, "index.json", b.data, b.len, err)) < 0)
		return r;
	return put_file(m, m->stage, "oci-layout", layout, sizeof(layout) - 1, err);
}

int make_finish(struct make *m, const struct store_image *base, const char *config, const char *author, const char *comment,
	const char *created_by, const char *name, struct store_imported *out, struct err *err)
{
	struct store_import_options opt = { .nameless = 1 };
	struct store_import_result result = { 0, NULL };
	CLEANUP_FREE char *json = NULL;
	char digest[IMAGE_DIGEST_SIZE];
	size_t n = 0;
	int r;

	if (base && base->config.layer_count >= IMAGE_LAYERS_MAX)
		return image_say(err, EINVAL, "max depth exceeded: an image has at most %d layers", IMAGE_LAYERS_MAX);
	r = sys_renameat2(m->stage, "layer", m->blobs, image_digest_hex(m->layer.digest), 0);
	if (r < 0)
		return err_set(err, -r, "name the layer");
	json = finish_config(m, config, author, comment, created_by, &n);
	if (!json)
		return err_set(err, ENOMEM, "make the configuration");
	if ((r = put_blob(m, json, n, digest, err)) < 0 || (r = put_manifest(m, base, digest, n, name, err)) < 0)
		return r;
	r = store_import_fd(m->s, m->stage, name ? name : "image", &opt, &result, err);
	if (r == 0 && result.count)
		*out = result.image[0];
	free(result.image);
	return r;
}

int store_commit(struct store *s, const struct store_commit *c, struct store_imported *out, struct err *err)
{
	struct make m;
	CLEANUP_FD int upper = -1, file = -1;
	char path[192];
	int r = make_begin(&m, s, err);

	snprintf(path, sizeof(path), "containers/%s/upper", c->id);
	if (r == 0)
		r = file = make_layer_file(&m, err);
	if (r >= 0) {
		upper = sys_openat(s->rootfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		/* never started: nothing has changed */
		if (upper == -ENOENT && (r = sys_mkdirat(m.stage, "none", 0755)) == 0)
			upper = sys_openat(m.stage, "none", O_RDONLY | O_DIRECTORY, 0);
		r = upper < 0 ? err_set(err, -upper, "open %s/%s", s->root, path) : 0;
	}
	if (r == 0)
		r = store_pack(s, upper, "--upper", file, &m.layer, err);
	if (r == 0)
		r = make_finish(&m, c->base, c->config, c->author, c->comment, c->created_by, c->name, out, err);
	make_end(&m);
	return r < 0 ? err_wrap(err, r, "commit") : 0;
}

int store_spool(int in, int out, struct err *err)
{
	CLEANUP_FREE char *block = malloc(65536);
	ssize_t n = 1;
	int r = block ? 0 : -ENOMEM;

	while (r == 0 && (n = sys_read(in, block, 65536)) > 0)
		r = fd_write_full(out, block, (size_t)n);
	if (r == 0 && n < 0)
		return err_set(err, (int)-n, "read the archive");
	return r < 0 ? err_set(err, -r, "write the archive to the store") : 0;
}

static int read_through(struct make *m, int file, struct err *err)
{
	char size[32];
	struct stat st;
	char *argv[] = { m->s->fetch, (char *)"verify", (char *)"--offset", (char *)"0", (char *)"--size", size, NULL };

	if (fstat(file, &st) < 0)
		return err_set(err, errno, "look at the archive");
	snprintf(size, sizeof(size), "%lld", (long long)st.st_size);
	return store_fetch_run(argv, file, m->stage, -1, &m->layer, err);
}

int store_import_root(struct store *s, int fd, const char *config, const char *comment, const char *name,
	struct store_imported *out, struct err *err)
{
	struct make m;
	CLEANUP_FD int file = -1;
	int r = make_begin(&m, s, err);

	if (r == 0)
		r = file = make_layer_file(&m, err);
	if (r >= 0)
		r = store_spool(fd, file, err);
	if (r == 0)
		r = read_through(&m, file, err);
	if (r == 0)
		r = make_finish(&m, NULL, config, NULL, comment, NULL, name, out, err);
	make_end(&m);
	return r < 0 ? err_wrap(err, r, "import") : 0;
}

int store_scratch(struct store *s, struct err *err)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "tmp/scratch-%d-%u", (int)getpid(), s->serial++);
	fd = sys_openat(s->rootfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(err, -fd, "create %s/%s", s->root, name);
	sys_unlinkat(s->rootfd, name, 0);
	return fd;
}
