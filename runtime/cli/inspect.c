/* inspect.c - coracle inspect: what the engine knows about containers, as a JSON array. */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "http.h"

int verb_inspect(int argc, char **argv)
{
	int code = 0, shown = 0;

	if (argc < 2)
		return cli_usage("inspect CONTAINER...");
	puts("[");
	for (int i = 1; i < argc; i++) {
		struct err err = ERR_INIT;
		CLEANUP_BUF struct buf path;
		yyjson_doc *doc;
		char *pretty;

		buf_init(&path, 4096);
		buf_puts(&path, "/containers/");
		http_escape(&path, argv[i]);
		buf_puts(&path, "/json");
		doc = cli_get(path.data, &err);
		pretty = doc ? yyjson_write(doc, YYJSON_WRITE_PRETTY, NULL) : NULL;
		if (pretty)
			printf("%s%s\n", shown++ ? "," : "", pretty);
		else
			code = cli_fail(&err);
		free(pretty);
		yyjson_doc_free(doc);
	}
	puts("]");
	return code;
}
