/* table.c - the table of units: its texts, its names, and the order that its dependencies make.
 *
 * Runs in PID 1, in tests and in the fuzzer. Pure; no heap. */
#include "init/units/compile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cdefs.h"

#define BIT(i) (UINT64_C(1) << (i))

SPARSE struct units units;
SCRATCH struct dependency_name unit_dependencies[UNIT_DEPENDENCIES_MAX];
int unit_dependencies_n;

const char *unit_string(unit_text t)
{
	return t < sizeof(units.text) ? units.text + t : "";
}

const char *unit_name(int unit)
{
	return unit >= 0 && unit < units.n ? unit_string(units.service[unit].name) : "";
}

int unit_find(const char *name)
{
	for (int i = 0; i < units.n; i++)
		if (!strcmp(unit_name(i), name))
			return i;
	return -1;
}

int unit_text_add(const char *text, size_t n, unit_text *out)
{
	/* offset 0 is the empty string */
	if (units.text_n == 0)
		units.text_n = 1;
	if (n >= sizeof(units.text) - units.text_n)
		return -ENOSPC;
	*out = (unit_text)units.text_n;
	memcpy(units.text + units.text_n, text, n);
	units.text[units.text_n + n] = '\0';
	units.text_n += (unsigned)n + 1;
	return 0;
}

/* The words of a list lie one behind the other. When something else has come behind them, they move there first. */
int unit_word_add(struct unit_words *words, const char *text)
{
	const char *end = unit_string(words->first);
	unit_text at = words->first;
	int r;

	for (int i = 0; i < words->n; i++)
		end += strlen(end) + 1;
	if (words->n && end != units.text + units.text_n) {
		if ((r = unit_text_add(unit_string(words->first), (size_t)(end - unit_string(words->first)) - 1, &at)) < 0)
			return r;
		words->first = at;
	}
	if ((r = unit_text_add(text, strlen(text), &at)) < 0)
		return r;
	if (words->n++ == 0)
		words->first = at;
	return 0;
}

/* A unit that no file describes keeps what is needed to stop it, and a condition that does not hold. */
static void keep(const struct units *old, int i)
{
	const struct service *was = &old->service[i];
	struct service *s = &units.service[i];
	struct sup_unit *u = &units.sup[i];
	const char *name = old->text + was->name;
	char path[128] = "";

	*u = old->sup[i];
	u->after = u->needs = u->finished = u->healthy = 0;
	u->restart = SUP_RESTART_NO;
	u->flags = (u->flags & ~(unsigned)(SUP_LISTENS | SUP_CRITICAL)) | SUP_ON_DEMAND;
	u->escalate = 0;
	memset(s, 0, sizeof(*s));
	s->flags = was->flags;
	s->fdstore_max = was->fdstore_max;
	s->umask = 022;
	unit_text_add(name, strlen(name), &s->name);
	snprintf(path, sizeof(path), UNITS_DIR_LOCAL "/%.63s.unit", name);
	unit_word_add(&s->when, path);
}

void units_begin(const struct units *old)
{
	units.n = units.sockets_n = units.timers_n = units.limits_n = unit_dependencies_n = 0;
	units.text_n = 1;
	if (!old)
		return;
	for (int i = 0; i < old->n; i++)
		keep(old, i);
	units.n = old->n;
}

static uint64_t all_of(const struct sup_unit *u)
{
	return u->after | u->needs | u->finished | u->healthy;
}

static int is_local(int unit)
{
	return !strncmp(unit_string(units.service[unit].source), UNITS_DIR_LOCAL "/", sizeof(UNITS_DIR_LOCAL));
}

/* Follows the order from a unit on a circle, or on the way to one, round that circle once: "a after b after a". The one to be left out is one of the
 * machine's own files if there is one, for the image's were right before it came. */
static int name_circle(uint64_t left, int *bad, struct err *err)
{
	char text[256] = "";
	size_t n = 0;
	uint64_t seen = 0;
	int i = __builtin_ctzll(left);
	int first;

	for (; !(seen & BIT(i)); i = __builtin_ctzll(all_of(&units.sup[i]) & left))
		seen |= BIT(i);
	first = *bad = i;
	do {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s after ", unit_name(i));
		n = MIN(n, sizeof(text) - 1);
		i = __builtin_ctzll(all_of(&units.sup[i]) & left);
		if (is_local(i) && !is_local(*bad))
			*bad = i;
	} while (i != first);
	err_set(err, 0, "%s: the order is circular: %s%s", unit_string(units.service[*bad].source), text, unit_name(first));
	return -ELOOP;
}

/* Kahn's algorithm: takes away units without open dependencies until none is left or nothing moves. */
static int check_order(int *bad, struct err *err)
{
	uint64_t left = units.n == 64 ? UINT64_MAX : BIT(units.n) - 1;
	uint64_t before;

	do {
		before = left;
		for (int i = 0; i < units.n; i++)
			if (!(all_of(&units.sup[i]) & left))
				left &= ~BIT(i);
	} while (left != before);
	return left ? name_circle(left, bad, err) : 0;
}

int units_resolve(int *bad, struct err *err)
{
	for (int i = 0; i < unit_dependencies_n; i++) {
		const struct dependency_name *d = &unit_dependencies[i];
		int other = unit_find(unit_string(d->name));
		struct sup_unit *u = &units.sup[d->unit];

		if (other < 0) {
			*bad = d->unit;
			return err_set(err, 0, "%s:%d: there is no unit \"%s\"", unit_string(units.service[d->unit].source), d->line,
				       unit_string(d->name));
		}
		if (d->kind == DEP_BEFORE)
			units.sup[other].after |= BIT(d->unit);
		else
			*(d->kind == DEP_AFTER ? &u->after : d->kind == DEP_NEEDS ? &u->needs : d->kind == DEP_FINISHED ? &u->finished : &u->healthy) |=
				BIT(other);
	}
	return check_order(bad, err);
}
