/* apply.c - makes the network what a plan says: finds its devices, names them, and does the other steps in their order.
 *
 * Runs in coracle-config as root, in whichever network namespace it is started. */
#include "apply.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "err.h"

void apply_failed(struct applier *a, const struct node *at, int r, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (a->nl.why[0])
		diag_at(a->ctx->diags, DIAG_ERROR, at, NULL, "%s: %s (%s)", text, err_name(-r), a->nl.why);
	else
		diag_at(a->ctx->diags, DIAG_ERROR, at, NULL, "%s: %s", text, err_name(-r));
}

int apply_request(struct applier *a, struct nl_message *m)
{
	int r = netlink_request(&a->nl, m);

	if (r == 0)
		a->changes++;
	return r;
}

/* Gives each device of the plan the links that it means. */
static void bind_devices(struct applier *a)
{
	for (const struct network_device *d = a->plan->devices; d; d = d->next) {
		unsigned found = 0;

		for (size_t i = 0; i < a->links.n; i++) {
			struct link *l = &a->links.v[i];
			bool mine = d->kind == PLAN_ETHERNET ? link_matches(l, d) : !strcmp(l->name, d->id);

			if (!mine)
				continue;
			if (d->set_name && found > 0) {
				diag_at(a->ctx->diags, DIAG_ERROR, d->at, "match one of them only", "%s and %s both match %s, and cannot both be named %s",
					l->name, a->links.v[0].name, d->id, d->set_name);
				break;
			}
			if (!l->device) /* the first that means it has it */
				l->device = d;
			found++;
		}
		if (found == 0 && d->kind == PLAN_ETHERNET && !d->optional && !a->quiet_missing)
			diag_at(a->ctx->diags, DIAG_WARNING, d->at, "it is configured when it appears; optional: true says that it may be missing",
				"there is no network device that is %s", d->id);
	}
}

static int rename_link(struct applier *a, struct link *l, const char *name)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = l->index };
	struct nl_message m;
	int r;

	/* kernels before 6.2 rename only what is down */
	if (l->flags & IFF_UP) {
		body.ifi_change = IFF_UP;
		nl_begin(&m, RTM_NEWLINK, 0, &body, sizeof(body));
		if (apply_request(a, &m) == 0)
			l->flags &= ~(unsigned)IFF_UP;
		body.ifi_change = 0;
	}
	nl_begin(&m, RTM_NEWLINK, 0, &body, sizeof(body));
	nl_add_text(&m, IFLA_IFNAME, name);
	r = apply_request(a, &m);
	if (r == 0)
		snprintf(l->name, sizeof(l->name), "%s", name);
	return r;
}

static bool wants_name(const struct link *l)
{
	return l->device && l->device->set_name && strcmp(l->device->set_name, l->name) != 0;
}

/* Two devices may swap their names: who stands in the way and is to be renamed itself steps aside first. */
static void rename_devices(struct applier *a)
{
	for (size_t i = 0; i < a->links.n; i++) {
		struct link *l = &a->links.v[i];
		struct link *other = wants_name(l) ? links_find(&a->links, l->device->set_name) : NULL;
		char aside[IFNAMSIZ];
		int r;

		if (!other || !wants_name(other))
			continue;
		snprintf(aside, sizeof(aside), "rename%d", other->index);
		r = rename_link(a, other, aside);
		if (r < 0)
			apply_failed(a, other->device->at, r, "rename %s to %s", other->name, aside);
	}
	for (size_t i = 0; i < a->links.n; i++) {
		struct link *l = &a->links.v[i];
		const char *from = l->first_name;
		int r = wants_name(l) ? rename_link(a, l, l->device->set_name) : 0;

		if (r < 0)
			apply_failed(a, l->device->at, r, "rename %s to %s", from, l->device->set_name);
	}
}

int network_apply(struct applier *a)
{
	int r = netlink_open(&a->nl);

	if (r == 0)
		r = links_read(a->ctx, &a->nl, &a->links);
	if (r < 0) {
		diag_at(a->ctx->diags, DIAG_ERROR, NULL, NULL, "the network cannot be configured: %s", err_name(-r));
		return r;
	}
	if (a->plan->disabled)
		return 0;
	bind_devices(a);
	rename_devices(a);
	apply_make_devices(a);
	apply_join_members(a);
	apply_set_devices(a);
	apply_add_addresses(a);
	apply_add_routes(a);
	return 0;
}

void network_apply_end(struct applier *a)
{
	netlink_close(&a->nl);
}
