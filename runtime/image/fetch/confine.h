/* confine.h - what coracle-fetch takes away from itself before it reads a byte. */
#ifndef CORACLE_FETCH_CONFINE_H
#define CORACLE_FETCH_CONFINE_H

#include <stdint.h>
#include "lib/err.h"

/* Empty namespaces, root directory = dirfd, only the capabilities that writing
 * files needs, no_new_privs, resource limits (max_file: bytes of one file). Not
 * root: a user namespace stands in for root, and owners are not kept (*owners = 0).
 * Namespaces that the host refuses (a container without CAP_SYS_ADMIN) are done
 * without, as the filter forbids what they would separate; the rest is not
 * optional. Returns 0 or -errno. */
int confine_enter(int dirfd, uint64_t max_file, int *owners, struct err *err);

/* The seccomp filter, for all threads: what is not on the list ends the process. No thread
 * can be made afterwards. Returns 0 or -errno. */
int confine_filter(struct err *err);

#endif
