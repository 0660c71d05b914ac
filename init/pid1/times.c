/* times.c - when each unit was started and became ready for the first time: what `coracle boot-time` asks for.
 *
 * Runs in PID 1. */
#include "init/pid1/init.h"

#include <stdio.h>
#include <time.h>

#include "init/pid1/recover.h"

/* Microseconds of CLOCK_MONOTONIC, 0: not yet. */
static struct first {
	int64_t started, ready;
} firsts[SUP_UNITS_MAX];

const struct state_section times_state[] = { STATE_TABLE("time", firsts, &units.n), STATE_END };

static void keep_first(int64_t *at)
{
	struct timespec ts;

	if (*at)
		return;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	*at = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void times_started(int unit)
{
	keep_first(&firsts[unit].started);
}

void times_ready(int unit)
{
	keep_first(&firsts[unit].ready);
}

void times_format(int unit, char *text, size_t size)
{
	const struct sup_unit *u = &units.sup[unit];
	uint64_t before = u->after | u->needs | u->finished | u->healthy;
	size_t n = (size_t)snprintf(text, size, "%s %s %lld %lld ", unit_name(unit), sup_state_name(init_sup.run[unit].state),
				    (long long)firsts[unit].started, (long long)firsts[unit].ready);
	const char *comma = "";

	for (int i = 0; before >> i && i < units.n && n < size; i++) {
		if (!(before >> i & 1))
			continue;
		n += (size_t)snprintf(text + n, size - n, "%s%s", comma, unit_name(i));
		comma = ",";
	}
	if (!before && n < size)
		snprintf(text + n, size - n, "-");
}
