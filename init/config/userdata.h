/* userdata.h - what user-data is before it is YAML: compression, encodings, kinds of parts. */
#ifndef CORACLE_CONFIG_USERDATA_H
#define CORACLE_CONFIG_USERDATA_H

#include "config.h"

#define USERDATA_MAX ((size_t)1 << 20)	/* bytes as delivered, and again after decompression */

/* Reads one blob into c: takes off gzip and base64 (one layer each), finds out
 * what it is, and reads it. Kinds that are not done yet are errors that name them. name: for messages.
 * The bytes have a NUL behind them, and live as long as ctx's problems, which point into them. */
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

#endif
