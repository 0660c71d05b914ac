/* text.c - text into fixed buffers (coracle-engine). Pure. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>

bool text_set(char *out, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out, size, fmt, ap);
	va_end(ap);
	return n >= 0 && (size_t)n < size;
}
