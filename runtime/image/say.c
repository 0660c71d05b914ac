/* say.c - errors whose text is complete (say.h). Pure functions. */
#include "runtime/image/say.h"

#include <stdarg.h>
#include <stdio.h>

int image_say(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (err) {
		va_start(ap, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
		err->code = code;
	}
	return -code;
}
