/* map.c - duplicate keys and merge keys of a mapping.
 *
 * A table of hashes finds equal keys: a mapping may have thousands, and comparing each with each would take a tenth of a second. */
#include "map.h"

#include <string.h>

#include "text.h"

void map_table_init(struct arena *arena, struct map_table *t, size_t count)
{
	size_t size = 8;

	while (size < count * 2)
		size *= 2;
	t->slots = arena_alloc(arena, size * sizeof(*t->slots));
	t->mask = size - 1;
}

struct item **map_table_slot(struct map_table *t, const struct node *key)
{
	size_t i;

	for (i = text_hash(key->text, key->len) & t->mask; t->slots[i]; i = (i + 1) & t->mask)
		if (t->slots[i]->key->len == key->len && !memcmp(t->slots[i]->key->text, key->text, key->len))
			break;
	return &t->slots[i];
}

static bool is_merge(const struct item *i)
{
	return i->key->plain && i->key->len == 2 && !memcmp(i->key->text, "<<", 2);
}

void map_drop_duplicates(struct arena *arena, struct diags *diags, struct node *map)
{
	struct item **at = &map->items;
	struct item *last = NULL;
	struct map_table t;
	bool found = false;

	map_table_init(arena, &t, map->count);
	for (struct item *i = map->items; i; i = i->next) {
		struct item **slot = map_table_slot(&t, i->key);

		if (*slot && !is_merge(i)) {
			diag_at(diags, DIAG_WARNING, i->key, NULL, "the key %s is here twice; the value of line %u is not used",
				diag_quote(arena, i->key->text, i->key->len), (*slot)->key->line);
			found = true;
		}
		*slot = i;
	}
	/* what the table does not hold came earlier than its twin */
	while (found && *at) {
		last = *map_table_slot(&t, (*at)->key);
		if (last == *at || is_merge(*at)) {
			at = &(*at)->next;
			continue;
		}
		*at = (*at)->next;
		map->count--;
	}
}

struct merge {
	struct arena *arena;
	struct map_table table;
	struct item **tail;
	struct node *map;
};

static void merge_map(struct merge *m, const struct node *from)
{
	for (const struct item *i = from->items; i; i = i->next) {
		struct item **slot = map_table_slot(&m->table, i->key);
		struct item *copy;

		if (*slot)
			continue;
		copy = ARENA_NEW(m->arena, struct item);
		copy->key = i->key;
		copy->value = i->value;
		*slot = copy;
		*m->tail = copy;
		m->tail = &copy->next;
		m->map->count++;
	}
}

/* Takes the merge pairs out of the map. Returns the pairs it will have at most. */
static size_t take_merges(struct node *map, struct item **merges)
{
	struct item **at = &map->items;
	size_t most = map->count;

	while (*at) {
		struct item *i = *at;

		if (!is_merge(i)) {
			at = &i->next;
			continue;
		}
		*at = i->next;
		i->next = *merges;
		*merges = i;
		map->count--;
		most += i->value->expanded;
	}
	return most;
}

void map_apply_merges(struct arena *arena, struct diags *diags, struct node *map)
{
	struct merge m = { .arena = arena, .map = map };
	struct item *merges = NULL;
	size_t most = take_merges(map, &merges);

	if (!merges)
		return;
	map_table_init(arena, &m.table, most);
	for (m.tail = &map->items; *m.tail; m.tail = &(*m.tail)->next)
		*map_table_slot(&m.table, (*m.tail)->key) = *m.tail;
	for (const struct item *i = merges; i; i = i->next) {
		const struct node *v = i->value;

		if (v->type == NODE_MAP)
			merge_map(&m, v);
		else if (v->type == NODE_SCALAR)
			diag_at(diags, DIAG_ERROR, v, "<<: *anchor", "a merge key needs a mapping or a list of them");
		for (const struct item *k = v->type == NODE_LIST ? v->items : NULL; k; k = k->next)
			if (k->value->type == NODE_MAP)
				merge_map(&m, k->value);
	}
}
