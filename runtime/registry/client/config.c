/* config.c - which endpoints, with which credentials and authorities. Runs in the process that pulls. Must never put a secret into a message. */
#include "runtime/registry/client/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "lib/fd.h"
#include "runtime/image/say.h"
#include "runtime/registry/client/credentials.h"
#include "runtime/registry/registry.h"

#define HUB "docker.io"
#define HUB_HOST "registry-1.docker.io"

struct reading {
	yyjson_val *registries;		/* "registries" of registries.json */
	yyjson_val *auths;		/* "auths" of config.json */
	yyjson_val *auth;		/* X-Registry-Auth */
	size_t endpoints;
	struct buf *out;
	struct err *err;
};

/* -- registries.json ------------------------------------------------------ */

static int check_keys(yyjson_val *object, const char *const *known, const char *where, struct err *err)
{
	yyjson_val *key, *v;
	size_t i, max;

	if (!yyjson_is_obj(object))
		return image_say(err, EINVAL, "registries.json: %s is not an object", where);
	yyjson_obj_foreach(object, i, max, key, v) {
		const char *const *k = known;

		while (*k && strcmp(*k, yyjson_get_str(key)) != 0)
			k++;
		if (!*k)
			return image_say(err, EINVAL, "registries.json: %s has the unknown key \"%.60s\"", where, yyjson_get_str(key));
	}
	return 0;
}

static const char *const top_keys[] = { "registries", "parallel", "tries", "stall_seconds", NULL };
static const char *const entry_keys[] = { "mirrors", "plain_http", "blocked", "ca", "username", "password", "identity_token", NULL };

static int check_entry(const char *name, yyjson_val *entry, struct err *err)
{
	yyjson_val *mirrors = yyjson_obj_get(entry, "mirrors"), *plain = yyjson_obj_get(entry, "plain_http");
	yyjson_val *blocked = yyjson_obj_get(entry, "blocked");
	static const char *const texts[] = { "ca", "username", "password", "identity_token" };
	char where[200];
	int r;

	snprintf(where, sizeof(where), "\"%.150s\"", name);
	if ((r = check_keys(entry, entry_keys, where, err)) < 0)
		return r;
	if ((plain && !yyjson_is_bool(plain)) || (blocked && !yyjson_is_bool(blocked)))
		return image_say(err, EINVAL, "registries.json: %s: plain_http or blocked is not true or false", where);
	if (mirrors && (!yyjson_is_arr(mirrors) || yyjson_arr_size(mirrors) >= REGISTRY_ENDPOINTS_MAX))
		return image_say(err, EINVAL, "registries.json: %s: mirrors is not a list of fewer than %d", where, REGISTRY_ENDPOINTS_MAX);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		yyjson_val *v = yyjson_obj_get(entry, texts[i]);

		if (v && !yyjson_is_str(v))
			return image_say(err, EINVAL, "registries.json: %s: %s is not text", where, texts[i]);
	}
	return 0;
}

static int check_registries(yyjson_val *root, struct err *err)
{
	yyjson_val *list = yyjson_obj_get(root, "registries"), *key, *v;
	size_t i, max;
	int r = check_keys(root, top_keys, "the file", err);

	if (r < 0)
		return r;
	if (list && !yyjson_is_obj(list))
		return image_say(err, EINVAL, "registries.json: registries is not an object");
	yyjson_obj_foreach(list, i, max, key, v) {
		if ((r = check_entry(yyjson_get_str(key), v, err)) < 0)
			return r;
	}
	return 0;
}

static int64_t number(yyjson_val *root, const char *key, int64_t otherwise, int64_t least, int64_t most, struct err *err, int *r)
{
	yyjson_val *v = yyjson_obj_get(root, key);
	int64_t n = yyjson_get_sint(v);

	if (!v)
		return otherwise;
	if (!yyjson_is_int(v) || n < least || n > most)
		*r = image_say(err, EINVAL, "registries.json: %s is not a number from %lld to %lld", key, (long long)least, (long long)most);
	return n;
}

/* -- endpoints -------------------------------------------------------------- */

static void add_text(struct buf *b, const char *key, const char *s)
{
	buf_printf(b, ",\"%s\":", key);
	buf_json_string(b, s, strlen(s));
}

/* PEM text, or the path of a file of it. */
static int add_authorities(struct reading *in, const char *host, const char *ca)
{
	CLEANUP_FREE char *text = NULL;
	size_t n;
	int r;

	if (!ca || !*ca || strstr(ca, "-----BEGIN")) {
		add_text(in->out, "ca", ca ? ca : "");
		return 0;
	}
	if (*ca != '/')
		return image_say(in->err, EINVAL, "registries.json: \"%.150s\": ca is neither PEM text nor an absolute path", host);
	r = fd_read_file(AT_FDCWD, ca, CONFIG_FILE_MAX, &text, &n, in->err);
	if (r < 0)
		return err_wrap(in->err, r, "registries.json: \"%.150s\": ca", host);
	add_text(in->out, "ca", text);
	return 0;
}

/* host: as in the image's name, or a mirror's; scheme NULL: by its entry. first: X-Registry-Auth is for it. */
static int add_endpoint(struct reading *in, const char *host, const char *scheme, int first)
{
	yyjson_val *entry = yyjson_obj_get(in->registries, host);
	int plain = scheme ? !strcmp(scheme, "http") : yyjson_get_bool(yyjson_obj_get(entry, "plain_http"));
	struct credentials c;
	int r = credentials_find(host, first ? in->auth : NULL, entry, in->auths, &c, in->err);

	if (r < 0)
		return r;
	buf_printf(in->out, "%s{\"plain\":%s", in->endpoints++ ? "," : "", plain ? "true" : "false");
	buf_printf(in->out, ",\"url\":\"%s://%s\"", plain ? "http" : "https", strcmp(host, HUB) ? host : HUB_HOST);
	add_text(in->out, "username", c.username);
	add_text(in->out, "password", c.password);
	add_text(in->out, "identity", c.identity);
	credentials_clear(&c);
	r = add_authorities(in, host, yyjson_get_str(yyjson_obj_get(entry, "ca")));
	buf_putc(in->out, '}');
	return r;
}

static int add_mirror(struct reading *in, const char *text)
{
	const char *scheme = NULL, *host = text;
	size_t n;

	if (!strncmp(text, "http://", 7)) {
		scheme = "http";
		host = text + 7;
	} else if (!strncmp(text, "https://", 8)) {
		scheme = "https";
		host = text + 8;
	}
	n = strcspn(host, "/");
	if (n == 0 || strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") != n || (host[n] && host[n + 1]) || n > 255)
		return image_say(in->err, EINVAL, "registries.json: the mirror \"%.150s\" is not a host with an optional port", text);
	if (host[n]) {
		char bare[256];

		memcpy(bare, host, n);
		bare[n] = '\0';
		return add_endpoint(in, bare, scheme, 0);
	}
	return add_endpoint(in, host, scheme, 0);
}

static int add_endpoints(struct reading *in, const char *host)
{
	yyjson_val *v, *mirrors = yyjson_obj_get(yyjson_obj_get(in->registries, host), "mirrors");
	size_t i, max;
	int r;

	yyjson_arr_foreach(mirrors, i, max, v) {
		if ((r = add_mirror(in, yyjson_get_str(v) ? yyjson_get_str(v) : "")) < 0)
			return r;
	}
	return add_endpoint(in, host, NULL, 1);
}

static int write_settings(const struct image_ref *ref, yyjson_val *root, struct reading *in, struct config_pull *out)
{
	char host[IMAGE_REPOSITORY_MAX + 1];
	size_t n = strcspn(ref->repository, "/");
	long long tries, stall;
	int r = 0;

	memcpy(host, ref->repository, n);
	host[n] = '\0';
	if (yyjson_get_bool(yyjson_obj_get(yyjson_obj_get(in->registries, host), "blocked")))
		return image_say(in->err, EPERM, "pulls from %s are blocked in registries.json", host);
	tries = number(root, "tries", 6, 1, 20, in->err, &r);
	stall = number(root, "stall_seconds", 30, 1, 600, in->err, &r);
	out->parallel = (int)number(root, "parallel", CONFIG_PARALLEL, 1, REGISTRY_SLOTS_MAX, in->err, &r);
	if (r < 0)
		return r;
	buf_printf(in->out, "{\"repository\":\"%s\",\"tries\":%lld,\"stall_ms\":%lld,\"endpoints\":[", ref->repository + n + 1, tries, 1000 * stall);
	if ((r = add_endpoints(in, host)) < 0)
		return r;
	buf_puts(in->out, "]}");
	return buf_error(in->out) ? image_say(in->err, E2BIG, "the settings of the pull are too large") : 0;
}

/* -- the whole ---------------------------------------------------------------- */

static int parse(const char *text, size_t n, const char *what, yyjson_doc **out, struct err *err)
{
	yyjson_read_err e;

	*out = NULL;
	if (!text)
		return 0;
	*out = yyjson_read_opts((char *)(uintptr_t)text, n, 0, NULL, &e);
	if (!*out)
		return image_say(err, EINVAL, "%s: not JSON: %s at byte %zu", what, e.msg, e.pos);
	return yyjson_is_obj(yyjson_doc_get_root(*out)) ? 0 : image_say(err, EINVAL, "%s: not an object", what);
}

static int parse_auth(const char *text, yyjson_doc **out, struct err *err)
{
	size_t n = text ? strlen(text) : 0;
	CLEANUP_FREE char *json = n ? malloc(n + 1) : NULL;
	long len;
	int r;

	*out = NULL;
	if (!n)
		return 0;
	if (!json)
		return err_set(err, ENOMEM, "X-Registry-Auth");
	len = config_base64(text, n, json);
	if (len < 0)
		return image_say(err, EINVAL, "X-Registry-Auth is not base64");
	r = parse(json, (size_t)len, "X-Registry-Auth", out, err);
	explicit_bzero(json, n);
	return r;
}

int config_pull_parse(const struct image_ref *ref, const struct config_texts *texts, struct config_pull *out, struct err *err)
{
	yyjson_doc *registries = NULL, *docker = NULL, *auth = NULL;
	struct reading in = { .out = &out->settings, .err = err };
	int r;

	buf_init(&out->settings, REGISTRY_SETTINGS_MAX - 1);
	out->parallel = CONFIG_PARALLEL;
	r = parse(texts->registries, texts->registries_len, "registries.json", &registries, err);
	if (r == 0 && registries)
		r = check_registries(yyjson_doc_get_root(registries), err);
	if (r == 0)
		r = parse(texts->docker, texts->docker_len, "config.json", &docker, err);
	if (r == 0)
		r = parse_auth(texts->auth, &auth, err);
	in.registries = yyjson_obj_get(yyjson_doc_get_root(registries), "registries");
	in.auths = yyjson_obj_get(yyjson_doc_get_root(docker), "auths");
	in.auth = yyjson_doc_get_root(auth);
	if (r == 0)
		r = write_settings(ref, yyjson_doc_get_root(registries), &in, out);
	yyjson_doc_free(registries);
	yyjson_doc_free(docker);
	yyjson_doc_free(auth);
	return r;
}

static int read_optional(const char *path, char **text, size_t *n, struct err *err)
{
	int r = path ? fd_read_file(AT_FDCWD, path, CONFIG_FILE_MAX, text, n, err) : -ENOENT;

	return r == -ENOENT ? 0 : r;
}

int config_pull_make(const struct image_ref *ref, const struct config_sources *from, struct config_pull *out, struct err *err)
{
	struct config_texts texts = { .auth = from->auth };
	char *registries = NULL, *docker = NULL;
	int r;

	memset(out, 0, sizeof(*out));
	r = read_optional(from->registries, &registries, &texts.registries_len, err);
	if (r == 0)
		r = read_optional(from->docker, &docker, &texts.docker_len, err);
	texts.registries = registries;
	texts.docker = docker;
	if (r == 0)
		r = config_pull_parse(ref, &texts, out, err);
	if (registries)
		explicit_bzero(registries, texts.registries_len);
	if (docker)
		explicit_bzero(docker, texts.docker_len);
	free(registries);
	free(docker);
	return r;
}

void config_pull_free(struct config_pull *p)
{
	if (p->settings.data && p->settings.cap)
		explicit_bzero(p->settings.data, p->settings.len);
	buf_free(&p->settings);
}
