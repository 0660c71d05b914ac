/* settings.h - what one pull is about (registry.h has the form). Pure. */
#ifndef CORACLE_REGISTRY_SETTINGS_H
#define CORACLE_REGISTRY_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"
#include "runtime/registry/registry.h"

struct endpoint {
	const char *url;	/* scheme, host and port, no slash at the end */
	bool plain;		/* its token server may be asked over plain HTTP */
	const char *username, *password, *identity;	/* "" when there is none */
	const char *ca;		/* PEM text, "" */
};

struct settings {
	const char *repository;
	unsigned tries;
	uint32_t stall_ms;
	size_t endpoints;
	struct endpoint endpoint[REGISTRY_ENDPOINTS_MAX];
	void *doc;		/* private: holds the texts */
};

/* Returns 0 or -errno. The texts live until settings_free(). */
int settings_parse(const char *json, size_t n, struct settings *out, struct err *err);
void settings_free(struct settings *s);

#endif
