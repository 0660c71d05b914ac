/* hostname.c - the module set_hostname: the kernel's host name and /etc/hostname. In coracle-config boot and apply. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "module.h"

static const char *chosen(const struct run *r)
{
	const struct config *c = &r->config;
	const char *name = c->prefer_fqdn && c->fqdn ? c->fqdn : c->hostname;

	return name ? name : r->seed.meta.local_hostname;
}

bool hostname_wanted(const struct run *r)
{
	return chosen(r) && !r->config.preserve_hostname;
}

void apply_hostname(struct run *r)
{
	const char *name = chosen(r);

	if (r->target.machine && sethostname(name, strlen(name)) < 0)
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "set the host name %s: %s", name, err_name(errno));
	if (r->config.create_hostname_file)
		module_put(r, "/etc/hostname", arena_printf(&r->arena, "%s\n", name), 0644);
}
