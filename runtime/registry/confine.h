/* confine.h - what coracle-registry gives up before it reads a byte. */
#ifndef CORACLE_REGISTRY_CONFINE_H
#define CORACLE_REGISTRY_CONFINE_H

/* Descriptors beyond the slots', user, capabilities, new privileges, limits. Returns 0 or -errno. */
int confine_enter(unsigned slots);
/* The filter of system calls, for all threads; none can be made afterwards. Returns 0 or -errno. */
int confine_filter(void);

#endif
