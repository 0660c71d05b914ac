/* fuzz_registry.c - any bytes as what a registry says: headers, manifests and indexes; and as an image's name, registries.json, config.json. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/image/image.h"
#include "runtime/registry/client/config.h"
#include "runtime/registry/document.h"
#include "runtime/registry/http.h"
#include "runtime/registry/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void headers(const char *text, size_t n)
{
	struct challenge c = { .scheme = CHALLENGE_OTHER };
	struct http_head head = { .status = 401 };

	challenge_parse(text, &c);
	if (c.scheme > CHALLENGE_BEARER || strlen(c.realm) >= CHALLENGE_TEXT_MAX)
		abort();
	for (const char *p = c.realm; *p; p++)
		if ((unsigned char)*p < 0x20)
			abort();
	http_take_header(&head, text, n);
}

static void documents(const char *text, size_t n)
{
	struct image_manifest *m = malloc(sizeof(*m));
	struct image_descriptor *d = NULL;
	struct err err = ERR_INIT;
	struct settings s;
	char type[128];

	if (document_type(text, n, "", type, &err) == 0 && !strstr(type, "json"))
		abort();
	if (m)
		image_manifest_parse(text, n, m, &err);
	if (image_index_parse(text, n, &d, &err) >= 0)
		free(d);
	free(m);
	if (settings_parse(text, n, &s, &err) == 0)
		settings_free(&s);
}

/* What comes out of a configuration can be read as settings. */
static void configuration(const char *text, size_t n, const struct image_ref *ref)
{
	struct config_texts texts = { .registries = text, .registries_len = n, .auth = NULL };
	struct err err = ERR_INIT;
	struct config_pull p;
	struct settings s;

	for (int i = 0; i < 3; i++) {
		if (config_pull_parse(ref, &texts, &p, &err) == 0 && settings_parse(p.settings.data, p.settings.len, &s, &err) == 0)
			settings_free(&s);
		config_pull_free(&p);
		texts = (struct config_texts){ .docker = i == 0 ? text : NULL, .docker_len = n, .auth = i == 0 ? NULL : text };
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image_ref ref;
	char *text;

	if (size > 65536)
		return 0;
	text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	headers(text, strlen(text));
	documents(text, size);
	if (image_ref_parse(text, &ref, NULL) < 0)
		image_ref_parse("example.test/a/b:1", &ref, NULL);
	configuration(text, size, &ref);
	free(text);
	return 0;
}
