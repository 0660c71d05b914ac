/* text.h - text into fixed buffers. Pure. */
#ifndef CORACLE_ENGINE_TEXT_H
#define CORACLE_ENGINE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include "cdefs.h"

/* snprintf that is allowed to cut. Returns true when all fitted. */
bool text_set(char *out, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
