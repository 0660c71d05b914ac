/* version.c - coracle version: of the client, and of the engine when it answers. */
#include <stdio.h>

#include "cli.h"

int verb_version(int argc, char **argv)
{
	struct err err = ERR_INIT;
	yyjson_doc *doc;
	yyjson_val *o;

	(void)argc;
	(void)argv;
	puts("coracle " CORACLE_VERSION);
	doc = cli_get("/version", &err);
	if (!doc)
		return 0;
	o = yyjson_doc_get_root(doc);
	printf("engine %s, API %s (from %s), kernel %s\n", cli_safe(yyjson_get_str(yyjson_obj_get(o, "Version"))),
	       cli_safe(yyjson_get_str(yyjson_obj_get(o, "ApiVersion"))), cli_safe(yyjson_get_str(yyjson_obj_get(o, "MinAPIVersion"))),
	       cli_safe(yyjson_get_str(yyjson_obj_get(o, "KernelVersion"))));
	yyjson_doc_free(doc);
	return 0;
}
