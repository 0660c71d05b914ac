/* answer.h - lines to the store (fetch.h). Buffered; progress and the last line flush. */
#ifndef CORACLE_FETCH_ANSWER_H
#define CORACLE_FETCH_ANSWER_H

#include "lib/cdefs.h"
#include "lib/err.h"

/* fd -1: answers are dropped (fuzzing). */
void answer_init(int fd);
/* One line; fmt without the newline. A store that is gone ends the process. */
void answer(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Writes what is buffered. */
void answer_flush(void);
/* A warning; those after FETCH_WARNINGS_MAX are dropped. */
void answer_warning(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
