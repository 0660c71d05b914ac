/* names.c - tables of names and of numbers: at most half full, searched from the place that the hash gives. They own nothing but memory of the arena. */
#include "names.h"

#include <string.h>

#include "text.h"

#define FIRST_SIZE 16

static struct name_slot *name_slot(const struct name_table *t, const char *name)
{
	size_t i = text_hash(name, strlen(name)) & t->mask;

	while (t->slots[i].name && strcmp(t->slots[i].name, name) != 0)
		i = (i + 1) & t->mask;
	return &t->slots[i];
}

void *names_find(const struct name_table *t, const char *name)
{
	return t->n ? name_slot(t, name)->value : NULL;
}

static void grow_names(struct arena *arena, struct name_table *t)
{
	size_t size = t->slots ? (t->mask + 1) * 2 : FIRST_SIZE;
	struct name_table bigger = { .slots = arena_alloc(arena, size * sizeof(*t->slots)), .mask = size - 1, .n = t->n };

	for (size_t i = 0; t->slots && i <= t->mask; i++)
		if (t->slots[i].name)
			*name_slot(&bigger, t->slots[i].name) = t->slots[i];
	*t = bigger;
}

void *names_add(struct arena *arena, struct name_table *t, const char *name, void *value)
{
	struct name_slot *slot;

	if (!t->slots || t->n * 2 > t->mask)
		grow_names(arena, t);
	slot = name_slot(t, name);
	if (!slot->name) {
		*slot = (struct name_slot){ name, value };
		t->n++;
	}
	return slot->value;
}

static uint32_t *number_slot(const struct number_table *t, uint32_t number)
{
	size_t i = text_hash((const char *)&number, sizeof(number)) & t->mask;

	while (t->slots[i] && t->slots[i] != number)
		i = (i + 1) & t->mask;
	return &t->slots[i];
}

bool numbers_have(const struct number_table *t, uint32_t number)
{
	if (number == 0)
		return t->zero;
	return t->n && *number_slot(t, number) == number;
}

static void grow_numbers(struct arena *arena, struct number_table *t)
{
	size_t size = t->slots ? (t->mask + 1) * 2 : FIRST_SIZE;
	struct number_table bigger = { .slots = arena_alloc(arena, size * sizeof(*t->slots)), .mask = size - 1, .n = t->n, .zero = t->zero };

	for (size_t i = 0; t->slots && i <= t->mask; i++)
		if (t->slots[i])
			*number_slot(&bigger, t->slots[i]) = t->slots[i];
	*t = bigger;
}

void numbers_add(struct arena *arena, struct number_table *t, uint32_t number)
{
	uint32_t *slot;

	if (number == 0) {
		t->zero = true;
		return;
	}
	if (!t->slots || t->n * 2 > t->mask)
		grow_numbers(arena, t);
	slot = number_slot(t, number);
	t->n += *slot == 0;
	*slot = number;
}
