/* imagegc.h - images that nobody uses go, when the disk is nearly full; what no image needs goes soon. */
#ifndef CORACLE_ENGINE_IMAGEGC_H
#define CORACLE_ENGINE_IMAGEGC_H

#include <stdbool.h>
#include "runtime/store/store.h"

#define IMAGEGC_FREE_DEFAULT 10		/* per cent of the disk that should be free */

/* The boot's imports are over: leftovers of a crash go now, and the disk is watched from now on. */
void imagegc_begin(void);
/* Something was taken out of the store whose content could not go at once. */
void imagegc_sweep_later(void);
/* The store was read again: the disk is looked at in a moment. */
void imagegc_poke(void);
/* A container's configuration, or the boot's, names it. */
bool imagegc_is_wanted(const struct store_image *img);

#endif
