/* spec.c - reads config.json: the file, its version and its top level. Runs in
 * coracle-runtime before anything is created; never looks at the file system
 * beyond the file itself. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/fd.h"
#include "runtime/oci/jsonv.h"
#include "runtime/oci/spec.h"

static int parse_document(struct spec *s, int dirfd, const char *name, struct err *err)
{
	yyjson_read_err e = { 0 };
	int r = fd_read_file(dirfd, name, SPEC_BYTES_MAX, &s->text, &s->text_len, err);

	if (r < 0)
		return r;
	s->doc = yyjson_read_opts(s->text, s->text_len, 0, NULL, &e);
	if (!s->doc)
		return err_set(err, 0, "%s: %s at byte %zu", name, e.msg ? e.msg : "not JSON", e.pos);
	if (!yyjson_is_obj(yyjson_doc_get_root(s->doc)))
		return err_set(err, 0, "%s: expected an object, found %s", name, jsonv_type(yyjson_doc_get_root(s->doc)));
	return 0;
}

void spec_warn(struct spec *s, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	const char *copy;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	copy = s->warnings_n < SPEC_WARNINGS_MAX ? arena_join(&s->arena, text, "", "") : NULL;
	if (copy)
		s->warnings[s->warnings_n++] = copy;
}

/* "1.2.3", "1.3.0-rc.1", "1.0.2-dev+x": numbers without leading zeros, then what SemVer allows. */
static bool is_semver(const char *v)
{
	for (int part = 0; part < 3; part++) {
		size_t n = strspn(v, "0123456789");

		if (!n || (n > 1 && *v == '0') || (part < 2 && v[n] != '.'))
			return false;
		v += n + (part < 2);
	}
	if (!*v)
		return true;
	return (*v == '-' || *v == '+') && v[1] &&
	       strspn(v, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-+") == strlen(v);
}

/* config.md, "Specification version": SemVer; newer minor versions only add properties. */
static int check_version(struct spec *s, yyjson_val *root, struct err *err)
{
	int r = jsonv_string(root, "", "ociVersion", &s->version, err);

	if (r < 0)
		return r;
	if (!r)
		return err_set(err, 0, "ociVersion: missing");
	if (!is_semver(s->version))
		return err_set(err, 0, "ociVersion: \"%s\" is not a version as SemVer writes it (MAJOR.MINOR.PATCH)", s->version);
	if (strncmp(s->version, "1.", 2))
		return err_set(err, 0, "ociVersion: \"%s\" is not a version 1.x of the runtime specification", s->version);
	return 0;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct spec_pair *)a)->key, ((const struct spec_pair *)b)->key);
}

/* A key that is in the list twice, or NULL. Sorted aside: a map may be as long as the file allows. */
static const char *find_twice(struct spec *s, const struct spec_pair *list, size_t n)
{
	struct spec_pair *sorted = n > 1 ? arena_array(&s->arena, n, sizeof *sorted) : NULL;

	if (!sorted)
		return n > 1 ? "too long" : NULL;
	memcpy(sorted, list, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_key);
	for (size_t i = 1; i < n; i++)
		if (!strcmp(sorted[i - 1].key, sorted[i].key))
			return sorted[i].key;
	return NULL;
}

int spec_parse_pairs(struct spec *s, yyjson_val *obj, const char *where, const char *key, struct spec_pair **out, size_t *n, struct err *err)
{
	yyjson_val *map = NULL, *k;
	const char *twice;
	yyjson_obj_iter it;
	int r = jsonv_object(obj, where, key, &map, err);

	if (r <= 0)
		return r;
	*out = arena_array(&s->arena, yyjson_obj_size(map), sizeof **out);
	if (!*out)
		return err_set(err, ENOMEM, "%s", key);
	yyjson_obj_iter_init(map, &it);
	while ((k = yyjson_obj_iter_next(&it))) {
		yyjson_val *v = yyjson_obj_iter_get_val(k);
		const char *name = yyjson_get_str(k);

		if (!*name || !jsonv_is_plain(k))
			return err_set(err, 0, "%s%s%s: %s key", where, *where ? "." : "", key, *name ? "NUL in a" : "empty");
		if (!jsonv_is_plain(v))
			return err_set(err, 0, "%s%s%s.%s: expected a string without NUL, found %s", where, *where ? "." : "", key, name, jsonv_type(v));
		(*out)[*n].key = name;
		(*out)[(*n)++].value = yyjson_get_str(v);
	}
	if ((twice = find_twice(s, *out, *n)))
		return err_set(err, 0, "%s%s%s.%s: is there twice", where, *where ? "." : "", key, twice);
	return 1;
}

static int parse_root(struct spec *s, yyjson_val *top, struct err *err)
{
	yyjson_val *root = NULL;
	int r = jsonv_object(top, "", "root", &root, err);

	if (r < 0)
		return r;
	if (!r)
		return err_set(err, 0, "root: missing");
	if ((r = jsonv_string(root, "root", "path", &s->root, err)) < 0)
		return r;
	if (!s->root || !*s->root)
		return err_set(err, 0, "root.path: missing");
	return jsonv_bool(root, "root", "readonly", &s->root_readonly, err);
}

static const char *annotation(const struct spec *s, const char *key)
{
	for (size_t i = 0; i < s->annotations_n; i++)
		if (!strcmp(s->annotations[i].key, key))
			return s->annotations[i].value;
	return NULL;
}

static int parse_annotations(struct spec *s, yyjson_val *top, struct err *err)
{
	const char *v;
	int r = spec_parse_pairs(s, top, "", "annotations", &s->annotations, &s->annotations_n, err);

	if (r < 0)
		return r;
	v = annotation(s, SPEC_SECCOMP_ANNOTATION);
	if (!v)
		return 0;
	if (strcmp(v, "default"))
		return err_set(err, 0, "annotations." SPEC_SECCOMP_ANNOTATION ": \"%s\" is not a built-in profile (there is only \"default\")", v);
	s->seccomp_default = true;
	return 0;
}

static int need_uts(const struct spec *s, struct err *err)
{
	if ((s->hostname || s->domainname) && !s->ns[NS_UTS].present)
		return err_set(err, 0, "%s: needs a uts namespace of its own", s->hostname ? "hostname" : "domainname");
	return 0;
}

int spec_load(struct spec *s, int dirfd, const char *name, struct err *err)
{
	yyjson_val *top, *lin = NULL, *process = NULL;
	int r = parse_document(s, dirfd, name, err);

	if (r < 0)
		return r;
	top = yyjson_doc_get_root(s->doc);
	if ((r = check_version(s, top, err)) < 0 ||
	    (r = parse_root(s, top, err)) < 0 ||
	    (r = jsonv_string(top, "", "hostname", &s->hostname, err)) < 0 ||
	    (r = jsonv_string(top, "", "domainname", &s->domainname, err)) < 0 ||
	    (r = parse_annotations(s, top, err)) < 0 ||
	    (r = spec_parse_mounts(s, top, err)) < 0 ||
	    (r = spec_parse_hooks(s, top, err)) < 0 ||
	    (r = jsonv_object(top, "", "process", &process, err)) < 0 ||
	    (process && (r = spec_parse_process(s, process, "process", err)) < 0) ||
	    (r = jsonv_object(top, "", "linux", &lin, err)) < 0 ||
	    (lin && (r = spec_parse_linux(s, lin, err)) < 0) ||
	    (r = need_uts(s, err)) < 0)
		return err_wrap(err, r, "%s", name);
	if (s->hostname && !*s->hostname)
		s->hostname = NULL;
	if (s->domainname && !*s->domainname)
		s->domainname = NULL;
	return 0;
}

int spec_load_process(struct spec *s, const char *path, struct err *err)
{
	int r = parse_document(s, AT_FDCWD, path, err);

	if (r < 0)
		return r;
	r = spec_parse_process(s, yyjson_doc_get_root(s->doc), "process", err);
	return r < 0 ? err_wrap(err, r, "%s", path) : 0;
}

void spec_free(struct spec *s)
{
	yyjson_doc_free(s->doc);
	s->doc = NULL;
	free(s->text);
	s->text = NULL;
	arena_free(&s->arena);
}
