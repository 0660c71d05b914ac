/* tree.h - directories and links of a configuration (Ignition has them; cloud-init does not). */
#ifndef CORACLE_CONFIG_TREE_H
#define CORACLE_CONFIG_TREE_H

#include <stdbool.h>
#include "../node.h"

struct config_directory {
	const struct node *at;
	const char *path;
	unsigned mode;
	const char *user;	/* name or number */
	const char *group;	/* NULL: the user's own */
	struct config_directory *next;
};

struct config_link {
	const struct node *at;
	const char *path;
	const char *target;
	bool hard;
	struct config_link *next;
};

struct config_tree {
	struct config_directory *directories;
	struct config_link *links;
};

#endif
