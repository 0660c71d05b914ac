/* labels.h - process.apparmorProfile and process.selinuxLabel.
 *
 * Both wait in /proc/self/attr for the next execve. A label that is asked for on
 * a kernel that does not have it is an error with runc's words, never a container without its label. */
#ifndef CORACLE_OCI_LABELS_H
#define CORACLE_OCI_LABELS_H

#include <stdbool.h>
#include "lib/err.h"
#include "runtime/oci/spec.h"

/* In the runtime, before anything is made. */
int labels_check(const struct spec_process *p, struct err *err);
/* In the container's process while the host's /proc is there. keyring: also the label of keyrings made from now on. */
int labels_set(const struct spec_process *p, bool keyring, struct err *err);

#endif
