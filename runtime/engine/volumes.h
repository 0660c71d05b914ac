/* volumes.h - named and anonymous volumes: what is said about them (ROOT/volumes/NAME/volume.json), who uses them, mounting those with options.
 *
 * A volume without volume.json is one that the boot configuration or an older engine made: it has neither labels nor options. */
#ifndef CORACLE_ENGINE_VOLUMES_H
#define CORACLE_ENGINE_VOLUMES_H

#include "container.h"

struct volume {
	struct arena mem;
	char name[256];
	int64_t created_ns;
	char **labels, **options;	/* k=v; options: type, o, device */
};

/* Reads one; -ENOENT: there is none. volume_free() ends it. */
int volume_load(const char *name, struct volume *out, struct err *err);
void volume_free(struct volume *v);
/* Makes it; its record is on the disk when this returns. */
int volume_make(const char *name, char *const *labels, char *const *options, struct err *err);
/* -EBUSY: a container has it. What was in it is removed by a child, later. */
int volume_remove(const char *name, struct err *err);
/* A container that has it (user->id), NULL: none. */
const struct container *volume_user(const char *name, const struct container *but);

/* Removes the anonymous volumes of a container that is going, but those that another has. */
void volumes_forget(const struct container *c);

/* True when a volume of c has to be mounted (type, o, device) and is not. */
bool volumes_need_mount(const struct container *c);
/* Mounts them. May wait (a server of files): in a child only. */
int volumes_mount(const struct container *c, struct err *err);
/* Unmounts those of c that no running container has. */
void volumes_release(const struct container *c);
/* After a start of the engine: what a removal left is removed. */
void volumes_sweep(void);

#endif
