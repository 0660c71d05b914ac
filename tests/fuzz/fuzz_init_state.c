/* fuzz_init_state.c - any bytes as a slot of PID 1's state: state_check() and state_decode().
 *
 * The first bytes say whether the digests are made right afterwards, so that the reader behind them is reached as well. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "init/pid1/state.h"

int fuzz_init_state(const uint8_t *data, size_t n);
void fuzz_init_state_sign(uint8_t *slot, size_t n);
int fuzz_init_state_accepted(void);

struct wide { int32_t a; int64_t b; char c[12]; };
static struct wide wide[4];
static int wide_n;
static char text[64];
static int text_n;
static int64_t one;
static int accepted;

static const struct state_section sections[] = {
	STATE_TABLE("wide", wide, &wide_n), STATE_TABLE("text", text, &text_n), STATE_ONE("one!", one), STATE_END,
};

int fuzz_init_state_accepted(void)
{
	return accepted;
}

static int read_bytes(const struct state_source *src, void *buf, size_t n, uint64_t at)
{
	if (at > src->size || n > src->size - at)
		return -EIO;
	if (n)
		memcpy(buf, (const char *)src->bytes + at, n);
	return 0;
}

/* The same sums as state.c has, made over whatever is there: lengths that lie are cut. */
void fuzz_init_state_sign(uint8_t *bytes, size_t n)
{
	struct state_slot slot;
	struct state_head heads[STATE_HEADS_MAX];

	if (n < sizeof(slot))
		return;
	memcpy(&slot, bytes, sizeof(slot));
	slot.sections %= 8;
	if (n < sizeof(slot) + slot.sections * sizeof(heads[0]))
		return;
	slot.magic = state_magic();
	slot.bytes = (uint32_t)n;
	memcpy(heads, bytes + sizeof(slot), slot.sections * sizeof(heads[0]));
	for (uint32_t i = 0; i < slot.sections; i++) {
		struct state_head *h = &heads[i];

		if (h->at > n)
			h->at = (uint32_t)(h->at % (n + 1));
		if ((uint64_t)h->size * h->count <= n - h->at)
			h->digest = state_digest(h->tag, bytes + h->at, (size_t)h->size * h->count);
	}
	slot.digest = 0;
	slot.digest = state_digest(state_digest(slot.magic, &slot, sizeof(slot)), heads, slot.sections * sizeof(heads[0]));
	memcpy(bytes, &slot, sizeof(slot));
	memcpy(bytes + sizeof(slot), heads, slot.sections * sizeof(heads[0]));
}

int fuzz_init_state(const uint8_t *data, size_t n)
{
	struct state_head heads[STATE_HEADS_MAX];
	struct state_slot slot;
	uint8_t *copy;
	struct state_source src;

	if (n < 1)
		return 0;
	/* exactly as long as the state, so that a sanitizer sees a step beyond */
	copy = malloc(n);
	if (!copy)
		return 0;
	memcpy(copy, data + 1, n - 1);
	if (data[0] & 1)
		fuzz_init_state_sign(copy, n - 1);
	src = (struct state_source){ read_bytes, copy, 0, n - 1 };
	accepted = state_check(&src, &slot, heads) == 0;
	if (accepted) {
		for (int i = 0; sections[i].tag; i++)
			if (state_decode(&src, &slot, heads, &sections[i]) < 0)
				abort(); /* what was checked can be read */
		if (wide_n < 0 || wide_n > 4 || text_n < 0 || text_n > 64)
			abort();
	}
	free(copy);
	return 0;
}
