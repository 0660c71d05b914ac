/* get.h - getting one thing from whichever endpoint has it: authentication, mirrors, retries. Runs in coracle-registry. */
#ifndef CORACLE_REGISTRY_GET_H
#define CORACLE_REGISTRY_GET_H

#include "runtime/registry/http.h"
#include "runtime/registry/settings.h"

struct get {
	const struct settings *settings;
	struct http_conn *http;
	const char *what;		/* "manifest", "layer"...: for messages */
	const char *kind;		/* "manifests" or "blobs" */
	const char *reference;		/* tag or digest */
	const char *accept;		/* header, or NULL */
	uint64_t max;			/* bytes of the answer's body */
	uint32_t total_ms;		/* of one try */
	/* May add a Range header: the byte to begin with. NULL: always 0. */
	uint64_t (*from)(void *arg);
	/* Takes the body of a status 200 or 206. -EBADMSG: this endpoint is of no use, ask the next one; -EPIPE: nobody wants it any more. */
	http_body *body;
	/* Is it whole? Called after a body. Returns 0, -EAGAIN when something is missing: it is asked for again, or -EBADMSG. */
	int (*whole)(const struct http_head *head, void *arg, struct err *err);
	void (*again)(void *arg);	/* a new try begins: what is no blob begins anew */
	void *arg;
};

/* Returns 0 or -errno: ENOENT (nowhere), EACCES, EINTR (a program was killed), EPIPE, or what the last endpoint's last try was. */
int get_thing(const struct get *g, struct err *err);

#endif
