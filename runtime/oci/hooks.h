/* hooks.h - programs that config.json wants run at points of the lifecycle.
 *
 * config.md, "POSIX-platform Hooks": in order, the container's state on
 * standard input, killed after their timeout; the first failure ends the list. */
#ifndef CORACLE_OCI_HOOKS_H
#define CORACLE_OCI_HOOKS_H

#include <stddef.h>
#include "lib/err.h"
#include "runtime/oci/spec.h"

/* state: JSON text. name: for messages. Returns 0 or a negative errno. */
int hooks_run(const struct spec_hooks *hooks, const char *name, const char *state, size_t n, struct err *err);
/* The same, but goes on after failures and reports them as warnings (poststop). */
void hooks_run_all(const struct spec_hooks *hooks, const char *name, const char *state, size_t n);

#endif
