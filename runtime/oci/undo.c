/* undo.c - takes back a half-done operation. Runs in coracle-runtime; never fails. */
#include <stdlib.h>
#include "runtime/oci/undo.h"

void undo_push(struct undo *u, void (*fn)(void *), void *arg)
{
	if (u->n == UNDO_MAX)
		abort();	/* a mistake in the program: there are fewer steps */
	u->step[u->n].fn = fn;
	u->step[u->n++].arg = arg;
}

void undo_run(struct undo *u)
{
	while (u->n > 0) {
		u->n--;
		u->step[u->n].fn(u->step[u->n].arg);
	}
}

void undo_forget(struct undo *u)
{
	u->n = 0;
}
