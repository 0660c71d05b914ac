/* mount_options.h - the options of an OCI mount as flags of the kernel's calls.
 *
 * config.md, "Linux mount options". What is not in the table goes to the file
 * system as data. */
#ifndef CORACLE_OCI_MOUNT_OPTIONS_H
#define CORACLE_OCI_MOUNT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"

#define MOUNT_DATA_MAX 4096

struct mount_attr;

struct mount_options {
	unsigned long flags;		/* MS_* for mount(2), without propagation */
	unsigned long cleared;		/* MS_* that an option turned off explicitly */
	unsigned long propagation;	/* MS_SHARED... with MS_REC, 0: none given */
	uint64_t rec_set, rec_clear;	/* MOUNT_ATTR_* for the whole tree (rro, rnosuid...) */
	bool bind, recursive, copy_up, idmap, idmap_recursive;
	char data[MOUNT_DATA_MAX];	/* comma separated, "" when none */
};

int mount_options_parse(char *const *options, struct mount_options *out, struct err *err);
/* The per-mount flags for mount_setattr(2): what to set and what to clear on a bind mount. */
void mount_options_attr(const struct mount_options *o, struct mount_attr *out);
/* The n-th name we know, for `features`; NULL at the end. */
const char *mount_options_name(size_t n);

#endif
