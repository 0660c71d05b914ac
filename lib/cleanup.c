/* cleanup.c - what the CLEANUP_* attributes of cdefs.h call. Apart from fd.c
 * so that PID 1, which links no malloc, can use fd_cleanup alone. */
#include "cdefs.h"

#include <stdlib.h>
#include <string.h>

void free_cleanup(void *p)
{
	void *v;

	memcpy(&v, p, sizeof(v));
	free(v);
}

void *ptr_take_void(void *pp)
{
	void *v;
	void *none = NULL;

	memcpy(&v, pp, sizeof(v));
	memcpy(pp, &none, sizeof(none));
	return v;
}
