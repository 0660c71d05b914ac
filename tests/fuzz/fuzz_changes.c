/* fuzz_changes.c - any bytes as a line of `docker commit --change`. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/image/changes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	yyjson_mut_doc *doc;
	yyjson_mut_val *config;
	char *line, *text;

	if (size > 4096)
		return 0;
	line = malloc(size + 1);
	doc = yyjson_mut_doc_new(NULL);
	if (!line || !doc)
		abort();
	memcpy(line, data, size);
	line[size] = '\0';
	config = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, config);
	if (image_change(doc, config, line, &err) < 0 && !err.text[0])
		abort();
	text = yyjson_mut_write(doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, NULL);
	free(text);
	yyjson_mut_doc_free(doc);
	free(line);
	return 0;
}
