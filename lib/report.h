/* report.h - how every program says what went wrong, and when things happened.
 *
 * No heap, never blocks, never fails: works in PID 1. Before /run exists only the kernel log gets the text. */
#ifndef CORACLE_REPORT_H
#define CORACLE_REPORT_H

#include "cdefs.h"

#define REPORT_FILE_MAX (1 << 20)	/* a file of /run/coracle does not grow beyond this; the kernel log goes on */

/* A problem: one line on the console through /dev/kmsg (level err, so that
 * `quiet` does not hide it) as "coracle: COMPONENT: TEXT", and one JSON line in
 * /run/coracle/problems. Without /dev/kmsg (tests, other hosts): standard error. */
void report_problem(const char *component, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A note for the kernel log only (level info; not on the console when quiet). */
void report_note(const char *component, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* One record for the kernel log, as it is: "<LEVEL>TEXT\n". Returns 0, -1 where there is no such log. */
int report_kernel(const char *record, size_t n);
/* The longest time in ms, of the processor, that a record has taken since this was asked last: the kernel writes to the console in the
 * caller's place, and a console that takes nothing is waited for character by character. */
int report_take_longest(void);

/* Writes "USEC NAME" to /run/coracle/boot-times (CLOCK_MONOTONIC). */
void report_stamp(const char *name);

/* Moves /run/coracle elsewhere (tests, engine on an ordinary host); dir must outlive the process. "" turns the files off. */
void report_set_dir(const char *dir);

#endif
