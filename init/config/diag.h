/* diag.h - everything that is wrong with a configuration, collected.
 *
 * A problem has a place (source, line, column), a text that names the thing and
 * the reason, and where possible a hint. All of them are kept, sorted by place, never only the first.
 * Values of keys that hold secrets must not be put into texts: use diag_quote() for names and enumerations only. */
#ifndef CORACLE_CONFIG_DIAG_H
#define CORACLE_CONFIG_DIAG_H

#include <stdbool.h>
#include "arena.h"
#include "buf.h"

#define DIAG_MAX 200	/* kept; later ones are only counted */

/* One input text. Lines and columns count from 1, columns in characters. */
struct source {
	const char *name;	/* "user-data", or the file's path */
	const char *text;	/* NUL-terminated */
	size_t len;
};

enum diag_level {
	DIAG_WARNING,	/* all was applied as far as we can: recoverable, exit status 2 */
	DIAG_UNKNOWN,	/* a key that nobody knows: an error for `schema`, recoverable at boot */
	DIAG_ERROR,	/* something that was asked for is left out: an error, exit status 1 */
};

struct diag {
	enum diag_level level;
	const struct source *source;	/* NULL: about no particular text */
	unsigned line, column;		/* 0: the whole source */
	const char *text;
	const char *hint;		/* may be NULL */
	unsigned char stage;		/* enum status_stage */
	bool hidden;			/* its source line holds a secret and is not shown */
	struct diag *next;
};

struct derived;

struct diags {
	struct arena *arena;
	struct diag *first;
	struct derived *derived;
	unsigned count[3];	/* by level */
	unsigned char stage;	/* enum status_stage of what is reported from now on */
	unsigned kept;
	bool hide;		/* what is added now is about a secret */
};

struct node;

void diags_init(struct diags *d, struct arena *arena);

/* Text that is a part of another, or was made from it: its problems are told where it came from. Line n of source is line n + shift of
 * from, or lines[n - 1] where lines (count of them, memory that lives as long) is given. */
void diag_derive(struct diags *d, const struct source *source, const struct source *from, unsigned shift, const unsigned *lines, unsigned count);

/* hint may be NULL and must live as long as the arena. */
void diag_add(struct diags *d, enum diag_level level, const struct source *source, unsigned line, unsigned column,
	      const char *hint, const char *fmt, ...) PRINTF_LIKE(7, 8);
/* At the node's place; at NULL: no place. Returns -EINVAL, so that a reader can return it. */
int diag_at(struct diags *d, enum diag_level level, const struct node *at, const char *hint, const char *fmt, ...)
	PRINTF_LIKE(5, 6);

/* n bytes made fit for a message: quoted, printable, cut after 60 characters. */
const char *diag_quote(struct arena *a, const char *s, size_t n);

/* "user-data:3:5: error: TEXT (HINT)", one line without a newline. with_level: says error or warning. */
void diag_line(const struct diag *d, int with_level, struct buf *out);
/* All of them as a compiler prints them: the line, the source line, a caret. */
void diags_render(const struct diags *d, struct buf *out);

static inline unsigned diags_errors(const struct diags *d) { return d->count[DIAG_UNKNOWN] + d->count[DIAG_ERROR]; }

#endif
