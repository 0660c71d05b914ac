/* store.c - the files that cloud-init leaves of user-data, for people and tools that look for them. */
#include <string.h>

#include "../modules/module.h"
#include "../run.h"
#include "formats.h"
#include "json.h"
#include "yaml_write.h"

#define FILE_MAX ((size_t)12 << 20)
#define BOUNDARY "===============coracle-config=="
#define INSTANCE_DATA "/run/cloud-init/instance-data.json"
#define INSTANCE_DATA_SENSITIVE "/run/cloud-init/instance-data-sensitive.json"

static const struct names {
	const char *raw, *parts, *config;
} names[LAYER_COUNT] = {
	[LAYER_USER] = { "user-data.txt", "user-data.txt.i", "cloud-config.txt" },
	[LAYER_VENDOR2] = { "vendor-data2.txt", "vendor-data2.txt.i", "vendor2-cloud-config.txt" },
	[LAYER_VENDOR] = { "vendor-data.txt", "vendor-data.txt.i", "vendor-cloud-config.txt" },
};

static void put(struct run *r, const char *name, const char *data, size_t len)
{
	struct target_file f = { .path = module_instance_path(r, name), .data = data, .len = len, .mode = 0600 };
	struct err err = ERR_INIT;

	if (target_write(&r->target, &f, NULL, &err) < 0)
		module_failed(r, NULL, &err);
}

static void add_header_text(struct buf *b, const char *s)
{
	for (; *s; s++)
		buf_putc(b, (unsigned char)*s < ' ' || *s == '"' || *s == '\\' ? '_' : *s);
}

/* All parts as one message, in the order in which they were read. */
static void put_parts(struct run *r, const struct userdata_layer *l, const char *name)
{
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, FILE_MAX);
	buf_puts(&b, "Content-Type: multipart/mixed; boundary=\"" BOUNDARY "\"\nMIME-Version: 1.0\n\n");
	for (const struct part *p = l->parts.first; p; p = p->next) {
		buf_printf(&b, "--" BOUNDARY "\nContent-Type: %s\nMIME-Version: 1.0\nContent-Disposition: attachment; filename=\"", p->type);
		add_header_text(&b, p->name);
		buf_puts(&b, "\"\n");
		if (p->merge) {
			buf_puts(&b, "Merge-Type: ");
			add_header_text(&b, p->merge);
			buf_putc(&b, '\n');
		}
		buf_putc(&b, '\n');
		buf_add(&b, p->source->text, p->source->len);
		buf_putc(&b, '\n');
	}
	buf_puts(&b, "--" BOUNDARY "--\n");
	if (!buf_error(&b))
		put(r, name, b.data, b.len);
}

static void put_config(struct run *r, const struct userdata_layer *l, const char *name)
{
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, FILE_MAX);
	if (l->config) {
		buf_printf(&b, "#cloud-config\n\n# from %zu files\n", l->names.n);
		for (size_t i = 0; i < l->names.n; i++) {
			buf_puts(&b, "# ");
			add_header_text(&b, l->names.v[i]);
			buf_putc(&b, '\n');
		}
		buf_puts(&b, "\n---\n");
		yaml_write(l->config, &b);
		buf_puts(&b, "...\n");
	}
	if (!buf_error(&b))
		put(r, name, b.data, b.len);
}

static void put_instance_data(struct run *r)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct err err = ERR_INIT;

	buf_init(&b, FILE_MAX);
	json_write(r->variables, true, &b);
	buf_putc(&b, '\n');
	if (target_put(&r->target, INSTANCE_DATA, b.data, 0644, &err) < 0)
		module_failed(r, NULL, &err);
	buf_reset(&b);
	json_write(r->variables, false, &b);
	buf_putc(&b, '\n');
	if (target_put(&r->target, INSTANCE_DATA_SENSITIVE, b.data, 0600, &err) < 0)
		module_failed(r, NULL, &err);
}

void formats_store(struct run *r)
{
	for (size_t i = 0; i < LAYER_COUNT; i++) {
		const struct userdata_layer *l = &r->userdata.layer[i];

		/* user-data's are always there, vendor-data's where there is one */
		if (!l->text && i != LAYER_USER)
			continue;
		put(r, names[i].raw, l->text ? l->text : "", l->len);
		put_parts(r, l, names[i].parts);
		if (l->used || i == LAYER_USER)
			put_config(r, l, names[i].config);
	}
	if (r->variables)
		put_instance_data(r);
}
