/* var.h - what /var is made of, whether it lies on a disk or in memory.
 *
 * Used by coracle-data, and by init when there is no data file system. No heap. */
#ifndef CORACLE_INIT_VAR_H
#define CORACLE_INIT_VAR_H

#include "err.h"

/* Mounts a tmpfs on /var and makes the directories. Returns 0 or -errno. */
int var_mount_tmpfs(struct err *err);

/* Makes the directories that the machine expects below root ("/var"); those that exist are left alone. Returns 0 or -errno. */
int var_make_directories(const char *root, struct err *err);

#endif
