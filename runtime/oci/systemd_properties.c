/* systemd_properties.c - a new unit's properties: its place, device rules, and
 * those of annotations. Runs in coracle-runtime, outside the container. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "runtime/oci/device_rules.h"
#include "runtime/oci/gvariant.h"
#include "runtime/oci/systemd_properties.h"

/* systemd lists what is allowed, by number or kind. Rules that allow all but some, or one minor of all majors, are none of that. */
static bool can_say(const struct device_rules *d)
{
	for (int i = 0; i < d->n && !d->allow; i++)
		if (d->exception[i].major < 0 && d->exception[i].minor >= 0)
			return false;
	return !d->allow;
}

/* "char-*", "char-136", "/dev/char/1:3": the last is a number to systemd, whatever the host's /dev has. */
static void device(struct dbus_body *b, const struct spec_device_rule *e)
{
	const char *kind = e->type == 'c' ? "char" : "block";
	char node[64], access[4];

	if (e->major < 0)
		snprintf(node, sizeof node, "%s-*", kind);
	else if (e->minor < 0)
		snprintf(node, sizeof node, "%s-%lld", kind, (long long)e->major);
	else
		snprintf(node, sizeof node, "/dev/%s/%lld:%lld", kind, (long long)e->major, (long long)e->minor);
	snprintf(access, sizeof access, "%s%s%s", e->access & 1 ? "r" : "", e->access & 2 ? "w" : "", e->access & 4 ? "m" : "");
	dbus_align(b, 8);
	dbus_put_string(b, node);
	dbus_put_string(b, access);
}

/* Our own rules hold beside systemd's. But it writes its own again at a reload, so they must be the same where it can say them. */
static int devices(struct dbus_body *b, const struct spec_resources *x, struct err *err)
{
	static struct device_rules d;
	int r = device_rules_reduce(&d, x->devices, x->devices_n, err);
	size_t list;

	if (r < 0)
		return err_wrap(err, r, "linux.resources.devices");
	property_text(b, "DevicePolicy", can_say(&d) ? "strict" : "auto");
	property_name(b, "DeviceAllow", "a(ss)");
	list = dbus_begin(b, 8);
	for (int i = 0; i < d.n && can_say(&d); i++)
		device(b, &d.exception[i]);
	dbus_end(b, list, 8);
	return 0;
}

static int annotation(struct dbus_body *b, const char *key, const char *value, struct err *err)
{
	const char *given = key + strlen(SYSTEMD_PROPERTY);
	size_t n = strlen(given);
	char property[128];
	uint64_t usec = 0;
	int r;

	if (n < 3 || n + 2 > sizeof property || strspn(given, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != n)
		return err_set(err, 0, "annotations.%s: not the name of a property (letters, at least three)", key);
	/* documented as TimeoutStopSec, named TimeoutStopUSec */
	if (n > 3 && !strcmp(given + n - 3, "Sec") && given[n - 4] >= 'a' && given[n - 4] <= 'z') {
		if ((r = gvariant_usec(value, &usec, err)) < 0)
			return err_wrap(err, r, "annotations.%s", key);
		snprintf(property, sizeof property, "%.*sUSec", (int)(n - 3), given);
		property_name(b, property, "t");
		dbus_put_u64(b, usec);
		return 0;
	}
	dbus_align(b, 8);
	dbus_put_string(b, given);
	r = gvariant_put(b, value, err);
	return r < 0 ? err_wrap(err, r, "annotations.%s", key) : 0;
}

static int annotations(struct dbus_body *b, const struct spec *s, struct err *err)
{
	for (size_t i = 0; i < s->annotations_n; i++) {
		int r;

		if (strncmp(s->annotations[i].key, SYSTEMD_PROPERTY, strlen(SYSTEMD_PROPERTY)) != 0)
			continue;
		if ((r = annotation(b, s->annotations[i].key, s->annotations[i].value, err)) < 0)
			return r;
	}
	return b->bad ? err_set(err, E2BIG, "annotations." SYSTEMD_PROPERTY "*: too long for one message to systemd") : 0;
}

int systemd_check_annotations(const struct spec *s, struct err *err)
{
	static struct dbus_body b;

	dbus_clear(&b);
	return annotations(&b, s, err);
}

static void place(struct dbus_body *b, const struct cgroup *c, const char *id, pid_t pid)
{
	char description[320];
	size_t n = strlen(c->unit), list;

	snprintf(description, sizeof description, "container %s", id);
	property_text(b, "Description", description);
	if (n > 6 && !strcmp(c->unit + n - 6, ".scope")) {
		property_text(b, "Slice", c->slice);
		property_bool(b, "Delegate", true);
		property_name(b, "PIDs", "au");
		list = dbus_begin(b, 4);
		dbus_put_u32(b, (uint32_t)pid);
	} else {
		property_name(b, "Wants", "as");
		list = dbus_begin(b, 4);
		dbus_put_string(b, c->slice);
	}
	dbus_end(b, list, 4);
	property_bool(b, "MemoryAccounting", true);
	property_bool(b, "CPUAccounting", true);
	property_bool(b, c->pure_v2 ? "IOAccounting" : "BlockIOAccounting", true);
	property_bool(b, "TasksAccounting", true);
	property_bool(b, "DefaultDependencies", false);
}

int systemd_put_unit(struct dbus_body *b, const struct cgroup *c, const char *id, pid_t pid, const struct spec *s, bool user, struct err *err)
{
	size_t list = dbus_begin(b, 8);
	int r;

	place(b, c, id, pid);
	systemd_put_limits(b, &s->resources, c->pure_v2);
	if (!user && (r = devices(b, &s->resources, err)) < 0)
		return r;
	/* last: they are the word of whoever wrote the configuration */
	if ((r = annotations(b, s, err)) < 0)
		return r;
	dbus_end(b, list, 8);
	return 0;
}
