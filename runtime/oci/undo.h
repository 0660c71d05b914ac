/* undo.h - what must be taken back when an operation fails half-way.
 *
 * Each step that leaves something behind pushes how to take it back; a failure
 * runs the list in reverse, success forgets it. Fixed size, no heap. */
#ifndef CORACLE_OCI_UNDO_H
#define CORACLE_OCI_UNDO_H

#define UNDO_MAX 16

struct undo {
	struct { void (*fn)(void *); void *arg; } step[UNDO_MAX];
	int n;
};

void undo_push(struct undo *u, void (*fn)(void *), void *arg);
void undo_run(struct undo *u);		/* last first; the list is empty afterwards */
void undo_forget(struct undo *u);

#endif
