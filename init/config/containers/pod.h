/* pod.h - what Kubernetes' Pod and GCE's container declaration have in common: containers and volumes of a pod. */
#ifndef CORACLE_CONFIG_POD_H
#define CORACLE_CONFIG_POD_H

#include "quadlet.h"

struct pod {
	struct ctx *ctx;
	const char *name;
	bool gce;			/* exactly one container, on the machine's network */
	const struct node *at;
	const struct node *volumes;	/* list, may be NULL */
	const char *restart;		/* Compose's word */
	const char *grace;		/* duration, or NULL */
	struct node *common;		/* Compose keys that each container gets */
	struct quadlet out;		/* collects services and volumes */
	const char *previous;		/* the init container before, which must have ended */
	unsigned count;
};

/* One container (a mapping) becomes a service. first: an init container. Returns 0, or -EINVAL after it has reported why. */
int pod_container(struct pod *p, const struct node *value, bool first);

/* 128Mi, 1G, 500m: thousandths. Returns 0 or -EINVAL. Source: Kubernetes' resource quantities. */
int pod_quantity(const char *text, int64_t *milli);

/* volumeMounts: of a container, against the pod's volumes. */
int pod_mounts(struct pod *p, const struct node *mounts, struct node *service);

/* The fields of a container's or pod's securityContext, into service. */
int pod_security(struct pod *p, const struct node *context, struct node *service, bool of_pod);

/* livenessProbe. */
int pod_probe(struct pod *p, const struct node *probe, struct node *service);

/* A key that is not done: an error, or a warning. */
int pod_unknown(struct pod *p, const struct node *key, const char *where, const char *const *known, bool error);

#endif
