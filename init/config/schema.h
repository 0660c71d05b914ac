/* schema.h - tables of keys, and the readers of their values.
 *
 * A schema is a table: the name of a key, which kinds of node it takes, and the reader that turns the node into a field of the
 * caller's structure. What a scalar means is decided here, from its source text and the type that the key wants.
 * Used by coracle-config only; nothing here touches the machine. */
#ifndef CORACLE_CONFIG_SCHEMA_H
#define CORACLE_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "diag.h"
#include "node.h"

struct err;

/* What every reader needs. */
struct ctx {
	struct arena *arena;
	struct diags *diags;
	int (*need_network)(struct ctx *ctx, struct err *err);	/* waits until there is one, 0 or -errno; NULL: there is one, or none is wanted */
	unsigned names;		/* of groups and users that were taken out of texts */
};

/* Reads value into *out. Returns 0, or -EINVAL after it has reported why. */
typedef int value_reader(struct ctx *ctx, const struct node *value, void *out);

struct key {
	const char *name;
	unsigned accept;	/* NODE_SCALAR | NODE_LIST | NODE_MAP, and KEY_NULL: the reader is called for null too */
	value_reader *read;
	size_t offset;		/* of the field in the structure that schema_read fills */
};

/* A key that exists elsewhere and that we do not do. */
struct known_key {
	const char *name;
	enum diag_level level;	/* DIAG_WARNING: the rest is used; DIAG_ERROR: what has it is left out */
	const char *why;	/* NULL: the schema's `known_why` */
};

struct schema {
	const char *what;		/* "a write_files entry" */
	const struct key *keys;
	size_t n_keys;
	const struct known_key *known;	/* may be NULL */
	size_t n_known;
	const char *known_why;		/* "is not supported yet by Coracle" */
	enum diag_level unknown;	/* level of a key that is in neither table */
	bool fold_dashes;		/* "write-files" is read as "write_files" */
	bool extensions;		/* keys that begin with "x-" are nobody's business */
};

/* Reads a mapping by its table into the structure at out. Null values count as
 * absent. Returns the number of errors (not warnings); all are reported. */
unsigned schema_read(struct ctx *ctx, const struct schema *schema, const struct node *map, void *out);

struct strings {
	const char **v;
	size_t n;
};

void strings_add(struct ctx *ctx, struct strings *s, const char *text);

/* const char *: text without NUL bytes. */
int value_text(struct ctx *ctx, const struct node *value, void *out);
/* const char *: text without any control character; line breaks are such. */
int value_line(struct ctx *ctx, const struct node *value, void *out);
/* const char *: an absolute path without ".." and control characters. */
int value_path(struct ctx *ctx, const struct node *value, void *out);
/* bool: true false yes no on off 1 0, any case. */
int value_bool(struct ctx *ctx, const struct node *value, void *out);
/* struct strings: a list of texts, or one text. */
int value_strings(struct ctx *ctx, const struct node *value, void *out);
/* uint64_t milliseconds: 1h30m5s20ms. */
int value_duration(struct ctx *ctx, const struct node *value, void *out);

#define KEY_NULL 8u

#define KEY(name, accept, reader, type, field) { name, accept, reader, offsetof(type, field) }

#endif
