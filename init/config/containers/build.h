/* build.h - makes the nodes of a Compose document that have the places of another document.
 *
 * Used by the readers of this folder. Texts are taken as they stand: no `$` in them is replaced. All memory is the arena's. */
#ifndef CORACLE_CONFIG_BUILD_H
#define CORACLE_CONFIG_BUILD_H

#include "../schema.h"

/* at: whose place the new node has. */
struct node *build_map(struct ctx *ctx, const struct node *at);
struct node *build_list(struct ctx *ctx, const struct node *at);
struct node *build_text(struct ctx *ctx, const struct node *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* A place in a text that is no YAML. */
struct node *build_place(struct ctx *ctx, const struct source *source, unsigned line, unsigned column);
/* A copy of n and all below it, whose `$` stay. */
struct node *build_copy(struct ctx *ctx, const struct node *n);

/* map[key] = value, at the end; a key that is there already is replaced. */
void build_put(struct ctx *ctx, struct node *map, const char *key, struct node *value);
void build_add(struct ctx *ctx, struct node *list, struct node *value);

/* map[key], made as a list or a mapping when it is not there. */
struct node *build_list_in(struct ctx *ctx, struct node *map, const char *key, const struct node *at);
struct node *build_map_in(struct ctx *ctx, struct node *map, const char *key, const struct node *at);

/* map[key] gets one text more. */
void build_add_text(struct ctx *ctx, struct node *map, const char *key, const struct node *at, const char *text);

#endif
