/* keys_other.h - the top-level keys that cloud-init has and Coracle does not do. Used by keys.c. */
#ifndef CORACLE_CONFIG_KEYS_OTHER_H
#define CORACLE_CONFIG_KEYS_OTHER_H

#include "schema.h"

#define OTHER_KEYS 160	/* room; the rows after the last one have no name */

extern const struct known_key other_keys[OTHER_KEYS];

#endif
