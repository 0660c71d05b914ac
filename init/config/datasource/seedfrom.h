/* seedfrom.h - NoCloud's seed at an address: a directory, or http(s). */
#ifndef CORACLE_CONFIG_SEEDFROM_H
#define CORACLE_CONFIG_SEEDFROM_H

#include "datasource.h"

/* Fetches the seed into `seed` by the rules of a layer. Returns the address as it may be shown, NULL when there was nothing (reported). */
const char *seedfrom_read(struct machine_facts *f, const char *from, struct seed *seed);

/* The address of one of the files: `%s` is replaced by its name; else it is added, after a slash when there is neither a slash at the end nor a
 * query (cloud-init 23.1, util.read_seeded()). */
const char *seedfrom_address(struct arena *a, const char *from, const char *file);

/* __dmi.system-serial-number__ and the like become what the machine says; *unknown is set to a name that is not known. */
const char *seedfrom_expand(struct machine_facts *f, const char *from, const char **unknown);

#endif
