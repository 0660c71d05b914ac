/* ranges.h - lists of numbers as the kernel writes them: "0-2,5". */
#ifndef CORACLE_OCI_RANGES_H
#define CORACLE_OCI_RANGES_H

#include <stdbool.h>
#include <stdlib.h>

/* Takes the next number (from == to) or range from the front of *list; false when there is none. */
static inline bool range_next(const char **list, unsigned long *from, unsigned long *to)
{
	const char *p = *list + (**list == ',');
	char *end;

	*from = *to = strtoul(p, &end, 10);
	if (end == p)
		return false;
	if (*end == '-')
		*to = strtoul(end + 1, &end, 10);
	*list = end;
	return true;
}

#endif
