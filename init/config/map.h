/* map.h - what is done to a mapping when all its pairs are read. And the table of hashes that finds equal keys. */
#ifndef CORACLE_CONFIG_MAP_H
#define CORACLE_CONFIG_MAP_H

#include "node.h"

/* Of pairs with the same key the last stays, as everywhere; the others are reported and leave the map. */
void map_drop_duplicates(struct arena *arena, struct diags *diags, struct node *map);

/* Applies merge keys (`<<: *base`, `<<: [*a, *b]`; yaml.org/type/merge): pairs that the map does not have itself are added, of several
 * bases the first wins. */
void map_apply_merges(struct arena *arena, struct diags *diags, struct node *map);

struct map_table {
	struct item **slots;
	size_t mask;
};

/* For at most count keys. */
void map_table_init(struct arena *arena, struct map_table *t, size_t count);
/* The slot of the key: holds the pair with it, or NULL; the caller fills it. */
struct item **map_table_slot(struct map_table *t, const struct node *key);

#endif
