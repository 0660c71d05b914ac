/* hostname.c - the modules set_hostname and update_hostname: the kernel's host name and /etc/hostname. In coracle-config boot and apply.
 *
 * A tree that keeps its /etc keeps the name that somebody gave it by hand: what was written last is in /var/lib/cloud/data/previous-hostname,
 * and a name that is another one is left alone (cloud-init's cc_set_hostname, cc_update_hostname). The machine's own /etc is new on each boot. */
#include "hostname.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../text.h"

#define HOSTNAME_FILE "/etc/hostname"
#define SET_FILE "/var/lib/cloud/data/set-hostname"
#define PREVIOUS_FILE "/var/lib/cloud/data/previous-hostname"
#define NAME_FILE_MAX 4096

static const char *before_dot(struct run *r, const char *name)
{
	return arena_strndup(&r->arena, name, strcspn(name, "."));
}

static bool is_ipv4(const char *s)
{
	int dots = 0;

	for (; *s; s++) {
		if (*s == '.')
			dots++;
		else if (*s < '0' || *s > '9')
			return false;
	}
	return dots == 3;
}

/* The meta-data's name: an address becomes a name, what stands behind the first dot is the domain. */
static const char *meta_name(struct run *r)
{
	const char *name = r->seed.meta.local_hostname;
	char *made;

	if (!name || !is_ipv4(name))
		return name;
	made = arena_printf(&r->arena, "ip-%s", name);
	for (char *p = made; (p = strchr(p, '.')); p++)
		*p = '-';
	return made;
}

/* cloudinit/util.py, get_hostname_fqdn */
void hostname_choose(struct run *r, struct hostname *out)
{
	const struct config *c = &r->config;
	const char *meta = meta_name(r);

	*out = (struct hostname){ c->hostname, c->fqdn };
	if (c->fqdn) {
		if (!c->hostname)
			out->host = before_dot(r, c->fqdn);
	} else if (c->hostname && strchr(c->hostname, '.')) {
		out->fqdn = c->hostname;
		out->host = before_dot(r, c->hostname);
	} else {
		if (!c->hostname && meta)
			out->host = before_dot(r, meta);
		out->fqdn = meta ? meta : out->host;
	}
}

bool hostname_wanted(const struct run *r)
{
	return (r->config.hostname || r->config.fqdn || r->seed.meta.local_hostname) && !r->config.preserve_hostname;
}

/* The name in a file of one, "" when there is none. */
static const char *name_in(struct run *r, const char *path)
{
	CLEANUP_FREE char *text = NULL;

	if (target_read(&r->target, path, NAME_FILE_MAX, &text, NULL) < 0)
		return "";
	for (const char *s = text; *s; s += strcspn(s, "\n"), s += *s == '\n') {
		size_t n = strcspn(s, " \t\r\n#");

		if (n > 0)
			return arena_strndup(&r->arena, s, n);
	}
	return "";
}

static void set_kernel_name(struct run *r, const char *name)
{
	if (r->target.machine && sethostname(name, strlen(name)) < 0)
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "set the host name %s: %s", name, err_name(errno));
}

static void write_name(struct run *r, const char *name)
{
	if (r->config.create_hostname_file || target_exists(&r->target, HOSTNAME_FILE))
		module_put(r, HOSTNAME_FILE, arena_printf(&r->arena, "%s\n", name), 0644);
	set_kernel_name(r, name);
}

/* Once for each instance, and only when it is another name than the last one that was set. */
static void set_name(struct run *r, const struct hostname *h, const char *name)
{
	const char *mark = module_instance_path(r, "sem/config_set_hostname");
	const char *record = arena_printf(&r->arena, "{\n \"fqdn\": \"%s\",\n \"hostname\": \"%s\"\n}\n", h->fqdn, h->host);
	CLEANUP_FREE char *last = NULL;

	if (target_exists(&r->target, mark))
		return;
	module_put(r, mark, "", 0644);
	if (target_read(&r->target, SET_FILE, NAME_FILE_MAX, &last, NULL) == 0 && !strcmp(last, record))
		return;
	write_name(r, name);
	module_put(r, SET_FILE, record, 0644);
}

/* On each boot: follows the configuration, unless somebody else has changed the name since. */
static void update_name(struct run *r, const char *name)
{
	const char *previous = name_in(r, PREVIOUS_FILE);
	const char *now = name_in(r, HOSTNAME_FILE);

	if (*now && *previous && strcmp(now, previous) != 0)
		return;
	if (strcmp(previous, name) != 0)
		module_put(r, PREVIOUS_FILE, arena_printf(&r->arena, "%s\n", name), 0644);
	if (!*now || (!strcmp(now, previous) && strcmp(now, name) != 0))
		write_name(r, name);
}

void apply_hostname(struct run *r)
{
	struct hostname h;
	const char *name;

	hostname_choose(r, &h);
	name = r->config.prefer_fqdn && h.fqdn ? h.fqdn : h.host;
	if (r->target.machine) {
		write_name(r, name);
		return;
	}
	set_name(r, &h, name);
	update_name(r, name);
}
