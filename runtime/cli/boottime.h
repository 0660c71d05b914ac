/* boottime.h - when what happened on the way up (coracle boot-time): gathered, printed, drawn.
 *
 * Times are milliseconds. Those of the kernel and of everything after it count from the kernel's start (CLOCK_MONOTONIC). */
#ifndef CORACLE_CLI_BOOTTIME_H
#define CORACLE_CLI_BOOTTIME_H

#include <stdio.h>

#include "err.h"

#define BOOT_ITEMS_MAX 256
#define BOOT_NEVER (-1.0)

enum boot_kind { BOOT_STAGE, BOOT_UNIT, BOOT_CONTAINER };

/* A stage, a unit of init or a container. */
struct boot_item {
	char name[80];
	enum boot_kind kind;
	double start;		/* BOOT_NEVER: was not started */
	double ready;		/* BOOT_NEVER: is not ready yet, or never will be */
	char state[16];		/* of a unit */
	char after[1024];	/* names of the units that it waited for, with commas */
};

struct boot {
	double firmware, loader;	/* before the kernel; BOOT_NEVER: not known */
	int n;
	struct boot_item item[BOOT_ITEMS_MAX];
};

/* Reads the stamps below the run directory, asks init for its units (one that does not answer is said in *err and the rest stands) and the
 * firmware's variables below efivars for its times. Returns 0, or -errno when there are no stamps at all. */
int boot_gather(struct boot *b, const char *efivars, struct err *err);

/* The index of the unit of that name, or -1. */
int boot_find(const struct boot *b, const char *name);

/* What the unit waited for longest: the index of that unit, or -1. */
int boot_blocked_by(const struct boot *b, int unit);

/* The tree of stages, units and containers, then the chain of units that `unit` waited for (-1: the one that was ready last). */
void boot_print(const struct boot *b, int unit);

/* A chart, one bar for each item. */
void boot_draw_svg(const struct boot *b, FILE *to);

#endif
