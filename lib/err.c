/* err.c - error texts: no heap, no locale, usable in PID 1 and after fork. */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *err_name(int code)
{
	return strerror(code); /* musl: a static table; glibc: only unknown codes use a buffer */
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
	int ret = code > 0 ? -code : -EINVAL;
	va_list ap;
	size_t used;
	int n;

	if (!err)
		return ret;
	err->code = -ret;
	va_start(ap, fmt);
	n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (n < 0)
		err->text[0] = '\0';
	used = strlen(err->text);
	if (code > 0 && used < sizeof(err->text) - 1)
		snprintf(err->text + used, sizeof(err->text) - used, ": %s", err_name(code));
	return ret;
}

int err_wrap(struct err *err, int r, const char *fmt, ...)
{
	char old[ERR_TEXT_MAX];
	va_list ap;
	size_t used;
	int n;

	if (!err)
		return r;
	memcpy(old, err->text, sizeof(old));
	old[sizeof(old) - 1] = '\0';
	va_start(ap, fmt);
	n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (n < 0)
		err->text[0] = '\0';
	used = strlen(err->text);
	if (old[0] && used < sizeof(err->text) - 3) {
		memcpy(err->text + used, ": ", 2);
		used += 2;
		memccpy(err->text + used, old, '\0', sizeof(err->text) - 1 - used);
		err->text[sizeof(err->text) - 1] = '\0';
	}
	return r;
}
