/* auth.h - who we are to an endpoint: Basic, Bearer tokens, shared between slots. Runs in coracle-registry. */
#ifndef CORACLE_REGISTRY_AUTH_H
#define CORACLE_REGISTRY_AUTH_H

#include "runtime/registry/http.h"
#include "runtime/registry/settings.h"

#define AUTH_HEADER_MAX 24576u	/* bytes of "Authorization: Bearer ..." */

/* What to send to endpoint n now: "" when nothing. out has AUTH_HEADER_MAX bytes. Returns a number for auth_answer(). */
unsigned auth_header(size_t n, char *out);

/* The endpoint answered 401 with this challenge to what auth_header() gave under number: gets what is wanted, if another slot has not meanwhile.
 * Returns 0 when it is worth asking again, -EACCES when there is nothing (more) to offer, or -errno. */
int auth_answer(const struct settings *s, size_t n, unsigned number, const struct challenge *c, struct http_conn *conn, struct err *err);

/* The token in a token server's answer, without control characters, into out (size bytes). Pure. Returns 0 or -EBADMSG. */
int auth_token(const char *json, size_t n, char *out, size_t size);

#endif
