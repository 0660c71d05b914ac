/* state.h - the tables of PID 1 as bytes that its next image can read (docs/design/recovery.md).
 *
 * A table is a section: tag, size of an element, count, elements. A reader takes the elements it has room for and of each the part it knows,
 * so a structure may grow at its end and a table may grow; what it does not know is skipped, and what is missing keeps
 * the value it has in a fresh image. No pointers, no addresses: the next image lies elsewhere.
 *
 * The module that owns a table names it here, in one array that an entry with tag 0 ends, and gives a function that makes a restored
 * table live (its descriptors are open under the same numbers: claim each with recover_keep() and add it to the new epoll):
 *
 *	static struct thing things[THINGS_MAX];
 *	static int things_n;
 *	static struct { int fd; int64_t since; } other = { -1, 0 };
 *
 *	const struct state_section thing_state[] = {
 *		STATE_TABLE("thng", things, &things_n),		only the first things_n are kept, and things_n comes back
 *		STATE_ALL("thn2", other_array),			every element is kept
 *		STATE_ONE("thn3", other),
 *		STATE_END,
 *	};
 *
 *	void thing_restored(void)
 *	{
 *		for (int i = 0; i < things_n; i++)
 *			if (recover_keep(things[i].fd))
 *				loop_add(things[i].fd, WATCH_THING, i, EPOLLIN);
 *	}
 *
 * and a line in the list of recover.c. A tag is never used again for another layout.
 *
 * Pure: no system call, no heap; damaged bytes are refused as a whole (tests/fuzz/fuzz_init_state.c). */
#ifndef CORACLE_INIT_STATE_H
#define CORACLE_INIT_STATE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cdefs.h"

#define STATE_SECTIONS_MAX 64		/* that we write */
#define STATE_HEADS_MAX 128		/* that we read: a later version may have more */
#define STATE_SLOT_MAX (512u * 1024)

struct state_section {
	uint32_t tag;			/* 0: end of the list */
	uint32_t size;			/* of an element */
	int max;			/* elements that the table has room for */
	void *table;
	int *used;			/* elements in use, the first ones; NULL: all */
};

#define STATE_TAG(s) ((uint32_t)(s)[0] | (uint32_t)(s)[1] << 8 | (uint32_t)(s)[2] << 16 | (uint32_t)(s)[3] << 24)
#define STATE_TABLE(name, array, used_) { STATE_TAG(name), sizeof((array)[0]), ARRAY_SIZE(array), array, used_ }
#define STATE_ALL(name, array) { STATE_TAG(name), sizeof((array)[0]), ARRAY_SIZE(array), array, NULL }
#define STATE_ONE(name, object) { STATE_TAG(name), sizeof(object), 1, &(object), NULL }
/* The members first..last of a structure that has pointers elsewhere. */
#define STATE_SPAN(name, object, first, last) \
	{ STATE_TAG(name), (uint32_t)(offsetof(__typeof__(object), last) + sizeof((object).last) - offsetof(__typeof__(object), first)), \
	  1, &(object).first, NULL }
#define STATE_END { 0, 0, 0, NULL, NULL }

/* A slot is: this, `sections` heads, the elements. */
struct state_slot {
	uint64_t magic;
	uint64_t sequence;		/* counts from 1 */
	uint32_t sections;
	uint32_t bytes;			/* of the whole */
	uint64_t digest;		/* of this with digest 0, and of the heads */
};

struct state_head {
	uint32_t tag;
	uint32_t size;
	uint32_t count;
	uint32_t at;			/* of its elements in the slot */
	uint64_t digest;		/* of its elements */
};

/* Fills slot and heads for the n tables as they are now; the elements follow in this order. Returns the bytes of the slot, -E2BIG. */
int state_encode(const struct state_section *const *sections, int n, uint64_t sequence, struct state_slot *slot, struct state_head *heads);

/* Where a slot is read from: n bytes at `at` of it, whole or -errno. */
struct state_source {
	int (*read)(const struct state_source *src, void *buf, size_t n, uint64_t at);
	const void *bytes;		/* the source's own */
	uint64_t begin;
	size_t size;
};

/* Looks at every byte of a slot. Returns 0 with slot and heads (STATE_HEADS_MAX); -EBADMSG when anything is wrong; the source's error. */
COLD int state_check(const struct state_source *src, struct state_slot *slot, struct state_head *heads);

/* Reads one table of a checked slot. Returns 1; 0 when the slot has no such section; the source's error. */
COLD int state_decode(const struct state_source *src, const struct state_slot *slot, const struct state_head *heads, const struct state_section *s);

/* For tests that damage a slot and make it right again. */
uint64_t state_magic(void);
uint64_t state_digest(uint64_t h, const void *bytes, size_t n);

#endif
