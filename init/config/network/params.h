/* params.h - the parameters of bonds and bridges: their names in both versions, what they take, and where the kernel wants them. */
#ifndef CORACLE_CONFIG_NETWORK_PARAMS_H
#define CORACLE_CONFIG_NETWORK_PARAMS_H

#include "plan.h"

enum param_kind {
	PARAM_NUMBER,	/* 0 to max */
	PARAM_WORD,	/* one of words, or its number */
	PARAM_BOOL,
	PARAM_MS,	/* milliseconds; 100, 100ms, 1s */
	PARAM_SECONDS,	/* seconds; 15, 15s */
	PARAM_TICKS,	/* seconds, for the kernel hundredths of them */
	PARAM_DEVICE,	/* the id of a member */
	PARAM_TARGETS,	/* IPv4 addresses */
};

struct param_key {
	const char *name;	/* version 2 */
	const char *old;	/* version 1, behind bond- or bridge_; NULL: not there */
	enum param_kind kind;
	unsigned attribute;	/* IFLA_BOND_..., IFLA_BR_..., IFLA_BRPORT_... */
	unsigned size;		/* bytes of the attribute */
	uint32_t max;
	const char *const *words;
	bool port;		/* a value for each member */
	bool early;		/* can only be set while the bond has no members */
};

/* parameters: of version 2. d: PLAN_BOND or PLAN_BRIDGE. Returns the number of errors. */
unsigned params_read(struct ctx *ctx, const struct node *map, struct network_device *d);
/* params: of version 1, whose names have the prefix bond- or bridge_ and take - for _. */
unsigned params_read_old(struct ctx *ctx, const struct node *map, struct network_device *d);
/* One by its version 2 name (or version 1's) and text, for the kernel command line. Returns 0, -ENOENT or -EINVAL. */
int params_set(struct ctx *ctx, struct network_device *d, const char *name, const char *text);

#endif
