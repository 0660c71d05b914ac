/* intelrdt.h - linux.intelRdt: the container's class of service in a mounted resctrl file system.
 *
 * config-linux.md, "IntelRdt". Nothing in resctrl is looked at unless the
 * container asks. A group named by closID is shared and stays; one named by the
 * container's id, and the monitoring group, go with the container. */
#ifndef CORACLE_OCI_INTELRDT_H
#define CORACLE_OCI_INTELRDT_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>
#include "lib/err.h"
#include "runtime/oci/spec.h"

struct rdt {
	char group[PATH_MAX], monitor[PATH_MAX];	/* directories, "" when there is none */
	bool made_group, made_monitor;	/* by us: taken back when create fails */
	bool keep_group;		/* closID is set: stays when the container is deleted */
};

/* Where resctrl is mounted. */
int rdt_find(char *root, size_t size, struct err *err);
/* Makes what is missing below root, writes the schemata and moves pid there. On failure the caller calls rdt_undo. r must be zeroed. */
int rdt_apply(struct rdt *r, const char *root, const struct spec_rdt *c, const char *id, pid_t pid, struct err *err);
/* update: writes other schemata (want: l3 and bandwidth alone) into the class that config gives the container. Where it gives none, one
 * named by the id is made, and pid moved there. root "": no resctrl is mounted. On failure nothing is left; r must be zeroed. */
int rdt_update(struct rdt *r, const char *root, const struct spec_rdt *config, const struct spec_rdt *want, const char *id, pid_t pid, struct err *err);
void rdt_undo(struct rdt *r);
/* What delete removes: the i-th directory, NULL at the end. */
const char *rdt_owned(const struct rdt *r, int i);

#endif
