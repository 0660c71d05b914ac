/* map.h - what is done to a mapping when all its pairs are read. Used by yaml.c only. */
#ifndef CORACLE_CONFIG_MAP_H
#define CORACLE_CONFIG_MAP_H

#include "node.h"

/* Of pairs with the same key the last stays, as everywhere; the others are reported and leave the map. */
void map_drop_duplicates(struct arena *arena, struct diags *diags, struct node *map);

/* Applies merge keys (`<<: *base`, `<<: [*a, *b]`; yaml.org/type/merge): pairs that the map does not have itself are added, of several
 * bases the first wins. */
void map_apply_merges(struct arena *arena, struct diags *diags, struct node *map);

#endif
