/* aci.h - App Container Images as a source of an import. */
#ifndef CORACLE_STORE_ACI_H
#define CORACLE_STORE_ACI_H

#include "runtime/store/importint.h"

/* The opened source is an ACI. */
int aci_is(struct source *src);
/* Converts and imports it. Returns 0 or -errno: -EOPNOTSUPP for what an image cannot say. */
int aci_import(struct import *im, struct store_import_result *result, struct err *err);

#endif
