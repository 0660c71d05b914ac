/* credentials.h - user name and password, or identity token, for one host. Pure. */
#ifndef CORACLE_REGISTRY_CREDENTIALS_H
#define CORACLE_REGISTRY_CREDENTIALS_H

#include "lib/err.h"

struct yyjson_val;

struct credentials {
	char username[1024], password[4096], identity[8192];	/* "" when there is none */
};

/* What is said of host: by the request (auth), by its entry of registries.json, by Docker's "auths", the first of them that says anything.
 * Any may be NULL. Returns 0 or -errno; there need not be any. */
int credentials_find(const char *host, struct yyjson_val *auth, struct yyjson_val *entry, struct yyjson_val *auths, struct credentials *out,
	struct err *err);
void credentials_clear(struct credentials *c);

#endif
