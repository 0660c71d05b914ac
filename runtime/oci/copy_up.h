/* copy_up.h - option tmpcopyup: a new tmpfs starts with what it covers. */
#ifndef CORACLE_OCI_COPY_UP_H
#define CORACLE_OCI_COPY_UP_H

#include "lib/err.h"

/* Copies the tree of directory from (O_PATH, below the mount) into to: files, directories,
 * links, owners and modes; device nodes and sockets are left out. */
int copy_up(int from, int to, struct err *err);

#endif
