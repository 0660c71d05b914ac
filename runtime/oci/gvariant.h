/* gvariant.h - GVariant text, in which annotations give systemd's properties, as D-Bus values.
 *
 * Booleans, numbers, strings, and arrays of those: true, -5, uint64 7, 'text', ['a', "b"], @as []. A number is an int32
 * when nothing else is said. Containers beyond arrays are an error. */
#ifndef CORACLE_OCI_GVARIANT_H
#define CORACLE_OCI_GVARIANT_H

#include "runtime/oci/dbus.h"

#define GVARIANT_STRING_MAX 4096

/* Adds a variant: the signature, then the value. */
int gvariant_put(struct dbus_body *b, const char *text, struct err *err);
/* A number of seconds, in microseconds. */
int gvariant_usec(const char *text, uint64_t *out, struct err *err);

#endif
