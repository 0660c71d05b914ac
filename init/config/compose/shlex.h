/* shlex.h - splits a command line into words as Compose does (Python's shlex, POSIX mode, without comments). */
#ifndef CORACLE_CONFIG_SHLEX_H
#define CORACLE_CONFIG_SHLEX_H

#include "../schema.h"

/* Adds the words of s to words. Returns NULL, or what is wrong with it. */
const char *shlex_split(struct ctx *ctx, const char *s, struct strings *words);

#endif
