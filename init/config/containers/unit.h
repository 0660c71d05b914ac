/* unit.h - the format of systemd's unit files, which Quadlet shares: sections, keys, words. Pure. Source: systemd.syntax(7). */
#ifndef CORACLE_CONFIG_UNIT_H
#define CORACLE_CONFIG_UNIT_H

#include "../schema.h"

#define UNIT_TEXT_MAX ((size_t)64 << 10)
#define UNIT_ENTRIES_MAX 1000

struct unit_entry {
	const char *section;
	const char *key;
	const char *value;		/* lines that were continued are one, joined by a blank */
	const struct node *at;		/* of the value */
	struct unit_entry *next;
};

/* Reads a whole file. NULL when it holds nothing; mistakes are reported, the other lines are read all the same (*bad is set). */
struct unit_entry *unit_parse(struct ctx *ctx, const struct source *source, bool *bad);

/* Splits a value into words: quotes, and escapes as in C. Returns 0, or -EINVAL after it has reported why. */
int unit_words(struct ctx *ctx, const struct unit_entry *e, struct strings *out);

/* Replaces %n %N %p %% in the values (unit: "web.service"); any other specifier is an error at its entry. */
int unit_specifiers(struct ctx *ctx, struct unit_entry *entries, const char *unit);

/* "5min 20s", "90", "1h" as milliseconds; -EINVAL. Source: systemd.time(7). */
int unit_duration(const char *text, uint64_t *ms);

/* yes no true false on off 1 0; anything else is reported. */
int unit_bool(struct ctx *ctx, const struct unit_entry *e, bool *out);

#endif
