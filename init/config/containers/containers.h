/* containers.h - containers that are declared in other forms than Compose: Ignition, a Kubernetes Pod, GCE's declaration, RancherOS,
 * Quadlet.
 *
 * Each reader turns its document into the nodes of a Compose document, which keep the places of what was written, and
 * compose_read_document() reads those: so the same checks hold, and the same JSON comes out. What a form has and Coracle does
 * not do is named with its place. Nothing here touches the machine (but ignition_apply). Sources: Ignition's configuration specification 3.0 to 3.5,
 * Kubernetes' API reference of Pod v1, konlet's declaration, RancherOS' documentation, podman-systemd.unit(5). */
#ifndef CORACLE_CONFIG_CONTAINERS_H
#define CORACLE_CONFIG_CONTAINERS_H

#include <stdbool.h>
#include "../schema.h"

struct config;
struct run;

/* True when the text (a whole part of user-data, NUL behind len bytes) is such a document. They look at its first 4 KiB only. */
bool ignition_detect(const char *text, size_t len);	/* JSON with a key "ignition" */
bool pod_detect(const char *text, size_t len);		/* YAML or JSON with apiVersion and kind: Pod */

/* Read one document into c. source and its text live as long as the arena of ctx. Return 0, or -EINVAL when nothing
 * of it could be read; all problems are in ctx's diags. */
int ignition_read(struct ctx *ctx, const struct source *source, struct config *c);
int pod_read(struct ctx *ctx, const struct source *source, struct config *c);
int gce_declaration_read(struct ctx *ctx, const struct source *source, struct config *c);

/* `rancher:` of a cloud-config; value is a mapping. */
void rancher_read(struct ctx *ctx, const struct node *value, struct config *c);

/* Looks through c->files for what is read as containers, whoever writes it: /etc/compose.d/NAME.yaml (or .yml),
 * /etc/containers/systemd/NAME.container (.volume, .network), /etc/kubernetes/manifests/NAME.yaml (or .yml, .json). */
void containers_read_files(struct ctx *ctx, struct config *c);

/* Directories and links that Ignition asks for. */
void ignition_apply(struct run *r);

#endif
