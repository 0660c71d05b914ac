/* openstack.h - the tree of files that OpenStack describes an instance with, from a disk or over HTTP. */
#ifndef CORACLE_CONFIG_OPENSTACK_H
#define CORACLE_CONFIG_OPENSTACK_H

#include "datasource.h"

struct openstack_tree {
	struct ctx *ctx;
	const char *what;	/* for messages: "/dev/vdb" */
	/* Reads a file, path like "openstack/latest/meta_data.json". Returns 1, 0 when there is none, -errno (reported). */
	int (*read)(struct openstack_tree *t, const char *path, const char **out, size_t *len);
	int fd;			/* of a disk's root */
	const struct imds *imds;	/* of the service */
};

/* Fills the seed. Returns 1, 0 when there is no tree, or no usable one (reported). */
int openstack_read_tree(struct openstack_tree *t, struct seed *seed);

#endif
