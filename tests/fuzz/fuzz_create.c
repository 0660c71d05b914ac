/* fuzz_create.c - any bytes as the body of create and update, as detach keys, and as a healthcheck; what was taken can be written and read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "runtime/engine/createbody.h"
#include "runtime/engine/detach.h"
#include "runtime/engine/healthcheck.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A record must be able to hold it. */
static void write_and_read(struct service *s, struct arena *mem)
{
	CLEANUP_BUF struct buf b;
	struct service again;
	struct err err = ERR_INIT;
	yyjson_doc *doc;

	s->name = s->container_name = arena_strdup(mem, "name");
	buf_init(&b, SERVICE_ARENA_MAX * 4);
	service_write(&b, s, true);
	doc = buf_error(&b) ? NULL : yyjson_read(b.data, b.len, 0);
	if (!doc && !buf_error(&b))
		abort();
	if (doc)
		service_parse(mem, yyjson_doc_get_root(doc), &again, &err);
	yyjson_doc_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct create_body x;
	struct service s = { 0 };
	struct healthcheck h;
	struct detach d;
	struct err err = ERR_INIT;
	struct arena mem;
	unsigned status;
	size_t use;
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	arena_init(&mem, 16u << 20);
	if (create_body_parse(&mem, text, size, &x, &err) == 0)
		write_and_read(&x.svc, &mem);
	else if (!err.text[0] || (x.status != 400 && x.status != 501))
		abort();
	create_update(&mem, text, size, &s, &status, &err);
	healthcheck_parse(&mem, text, &h);
	if (detach_parse(&d, text) && detach_scan(&d, text, size, &use) && use >= size)
		abort();
	arena_free(&mem);
	free(text);
	return 0;
}
