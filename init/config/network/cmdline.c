/* cmdline.c - stub */
#include "network.h"

struct network_plan *network_from_cmdline(struct ctx *ctx, const char *cmdline)
{
	(void)ctx;
	(void)cmdline;
	return NULL;
}
