/* state.c - encoding and decoding of PID 1's tables: see state.h. Pure: must never make a system call. */
#include "init/pid1/state.h"

#include <errno.h>
#include <string.h>

#define MAGIC UINT64_C(0x3174617473726f63)	/* "corstat1" */
#define CHUNK 2048				/* a multiple of 8 */

uint64_t state_magic(void)
{
	return MAGIC;
}

/* Against writes that went astray and not against people: nobody else has the descriptor. */
uint64_t state_digest(uint64_t h, const void *bytes, size_t n)
{
	const char *at = bytes;
	uint64_t word;

	for (; n >= sizeof(word); n -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	if (n) {
		word = 0;
		memcpy(&word, at, n);
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	return h;
}

static uint64_t digest_heads(const struct state_slot *slot, const struct state_head *heads)
{
	struct state_slot s = *slot;

	s.digest = 0;
	return state_digest(state_digest(MAGIC, &s, sizeof(s)), heads, s.sections * sizeof(*heads));
}

static uint32_t used_of(const struct state_section *s)
{
	int n = s->used ? *s->used : s->max;

	return n < 0 ? 0 : (uint32_t)MIN(n, s->max);
}

int state_encode(const struct state_section *const *sections, int n, uint64_t sequence, struct state_slot *slot, struct state_head *heads)
{
	uint64_t at = sizeof(*slot) + (size_t)n * sizeof(*heads);

	if (n < 0 || n > STATE_SECTIONS_MAX)
		return -E2BIG;
	for (int i = 0; i < n; i++) {
		const struct state_section *s = sections[i];
		size_t bytes = (size_t)used_of(s) * s->size;

		heads[i] = (struct state_head){ .tag = s->tag, .size = s->size, .count = used_of(s), .at = (uint32_t)at,
						.digest = state_digest(s->tag, s->table, bytes) };
		at += bytes;
		if (at > STATE_SLOT_MAX)
			return -E2BIG;
	}
	*slot = (struct state_slot){ .magic = MAGIC, .sequence = sequence, .sections = (uint32_t)n, .bytes = (uint32_t)at };
	slot->digest = digest_heads(slot, heads);
	return (int)at;
}

static int check_section(const struct state_source *src, const struct state_slot *slot, const struct state_head *h)
{
	uint64_t left = (uint64_t)h->size * h->count;
	uint64_t at = h->at;
	uint64_t d = h->tag;
	char chunk[CHUNK];

	if (at > slot->bytes || left > slot->bytes - at)
		return -EBADMSG;
	while (left > 0) {
		size_t n = (size_t)MIN(left, sizeof(chunk));
		int r = src->read(src, chunk, n, at);

		if (r < 0)
			return r;
		d = state_digest(d, chunk, n);
		at += n;
		left -= n;
	}
	return d == h->digest ? 0 : -EBADMSG;
}

int state_check(const struct state_source *src, struct state_slot *slot, struct state_head *heads)
{
	int r = src->read(src, slot, sizeof(*slot), 0);

	if (r < 0)
		return r;
	if (slot->magic != MAGIC || slot->sequence == 0 || slot->sections > STATE_HEADS_MAX || slot->bytes > STATE_SLOT_MAX ||
	    slot->bytes < sizeof(*slot) + slot->sections * sizeof(*heads))
		return -EBADMSG;
	if ((r = src->read(src, heads, slot->sections * sizeof(*heads), sizeof(*slot))) < 0)
		return r;
	if (digest_heads(slot, heads) != slot->digest)
		return -EBADMSG;
	for (uint32_t i = 0; i < slot->sections; i++)
		if ((r = check_section(src, slot, &heads[i])) < 0)
			return r;
	return 0;
}

int state_decode(const struct state_source *src, const struct state_slot *slot, const struct state_head *heads, const struct state_section *s)
{
	const struct state_head *h = heads;
	const struct state_head *end = heads + slot->sections;
	uint32_t n;

	while (h < end && h->tag != s->tag)
		h++;
	if (h == end)
		return 0;
	n = MIN(h->count, (uint32_t)s->max);
	if (h->size == s->size) {
		int r = src->read(src, s->table, (size_t)n * s->size, h->at);

		if (r < 0)
			return r;
	}
	for (uint32_t i = 0; i < n && h->size != s->size; i++) {
		int r = src->read(src, (char *)s->table + (size_t)i * s->size, MIN(h->size, s->size), h->at + (uint64_t)i * h->size);

		if (r < 0)
			return r;
	}
	if (s->used)
		*s->used = (int)n;
	return 1;
}
