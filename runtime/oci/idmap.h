/* idmap.h - idmapped bind mounts (options idmap and ridmap, mounts[].uidMappings). */
#ifndef CORACLE_OCI_IDMAP_H
#define CORACLE_OCI_IDMAP_H

#include <stdbool.h>
#include "lib/err.h"
#include "runtime/oci/spec.h"

/* Some mount of config.json is idmapped. */
bool idmap_wanted(const struct spec *s);
/* Maps the detached tree by the mount's mappings, or the container's user namespace where it has none. Runs in the
 * runtime, which must be privileged over the file system's owner. */
int idmap_apply(int tree, const struct spec *s, const struct spec_mount *m, bool recursive, struct err *err);

#endif
