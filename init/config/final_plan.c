/* final_plan.c - writes and reads /run/coracle/final. In coracle-config boot and final. */
#include <errno.h>
#include <string.h>

#include "final.h"
#include "modules/module.h"
#include "node_json.h"
#include "path.h"

#define PLAN_MAX YAML_TEXT_MAX

/* Done before the last stage, and large or secret. */
static const char *const done_keys[] = {
	"bootcmd", "ca_certs", "ca-certs", "chpasswd", "configs", "containers", "networks", "password", "random_seed", "runcmd", "secrets", "services",
	"ssh_keys", "volumes", "write_files",
};

static bool is_done_key(const struct node *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(done_keys); i++)
		if (!strcmp(key->text, done_keys[i]))
			return true;
	return false;
}

static void add_config(struct buf *b, const struct node *root)
{
	bool first = true;

	buf_puts(b, "{");
	for (const struct item *i = root ? root->items : NULL; i; i = i->next) {
		if (is_done_key(i->key))
			continue;
		buf_puts(b, first ? "" : ",\n");
		node_write_json(i->key, b);
		buf_puts(b, ": ");
		node_write_json(i->value, b);
		first = false;
	}
	buf_puts(b, "}");
}

bool final_leave(struct run *r)
{
	CLEANUP_BUF struct buf b = { 0 };
	const char *host = r->seed.meta.local_hostname;

	if (!modules_final_wanted(r))
		return false;
	buf_init(&b, PLAN_MAX);
	buf_puts(&b, "{\"instance_id\": ");
	buf_json_string(&b, r->instance_id, strlen(r->instance_id));
	if (host) {
		buf_puts(&b, ",\n\"local_hostname\": ");
		buf_json_string(&b, host, strlen(host));
	}
	buf_puts(&b, ",\n\"config\": ");
	add_config(&b, r->config.root);
	buf_puts(&b, "}\n");
	if (buf_error(&b)) {
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "the last stage is left out: its configuration is more than 1 MiB");
		return false;
	}
	module_put(r, FINAL_PATH, b.data, 0600);
	return true;
}

static const char *member(const struct node *root, const char *key)
{
	const struct node *n = node_get(root, key);

	return n && n->type == NODE_SCALAR ? n->text : NULL;
}

int final_read(struct run *r)
{
	struct diags quiet; /* what is wrong with it was told when it was read first */
	struct ctx ctx = { .arena = &r->arena, .diags = &quiet };
	struct source source = { .name = FINAL_PATH };
	CLEANUP_FREE char *text = NULL;
	const struct node *root;
	const struct node *config;
	bool empty;
	int e = target_read(&r->target, FINAL_PATH, PLAN_MAX, &text, &source.len);

	if (e < 0)
		return e;
	diags_init(&quiet, &r->arena);
	source.text = arena_strndup(&r->arena, text, source.len);
	root = yaml_read(&r->arena, &quiet, &source, &empty);
	if (!root || root->type != NODE_MAP)
		return -EBADMSG;
	r->instance_id = member(root, "instance_id");
	if (!r->instance_id || !path_component_ok(r->instance_id))
		return -EBADMSG;
	r->seed.meta.instance_id = r->instance_id;
	r->seed.meta.local_hostname = member(root, "local_hostname");
	config = node_get(root, "config");
	if (config && config->type == NODE_MAP)
		config_read(&ctx, config, &r->config);
	config_finish(&ctx, &r->config);
	return 0;
}
