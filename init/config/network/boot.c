/* boot.c - the network as a step of the boot configuration, and for devices that come later.
 *
 * Runs in coracle-config. With no plan it asks the kernel nothing: the DHCP clients that init starts do the rest. */
#include "boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../run.h"
#include "fd.h"

#define CMDLINE_MAX 4096

static bool only_blanks(const char *s, size_t n)
{
	return strspn(s, " \t\r\n") >= n;
}

struct network_plan *network_plan_of_cmdline(struct ctx *ctx)
{
	char *line = arena_alloc(ctx->arena, CMDLINE_MAX);

	return fd_read_small(AT_FDCWD, machine_places.cmdline, line, CMDLINE_MAX) > 0 ? network_from_cmdline(ctx, line) : NULL;
}

void network_prepare(struct run *r)
{
	const struct seed *s = &r->seed;
	struct network_plan *p = r->target.machine ? network_plan_of_cmdline(&r->ctx) : NULL;

	if (!p && s->network_config && !only_blanks(s->network_config, s->network_config_len))
		p = network_read(&r->ctx, "network-config", s->network_config, s->network_config_len);
	if (p)
		network_set_plan(p);
	r->network = p;
}

void network_boot(struct run *r)
{
	struct network_plan *p = r->network;
	struct applier a = { .ctx = &r->ctx, .plan = p, .nl = { .fd = -1 } };

	if (!p)
		return;
	if (!r->target.machine) {
		network_write_files(r, p, NULL);
		return;
	}
	network_forget_asked(p);
	if (network_apply(&a) == 0)
		network_write_files(r, p, &a);
	network_apply_end(&a);
}

/* Devices that stand on the one that appeared (VLANs, a bond) were made now too. */
void network_again(struct run *r, const char *name)
{
	struct network_plan *p = r->network;
	struct applier a = { .ctx = &r->ctx, .plan = p, .quiet_missing = true, .nl = { .fd = -1 } };
	struct err err = ERR_INIT;
	bool new_units = false;

	if (p && network_apply(&a) == 0) {
		for (size_t i = 0; name && i < a.links.n; i++) {
			const struct link *l = &a.links.v[i];

			/* hardware that was there at boot has its unit, or is to have none */
			if (l->device && (!l->physical || !strcmp(l->first_name, name)))
				new_units = network_enable_dhcp(r, l->device, l->name) || new_units;
		}
		if (!a.routes_later)
			target_unlink(&r->target, NETWORK_LATER_PATH);
	} else if (!p && name) {
		new_units = network_enable_dhcp(r, NULL, name);
	}
	network_apply_end(&a);
	if (new_units && init_ask("reload", &err) < 0)
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "start DHCP: %s", err.text);
}
