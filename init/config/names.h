/* names.h - finds a name among thousands: a table of hashes in the arena. Used by coracle-config only.
 *
 * A table of zeros is an empty one. It keeps pointers to the names: their text must stay. */
#ifndef CORACLE_CONFIG_NAMES_H
#define CORACLE_CONFIG_NAMES_H

#include <stdbool.h>
#include <stdint.h>
#include "arena.h"

struct name_table {
	struct name_slot {
		const char *name;	/* NULL: free */
		void *value;
	} *slots;
	size_t mask;
	size_t n;
};

/* What was added with the name, or NULL. */
void *names_find(const struct name_table *t, const char *name);
/* Adds a name; of equal ones the first stays. value: not NULL. Returns what is there now. */
void *names_add(struct arena *arena, struct name_table *t, const char *name, void *value);

/* Numbers, as those of users: the same without values. */
struct number_table {
	uint32_t *slots;		/* 0: free */
	size_t mask;
	size_t n;
	bool zero;			/* the number 0 was added */
};

bool numbers_have(const struct number_table *t, uint32_t number);
void numbers_add(struct arena *arena, struct number_table *t, uint32_t number);

#endif
