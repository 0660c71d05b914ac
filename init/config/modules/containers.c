/* containers.c - the module containers: what the engine shall run, as /run/coracle/containers.json. In coracle-config boot and apply. */
#include "module.h"

#define JSON_MAX ((size_t)8 << 20)
#define CONTAINERS_PATH "/run/coracle/containers.json"

void apply_containers(struct run *r)
{
	CLEANUP_BUF struct buf json = { 0 };

	target_unlink(&r->target, CONTAINERS_PATH); /* of an earlier run in this boot */
	if (!r->config.compose.services)
		return;
	compose_prepare(&r->ctx, &r->target, &r->config.compose);
	buf_init(&json, JSON_MAX);
	if (!compose_write_json(&r->config.compose, &json))
		return;
	if (buf_error(&json))
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "the containers are left out: they are more than 8 MiB");
	else
		module_put(r, CONTAINERS_PATH, json.data, 0600); /* environments hold secrets */
}
