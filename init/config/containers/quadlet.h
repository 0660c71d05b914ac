/* quadlet.h - Quadlet files (podman-systemd.unit(5)): NAME.container becomes a service, NAME.volume a volume. Pure. */
#ifndef CORACLE_CONFIG_QUADLET_H
#define CORACLE_CONFIG_QUADLET_H

#include "unit.h"

/* The units of one run: their services and volumes, as a Compose document in the making. */
struct quadlet {
	struct ctx *ctx;
	struct node *document;		/* NULL until the first; {services: ..., volumes: ...} */
	struct strings units;		/* "web": who may stand in After= */
};

/* Tells that NAME.container exists, before any is read. */
void quadlet_expect(struct quadlet *q, const char *file_name);
/* Reads one file; file_name is its last component. */
void quadlet_read(struct quadlet *q, const char *file_name, const struct source *source);

/* Shared with the units of Ignition: [Unit] and [Service] of a unit into service (a mapping of Compose keys). installed: NULL for a Quadlet
 * file; else the Exec lines are left to the caller, and *installed is set when [Install] has something that wants it. */
int quadlet_read_unit(struct quadlet *q, const struct unit_entry *entries, struct node *service, bool *installed);

/* The document, and a mapping in it. at: for the place of what is made. */
struct node *quadlet_section(struct quadlet *q, const char *key, const struct node *at);
/* Names a volume that needs no declaration in its own form. */
void quadlet_declare_volume(struct quadlet *q, const struct node *at, const char *key, const char *name);
/* Declares what a short volume (SOURCE:TARGET) names, if it is a name. */
void quadlet_declare_source(struct quadlet *q, const struct node *at, const char *text);

#endif
