/* ps.c - coracle ps: containers as a table. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "table.h"

static const char *text(yyjson_val *o, const char *key)
{
	return cli_safe(yyjson_get_str(yyjson_obj_get(o, key)));
}

int cli_print_containers(bool all, struct err *err)
{
	static const char *const head[] = { "NAME", "STATUS", "IMAGE", "COMMAND", "ID" };
	yyjson_doc *doc = cli_get(all ? "/containers/json?all=1" : "/containers/json", err);
	size_t i, max;
	yyjson_val *c;
	struct table t;

	if (!doc)
		return -1;
	table_init(&t, ARRAY_SIZE(head));
	table_add(&t, head);
	yyjson_arr_foreach(yyjson_doc_get_root(doc), i, max, c) {
		const char *name = cli_safe(yyjson_get_str(yyjson_arr_get_first(yyjson_obj_get(c, "Names"))));
		char id[13];

		snprintf(id, sizeof(id), "%.12s", text(c, "Id"));
		table_add(&t, (const char *[]){ name[0] == '/' ? name + 1 : name, text(c, "Status"), text(c, "Image"),
						text(c, "Command"), id });
	}
	table_print(&t, 0);
	yyjson_doc_free(doc);
	return 0;
}

int verb_ps(int argc, char **argv)
{
	struct err err = ERR_INIT;
	bool all = argc == 2 && (strcmp(argv[1], "-a") == 0 || strcmp(argv[1], "--all") == 0);

	if (argc > 2 || (argc == 2 && !all))
		return cli_usage("ps [-a]");
	return cli_print_containers(all, &err) < 0 ? cli_fail(&err) : 0;
}
