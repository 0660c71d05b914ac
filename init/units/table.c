/* table.c - the table of units and the arena of its texts.
 *
 * Runs in PID 1 and in tests. Pure; no heap. */
#include "init/units/unit.h"

#include <errno.h>
#include <string.h>

struct units units;

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
