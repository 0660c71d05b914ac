/* accounts_db_numbers.c - numbers for new users, groups and their subordinate ranges, as useradd and groupadd choose them. In coracle-config.
 *
 * Lines are only ever added while a configuration is applied. So each search goes on where the last one ended: thousands of users cost
 * thousands of steps, not their square. */
#include <errno.h>
#include <stdlib.h>

#include "accounts_db.h"

static void look_at_new_lines(struct db_range *range, const struct db_file *f, uint32_t min, uint32_t max)
{
	uint32_t have;

	for (const struct db_line *l = range->seen ? range->seen->next : f->lines; l; l = l->next) {
		range->seen = l;
		if (!l->n || db_number(l, 2, &have) < 0)
			continue;
		if (have >= min && (int64_t)have <= range->low)
			range->low = (int64_t)have - 1;
		if (have <= max && have >= range->high)
			range->high = (uint64_t)have + 1;
	}
}

/* People get the number above the highest, systems the one below the lowest; when there is none, a gap (find_new_uid.c of shadow-utils). */
int db_new_number(struct db *db, enum db_which which, bool system, uint32_t *out)
{
	const struct db_rules *r = &db->rules;
	const struct db_file *f = &db->file[which];
	struct db_range *range = &db->range[which][system];
	bool group = which == DB_GROUP;
	uint32_t min = group ? (system ? r->sys_gid_min : r->gid_min) : (system ? r->sys_uid_min : r->uid_min);
	uint32_t max = group ? (system ? r->sys_gid_max : r->gid_max) : (system ? r->sys_uid_max : r->uid_max);

	if (min > max)
		return -ENOSPC;
	if (!range->seen) {
		range->high = min;
		range->low = max;
	}
	look_at_new_lines(range, f, min, max);
	if (system && range->low >= min)
		return *out = (uint32_t)range->low, 0;
	if (!system && range->high <= max)
		return *out = (uint32_t)range->high, 0;
	for (; range->gap <= max - min; range->gap++) {
		*out = system ? max - (uint32_t)range->gap : min + (uint32_t)range->gap;
		if (!numbers_have(&f->numbers, *out))
			return 0;
	}
	return -ENOSPC;
}

static int by_start(const void *a, const void *b)
{
	const struct db_span *x = a;
	const struct db_span *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

static void read_spans(struct db *db, struct db_spans *s, const struct db_file *f)
{
	uint32_t from;
	uint32_t count;
	size_t lines = 1;

	for (const struct db_line *l = f->lines; l; l = l->next)
		lines++;
	s->v = arena_alloc(db->ctx->arena, lines * sizeof(*s->v));
	for (const struct db_line *l = f->lines; l; l = l->next)
		if (l->n && db_number(l, 1, &from) == 0 && db_number(l, 2, &count) == 0 && count > 0)
			s->v[s->n++] = (struct db_span){ from, (uint64_t)from + count };
	qsort(s->v, s->n, sizeof(s->v[0]), by_start);
}

bool db_take_span(struct db *db, enum db_which which, uint32_t min, uint32_t max, uint32_t count, uint32_t *start)
{
	struct db_spans *s = &db->spans[which];

	if (count == 0)
		return false;
	if (!s->v) {
		read_spans(db, s, &db->file[which]);
		s->at = min;
	}
	for (; s->next < s->n && s->v[s->next].from < s->at + count; s->next++)
		if (s->v[s->next].end > s->at)
			s->at = s->v[s->next].end;
	if (s->at + count - 1 > max)
		return false;
	*start = (uint32_t)s->at;
	s->at += count;
	return true;
}
