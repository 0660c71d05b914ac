/* err.h - what a person needs to know about a failure.
 *
 * Functions return 0 (or a value) or -errno; the text travels in a struct err
 * that the caller owns. No heap is used, so this works in PID 1 and after
 * fork. Text that does not fit is cut at the end of the buffer.
 *
 *	if ((fd = sys_openat(...)) < 0)
 *		return err_set(err, -fd, "open %s", path);	-> "open /x: No such file or directory"
 *	...
 *	if ((r = mount_data(err)) < 0)
 *		return err_wrap(err, r, "start %s", name);	-> "start web: open /x: No such file..." */
#ifndef CORACLE_ERR_H
#define CORACLE_ERR_H

#include "cdefs.h"

#define ERR_TEXT_MAX 1024

struct err {
	int code;		/* positive errno of the first failure, 0: none */
	char text[ERR_TEXT_MAX];
};

#define ERR_INIT { 0, "" }

/* Sets text and code. code: positive errno; 0 adds no reason and is returned
 * as -EINVAL. err may be NULL. Returns -code. */
int err_set(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "text: " in front of what is there. r: the negative errno to return. */
int err_wrap(struct err *err, int r, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* strerror() without locale, heap or surprises: a static string. */
const char *err_name(int code);

#endif
