/* systemd.c - units for containers, over systemd's own socket or a bus. Runs in
 * coracle-runtime, outside the container; never waits without an end. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/cdefs.h"
#include "lib/fd.h"
#include "runtime/oci/dbus.h"
#include "runtime/oci/systemd.h"
#include "runtime/oci/systemd_properties.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define MANAGER SYSTEMD ".Manager"
#define OBJECT "/org/freedesktop/systemd1"
#define NONE "systemd cgroup flag passed, but systemd support for managing cgroups is not available"

static bool user_manager(void)
{
	return geteuid() != 0 || cgroup_in_userns();
}

/* The uid that the other side sees, from inside a user namespace, too. */
static unsigned outside_uid(void)
{
	char text[4096];
	unsigned long uid = geteuid(), inside, outside, n;

	if (fd_read_small(AT_FDCWD, "/proc/self/uid_map", text, sizeof text) < 0)
		return (unsigned)uid;
	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (sscanf(p, "%lu %lu %lu", &inside, &outside, &n) == 3 && uid >= inside && uid - inside < n)
			return (unsigned)(outside + uid - inside);
	return (unsigned)uid;
}

/* The socket of an address such as "unix:path=/run/user/0/bus,guid=...". */
static bool address_path(const char *address, char *out, size_t size)
{
	const char *p = address ? strstr(address, "unix:path=") : NULL;

	if (!p)
		return false;
	p += strlen("unix:path=");
	snprintf(out, size, "%.*s", (int)strcspn(p, ",;"), p);
	return true;
}

/* systemd's own socket first: it needs no bus. */
static int open_manager(struct dbus *d, struct err *err)
{
	bool user = user_manager();
	const char *run = user ? getenv("XDG_RUNTIME_DIR") : "/run";
	char own[256], bus[256];
	struct err first = ERR_INIT, second = ERR_INIT;

	if (!run)
		return err_set(err, 0, NONE ": XDG_RUNTIME_DIR is not set; leave --systemd-cgroup out and give linux.cgroupsPath as a path");
	snprintf(own, sizeof own, "%s/systemd/private", run);
	if (dbus_open(d, own, false, outside_uid(), &first) >= 0)
		return 0;
	if (!address_path(getenv(user ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS"), bus, sizeof bus))
		snprintf(bus, sizeof bus, "%s%s", run, user ? "/bus" : "/dbus/system_bus_socket");
	if (dbus_open(d, bus, true, outside_uid(), &second) >= 0)
		return 0;
	return err_set(err, 0, NONE " (%.200s; %.200s); leave --systemd-cgroup out and give linux.cgroupsPath as a path", first.text, second.text);
}

static int call(struct dbus *d, const char *member, const char *signature, const struct dbus_body *body, struct err *err)
{
	return dbus_call(d, SYSTEMD, OBJECT, MANAGER, member, signature, body, NULL, err);
}

int systemd_plan(struct cgroup *c, const struct spec *s, const char *id, struct err *err)
{
	const char *path = s->cgroups_path, *a = path ? strchr(path, ':') : NULL, *b = a ? strchr(a + 1, ':') : NULL;
	const char *slice = user_manager() ? "user.slice" : "system.slice", *name;
	struct dbus d;
	size_t n;
	int r;

	if (path && *path && (!b || strchr(b + 1, ':')))
		return err_set(err, 0, "linux.cgroupsPath: expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got \"%s\" instead", path);
	snprintf(c->slice, sizeof c->slice, "%.*s", (int)(a && a > path ? a - path : (long)strlen(slice)), a && a > path ? path : slice);
	n = strlen(c->slice);
	if (n < 7 || strcmp(c->slice + n - 6, ".slice") || strchr(c->slice, '/'))
		return err_set(err, 0, "linux.cgroupsPath: invalid slice name: %s", c->slice);
	name = b ? b + 1 : id;
	n = strlen(name);
	if (n > 6 && !strcmp(name + n - 6, ".slice"))
		r = snprintf(c->unit, sizeof c->unit, "%s", name);
	else if (a && b - a == 1)
		r = snprintf(c->unit, sizeof c->unit, "%s.scope", name);
	else
		r = snprintf(c->unit, sizeof c->unit, "%.*s-%s.scope", a ? (int)(b - a - 1) : 7, a ? a + 1 : "coracle", name);
	if (!*name || r >= (int)sizeof c->unit || strchr(c->unit, '/'))
		return err_set(err, 0, "linux.cgroupsPath: \"%s\" is not the name of a unit", path ? path : id);
	if ((r = systemd_check_annotations(s, err)) < 0 || (r = open_manager(&d, err)) < 0)
		return r;
	dbus_close(&d);
	return 0;
}

struct job {
	const char *unit;
	bool done;
	char result[32];
};

/* JobRemoved(u id, o job, s unit, s result) */
static void job_removed(void *arg, const char *member, struct dbus_body *b)
{
	struct job *j = arg;
	const char *unit;

	if (strcmp(member, "JobRemoved"))
		return;
	dbus_get_u32(b);
	dbus_get_string(b);
	unit = dbus_get_string(b);
	if (strcmp(unit, j->unit))
		return;
	snprintf(j->result, sizeof j->result, "%s", dbus_get_string(b));
	j->done = true;
}

/* On a bus signals must be asked for; on systemd's own socket they come anyway. */
static int subscribe(struct dbus *d, struct err *err)
{
	static struct dbus_body b;
	int r;

	if (!d->bus)
		return 0;
	dbus_clear(&b);
	dbus_put_string(&b, "type='signal',sender='" SYSTEMD "',interface='" MANAGER "',member='JobRemoved'");
	r = dbus_call(d, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch", "s", &b, NULL, err);
	return r < 0 ? r : call(d, "Subscribe", "", NULL, err);
}

static void unit_call(struct dbus *d, const char *member, const char *unit, const char *mode)
{
	static struct dbus_body b;
	struct err ignored;

	dbus_clear(&b);
	dbus_put_string(&b, unit);
	if (mode)
		dbus_put_string(&b, mode);
	call(d, member, mode ? "ss" : "s", &b, &ignored);
}

static int start_unit(struct dbus *d, const struct dbus_body *b, const char *unit, struct err *err)
{
	int r = call(d, "StartTransientUnit", "ssa(sv)a(sa(sv))", b, err);

	if (r != -EREMOTEIO || !strstr(err->text, "UnitExists"))
		return r;
	/* one of that name has failed before and nobody took note */
	unit_call(d, "ResetFailedUnit", unit, NULL);
	return call(d, "StartTransientUnit", "ssa(sv)a(sa(sv))", b, err);
}

/* Where systemd has put the process: the truth for all that follows, whatever the slice's name expands to. */
static int find_group(const struct cgroup *c, pid_t pid, char path[CGROUP_PATH_MAX], struct err *err)
{
	char file[40], all[4096], *p;
	const char *last;
	ssize_t n;

	if (pid)
		snprintf(file, sizeof file, "/proc/%d/cgroup", (int)pid);
	else
		strcpy(file, "/proc/self/cgroup");
	n = fd_read_small(AT_FDCWD, file, all, sizeof all);
	if (n < 0)
		return err_set(err, (int)-n, "read %s", file);
	p = strstr(all, c->pure_v2 ? "0::/" : ":name=systemd:/");
	p = p ? strchr(p, '/') : NULL;
	if (p)
		p[strcspn(p, "\n")] = '\0';
	last = p ? strrchr(p, '/') : NULL;
	if (!last || strcmp(last + 1, c->unit))
		return err_set(err, 0, "systemd started %s, but the process is in %s", c->unit, p ? p : "no group of systemd's");
	snprintf(path, CGROUP_PATH_MAX, "%s", p);
	return 0;
}

int systemd_start(struct cgroup *c, const char *id, pid_t pid, const struct spec *s, struct err *err)
{
	static struct dbus_body b;
	struct job job = { .unit = c->unit };
	char path[CGROUP_PATH_MAX];
	struct dbus d;
	int r = open_manager(&d, err);

	if (r < 0)
		return r;
	d.signal = job_removed;
	d.arg = &job;
	dbus_clear(&b);
	dbus_put_string(&b, c->unit);
	dbus_put_string(&b, "replace");
	r = systemd_put_unit(&b, c, id, pid, s, user_manager(), err);
	dbus_end(&b, dbus_begin(&b, 8), 8);
	if (r >= 0 && (r = subscribe(&d, err)) >= 0 && (r = start_unit(&d, &b, c->unit, err)) >= 0) {
		/* from here on it is ours to stop; one that was there before is not */
		c->adopted = true;
		r = dbus_wait(&d, &job.done, SYSTEMD_JOB_MS, err);
	}
	dbus_close(&d);
	if (r >= 0 && strcmp(job.result, "done"))
		r = err_set(err, 0, "the job's result is \"%s\" (see the journal of %s)", job.result, c->unit);
	if (r < 0)
		return err_wrap(err, r, "start the systemd unit %s", c->unit);
	if ((r = find_group(c, pid, path, err)) < 0)
		return r;
	return cgroup_init(c, path, id, err);
}

int systemd_adopt(struct cgroup *c, const char *id, struct err *err)
{
	char path[CGROUP_PATH_MAX];
	int r = find_group(c, 0, path, err);

	cgroup_fini(c);
	return r < 0 || (r = cgroup_init(c, path, id, err)) < 0 ? r : cgroup_open(c, err);
}

/* The file of a quota that systemd would round. */
static int quota_file(const struct cgroup *c, const struct spec_resources *x, const char **file)
{
	const struct cgroup_hierarchy *h = c->pure_v2 ? &c->h[0] : cgroup_v1_find(c, "cpu");

	*file = c->pure_v2 ? "cpu.max" : "cpu.cfs_quota_us";
	return h && (x->has_quota || x->has_period) ? h->dir : -1;
}

int systemd_update(const struct cgroup *c, const char *unit, const struct spec_resources *x, struct err *err)
{
	static struct dbus_body b;
	const char *file;
	char quota[64];
	struct err ignored;
	struct dbus d;
	size_t list;
	int dir = quota_file(c, x, &file), r = open_manager(&d, err);
	bool exact = dir >= 0 && fd_read_small(dir, file, quota, sizeof quota) > 0;

	if (r < 0)
		return r;
	dbus_clear(&b);
	dbus_put_string(&b, unit);
	dbus_put_u32(&b, 1);	/* until the machine stops */
	list = dbus_begin(&b, 8);
	systemd_put_update(&b, c, x);
	dbus_end(&b, list, 8);
	r = call(&d, "SetUnitProperties", "sba(sv)", &b, err);
	/* systemd writes the group after its answer, and before it takes the next call */
	if (r >= 0)
		dbus_call(&d, SYSTEMD, OBJECT, "org.freedesktop.DBus.Peer", "Ping", "", NULL, NULL, &ignored);
	dbus_close(&d);
	if (r < 0)
		return err_wrap(err, r, "change the systemd unit %s", unit);
	return exact ? cgroup_write(dir, file, quota, err) : 0;
}

void systemd_stop(const char *unit)
{
	struct err ignored;
	struct dbus d;

	if (open_manager(&d, &ignored) < 0)
		return;
	unit_call(&d, "StopUnit", unit, "replace");
	unit_call(&d, "ResetFailedUnit", unit, NULL);
	dbus_close(&d);
}
