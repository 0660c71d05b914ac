/* bundle_linux.c - the "linux" and "mounts" sections of config.json (coracle-engine). Only writes text. */
#include "bundle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "jw.h"
#include "text.h"

struct default_mount {
	const char *target, *type, *source, *options;
};

/* moby oci/defaults.go */
static const struct default_mount default_mounts[] = {
	{ "/proc", "proc", "proc", "[\"nosuid\",\"noexec\",\"nodev\"]" },
	{ "/dev", "tmpfs", "tmpfs", "[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]" },
	{ "/dev/pts", "devpts", "devpts", "[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\"]" },
	{ "/sys", "sysfs", "sysfs", "[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]" },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", "[\"ro\",\"nosuid\",\"noexec\",\"nodev\"]" },
	{ "/dev/mqueue", "mqueue", "mqueue", "[\"nosuid\",\"noexec\",\"nodev\"]" },
	{ "/dev/shm", "tmpfs", "shm", "[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=67108864\"]" },
};

/* moby oci/defaults.go: everything may be made, only these be used. */
static const char device_rules[] =
	"{\"allow\":false,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"access\":\"m\"},{\"allow\":true,\"type\":\"b\",\"access\":\"m\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":5,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":7,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":8,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":9,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":5,\"minor\":0,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":5,\"minor\":1,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":5,\"minor\":2,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":136,\"access\":\"rwm\"}";

static bool has_target(const struct service *s, const char *target)
{
	for (size_t i = 0; i < s->mount_count; i++)
		if (strcmp(s->mounts[i].target, target) == 0)
			return true;
	return false;
}

static bool writable_sys(const struct container *c, const char *target)
{
	return c->svc.privileged && strncmp(target, "/sys", 4) == 0;
}

/* The machine's own /dev/shm and message queues go with its IPC namespace. */
static bool is_hosts(const struct container *c, const char *target)
{
	return c->svc.ipc && (strcmp(target, "/dev/shm") == 0 || strcmp(target, "/dev/mqueue") == 0);
}

static void add_defaults(struct buf *b, const struct container *c)
{
	char shm[128];

	for (size_t i = 0; i < ARRAY_SIZE(default_mounts); i++) {
		const struct default_mount *m = &default_mounts[i];

		if (has_target(&c->svc, m->target))
			continue;
		if (is_hosts(c, m->target) && access(m->target, F_OK) < 0)
			continue; /* the machine has none to share */
		jw_open(b, '{');
		jw_kstr(b, "destination", m->target);
		if (is_hosts(c, m->target)) {
			jw_kstr(b, "type", "bind");
			jw_kstr(b, "source", m->target);
			jw_kraw(b, "options", "[\"rbind\",\"nosuid\",\"noexec\",\"nodev\"]");
			jw_close(b, '}');
			continue;
		}
		jw_kstr(b, "type", m->type);
		jw_kstr(b, "source", m->source);
		if (c->svc.shm_size && strcmp(m->target, "/dev/shm") == 0) {
			text_set(shm, sizeof(shm), "[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=%lld\"]", (long long)c->svc.shm_size);
			jw_kraw(b, "options", shm);
		} else {
			jw_kraw(b, "options", writable_sys(c, m->target) ? "[\"nosuid\",\"noexec\",\"nodev\"]" : m->options);
		}
		jw_close(b, '}');
	}
}

static void add_etc(struct buf *b, const struct container *c)
{
	static const char *const files[] = { "resolv.conf", "hostname", "hosts" };
	char target[64], path[512];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		text_set(target, sizeof(target), "/etc/%s", files[i]);
		if (has_target(&c->svc, target))
			continue;
		jw_open(b, '{');
		jw_kstr(b, "destination", target);
		jw_kstr(b, "type", "bind");
		jw_kstr(b, "source", engine_container_path(c->id, files[i], path, sizeof(path)));
		jw_kraw(b, "options", "[\"rbind\",\"rprivate\"]");
		jw_close(b, '}');
	}
}

static bool is_propagation(const char *o)
{
	static const char *const known[] = { "private", "rprivate", "shared", "rshared", "slave", "rslave" };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(o, known[i]) == 0)
			return true;
	return false;
}

/* z, Z (SELinux), nocopy and consistency words have no meaning here and are legal. */
static int add_bind_options(struct buf *b, const struct service_mount *m, struct err *err)
{
	static const char *const ignored[] = { "z", "Z", "nocopy", "nocreate", "rw", "ro", "cached", "delegated", "consistent", "bind", "rbind" };
	const char *propagation = "rprivate";

	for (char **o = m->options; *o; o++) {
		size_t k = 0;

		if (is_propagation(*o)) {
			propagation = *o;
			continue;
		}
		while (k < ARRAY_SIZE(ignored) && strcmp(*o, ignored[k]) != 0)
			k++;
		if (k == ARRAY_SIZE(ignored))
			return err_set(err, 0, "mount on %s: unknown option %s", m->target, *o);
	}
	jw_karr(b, "options");
	jw_str(b, "rbind");
	jw_str(b, m->read_only ? "ro" : "rw");
	jw_str(b, propagation);
	jw_close(b, ']');
	return 0;
}

static int add_mount(struct buf *b, const struct service_mount *m, const char *source, struct err *err)
{
	int r = 0;

	jw_open(b, '{');
	jw_kstr(b, "destination", m->target);
	jw_kstr(b, "type", m->type == MOUNT_TMPFS ? "tmpfs" : "bind");
	jw_kstr(b, "source", m->type == MOUNT_TMPFS ? "tmpfs" : source);
	if (m->type == MOUNT_TMPFS) {
		jw_karr(b, "options");
		jw_str(b, "noexec");
		jw_str(b, "nosuid");
		jw_str(b, "nodev");
		for (char **o = m->options; *o; o++)
			jw_str(b, *o);
		if (m->read_only)
			jw_str(b, "ro");
		jw_close(b, ']');
	} else {
		r = add_bind_options(b, m, err);
	}
	jw_close(b, '}');
	return r;
}

static size_t depth(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/' && path[1] && path[1] != '/';
	return n;
}

int bundle_add_mounts(struct buf *b, const struct container *c, char *const *source, struct err *err)
{
	size_t deepest = 0;

	for (size_t i = 0; i < c->svc.mount_count; i++)
		deepest = MAX(deepest, depth(c->svc.mounts[i].target));
	jw_karr(b, "mounts");
	add_defaults(b, c);
	add_etc(b, c);
	for (size_t level = 0; level <= deepest; level++) {
		for (size_t i = 0; i < c->svc.mount_count; i++) {
			int r;

			if (depth(c->svc.mounts[i].target) != level)
				continue;
			r = add_mount(b, &c->svc.mounts[i], source[i], err);
			if (r < 0)
				return r;
		}
	}
	jw_close(b, ']');
	return 0;
}

static bool shares(const struct service *s, const char *space)
{
	const char *host = strcmp(space, "network") == 0 ? s->network_mode : strcmp(space, "pid") == 0 ? s->pid : strcmp(space, "ipc") == 0 ? s->ipc :
			   strcmp(space, "uts") == 0 ? s->uts : strcmp(space, "cgroup") == 0 ? s->cgroup : NULL;

	return host && strcmp(host, "host") == 0;
}

int bundle_add_linux(struct buf *b, const struct container *c, struct err *err)
{
	static const char *const spaces[] = { "pid", "ipc", "uts", "mount", "cgroup", "network" };
	const struct service *s = &c->svc;
	char cgroup[96];
	int r;

	jw_kobj(b, "linux");
	jw_karr(b, "namespaces");
	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++) {
		if (shares(s, spaces[i]))
			continue;
		jw_open(b, '{');
		jw_kstr(b, "type", spaces[i]);
		jw_close(b, '}');
	}
	jw_close(b, ']');
	text_set(cgroup, sizeof(cgroup), "/coracle/%s", c->id);
	jw_kstr(b, "cgroupsPath", cgroup);
	jw_kobj(b, "resources");
	jw_karr(b, "devices");
	jw_raw(b, s->privileged ? "{\"allow\":true,\"access\":\"rwm\"}" : device_rules);
	r = bundle_add_device_rules(b, s, err);
	if (r < 0)
		return r;
	jw_close(b, ']');
	bundle_add_resources(b, s);
	jw_close(b, '}');
	bundle_add_sysctls(b, s, !shares(s, "network"));
	r = bundle_add_devices(b, s, err);
	if (r < 0)
		return r;
	bundle_add_hidden(b, s);
	jw_close(b, '}');
	return 0;
}
