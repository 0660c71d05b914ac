/* parts.h - what the files of the supervisor share: supervise.c (events), order.c (who may start), ends.c (what follows an end).
 * Pure, as supervise.h says. */
#ifndef CORACLE_INIT_SUPERVISE_PARTS_H
#define CORACLE_INIT_SUPERVISE_PARTS_H

#include "init/supervise/supervise.h"

#define BIT(i) (UINT64_C(1) << (i))

/* Who wants a unit: a trigger and a command also try those again that it requires and that have failed or been skipped; a command
 * forgets their failures. */
enum sup_wish { SUP_WISH_AUTO, SUP_WISH_TRIGGER, SUP_WISH_COMMAND };

void sup_act(struct sup_actions *out, enum sup_action_type type, int unit, int64_t number);
/* The watchdog does not run in the new state, unless the caller sets it. */
void sup_enter(struct sup_run *r, enum sup_state state, int64_t deadline);
/* now + ms, but never past SUP_NEVER. */
int64_t sup_later(int64_t now, int64_t ms);
/* It has processes, or is about to. */
int sup_is_active(enum sup_state state);
void sup_fail(struct sup *s, int i, struct sup_actions *out);

/* ---- order.c */

/* The unit, and what it requires, go to waiting where they rest. */
void sup_want(struct sup *s, int i, enum sup_wish wish, int64_t now);
/* Lets every unit go as far as it can. */
void sup_advance(struct sup *s, int64_t now, struct sup_actions *out);
int sup_order_is_circular(const struct sup_unit *units, int n);

/* ---- ends.c */

/* Comes to rest in off or done; one with sockets listens instead. */
void sup_rest(struct sup *s, int i, enum sup_state state, struct sup_actions *out);
/* Its processes are all gone: what next? */
void sup_ended(struct sup *s, int i, int64_t now, struct sup_actions *out);
void sup_begin_stop(struct sup *s, int i, enum sup_why why, int64_t now, struct sup_actions *out);
void sup_begin_kill(struct sup *s, int i, enum sup_state state, int64_t now, struct sup_actions *out);
/* Its watchdog was not fed. */
void sup_bite(struct sup *s, int i, int64_t now, struct sup_actions *out);
/* The deadline of its state has passed. */
void sup_expire(struct sup *s, int i, int64_t now, struct sup_actions *out);
/* This end counts as success: Restart= of systemd.service(5), "clean exit code or signal". */
int sup_end_is_clean(const struct sup_unit *u, const struct sup_event *ev);

#endif
