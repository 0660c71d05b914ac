/* userdata.c - from blobs to one configuration: the order in which everything is read, and what becomes of each kind of part. */
#include "userdata.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "containers/containers.h"
#include "formats/cmdline.h"
#include "formats/jinja.h"
#include "formats/merge.h"
#include "formats/patch.h"
#include "formats/scripts.h"
#include "formats/variables.h"

#define MEMORY_MAX ((size_t)10 << 20)	/* of the arena: when the next part is begun there is room for the largest one */

struct reader {
	struct ctx *ctx;
	struct userdata *u;
	struct userdata_layer *layer;
	enum userdata_layer_id id;
	const struct node *variables;
	struct config *c;
};

static const char *const layer_names[LAYER_COUNT] = { "user-data", "vendor-data2", "vendor-data" };

/* cloud-init compares numbers, and takes a header before what the part itself says. */
static bool is_for_us(const struct reader *r, const struct part *part, const struct node *root)
{
	const struct node *inside = root ? node_get(root, "launch-index") : NULL;
	const char *index = part->launch_index;

	if (!index && inside && inside->type == NODE_SCALAR && !node_is_null(inside))
		index = inside->text;
	return !r->u->launch_index || !index || strtol(index, NULL, 10) == strtol(r->u->launch_index, NULL, 10);
}

static void read_cloud_config(struct reader *r, const struct part *part)
{
	struct mergers mergers;
	const struct node *body;
	bool empty;
	const struct node *root = yaml_read(r->ctx->arena, r->ctx->diags, part->source, &empty);

	if (!root)
		return;
	if (root->type != NODE_MAP) {
		diag_at(r->ctx->diags, DIAG_ERROR, root, "such as \"hostname: edge-1\"", "a configuration is a mapping of keys, not %s",
			node_describe(root));
		return;
	}
	if (!is_for_us(r, part, root) || mergers_of_part(r->ctx, root, part->merge, &mergers, &body) < 0)
		return;
	r->layer->config = merge_part(r->ctx, &mergers, r->layer->config, body);
	strings_add(r->ctx, &r->layer->names, part->name);
}

static void read_patch(struct reader *r, const struct part *part)
{
	if (!is_for_us(r, part, NULL))
		return;
	r->layer->config = patch_apply(r->ctx, part->source, r->layer->config);
	strings_add(r->ctx, &r->layer->names, part->name);
}

static enum config_script_kind script_kind(const struct reader *r, enum part_kind kind)
{
	switch (kind) {
	case PART_BOOTHOOK:
		return SCRIPT_BOOTHOOK;
	case PART_SCRIPT_PER_BOOT:
		return SCRIPT_PER_BOOT;
	case PART_SCRIPT_PER_INSTANCE:
		return SCRIPT_PER_INSTANCE;
	case PART_SCRIPT_PER_ONCE:
		return SCRIPT_PER_ONCE;
	default:
		return r->id == LAYER_USER ? SCRIPT_USER : SCRIPT_VENDOR;
	}
}

/* A template becomes what it renders to. False when it cannot be rendered. */
static bool render(struct reader *r, struct part *part)
{
	const struct source *text = jinja_render(r->ctx, part->source, r->variables, !r->u->instance);

	if (!text)
		return false;
	part->source = text;
	part->kind = part_kind_of_text(text->text, text->len);
	part->type = part_type_of_kind(part->kind);
	switch (part->kind) {
	case PART_UNKNOWN:
		if (strspn(text->text, " \t\r\n") < text->len)
			part_report_unknown(r->ctx, text);
		return false;
	case PART_JINJA:
	case PART_INCLUDE:
	case PART_INCLUDE_ONCE:
	case PART_CLOUD_CONFIG_ARCHIVE:
		diag_add(r->ctx->diags, DIAG_ERROR, text, 1, 1, "cloud-config, scripts and boothooks can be",
			 "a template of this kind (%s) is not supported", part->type);
		return false;
	default:
		return true;
	}
}

static void read_part(struct reader *r, struct part *part)
{
	if (r->ctx->arena->used > MEMORY_MAX) {
		diag_add(r->ctx->diags, DIAG_ERROR, part->source, 1, 1, NULL, "all parts together are too large; this one is left out");
		return;
	}
	if (part->kind == PART_JINJA && !render(r, part))
		return;
	switch (part->kind) {
	case PART_CLOUD_CONFIG:
		read_cloud_config(r, part);
		return;
	case PART_CLOUD_CONFIG_PATCH:
		read_patch(r, part);
		return;
	case PART_HANDLER:
		diag_add(r->ctx->diags, DIAG_ERROR, part->source, 1, 1, "use a script, or a boothook",
			 "this is a part handler; it is Python, which Coracle does not have");
		return;
	default:
		break;
	}
	if (!is_for_us(r, part, NULL))
		return;
	if (part->kind == PART_IGNITION)
		ignition_read(r->ctx, part->source, r->c);
	else if (part->kind == PART_POD)
		pod_read(r->ctx, part->source, r->c);
	else
		script_add_part(r->ctx, r->c, script_kind(r, part->kind), part);
}

static void read_layer(struct reader *r, enum userdata_layer_id id, const char *name)
{
	struct userdata_layer *l = &r->u->layer[id];

	r->id = id;
	r->layer = l;
	parts_init(&l->parts, r->u->fetch, r->u->fetch_arg);
	if (!l->text)
		return;
	l->used = true;
	parts_read(r->ctx, &l->parts, name, l->text, l->len);
	for (struct part *p = l->parts.first; p; p = p->next)
		read_part(r, p);
}

static bool is_listed(const struct node *list, const char *type)
{
	if (list && list->type == NODE_SCALAR)
		return !strcmp(list->text, type);
	for (const struct item *i = list && list->type == NODE_LIST ? list->items : NULL; i; i = i->next)
		if (i->value->type == NODE_SCALAR && !strcmp(i->value->text, type))
			return true;
	return false;
}

/* Whoever configures the machine decides whether it listens to its vendor: `vendor_data: {enabled: false}`, or by content type. */
static void read_vendor(struct reader *r, enum userdata_layer_id id, const struct node *own)
{
	const char *key = id == LAYER_VENDOR ? "vendor_data" : "vendor_data2";
	const struct node *settings = own ? node_get(own, key) : NULL;
	const struct node *disabled = settings ? node_get(settings, "disabled_handlers") : NULL;
	struct userdata_layer *l = &r->u->layer[id];

	r->id = id;
	r->layer = l;
	parts_init(&l->parts, r->u->fetch, r->u->fetch_arg);
	if (!l->text || !vendor_is_enabled(settings))
		return;
	l->used = true;
	parts_read(r->ctx, &l->parts, layer_names[id], l->text, l->len);
	for (struct part *p = l->parts.first; p; p = p->next)
		if (!is_listed(disabled, p->type))
			read_part(r, p);
}

void userdata_read_layers(struct ctx *ctx, struct userdata *u, struct config *c)
{
	struct reader r = { .ctx = ctx, .u = u, .c = c };
	const struct node *system;
	const struct node *root;

	r.variables = u->instance ? u->instance : variables_guess(ctx);
	system = cmdline_config(ctx, u->cmdline, u->fetch, u->fetch_arg);
	read_layer(&r, LAYER_USER, layer_names[LAYER_USER]);
	root = u->layer[LAYER_USER].config;
	read_vendor(&r, LAYER_VENDOR, merge_layers(ctx, root, system));
	read_vendor(&r, LAYER_VENDOR2, merge_layers(ctx, root, system));
	root = merge_layers(ctx, root, u->layer[LAYER_VENDOR2].config);
	root = merge_layers(ctx, root, u->layer[LAYER_VENDOR].config);
	root = merge_layers(ctx, root, system);
	if (root)
		config_read(ctx, root, c);
}

void userdata_read(struct ctx *ctx, const char *name, const char *bytes, size_t len, struct config *c)
{
	struct userdata u = { .layer = { { .text = bytes, .len = len } } };
	struct reader r = { .ctx = ctx, .u = &u, .c = c, .variables = variables_guess(ctx) };

	read_layer(&r, LAYER_USER, name);
	if (u.layer[LAYER_USER].config)
		config_read(ctx, u.layer[LAYER_USER].config, c);
}
