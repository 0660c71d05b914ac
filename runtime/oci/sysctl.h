/* sysctl.h - linux.sysctl: kernel settings of the container's own namespaces. */
#ifndef CORACLE_OCI_SYSCTL_H
#define CORACLE_OCI_SYSCTL_H

#include "lib/err.h"
#include "runtime/oci/spec.h"

/* In the runtime, before anything is made: only settings of the container's own namespaces
 * (config-linux.md, "Sysctl"), with runc's words. A network namespace that is joined must not be the runtime's own. */
int sysctl_check(const struct spec *s, struct err *err);
/* In the container's process while it still has the host's /proc: the files act
 * on the caller's namespaces, and the container's tree cannot redirect the writes (CVE-2025-52881). */
int sysctl_apply(const struct spec *s, struct err *err);

#endif
