/* zones.h - time zones by name. Used by coracle-config only. */
#ifndef CORACLE_CONFIG_ZONES_H
#define CORACLE_CONFIG_ZONES_H

#include <stddef.h>

/* The rule of a zone of the tz database, as POSIX writes it in TZ ("CET-1CEST,M3.5.0,M10.5.0/3"); NULL when there is none of that name. */
const char *zone_rule(const char *name);

/* The names one by one, NULL at the end: for text_nearest. arg is a struct ctx, whose arena the name is in. */
const char *zone_name(size_t i, const void *arg);

#endif
