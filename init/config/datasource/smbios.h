/* smbios.h - strings of the firmware's table (DMTF DSP0134, "SMBIOS"). Pure: works on bytes; each length in them is checked. */
#ifndef CORACLE_CONFIG_SMBIOS_H
#define CORACLE_CONFIG_SMBIOS_H

#include <stddef.h>

#define SMBIOS_OEM_STRINGS 11

/* Calls found for each string of each structure of that type; s has a NUL at s[n]. found returns non-zero to stop.
 * Returns what found returned, 0 at the end of the table or where it is broken. */
int smbios_strings(const char *table, size_t n, unsigned type, int (*found)(const char *s, size_t n, void *arg), void *arg);

#endif
