/* detach.h - the keys that leave a container's terminal without ending it ("ctrl-p,ctrl-q"). Pure. */
#ifndef CORACLE_ENGINE_DETACH_H
#define CORACLE_ENGINE_DETACH_H

#include <stdbool.h>
#include <stddef.h>

#define DETACH_KEYS_MAX 16

struct detach {
	unsigned char keys[DETACH_KEYS_MAX];
	size_t count, seen;
};

/* text NULL or "": ctrl-p,ctrl-q. False: it cannot be read. */
bool detach_parse(struct detach *d, const char *text);
/* True when the keys were typed; *use bytes of data come before their last. What was typed of them before went through, as terminals echo it. */
bool detach_scan(struct detach *d, const char *data, size_t n, size_t *use);

#endif
