/* node.h - a YAML document as a tree that remembers where everything was written.
 *
 * Scalars keep their source text and are resolved later, by the type that the schema expects: "no" is a host name where a
 * host name is wanted and false where a boolean is. Read by libyaml's event parser with limits on the way, so that no document
 * costs more than they allow. Merge keys (`<<`) are applied, aliases share their node. */
#ifndef CORACLE_CONFIG_NODE_H
#define CORACLE_CONFIG_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include "arena.h"
#include "diag.h"

#define YAML_TEXT_MAX ((size_t)1 << 20)	/* bytes of one document */
#define YAML_NODES_MAX 10000		/* nodes after all aliases are expanded */
#define YAML_ALIASES_MAX 100
#define YAML_DEPTH_MAX 64

enum node_type {
	NODE_SCALAR = 1,
	NODE_LIST = 2,
	NODE_MAP = 4,
};

enum node_tag {
	NODE_TAG_NONE,		/* none, or one that says what the schema decides anyway (!!str, !!int, ...) */
	NODE_TAG_BINARY,	/* !!binary: the text is base64 */
};

struct node {
	const struct source *source;
	unsigned line, column;	/* from 1, column in characters */
	enum node_type type;
	enum node_tag tag;
	bool plain;		/* scalar without quotes and not in block style */
	bool interpolated;	/* its `$` are replaced already (compose/interpolate.h) */
	bool flow;		/* list or map in [] or {} */
	unsigned end_line;	/* where a list or map ended */
	unsigned expanded;	/* nodes in this tree, aliases counted each time */
	unsigned height;	/* 1 for a scalar */
	const char *text;	/* scalar: len bytes and a NUL; may hold NUL bytes */
	size_t len;
	struct item *items;	/* list and map */
	size_t count;
};

struct item {
	struct node *key;	/* map: a scalar; list: NULL */
	struct node *value;
	struct item *next;
};

/* Reads exactly one document. Returns its root, NULL when the text holds none
 * (*empty is set) or when it has errors (they are in diags). */
struct node *yaml_read(struct arena *arena, struct diags *diags, const struct source *source, bool *empty);

/* True for a plain ~, null or nothing at all. */
bool node_is_null(const struct node *n);
/* The value of a key, or NULL. */
struct node *node_get(const struct node *map, const char *key);
/* "a list", "a mapping", "text", "nothing". */
const char *node_describe(const struct node *n);

#endif
