/* systemd.h - control groups that systemd owns (--systemd-cgroup).
 *
 * linux.cgroupsPath is "slice:prefix:name" then. systemd makes the scope
 * prefix-name.scope below the slice with the container's first process in it,
 * and delegates it; the limits are written by us too, since systemd knows only
 * some of them. Root asks the system manager, everybody else their own. */
#ifndef CORACLE_OCI_SYSTEMD_H
#define CORACLE_OCI_SYSTEMD_H

#include <sys/types.h>
#include "lib/err.h"
#include "runtime/oci/cgroup.h"
#include "runtime/oci/spec.h"

#define SYSTEMD_JOB_MS 30000

/* Takes linux.cgroupsPath, "slice:prefix:name", apart into c->unit and c->slice; checks the annotations for systemd, and that there
 * is one to talk to. */
int systemd_plan(struct cgroup *c, const struct spec *s, const char *id, struct err *err);
/* Starts the unit with pid in it; then c is initialised with the group that pid has come to. */
int systemd_start(struct cgroup *c, const char *id, pid_t pid, const struct spec *s, struct err *err);
/* In the container's process, once it is in the unit: opens its groups. */
int systemd_adopt(struct cgroup *c, const char *id, struct err *err);
/* Tells systemd of limits that c's groups have got, so that it does not write the old ones again. It rounds a quota to
 * whole percents: the exact one is written again. */
int systemd_update(const struct cgroup *c, const char *unit, const struct spec_resources *x, struct err *err);
/* Ends the unit; one that is gone is fine. */
void systemd_stop(const char *unit);

#endif
