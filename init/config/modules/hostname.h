/* hostname.h - which names this machine has. */
#ifndef CORACLE_CONFIG_HOSTNAME_H
#define CORACLE_CONFIG_HOSTNAME_H

#include "module.h"

struct hostname {
	const char *host;	/* without domain, unless it was given with fqdn beside it; NULL: none is known */
	const char *fqdn;	/* the same as host when there is no domain */
};

/* From the configuration and the meta-data, as cloud-init's get_hostname_fqdn. */
void hostname_choose(struct run *r, struct hostname *out);

/* Of manage_etc_hosts; 0: not at all. */
enum {
	HOSTS_TEMPLATE = 1,	/* the whole file */
	HOSTS_LOCALHOST,	/* the lines of 127.0.1.1 */
};

#endif
