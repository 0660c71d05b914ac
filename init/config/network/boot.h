/* boot.h - the network as a step of `coracle-config boot` and `apply`. */
#ifndef CORACLE_CONFIG_NETWORK_BOOT_H
#define CORACLE_CONFIG_NETWORK_BOOT_H

#include "../run.h"
#include "apply.h"

#define NETWORK_DIR "/run/coracle/network"
#define NETWORK_PLAN_PATH NETWORK_DIR "/plan"		/* version 2; read again for devices that appear, and when DHCP has given an address */
#define NETWORK_LATER_PATH NETWORK_DIR "/later"		/* some route waits for DHCP */

/* NULL when the kernel command line says nothing about the network. */
struct network_plan *network_plan_of_cmdline(struct ctx *ctx);
/* Finds the plan: kernel command line, else the seed's network-config. Before user-data is read, because that may have something fetched. */
void network_prepare(struct run *r);

/* Carries it out: on the machine by netlink, and for DHCP and name servers by files; into a directory only the files. Without a plan it does nothing. */
void network_boot(struct run *r);

/* files.c: what the DHCP clients and their script have to know. a NULL: the devices are not known (not on the machine). */
void network_write_files(struct run *r, const struct network_plan *p, const struct applier *a);

/* Carries r->network out once more, quietly: a route may have got its gateway, or the device `name` (NULL: none) has appeared. A device that then wants
 * DHCP gets its unit, and init is asked to read the units. Without a plan the device asks by DHCP, as all do. */
void network_again(struct run *r, const char *name);
/* files.c: the unit of DHCP for a device that init did not see at boot. Returns true when it is new. */
bool network_enable_dhcp(struct run *r, const struct network_device *d, const char *name);

/* need.c: the plan that network_need has brought up, or is to. */
void network_set_plan(struct network_plan *p);
struct network_plan *network_plan_known(void);
/* Takes back addresses that network_need got by DHCP for devices that the plan does not want to have them. */
void network_forget_asked(const struct network_plan *p);

#endif
