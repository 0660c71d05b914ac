/* userdata.h - from what a datasource delivers to one configuration.
 *
 * User-data and both vendor-datas are taken apart (formats/parts.h), templates rendered (formats/jinja.h), cloud-config parts merged
 * (formats/merge.h) to one tree for each layer, the layers merged, and the result is read once (config_read). Scripts, boothooks,
 * Ignition and Pod documents go into the configuration beside it. Nothing here is carried out. */
#ifndef CORACLE_CONFIG_USERDATA_H
#define CORACLE_CONFIG_USERDATA_H

#include "config.h"
#include "formats/parts.h"

#define USERDATA_MAX PARTS_BLOB_MAX	/* bytes as delivered, and again after decompression */

/* The more important first: what a layer has is not taken from those below it. */
enum userdata_layer_id { LAYER_USER, LAYER_VENDOR2, LAYER_VENDOR, LAYER_COUNT };

struct userdata_layer {
	const char *text;	/* as delivered, with a NUL behind; NULL: there is none */
	size_t len;
	struct parts parts;	/* what it is made of */
	const struct node *config;	/* its cloud-config parts, merged; NULL: none */
	struct strings names;	/* of these parts */
	bool used;		/* false: there is none, or vendor_data.enabled forbids it */
};

struct userdata {
	struct userdata_layer layer[LAYER_COUNT];
	const char *cmdline;		/* the kernel's, for cc:...end_cc and cloud-config-url=; NULL: not looked at */
	const struct node *instance;	/* variables of templates; NULL: this is another machine, anything plausible will do */
	const char *launch_index;	/* of this instance; NULL: parts are not filtered */
	part_fetcher *fetch;		/* NULL: nothing is fetched */
	void *fetch_arg;
};

/* Reads all layers into c. The texts live as long as ctx's problems, which point into them. */
void userdata_read_layers(struct ctx *ctx, struct userdata *u, struct config *c);

/* The same for user-data alone, as a file on any machine. name: for messages. */
void userdata_read(struct ctx *ctx, const char *name, const char *bytes, size_t len, struct config *c);

struct meta {
	const char *instance_id;	/* NULL: not given */
	const char *local_hostname;
	struct strings public_keys;	/* of ssh, one line each */
	const struct node *tree;	/* all of it, for jinja's ds.meta_data; NULL: none */
};

/* Reads meta-data (YAML, so JSON too); keys that are set already stay.
 * The bytes as for userdata_read. */
void meta_read(struct ctx *ctx, const char *name, const char *bytes, size_t len, struct meta *meta);

/* One key of meta-data from elsewhere, checked as meta_read() does; NULL and keys that are set already change nothing. at names the place for messages. */
void meta_set_instance_id(struct ctx *ctx, const char *at, const char *text, struct meta *meta);
void meta_set_hostname(struct ctx *ctx, const char *at, const char *text, struct meta *meta);
/* Keys in any of their forms: one per line, a list, a mapping of names to keys or lists of them. Adds to those that are there. */
void meta_add_keys(struct ctx *ctx, const struct node *keys, struct meta *meta);
/* Afterwards tree has what is in the other fields. */
void meta_complete(struct ctx *ctx, struct meta *meta);

#endif
