/* env_file.h - the text of an env_file: NAME=VALUE lines, comments, quotes. Pure. Source: Compose's documentation of env_file. */
#ifndef CORACLE_CONFIG_ENV_FILE_H
#define CORACLE_CONFIG_ENV_FILE_H

#include "compose.h"

#define ENV_FILE_MAX ((size_t)256 << 10)
#define ENV_FILE_VARIABLES_MAX 2000

/* Adds K=V to out. raw: values are taken as they stand. Returns 0, or -EINVAL after it has reported what is wrong. */
int env_file_read(struct ctx *ctx, const struct source *source, bool raw, struct strings *out);

#endif
