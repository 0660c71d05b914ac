/* fuzz_resources.c - any bytes as the file of update --resources, and what systemd is told of it; and as an annotation's GVariant text. */
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "runtime/oci/gvariant.h"
#include "runtime/oci/systemd_properties.h"
#include "tests/fuzz/fuzz_oci.h"

static struct dbus_body b;

static void demand(int good)
{
	if (!good)
		abort();
}

static void as_annotation(const char *text)
{
	struct err err = ERR_INIT;
	uint64_t usec;

	dbus_clear(&b);
	demand(gvariant_put(&b, text, &err) >= 0 || err.text[0]);
	demand(b.n <= sizeof b.data);
	demand(gvariant_usec(text, &usec, &err) >= 0 || err.text[0]);
}

static void as_resources(char *text, size_t n)
{
	struct spec s = { 0 };
	struct err err = ERR_INIT;

	s.doc = yyjson_read_opts(text, n, 0, NULL, NULL);
	if (yyjson_is_obj(yyjson_doc_get_root(s.doc))) {
		if (spec_parse_resources(&s, yyjson_doc_get_root(s.doc), &err) < 0)
			demand(err.text[0] != 0);
		else
			for (int v2 = 0; v2 < 2; v2++) {
				dbus_clear(&b);
				systemd_put_limits(&b, &s.resources, v2);
				demand(b.n <= sizeof b.data);
			}
	}
	spec_free(&s);
}

int fuzz_resources(const uint8_t *data, size_t n)
{
	char *text = malloc(n + 1);

	demand(text != NULL);
	memcpy(text, data, n);
	text[n] = '\0';
	as_annotation(text);
	as_resources(text, n);
	free(text);
	return 0;
}
