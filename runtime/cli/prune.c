/* prune.c - coracle prune: images that no container uses go. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "http.h"

static void print_removed(yyjson_val *list)
{
	yyjson_val *v;
	size_t i, max;

	yyjson_arr_foreach(list, i, max, v) {
		const char *name = yyjson_get_str(yyjson_obj_get(v, "Untagged")), *id = yyjson_get_str(yyjson_obj_get(v, "Deleted"));

		if (name)
			printf("untagged %s\n", cli_safe(name));
		if (id)
			printf("deleted %s\n", cli_safe(id));
	}
}

int verb_prune(int argc, char **argv)
{
	int all = argc > 1 && strcmp(argv[1], "-a") == 0;
	CLEANUP_BUF struct buf path, reply;
	struct err err = ERR_INIT;
	yyjson_doc *doc;
	char size[24];

	if (argc > 1 + all)
		return cli_usage("prune [-a]");
	buf_init(&path, 1024);
	buf_init(&reply, HTTP_BODY_MAX);
	buf_puts(&path, "/images/prune?filters=");
	http_escape(&path, all ? "{\"dangling\":{\"false\":true}}" : "{\"dangling\":{\"true\":true}}");
	if (http_get(cli.docker_socket, "POST", path.data, &reply, &err) < 0)
		return cli_fail(&err);
	doc = yyjson_read(reply.data, reply.len, 0);
	if (!doc) {
		err_set(&err, EPROTO, "the engine's answer");
		return cli_fail(&err);
	}
	print_removed(yyjson_obj_get(yyjson_doc_get_root(doc), "ImagesDeleted"));
	cli_size(yyjson_get_uint(yyjson_obj_get(yyjson_doc_get_root(doc), "SpaceReclaimed")), size);
	printf("%s freed\n", size);
	yyjson_doc_free(doc);
	return 0;
}
