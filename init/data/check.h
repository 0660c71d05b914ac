/* check.h - runs e2fsck and understands its answer. */
#ifndef CORACLE_INIT_CHECK_H
#define CORACLE_INIT_CHECK_H

#include "err.h"

enum check_result { CHECK_CLEAN, CHECK_REPAIRED, CHECK_DAMAGED };

/* What e2fsck's exit code (e2fsck(8), EXIT CODE) means: bits 1 and 2: repaired; 4: errors left; others: it could not work. Returns a
 * check_result or -EIO. */
int check_understand(int code);

/* Repairs what is safe (-p) on the unmounted device. What -p will not touch is repaired with -y, after saying so. Returns 0 or -errno. */
int check_repair(const char *node, struct err *err);

#endif
