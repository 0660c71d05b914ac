/* test_init_state.c - PID 1's tables as bytes: there and back, older and newer layouts, and damage, which is always refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_helper.h"
#include "init/pid1/state.h"

fuzz_target fuzz_init_state;
void fuzz_init_state_sign(uint8_t *slot, size_t n);
int fuzz_init_state_accepted(void);

static uint8_t bytes[8192];
static int reads_beyond;

static int read_bytes(const struct state_source *src, void *buf, size_t n, uint64_t at)
{
	if (at > src->size || n > src->size - at) {
		reads_beyond++;
		return -EIO;
	}
	if (n)
		memcpy(buf, (const char *)src->bytes + at, n);
	return 0;
}

static size_t write_state(const struct state_section *list, uint64_t sequence)
{
	const struct state_section *pointers[STATE_SECTIONS_MAX] = { NULL };
	struct state_head heads[STATE_SECTIONS_MAX];
	struct state_slot slot;
	int n = 0;
	int total;

	for (; list[n].tag; n++)
		pointers[n] = &list[n];
	total = state_encode(pointers, n, sequence, &slot, heads);
	assert_true(total > 0 && (size_t)total <= sizeof(bytes));
	memcpy(bytes, &slot, sizeof(slot));
	memcpy(bytes + sizeof(slot), heads, (size_t)n * sizeof(heads[0]));
	for (int i = 0; i < n; i++)
		memcpy(bytes + heads[i].at, list[i].table, heads[i].size * heads[i].count);
	return (size_t)total;
}

static int read_state(size_t n, const struct state_section *list)
{
	struct state_source src = { read_bytes, bytes, 0, n };
	struct state_head heads[STATE_HEADS_MAX];
	struct state_slot slot;
	int r = state_check(&src, &slot, heads);
	int found = 0;

	if (r < 0)
		return r;
	for (; list->tag; list++) {
		r = state_decode(&src, &slot, heads, list);
		assert_true(r >= 0);
		found += r;
	}
	return found;
}

struct old { int a; int b; };
struct new { int a; int b; int64_t c; };

static void there_and_back(void **state)
{
	static struct new table[10];
	static int used = 3;
	static int64_t one = 77;
	static const struct state_section list[] = { STATE_TABLE("tabl", table, &used), STATE_ONE("one!", one), STATE_END };
	size_t n;

	(void)state;
	table[2] = (struct new){ 1, 2, -3 };
	n = write_state(list, 5);
	memset(table, 0, sizeof(table));
	table[3].a = 9;
	used = 0;
	one = 0;
	assert_int_equal(read_state(n, list), 2);
	assert_int_equal(used, 3);
	assert_int_equal(table[2].c, -3);
	assert_int_equal(table[3].a, 9); /* beyond what was in use nothing is touched */
	assert_int_equal(one, 77);
	used = 0;
	n = write_state(list, 6);
	used = 4;
	assert_int_equal(read_state(n, list), 2);
	assert_int_equal(used, 0);
}

/* PID 1 rule 16: what an image does not know is skipped, what it misses keeps its first value. */
static void rule_16_other_versions(void **state)
{
	static struct old old[4] = { { 1, 2 }, { 3, 4 }, { 5, 6 }, { 7, 8 } };
	static struct new new[2] = { { 0, 0, 11 }, { 0, 0, 12 } };
	static int n_old = 4;
	static int n_new;
	static int gone = 4;
	static int fresh = -1;
	static const struct state_section of_old[] = { STATE_ONE("gone", gone), STATE_TABLE("tabl", old, &n_old), STATE_END };
	static const struct state_section of_new[] = { STATE_TABLE("tabl", new, &n_new), STATE_ONE("frsh", fresh), STATE_END };
	size_t n = write_state(of_old, 1);

	(void)state;
	/* longer elements, a shorter table, a section more and one less */
	assert_int_equal(read_state(n, of_new), 1);
	assert_int_equal(n_new, 2);
	assert_int_equal(new[1].a, 3);
	assert_int_equal(new[1].b, 4);
	assert_int_equal(new[1].c, 12);
	assert_int_equal(fresh, -1);
	/* and back: shorter elements */
	new[0].b = 21;
	n = write_state(of_new, 2);
	assert_int_equal(read_state(n, of_old), 1);
	assert_int_equal(n_old, 2);
	assert_int_equal(old[0].b, 21);
	assert_int_equal(old[2].a, 5);
}

/* Every byte of a state, damaged in turn, and every length that is too short: never accepted, never read beyond. */
static void damage(void **state)
{
	static char text[300] = "what was";
	static int used = 40;
	static const struct state_section list[] = { STATE_TABLE("text", text, &used), STATE_ALL("all!", text), STATE_END };
	size_t n = write_state(list, 3);

	(void)state;
	assert_int_equal(read_state(n, list), 2);
	for (size_t i = 0; i < n; i++) {
		for (int bit = 0; bit < 8; bit++) {
			bytes[i] = (uint8_t)(bytes[i] ^ 1 << bit);
			assert_true(read_state(n, list) < 0);
			bytes[i] = (uint8_t)(bytes[i] ^ 1 << bit);
		}
	}
	for (size_t i = 0; i < n; i++)
		assert_true(read_state(i, list) < 0);
	reads_beyond = 0;
	assert_int_equal(read_state(n, list), 2);
	assert_int_equal(reads_beyond, 0);
}

static void limits(void **state)
{
	static char big[STATE_SLOT_MAX];
	static const struct state_section large = STATE_ALL("bigg", big);
	const struct state_section *list[STATE_SECTIONS_MAX + 1];
	struct state_head heads[STATE_SECTIONS_MAX + 1];
	struct state_slot slot;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		list[i] = &large;
	assert_int_equal(state_encode(list, 1, 1, &slot, heads), -E2BIG);
	assert_int_equal(state_encode(list, STATE_SECTIONS_MAX + 1, 1, &slot, heads), -E2BIG);
}

/* The fuzz target over damaged states whose digests were made right again: lengths, counts and offsets that lie. */
static void random_damage(void **state)
{
	static struct new wide[4] = { { 1, 2, 3 } };
	static int used = 4;
	static char text[64] = "abc";
	static int64_t one = 1;
	static const struct state_section list[] = { STATE_TABLE("wide", wide, &used), STATE_ALL("text", text), STATE_ONE("one!", one), STATE_END };
	uint32_t seed = 1;
	int accepted = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t n = write_state(list, 1);
		uint8_t copy[1024];

		memcpy(copy + 1, bytes, n);
		copy[0] = (uint8_t)(fuzz_random(&seed) % 8 != 0);
		for (unsigned i = fuzz_random(&seed) % 5; i > 0; i--) {
			size_t at = 1 + fuzz_random(&seed) % (fuzz_random(&seed) % 3 ? 128 : n);

			copy[at] = (uint8_t)fuzz_random(&seed);
		}
		fuzz_init_state(copy, 1 + (fuzz_random(&seed) % 4 ? n : fuzz_random(&seed) % n));
		accepted += fuzz_init_state_accepted();
	}
	assert_true(accepted > 1000 && accepted < 19000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back), cmocka_unit_test(rule_16_other_versions), cmocka_unit_test(damage),
		cmocka_unit_test(limits), cmocka_unit_test(random_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
