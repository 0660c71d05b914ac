/* aci.c - App Container Images (appc spec 0.8.11) become OCI images when they come in. Runs in the engine or a child of it.
 *
 * An ACI is one tar: the file manifest and the directory rootfs/. It is unpacked by coracle-fetch, its rootfs packed again as a layer by
 * coracle-fetch, and that is imported as any image is. What an ACI can say and an image cannot (dependencies on other ACIs, lists of
 * paths) is refused by name. */
#include "runtime/store/aci.h"

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
#include "runtime/store/packint.h"

static const char *text_of(yyjson_val *o, const char *key)
{
	yyjson_val *v = yyjson_obj_get(o, key);
	const char *s = yyjson_get_str(v);

	return s && strlen(s) == yyjson_get_len(v) ? s : "";
}

/* The value of the pair of that name in a list of {"name":..,"value":..}. */
static const char *value_of(yyjson_val *list, const char *name)
{
	yyjson_val *v;
	size_t i, max;

	yyjson_arr_foreach(list, i, max, v) {
		if (!strcmp(text_of(v, "name"), name))
			return text_of(v, "value");
	}
	return "";
}

int aci_is(struct source *src)
{
	return !src->is_directory && !src->remote && source_find(src, "manifest") && !source_find(src, "index.json") &&
		!source_find(src, "manifest.json") && !source_find(src, "oci-layout");
}

/* -- the configuration ---------------------------------------------------- */

static void put_strings(yyjson_mut_doc *doc, yyjson_mut_val *config, const char *key, yyjson_val *list)
{
	yyjson_mut_val *out;
	yyjson_val *v;
	size_t i, max;

	if (!yyjson_arr_size(list))
		return;
	out = yyjson_mut_obj_add_arr(doc, config, key);
	yyjson_arr_foreach(list, i, max, v) {
		yyjson_mut_arr_add_strcpy(doc, out, yyjson_get_str(v) ? yyjson_get_str(v) : "");
	}
}

static void put_environment(yyjson_mut_doc *doc, yyjson_mut_val *config, yyjson_val *list)
{
	yyjson_mut_val *out = yyjson_arr_size(list) ? yyjson_mut_obj_add_arr(doc, config, "Env") : NULL;
	yyjson_val *v;
	size_t i, max;

	yyjson_arr_foreach(list, i, max, v) {
		CLEANUP_BUF struct buf b;

		buf_init(&b, IMAGE_JSON_MAX);
		buf_printf(&b, "%s=%s", text_of(v, "name"), text_of(v, "value"));
		if (!buf_error(&b))
			yyjson_mut_arr_add_strcpy(doc, out, b.data);
	}
}

/* {"80/tcp":{}} of the ports, {"/data":{}} of the mount points. */
static void put_places(yyjson_mut_doc *doc, yyjson_mut_val *config, yyjson_val *app)
{
	yyjson_val *ports = yyjson_obj_get(app, "ports"), *points = yyjson_obj_get(app, "mountPoints"), *v;
	yyjson_mut_val *out;
	char name[64];
	size_t i, max;

	out = yyjson_arr_size(ports) ? yyjson_mut_obj_add_obj(doc, config, "ExposedPorts") : NULL;
	yyjson_arr_foreach(ports, i, max, v) {
		snprintf(name, sizeof(name), "%u/%.8s", (unsigned)yyjson_get_uint(yyjson_obj_get(v, "port")) & 65535u,
			text_of(v, "protocol"));
		yyjson_mut_obj_add(out, yyjson_mut_strcpy(doc, name), yyjson_mut_obj(doc));
	}
	out = yyjson_arr_size(points) ? yyjson_mut_obj_add_obj(doc, config, "Volumes") : NULL;
	yyjson_arr_foreach(points, i, max, v) {
		if (*text_of(v, "path"))
			yyjson_mut_obj_add(out, yyjson_mut_strcpy(doc, text_of(v, "path")), yyjson_mut_obj(doc));
	}
}

static void put_labels(yyjson_mut_doc *doc, yyjson_mut_val *config, yyjson_val *root)
{
	yyjson_val *notes = yyjson_obj_get(root, "annotations"), *v;
	yyjson_mut_val *out = yyjson_arr_size(notes) ? yyjson_mut_obj_add_obj(doc, config, "Labels") : NULL;
	size_t i, max;

	yyjson_arr_foreach(notes, i, max, v) {
		yyjson_mut_obj_add(out, yyjson_mut_strcpy(doc, text_of(v, "name")), yyjson_mut_strcpy(doc, text_of(v, "value")));
	}
}

static int put_app(yyjson_mut_doc *doc, yyjson_mut_val *config, yyjson_val *app, struct err *err)
{
	const char *user = text_of(app, "user"), *group = text_of(app, "group");
	char both[512];

	if (*user == '/' || *group == '/')
		return image_say(err, EOPNOTSUPP, "the ACI's user or group is the owner of a file (%s), which an image cannot say",
			*user == '/' ? user : group);
	put_strings(doc, config, "Entrypoint", yyjson_obj_get(app, "exec"));
	put_environment(doc, config, yyjson_obj_get(app, "environment"));
	put_places(doc, config, app);
	if (*user) {
		snprintf(both, sizeof(both), "%.200s%s%.200s", user, *group ? ":" : "", group);
		yyjson_mut_obj_add_strcpy(doc, config, "User", both);
	}
	if (*text_of(app, "workingDirectory"))
		yyjson_mut_obj_add_strcpy(doc, config, "WorkingDir", text_of(app, "workingDirectory"));
	return 0;
}

static int check_manifest(yyjson_val *root, struct err *err)
{
	static const char *const unsaid[] = { "dependencies", "pathWhitelist" };

	if (strcmp(text_of(root, "acKind"), "ImageManifest") != 0)
		return image_bad(err, "its manifest is not an ACI's (acKind is '%.40s')", text_of(root, "acKind"));
	for (size_t i = 0; i < ARRAY_SIZE(unsaid); i++)
		if (yyjson_arr_size(yyjson_obj_get(root, unsaid[i])))
			return image_say(err, EOPNOTSUPP, "the ACI has %s, which cannot be converted: build it without them", unsaid[i]);
	return 0;
}

static char *make_config(yyjson_val *root, const struct image_platform *host, struct err *err)
{
	static const char *const names[][2] = { { "i386", "386" }, { "aarch64", "arm64" }, { "armv7l", "arm" }, { "armv6l", "arm" } };
	yyjson_val *labels = yyjson_obj_get(root, "labels");
	const char *arch = value_of(labels, "arch"), *os = value_of(labels, "os"), *created;
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *out = yyjson_mut_obj(doc), *config;
	char *json = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(arch, names[i][0]))
			arch = names[i][1];
	created = value_of(yyjson_obj_get(root, "annotations"), "created");
	yyjson_mut_doc_set_root(doc, out);
	yyjson_mut_obj_add_strcpy(doc, out, "created", *created ? created : "1970-01-01T00:00:00Z");
	yyjson_mut_obj_add_strcpy(doc, out, "architecture", *arch ? arch : host->architecture);
	yyjson_mut_obj_add_strcpy(doc, out, "os", *os ? os : "linux");
	config = yyjson_mut_obj_add_obj(doc, out, "config");
	put_labels(doc, config, root);
	if (put_app(doc, config, yyjson_obj_get(root, "app"), err) == 0)
		json = yyjson_mut_write(doc, 0, NULL);
	yyjson_mut_doc_free(doc);
	return json;
}

/* "example.com/worker" and its label version; what a tag cannot hold becomes "-". */
static void make_name(yyjson_val *root, char *out, size_t size)
{
	const char *version = value_of(yyjson_obj_get(root, "labels"), "version");
	size_t n = (size_t)snprintf(out, size, "%.255s%s", text_of(root, "name"), *version ? ":" : "");

	for (size_t i = 0; i < IMAGE_TAG_MAX && n + 1 < size && version[i]; i++) {
		char c = version[i];
		int ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (i && (c == '.' || c == '-'));

		out[n++] = ok ? c : i ? '-' : '_';
	}
	out[n] = '\0';
}

/* -- the root ------------------------------------------------------------- */

static int repack(struct make *m, int archive, struct err *err)
{
	char size[32];
	struct stat st;
	char *argv[] = { m->s->fetch, (char *)"unpack", (char *)"--offset", (char *)"0", (char *)"--size", size, NULL };
	CLEANUP_FD int aci = -1, rootfs = -1, layer = -1;
	int r = sys_mkdirat(m->stage, "aci", 0700);

	if (r == 0)
		r = aci = sys_openat(m->stage, "aci", O_RDONLY | O_DIRECTORY, 0);
	if (r < 0 || fstat(archive, &st) < 0)
		return err_set(err, r < 0 ? -r : errno, "unpack the ACI");
	snprintf(size, sizeof(size), "%lld", (long long)st.st_size);
	if ((r = store_fetch_run(argv, archive, aci, -1, &m->layer, err)) < 0)
		return r;
	rootfs = sys_openat(aci, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (rootfs < 0)
		return rootfs == -ENOENT ? image_bad(err, "the ACI has no rootfs") : err_set(err, -rootfs, "open its rootfs");
	if ((r = layer = make_layer_file(m, err)) < 0)
		return r;
	return store_pack(m->s, rootfs, "--layer", layer, &m->layer, err);
}

static int convert(struct import *im, yyjson_val *root, struct store_import_result *result, struct err *err)
{
	struct store_imported made;
	struct make m;
	CLEANUP_FREE char *config = NULL;
	char name[IMAGE_REF_SIZE];
	int r = check_manifest(root, err);

	if (r < 0)
		return r;
	config = make_config(root, &im->platform, err);
	if (!config)
		return err->code ? -err->code : -ENOMEM;
	make_name(root, name, sizeof(name));
	r = make_begin(&m, im->s, err);
	if (r == 0)
		r = repack(&m, im->src.fd, err);
	if (r == 0)
		r = make_finish(&m, NULL, config, NULL, "converted from an ACI", NULL, im->opt->name ? im->opt->name : name, &made, err);
	make_end(&m);
	if (r < 0)
		return r;
	result->image = calloc(1, sizeof(*result->image));
	if (!result->image)
		return err_set(err, ENOMEM, "report the import");
	result->image[result->count++] = made;
	return 0;
}

int aci_import(struct import *im, struct store_import_result *result, struct err *err)
{
	CLEANUP_FREE char *json = NULL;
	yyjson_doc *doc;
	size_t n;
	int r;

	if (lseek(im->src.fd, 0, SEEK_CUR) < 0)
		return image_say(err, ESPIPE, "an ACI cannot be read from a pipe: give its file");
	r = source_read(&im->src, "manifest", IMAGE_JSON_MAX, NULL, &json, &n, err);
	if (r < 0)
		return r;
	doc = yyjson_read(json, n, 0);
	r = doc ? convert(im, yyjson_doc_get_root(doc), result, err) : image_bad(err, "manifest is not JSON");
	yyjson_doc_free(doc);
	return r < 0 ? err_wrap(err, r, "ACI") : 0;
}
