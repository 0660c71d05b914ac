/* bundle.h - the OCI bundle of a container: config.json as Docker would make it, and the files it binds.
 *
 * Written anew before each start into ROOT/containers/ID/bundle; the root is
 * mounted already. Sources: moby oci/defaults.go and daemon/oci_linux.go, runtime-spec 1.2. */
#ifndef CORACLE_ENGINE_BUNDLE_H
#define CORACLE_ENGINE_BUNDLE_H

#include "buf.h"
#include "container.h"
#include "user.h"

#define BUNDLE_CONFIG_MAX (1u << 20)

/* Makes hosts, hostname, resolv.conf, missing sources of binds, named volumes, and
 * bundle/config.json. Returns 0 or -errno with the reason. */
int bundle_write(struct container *c, struct err *err);

/* Capabilities as Docker's TweakCapabilities: names with or without CAP_, "ALL". Returns the
 * mask (bit = number) or -EINVAL. Pure. */
int bundle_caps(char *const *add, char *const *drop, uint64_t *mask, struct err *err);
void bundle_add_caps(struct buf *b, const struct service *s, uint64_t mask, bool root_user);

/* "mounts": defaults, /etc files and the service's own, by depth of the target. source[i] is the
 * host path of svc.mounts[i] (NULL for tmpfs). */
int bundle_add_mounts(struct buf *b, const struct container *c, char *const *source, struct err *err);

/* "linux". Returns 0, or -errno when a device is not there. */
int bundle_add_linux(struct buf *b, const struct container *c, struct err *err);

/* Its parts, each in its own file. own_network: not the machine's. */
void bundle_add_resources(struct buf *b, const struct service *s);
int bundle_add_rlimits(struct buf *b, const struct service *s, struct err *err);
void bundle_add_sysctls(struct buf *b, const struct service *s, bool own_network);
void bundle_add_hidden(struct buf *b, const struct service *s);
void bundle_add_annotations(struct buf *b, const struct service *s);
bool bundle_has_option(const struct service *s, const char *option);	/* of security_opt */

/* hosts, hostname, resolv.conf below ROOT/containers/ID. */
int bundle_write_etc(const struct container *c, const char *hostname, struct err *err);
int bundle_write_file(const char *path, const char *text, size_t n, struct err *err);

/* "devices": all of the machine's for a privileged container, and those that it names. */
int bundle_add_devices(struct buf *b, const struct service *s, struct err *err);
/* The rules for those, as entries of resources.devices. */
int bundle_add_device_rules(struct buf *b, const struct service *s, struct err *err);

/* The host name inside. */
void bundle_hostname(const struct container *c, char *out, size_t size);

/* Writes the container's resolv.conf again in place (the machine's has changed). */
void bundle_refresh_resolv(const struct container *c);

#endif
