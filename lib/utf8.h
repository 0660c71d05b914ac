/* utf8.h - code points as UTF-8 (RFC 3629). */
#ifndef CORACLE_UTF8_H
#define CORACLE_UTF8_H

#include "buf.h"

/* Adds the code point c, at most 0x10ffff. Surrogates are the caller's to refuse. */
void utf8_add(struct buf *b, unsigned c);

#endif
