/* images.h - the store as the engine uses it, and the import of what lies on the boot medium.
 *
 * The import runs in a child process, one archive after the other, so that unpacking never holds up a container. */
#ifndef CORACLE_ENGINE_IMAGES_H
#define CORACLE_ENGINE_IMAGES_H

#include <stdbool.h>
#include "runtime/store/store.h"

int images_open(struct err *err);
int images_lookup(const char *name, struct store_image **out, struct err *err);

/* Looks for archives (*.tar *.tar.gz *.tgz *.tar.zst *.tzst) and OCI layouts below MEDIA/N and imports them.
 * changed is called after each one that succeeded, done at the end (also when there was nothing to do). */
void images_import_media(const char *media, void (*changed)(void), void (*done)(void));
/* True from the start of the engine until done: a missing image may still come. */
bool images_importing(void);

#endif
