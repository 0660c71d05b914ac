/* azure.h - Azure's two documents and its fabric. Used by the Azure datasource only. */
#ifndef CORACLE_CONFIG_AZURE_H
#define CORACLE_CONFIG_AZURE_H

#include "datasource.h"

#define AZURE_WIRESERVER "http://168.63.129.16"

/* Reads ovf-env.xml: host name, admin user, keys, custom data. Returns 1, or 0 (reported). */
int azure_read_ovf(struct ctx *ctx, const char *name, const char *text, size_t len, struct seed *seed);

/* The user of whom the platform speaks becomes the default one (vendor-data). */
void azure_set_user(struct ctx *ctx, const char *user, struct seed *seed);

/* Tells the fabric that the machine has its configuration: without that Azure takes it for one that failed to start. Problems are reported. */
void azure_report_ready(struct ctx *ctx);

#endif
