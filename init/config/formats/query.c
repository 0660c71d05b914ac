/* query.c - coracle-config query: one value of the instance data, as `cloud-init query` prints it. Only reads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "jinja.h"
#include "json.h"

#define DATA_MAX YAML_TEXT_MAX
#define OUTPUT_MAX ((size_t)4 << 20)

struct options {
	const char *root;
	const char *name;
	const char *format;
	bool all;
	bool list_keys;
};

static const struct raw {
	const char *names[2];
	const char *file;
} raws[] = {
	{ { "userdata", "user_data" }, "/var/lib/cloud/instance/user-data.txt" },
	{ { "vendordata", "vendor_data" }, "/var/lib/cloud/instance/vendor-data.txt" },
};

static int complain(const char *text)
{
	fprintf(stderr, "coracle-config: %s\n", text);
	return 1;
}

/* What root may read is complete. */
static const struct node *load(struct run *r)
{
	static const char *const paths[] = { "/run/cloud-init/instance-data-sensitive.json", "/run/cloud-init/instance-data.json" };
	CLEANUP_FREE char *text = NULL;
	struct source *source = ARENA_NEW(&r->arena, struct source);
	const struct node *root;
	bool empty;

	for (size_t i = 0; i < ARRAY_SIZE(paths) && !text; i++)
		if (target_read(&r->target, paths[i], DATA_MAX, &text, &source->len) == 0)
			source->name = paths[i];
	if (!text)
		return NULL;
	source->text = arena_strndup(&r->arena, text, source->len);
	root = yaml_read(&r->arena, &r->diags, source, &empty);
	return root && root->type == NODE_MAP ? root : NULL;
}

static void print_json(const struct node *n)
{
	CLEANUP_BUF struct buf out = { 0 };

	buf_init(&out, OUTPUT_MAX);
	json_write(n, false, &out);
	puts(out.data);
}

/* Text is printed as it is, everything else as JSON. */
static void print_value(const struct node *n)
{
	if (n->type == NODE_SCALAR && !n->plain)
		puts(n->text);
	else
		print_json(n);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int print_keys(struct run *r, const struct node *n, const char *name)
{
	struct strings keys = { NULL, 0 };

	if (n->type != NODE_MAP)
		return complain(arena_printf(&r->arena, "--list-keys: \"%s\" is no mapping", name));
	for (const struct item *i = n->items; i; i = i->next)
		strings_add(&r->ctx, &keys, i->key->text);
	if (keys.n)
		qsort(keys.v, keys.n, sizeof(keys.v[0]), by_text);
	for (size_t i = 0; i < keys.n; i++)
		puts(keys.v[i]);
	return 0;
}

static int print_raw(struct run *r, const char *file)
{
	CLEANUP_FREE char *text = NULL;
	size_t len;

	if (target_read(&r->target, file, USERDATA_MAX, &text, &len) < 0) {
		printf("<" JSON_REDACTED "> file:%s\n", file);
		return 0;
	}
	fwrite(text, 1, len, stdout);
	if (len == 0 || text[len - 1] != '\n')
		putchar('\n');
	return 0;
}

static int print_format(struct run *r, const struct node *data, const char *format)
{
	CLEANUP_BUF struct buf out = { 0 };
	struct source *source = ARENA_NEW(&r->arena, struct source);
	const struct source *text;

	source->name = "--format";
	source->text = arena_printf(&r->arena, "## template: jinja\n%s", format);
	source->len = strlen(source->text);
	text = jinja_render(&r->ctx, source, data, false);
	if (text) {
		puts(text->text);
		return 0;
	}
	buf_init(&out, OUTPUT_MAX);
	diags_render(&r->diags, &out);
	fputs(out.data, stderr);
	return 1;
}

static int query(struct run *r, const struct options *o)
{
	struct err err = ERR_INIT;
	const struct node *data;
	const struct node *found;

	if (target_open(&r->target, o->root, false, &err) < 0)
		return complain(err.text);
	for (size_t i = 0; o->name && i < ARRAY_SIZE(raws); i++)
		if (!strcmp(o->name, raws[i].names[0]) || !strcmp(o->name, raws[i].names[1]))
			return print_raw(r, raws[i].file);
	data = load(r);
	if (!data)
		return complain("there is no /run/cloud-init/instance-data.json: the configuration is not applied yet");
	if (o->format)
		return print_format(r, data, o->format);
	found = o->name ? jinja_find(data, o->name) : data;
	if (!found)
		return complain(arena_printf(&r->arena, "the instance data has no \"%s\" (see query --all)", o->name));
	if (o->list_keys)
		return print_keys(r, found, o->name ? o->name : "");
	if (o->all)
		print_json(data);
	else
		print_value(found);
	return 0;
}

static const char usage[] = "usage: coracle-config query [--root DIR] NAME | --all | --list-keys [NAME] | --format TEMPLATE\n"
			    "NAME is a path such as v1.region, region, ds.meta_data.uuid; or userdata, vendordata\n";

static bool parse(int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++) {
		bool more = i + 1 < argc;

		if (more && !strcmp(argv[i], "--root"))
			o->root = argv[++i];
		else if (more && (!strcmp(argv[i], "--format") || !strcmp(argv[i], "-f")))
			o->format = argv[++i];
		else if (!strcmp(argv[i], "--all") || !strcmp(argv[i], "-a"))
			o->all = true;
		else if (!strcmp(argv[i], "--list-keys") || !strcmp(argv[i], "-l"))
			o->list_keys = true;
		else if (argv[i][0] == '-' || o->name)
			return false;
		else
			o->name = argv[i];
	}
	return o->name || o->format || o->all || o->list_keys;
}

int command_query(int argc, char **argv)
{
	struct options o = { .root = "/" };
	struct run r;
	int code;

	if (!parse(argc, argv, &o)) {
		fputs(usage, stderr);
		return 1;
	}
	run_init(&r);
	code = query(&r, &o);
	run_fini(&r);
	return code;
}
