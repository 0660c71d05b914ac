/* systemd_properties.h - what systemd is told of a container's unit: elements of an a(sv). For systemd.c alone. */
#ifndef CORACLE_OCI_SYSTEMD_PROPERTIES_H
#define CORACLE_OCI_SYSTEMD_PROPERTIES_H

#include "runtime/oci/cgroup.h"
#include "runtime/oci/dbus.h"
#include "runtime/oci/spec.h"

#define SYSTEMD_PROPERTY "org.systemd.property."

/* "name" <variant>; after property_name the value follows. */
void property_name(struct dbus_body *b, const char *property, const char *signature);
void property_number(struct dbus_body *b, const char *property, int64_t value);	/* below zero: infinity */
void property_text(struct dbus_body *b, const char *property, const char *value);
void property_bool(struct dbus_body *b, const char *property, bool value);

/* systemd_limits.c: the limits that systemd knows, as config.json has them; or, of a group that is open, as they came to be. */
void systemd_put_limits(struct dbus_body *b, const struct spec_resources *x, bool v2);
void systemd_put_update(struct dbus_body *b, const struct cgroup *c, const struct spec_resources *x);

/* systemd_properties.c: everything for a new unit with pid in it. user: of a user's manager, which has no devices to give. */
int systemd_put_unit(struct dbus_body *b, const struct cgroup *c, const char *id, pid_t pid, const struct spec *s, bool user, struct err *err);
/* The annotations alone, to see whether they are right. */
int systemd_check_annotations(const struct spec *s, struct err *err);

#endif
