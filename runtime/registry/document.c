/* document.c - indexes and manifests: which of them is this? Pure; runs in coracle-registry. */
#include "runtime/registry/document.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <yyjson.h>

#include "lib/cdefs.h"
#include "runtime/image/say.h"

static const char *const types[] = {
	"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
};
#define INDEXES 2u

/* Number in the list, or ARRAY_SIZE(types). */
static size_t number_of(const char *type)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(types) && strcmp(types[i], type) != 0)
		i++;
	return i;
}

static int decide(yyjson_val *root, const char *content_type, size_t *out, struct err *err)
{
	const char *own = yyjson_get_str(yyjson_obj_get(root, "mediaType"));
	bool index = yyjson_is_arr(yyjson_obj_get(root, "manifests"));
	bool manifest = yyjson_is_arr(yyjson_obj_get(root, "layers")) || yyjson_obj_get(root, "config");
	size_t said = number_of(content_type), is = own ? number_of(own) : ARRAY_SIZE(types);

	if (yyjson_get_int(yyjson_obj_get(root, "schemaVersion")) == 1 || yyjson_obj_get(root, "fsLayers"))
		return image_bad(err, "is a schema 1 manifest, which Docker gave up in 2021: convert the image");
	if (index == manifest)
		return image_bad(err, index ? "is an index and a manifest at once" : "is neither an index nor an image manifest");
	if (own && is == ARRAY_SIZE(types))
		return image_bad(err, "has the media type %.100s, which is no image's", own);
	if (own && said < ARRAY_SIZE(types) && said != is)
		return image_bad(err, "says that it is %.100s, the registry says %.100s", own, content_type);
	if (is == ARRAY_SIZE(types))
		is = said;
	if (is == ARRAY_SIZE(types))
		is = index ? 0 : INDEXES;
	if ((is < INDEXES) != index)
		return image_bad(err, "has the type %.100s, and the content of %s", types[is], index ? "an index" : "a manifest");
	*out = is;
	return 0;
}

int document_type(const char *json, size_t n, const char *content_type, char out[128], struct err *err)
{
	yyjson_doc *doc = yyjson_read(json, n, 0);
	size_t is = 0;
	int r;

	if (!yyjson_is_obj(yyjson_doc_get_root(doc)))
		r = image_bad(err, "is not JSON but %.100s: is there a registry?", content_type[0] ? content_type : "something else");
	else
		r = decide(yyjson_doc_get_root(doc), content_type, &is, err);
	yyjson_doc_free(doc);
	if (r == 0)
		snprintf(out, 128, "%s", types[is]);
	return r;
}
