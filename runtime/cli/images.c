/* images.c - coracle images: images as a table. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "table.h"

int verb_images(int argc, char **argv)
{
	static const char *const head[] = { "NAME", "ID", "CREATED", "SIZE" };
	struct err err = ERR_INIT;
	yyjson_doc *doc;
	size_t i, max, k, names;
	yyjson_val *image, *name;
	struct table t;

	(void)argv;
	if (argc > 1)
		return cli_usage("images");
	doc = cli_get("/images/json", &err);
	if (!doc)
		return cli_fail(&err);
	table_init(&t, ARRAY_SIZE(head));
	table_add(&t, head);
	yyjson_arr_foreach(yyjson_doc_get_root(doc), i, max, image) {
		const char *digest = cli_safe(yyjson_get_str(yyjson_obj_get(image, "Id")));
		time_t when = (time_t)yyjson_get_sint(yyjson_obj_get(image, "Created"));
		yyjson_val *tags = yyjson_obj_get(image, "RepoTags");
		char id[13], created[32] = "", size[24];
		struct tm tm;

		snprintf(id, sizeof(id), "%.12s", strlen(digest) > 7 ? digest + 7 : digest);
		if (gmtime_r(&when, &tm))
			strftime(created, sizeof(created), "%Y-%m-%d", &tm);
		cli_size(yyjson_get_uint(yyjson_obj_get(image, "Size")), size);
		if (yyjson_arr_size(tags) == 0)
			table_add(&t, (const char *[]){ "<none>", id, created, size });
		yyjson_arr_foreach(tags, k, names, name) {
			table_add(&t, (const char *[]){ cli_safe(yyjson_get_str(name)), id, created, size });
		}
	}
	table_print(&t, 0);
	yyjson_doc_free(doc);
	return 0;
}
