/* test_registry.c - challenges, headers, kinds of documents, and the settings of a pull. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "runtime/registry/client/config.h"
#include "runtime/registry/document.h"
#include "runtime/registry/http.h"
#include "runtime/registry/settings.h"

static struct challenge parse(const char *text, int want)
{
	struct challenge c = { .scheme = CHALLENGE_OTHER };

	assert_int_equal(challenge_parse(text, &c), want);
	return c;
}

static void challenges(void **state)
{
	struct challenge c = parse("Bearer realm=\"https://a.test/token\",service=\"reg \\\"x\\\"\",scope=\"repository:a/b:pull,push\"", 0);

	(void)state;
	assert_int_equal(c.scheme, CHALLENGE_BEARER);
	assert_string_equal(c.realm, "https://a.test/token");
	assert_string_equal(c.service, "reg \"x\"");
	assert_string_equal(c.scope, "repository:a/b:pull,push");
	c = parse("Negotiate YWJj==, Basic realm=\"one, two\" , BEARER Realm = tok", 0);
	assert_int_equal(c.scheme, CHALLENGE_BEARER);
	assert_string_equal(c.realm, "tok");
	assert_int_equal(parse("Basic realm=x", 0).scheme, CHALLENGE_BASIC);
	assert_int_equal(parse("Digest a=b, c=\"d\"", 0).scheme, CHALLENGE_OTHER);
	parse("", 0);
	parse("Bearer realm=\"no end", -74);
	parse("Bearer realm=\"a\nb\"", -74);
	parse("=", -74);
}

static void headers(void **state)
{
	struct http_head h = { .status = 206 };

	(void)state;
	http_take_header(&h, "content-RANGE: bytes 5-99/100", 29);
	assert_true(h.has_range);
	assert_int_equal(h.range_from, 5);
	assert_int_equal(h.range_total, 100);
	http_take_header(&h, "Content-Type: Application/JSON; charset=x", 41);
	assert_string_equal(h.type, "application/json");
	http_take_header(&h, "Retry-After: 99999", 18);
	assert_int_equal(h.retry_after_s, 3600);
	h.has_range = false;
	http_take_header(&h, "Content-Range: bytes */100", 26);
	assert_false(h.has_range);
}

static void type_is(const char *json, const char *content_type, const char *want)
{
	char type[128] = "";
	struct err err = ERR_INIT;
	int r = document_type(json, strlen(json), content_type, type, &err);

	if (want[0] == '!') {
		assert_int_equal(r, -74);
		assert_non_null(strstr(err.text, want + 1));
	} else {
		assert_int_equal(r, 0);
		assert_string_equal(type, want);
	}
}

static void documents(void **state)
{
	static const char manifest[] = "application/vnd.oci.image.manifest.v1+json", index[] = "application/vnd.oci.image.index.v1+json";

	(void)state;
	type_is("{\"config\":{},\"layers\":[]}", manifest, manifest);
	type_is("{\"config\":{},\"layers\":[]}", "text/plain", manifest);
	type_is("{\"manifests\":[]}", "", index);
	type_is("{\"manifests\":[],\"layers\":[]}", index, "!at once");
	type_is("{\"config\":{},\"layers\":[]}", index, "!content of a manifest");
	type_is("{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"layers\":[]}", index, "!the registry says");
	type_is("{\"schemaVersion\":1,\"fsLayers\":[]}", "", "!schema 1");
	type_is("<html>", "text/html", "!text/html");
}

static void settings_of(const char *name, const char *registries, const char *docker, const char *auth, struct config_pull *p, struct settings *s)
{
	struct config_texts t = { registries, docker, auth, registries ? strlen(registries) : 0, docker ? strlen(docker) : 0 };
	struct err err = ERR_INIT;
	struct image_ref ref;

	assert_int_equal(image_ref_parse(name, &ref, &err), 0);
	assert_int_equal(config_pull_parse(&ref, &t, p, &err), 0);
	assert_int_equal(settings_parse(p->settings.data, p->settings.len, s, &err), 0);
}

static void credentials_and_endpoints(void **state)
{
	struct config_pull p;
	struct settings s;

	(void)state;
	settings_of("nginx", NULL, "{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"dTpwOnE=\"}}}", NULL, &p, &s);
	assert_string_equal(s.endpoint[0].url, "https://registry-1.docker.io");
	assert_string_equal(s.repository, "library/nginx");
	assert_string_equal(s.endpoint[0].username, "u");
	assert_string_equal(s.endpoint[0].password, "p:q");
	settings_free(&s);
	config_pull_free(&p);
	/* a mirror gets its own credentials and never the registry's; the request's are the registry's */
	settings_of("r.test/a", "{\"registries\":{\"r.test\":{\"mirrors\":[\"http://m.test:5\",\"n.test\"],\"username\":\"u\",\"password\":\"p\"},\"n.test\":{\"plain_http\":true}}}",
		"{\"auths\":{\"m.test:5\":{\"username\":\"m\",\"password\":\"n\"}}}", "eyJ1c2VybmFtZSI6IngiLCJwYXNzd29yZCI6InkifQ==", &p, &s);
	assert_int_equal(s.endpoints, 3);
	assert_string_equal(s.endpoint[0].url, "http://m.test:5");
	assert_string_equal(s.endpoint[0].username, "m");
	assert_string_equal(s.endpoint[1].url, "http://n.test");
	assert_string_equal(s.endpoint[1].username, "");
	assert_string_equal(s.endpoint[2].url, "https://r.test");
	assert_string_equal(s.endpoint[2].username, "x");
	settings_free(&s);
	config_pull_free(&p);
}

static void refused(const char *registries, const char *want)
{
	struct config_texts t = { .registries = registries, .registries_len = strlen(registries) };
	struct err err = ERR_INIT;
	struct config_pull p;
	struct image_ref ref;

	assert_int_equal(image_ref_parse("r.test/a", &ref, &err), 0);
	assert_true(config_pull_parse(&ref, &t, &p, &err) < 0);
	assert_non_null(strstr(err.text, want));
	config_pull_free(&p);
}

static void mistakes(void **state)
{
	(void)state;
	refused("{", "not JSON");
	refused("{\"x\":1}", "unknown key \"x\"");
	refused("{\"registries\":{\"r.test\":{\"insecure\":true}}}", "unknown key \"insecure\"");
	refused("{\"registries\":{\"r.test\":{\"plain_http\":\"yes\"}}}", "not true or false");
	refused("{\"registries\":{\"r.test\":{\"ca\":\"ca.pem\"}}}", "absolute path");
	refused("{\"registries\":{\"r.test\":{\"mirrors\":[\"ftp://x/y\"]}}}", "mirror");
	refused("{\"registries\":{\"r.test\":{\"blocked\":true}}}", "blocked");
	refused("{\"parallel\":9}", "parallel");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(challenges), cmocka_unit_test(headers), cmocka_unit_test(documents), cmocka_unit_test(credentials_and_endpoints),
		cmocka_unit_test(mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
