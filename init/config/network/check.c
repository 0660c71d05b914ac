/* check.c - what no single device can know: members and links exist and go in no circle, names are there once.
 *
 * Runs in coracle-config. Devices that cannot be made are reported and leave the plan. */
#include "plan.h"
#include "params.h"

#include <string.h>

static struct network_device *find_any(const struct network_plan *p, const char *id)
{
	struct network_device *d = plan_find_device(p, id);

	/* people also write the name that it gets */
	for (struct network_device *i = p->devices; !d && i; i = i->next)
		if (i->set_name && !strcmp(i->set_name, id))
			d = i;
	return d;
}

static const char *quote(struct ctx *ctx, const char *s)
{
	return diag_quote(ctx->arena, s, strlen(s));
}

static void check_names(struct ctx *ctx, struct network_plan *p)
{
	struct network_device **at = &p->devices;

	while (*at) {
		struct network_device *d = *at;
		const char *name = plan_device_name(d);
		bool keep = true;

		if (name && !plan_name_ok(name))
			keep = false; /* was reported where it was read */
		for (struct network_device *i = p->devices; keep && i != d; i = i->next) {
			const char *other = plan_device_name(i);

			if (!strcmp(i->id, d->id)) {
				diag_at(ctx->diags, DIAG_ERROR, d->at, NULL, "there are two devices %s (the other is in line %u)", quote(ctx, d->id),
					i->at ? i->at->line : 0);
				keep = false;
			} else if (name && other && !strcmp(name, other)) {
				diag_at(ctx->diags, DIAG_ERROR, d->at, NULL, "two devices shall have the name %s (the other is in line %u)", quote(ctx, name),
					i->at ? i->at->line : 0);
				keep = false;
			}
		}
		if (keep) {
			at = &d->next;
		} else {
			*at = d->next;
			p->n_devices--;
		}
	}
}

static void check_members(struct ctx *ctx, const struct network_plan *p, struct network_device *d)
{
	struct strings found = { NULL, 0 };

	for (size_t i = 0; i < d->members.n; i++) {
		struct network_device *m = find_any(p, d->members.v[i]);

		if (!m)
			diag_at(ctx->diags, DIAG_ERROR, d->at, "name it below ethernets: or as type: physical", "%s shall have %s, which is not defined here",
				quote(ctx, d->id), quote(ctx, d->members.v[i]));
		else if (m == d)
			diag_at(ctx->diags, DIAG_ERROR, d->at, NULL, "%s cannot be a member of itself", quote(ctx, d->id));
		else if (m->master)
			diag_at(ctx->diags, DIAG_ERROR, d->at, NULL, "%s is already a member of %s, and cannot be one of %s", quote(ctx, m->id),
				quote(ctx, m->master->id), quote(ctx, d->id));
		else if (d->kind == PLAN_BOND && m->kind != PLAN_ETHERNET && m->kind != PLAN_VLAN)
			diag_at(ctx->diags, DIAG_ERROR, d->at, NULL, "%s is a bond and %s is no Ethernet device", quote(ctx, d->id), quote(ctx, m->id));
		else {
			m->master = d;
			strings_add(ctx, &found, m->id);
		}
	}
	d->members = found;
}

static void check_link(struct ctx *ctx, const struct network_plan *p, struct network_device *d)
{
	struct network_device *link = d->link ? find_any(p, d->link) : NULL;

	if (d->kind == PLAN_VLAN && d->link && !link)
		diag_at(ctx->diags, DIAG_ERROR, d->at, "name it below ethernets:, bonds: or bridges:", "the VLAN %s is on %s, which is not defined here", quote(ctx, d->id),
			quote(ctx, d->link));
	d->link = link ? link->id : NULL;
}

/* Does what has to be there before `from` (members, link) lead to d? Each device is looked at once. */
static bool leads_to(const struct network_plan *p, struct network_device *from, const struct network_device *d)
{
	struct network_device *below = from->link ? plan_find_device(p, from->link) : NULL;

	if (below && (below == d || (!below->seen && (below->seen = true, leads_to(p, below, d)))))
		return true;
	for (size_t i = 0; i < from->members.n; i++) {
		below = plan_find_device(p, from->members.v[i]);
		if (below && (below == d || (!below->seen && (below->seen = true, leads_to(p, below, d)))))
			return true;
	}
	return false;
}

static bool goes_in_circle(const struct network_plan *p, struct network_device *d)
{
	for (struct network_device *i = p->devices; i; i = i->next)
		i->seen = false;
	return (d->link || d->members.n > 0) && leads_to(p, d, d);
}

static bool is_member(const struct network_device *d, const struct network_plan *p, const char **name)
{
	const struct network_device *m = find_any(p, *name);

	for (size_t i = 0; m && i < d->members.n; i++)
		if (!strcmp(d->members.v[i], m->id)) {
			*name = m->id;
			return true;
		}
	return false;
}

/* primary, and what is said of each member. */
static void check_params(struct ctx *ctx, const struct network_plan *p, struct network_device *d)
{
	for (struct plan_param **at = &d->params; *at;) {
		const char **name = (*at)->port ? &(*at)->port : (*at)->key->kind == PARAM_DEVICE ? &(*at)->text : NULL;

		if (!name || is_member(d, p, name)) {
			at = &(*at)->next;
			continue;
		}
		diag_at(ctx->diags, DIAG_ERROR, d->at, NULL, "%s of %s names %s, which is no member of it", (*at)->key->name, quote(ctx, d->id), quote(ctx, *name));
		*at = (*at)->next;
	}
}

/* Takes d out; what stood on it has no link any more, and is left out too. */
static void drop(struct ctx *ctx, struct network_plan *p, struct network_device *d)
{
	struct network_device **at = &p->devices;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	p->n_devices--;
	for (struct network_device *i = p->devices; i; i = i->next) {
		if (i->master == d)
			i->master = NULL;
		if (i->link && !strcmp(i->link, d->id)) {
			diag_at(ctx->diags, DIAG_ERROR, i->at, NULL, "%s is left out with %s, on which it is", quote(ctx, i->id), quote(ctx, d->id));
			i->link = NULL;
		}
		for (size_t k = 0; k < i->members.n;)
			if (!strcmp(i->members.v[k], d->id))
				i->members.v[k] = i->members.v[--i->members.n];
			else
				k++;
	}
}

static void drop_impossible(struct ctx *ctx, struct network_plan *p)
{
	struct network_device *next;
	bool changed = true;

	for (struct network_device *d = p->devices; d; d = next) {
		next = d->next;
		if (!goes_in_circle(p, d))
			continue;
		diag_at(ctx->diags, DIAG_ERROR, d->at, NULL, "%s is above and below itself; it is left out", quote(ctx, d->id));
		drop(ctx, p, d);
	}
	while (changed) {
		changed = false;
		for (struct network_device *d = p->devices; d; d = next) {
			next = d->next;
			if (d->kind != PLAN_VLAN || (d->link && d->vlan_id != PLAN_UNSET))
				continue;
			drop(ctx, p, d);
			changed = true;
		}
	}
}

/* A machine that configures itself by router advertisements alone would have no name server at all. */
static void check_resolver(struct ctx *ctx, const struct network_plan *p)
{
	const struct network_device *alone = NULL;

	if (p->nameservers.n > 0)
		return;
	for (const struct network_device *d = p->devices; d; d = d->next) {
		if (d->dhcp[0].enabled == PLAN_YES || d->dhcp[1].enabled == PLAN_YES || d->nameservers.n > 0)
			return;
		if (!alone && d->accept_ra == PLAN_YES)
			alone = d;
	}
	if (alone)
		diag_at(ctx->diags, DIAG_WARNING, alone->at, "nameservers: {addresses: [...]}, or DHCPv6: ipv6_dhcpv6-stateless (dhcp6: stateless)",
			"no name server is known: those in router advertisements to %s are not taken", quote(ctx, alone->id));
}

void plan_check(struct ctx *ctx, struct network_plan *p)
{
	check_names(ctx, p);
	for (struct network_device *d = p->devices; d; d = d->next) {
		check_members(ctx, p, d);
		check_link(ctx, p, d);
		if (d->set_name && d->match_mac.len == 0 && d->match_names.n == 0 && d->match_drivers.n == 0)
			diag_at(ctx->diags, DIAG_WARNING, d->at, "match: {macaddress: ...}", "%s has set-name without match: its own name is matched", quote(ctx, d->id));
	}
	drop_impossible(ctx, p);
	check_resolver(ctx, p);
	for (struct network_device *d = p->devices; d; d = d->next)
		check_params(ctx, p, d); /* of members that are left */
}
