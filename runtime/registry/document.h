/* document.h - what kind of document a registry has sent. Pure. */
#ifndef CORACLE_REGISTRY_DOCUMENT_H
#define CORACLE_REGISTRY_DOCUMENT_H

#include <stddef.h>
#include "lib/err.h"

/* The media type of an index or a manifest, decided from the document and the Content-Type ("" when there was none), which must
 * not contradict each other: a document that is both an index and a manifest is refused (CVE-2021-41190). Returns 0 or -EBADMSG. */
int document_type(const char *json, size_t n, const char *content_type, char out[128], struct err *err);

#endif
