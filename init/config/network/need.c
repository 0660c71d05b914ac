/* need.c - the network when something has to be fetched during the boot configuration.
 *
 * Runs in coracle-config, before anything is applied. */
#include "network.h"

#include <errno.h>

int network_need(struct ctx *ctx, struct err *err)
{
	(void)ctx;
	return err_set(err, ENOSYS, "bring the network up");
}
