/* credentials.h - systemd's credentials, from wherever a hypervisor puts them (systemd.system-credentials(7)). */
#ifndef CORACLE_CONFIG_CREDENTIALS_H
#define CORACLE_CONFIG_CREDENTIALS_H

#include "facts.h"

struct credential {
	const char *name;
	const char *text;	/* NUL behind it */
	size_t len;
	const char *from;	/* "fw_cfg", "SMBIOS", "the kernel command line" */
	struct credential *next;
};

/* One string of SMBIOS type 11: `io.systemd.credential:NAME=VALUE`, or `io.systemd.credential.binary:NAME=BASE64`.
 * Returns NULL for any other text, and for one that cannot be read (reported; never with its value). */
struct credential *credential_of_string(struct ctx *ctx, const char *s, size_t n);

/* All that are known by name to Coracle, in the order in which they count: fw_cfg, SMBIOS, command line. */
struct credential *credentials_list(struct machine_facts *f);

/* The first of that name, or NULL. */
const struct credential *credential_find(const struct credential *list, const char *name);

#endif
