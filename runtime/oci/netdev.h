/* netdev.h - linux.netDevices: moves network devices of the host into the container.
 *
 * config-linux.md, "Network Devices": permanent addresses of global scope go
 * along, the device is up afterwards, and it is never moved back (the kernel does that for hardware). */
#ifndef CORACLE_OCI_NETDEV_H
#define CORACLE_OCI_NETDEV_H

#include "lib/err.h"
#include "runtime/oci/spec.h"

/* In the runtime. netns: the container's network namespace; the caller is in the one that has the devices, and back in it afterwards. */
int netdev_move_all(const struct spec *s, int netns, struct err *err);

#endif
