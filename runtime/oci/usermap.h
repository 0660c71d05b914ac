/* usermap.h - uid_map, gid_map and setgroups of a process in a new user namespace.
 *
 * root writes them. Without privilege the kernel allows one line, the caller's
 * own id; for more the helpers newuidmap and newgidmap are asked, which know
 * from /etc/subuid and /etc/subgid what a user may map. */
#ifndef CORACLE_OCI_USERMAP_H
#define CORACLE_OCI_USERMAP_H

#include "lib/err.h"
#include "runtime/oci/spec.h"

/* Writes file ("uid_map" or "gid_map") of the process. */
int usermap_write(pid_t pid, const char *file, const struct spec_id_map *map, size_t n, struct err *err);
/* Maps linux.uidMappings and gidMappings for the process, which waits meanwhile. */
int usermap_set(pid_t pid, const struct spec *s, struct err *err);

#endif
