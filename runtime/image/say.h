/* say.h - errors whose text is complete: "its blob is missing" gains nothing from ": No such file or directory". */
#ifndef CORACLE_IMAGE_SAY_H
#define CORACLE_IMAGE_SAY_H

#include <errno.h>
#include "lib/err.h"

/* As err_set(), without the reason of the code at the end. Returns -code. */
int image_say(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The content is not what it should be: -EBADMSG. */
#define image_bad(err, ...) image_say(err, EBADMSG, __VA_ARGS__)

#endif
