/* crash.h - the kernel's last words: from pstore to the data disk. */
#ifndef CORACLE_CLI_CRASH_H
#define CORACLE_CLI_CRASH_H

#include <stddef.h>

#include "verdict.h"

/* Reads what the pstore directory has, adds it to the evidence, keeps it as STATE/crash/boot-NUMBER.txt when it is of a crash, and removes it from pstore.
 * path: the file's name below STATE, "" when there is none. */
void crash_collect(struct verdict_evidence *e, const char *pstore, const char *state, unsigned number, char *path, size_t size);

#endif
