/* print.c - a plan as a network-config of version 2: what --plan shows, what is kept for devices that appear later, and what tests compare.
 *
 * Pure. Every text is in double quotes, so no reader takes 52:54:00:12:34:56 for a number of the base 60. */
#include <linux/rtnetlink.h>
#include <string.h>

#include "buf.h"
#include "params.h"

#define TEXT_MAX ((size_t)1 << 20)

struct printer {
	struct ctx *ctx;
	struct buf b;
};

static void quoted(struct printer *p, const char *s)
{
	buf_json_string(&p->b, s, strlen(s));
}

static void text(struct printer *p, unsigned indent, const char *key, const char *value)
{
	if (!value)
		return;
	buf_printf(&p->b, "%*s%s: ", (int)indent, "", key);
	quoted(p, value);
	buf_putc(&p->b, '\n');
}

static void number(struct printer *p, unsigned indent, const char *key, int64_t value)
{
	if (value != PLAN_UNSET)
		buf_printf(&p->b, "%*s%s: %lld\n", (int)indent, "", key, (long long)value);
}

static void choice(struct printer *p, unsigned indent, const char *key, enum plan_choice value)
{
	if (value != PLAN_DEFAULT)
		buf_printf(&p->b, "%*s%s: %s\n", (int)indent, "", key, value == PLAN_YES ? "true" : "false");
}

static void strings(struct printer *p, unsigned indent, const char *key, const struct strings *s)
{
	if (s->n == 0)
		return;
	buf_printf(&p->b, "%*s%s: [", (int)indent, "", key);
	for (size_t i = 0; i < s->n; i++) {
		if (i)
			buf_puts(&p->b, ", ");
		quoted(p, s->v[i]);
	}
	buf_puts(&p->b, "]\n");
}

static void addresses(struct printer *p, unsigned indent, const char *key, const struct plan_addresses *a, bool with_prefix)
{
	if (a->n == 0)
		return;
	buf_printf(&p->b, "%*s%s: [", (int)indent, "", key);
	for (size_t i = 0; i < a->n; i++)
		buf_printf(&p->b, "%s\"%s\"", i ? ", " : "", plan_ip_text(p->ctx->arena, &a->v[i], with_prefix));
	buf_puts(&p->b, "]\n");
}

static void names(struct printer *p, unsigned indent, const char *key, const struct plan_addresses *a, const struct strings *search)
{
	if (a->n == 0 && search->n == 0)
		return;
	buf_printf(&p->b, "%*s%s:\n", (int)indent, "", key);
	addresses(p, indent + 2, "addresses", a, false);
	strings(p, indent + 2, "search", search);
}

static void routes(struct printer *p, unsigned indent, const char *key, const struct plan_route *r)
{
	static const char *const types[] = {
		[RTN_LOCAL] = "local", [RTN_BROADCAST] = "broadcast", [RTN_ANYCAST] = "anycast", [RTN_MULTICAST] = "multicast",
		[RTN_BLACKHOLE] = "blackhole", [RTN_UNREACHABLE] = "unreachable", [RTN_PROHIBIT] = "prohibit", [RTN_THROW] = "throw",
	};

	if (r)
		buf_printf(&p->b, "%*s%s:\n", (int)indent, "", key);
	for (; r; r = r->next) {
		buf_printf(&p->b, "%*s- to: \"%s\"\n", (int)indent, "", plan_ip_text(p->ctx->arena, &r->to, true));
		if (r->via.family)
			text(p, indent + 2, "via", plan_ip_text(p->ctx->arena, &r->via, false));
		if (r->from.family)
			text(p, indent + 2, "from", plan_ip_text(p->ctx->arena, &r->from, false));
		number(p, indent + 2, "metric", r->metric);
		number(p, indent + 2, "table", r->table);
		number(p, indent + 2, "mtu", r->mtu);
		if (r->type != RTN_UNICAST)
			text(p, indent + 2, "type", types[r->type]);
		if (r->scope >= 0)
			text(p, indent + 2, "scope", r->scope == RT_SCOPE_UNIVERSE ? "global" : r->scope == RT_SCOPE_LINK ? "link" :
			     r->scope == RT_SCOPE_SITE ? "site" : "host");
		if (r->on_link)
			choice(p, indent + 2, "on-link", PLAN_YES);
	}
}

static void rules(struct printer *p, unsigned indent, const struct plan_rule *r)
{
	if (r)
		buf_printf(&p->b, "%*srouting-policy:\n", (int)indent, "");
	for (; r; r = r->next) {
		const char *lead = "- ";

		for (int i = 0; i < 2; i++) {
			const struct plan_address *a = i ? &r->to : &r->from;

			if (!a->family)
				continue;
			buf_printf(&p->b, "%*s%s%s: \"%s\"\n", (int)indent, "", lead, i ? "to" : "from", plan_ip_text(p->ctx->arena, a, true));
			lead = "  ";
		}
		number(p, indent + 2, "table", r->table);
		number(p, indent + 2, "priority", r->priority);
		number(p, indent + 2, "mark", r->mark);
		number(p, indent + 2, "type-of-service", r->tos);
	}
}

static void overrides(struct printer *p, unsigned indent, const char *key, const struct plan_dhcp *d)
{
	if (!d->use_dns && !d->use_routes && !d->use_mtu && !d->use_hostname && !d->use_domains && !d->send_hostname && d->metric == PLAN_UNSET)
		return;
	buf_printf(&p->b, "%*s%s:\n", (int)indent, "", key);
	choice(p, indent + 2, "use-dns", d->use_dns);
	choice(p, indent + 2, "use-routes", d->use_routes);
	choice(p, indent + 2, "use-mtu", d->use_mtu);
	choice(p, indent + 2, "use-hostname", d->use_hostname);
	choice(p, indent + 2, "use-domains", d->use_domains);
	choice(p, indent + 2, "send-hostname", d->send_hostname);
	number(p, indent + 2, "route-metric", d->metric);
}

static void params(struct printer *p, unsigned indent, const struct plan_param *first)
{
	if (first)
		buf_printf(&p->b, "%*sparameters:\n", (int)indent, "");
	for (const struct plan_param *i = first; i; i = i->next) {
		const struct plan_param *before = first;

		if (i->targets.n > 0) {
			addresses(p, indent + 2, i->key->name, &i->targets, false);
			continue;
		}
		if (!i->port) {
			buf_printf(&p->b, "%*s%s: ", (int)indent + 2, "", i->key->name);
			quoted(p, i->text);
			buf_putc(&p->b, '\n');
			continue;
		}
		/* all members of one key together, where its first one stands */
		while (before != i && before->key != i->key)
			before = before->next;
		if (before != i)
			continue;
		buf_printf(&p->b, "%*s%s:\n", (int)indent + 2, "", i->key->name);
		for (const struct plan_param *m = i; m; m = m->next)
			if (m->key == i->key) {
				buf_printf(&p->b, "%*s", (int)indent + 4, "");
				quoted(p, m->port);
				buf_printf(&p->b, ": %s\n", m->text);
			}
	}
}

static void match(struct printer *p, unsigned indent, const struct network_device *d)
{
	if (d->match_mac.len == 0 && d->match_names.n == 0 && d->match_drivers.n == 0)
		return;
	buf_printf(&p->b, "%*smatch:\n", (int)indent, "");
	if (d->match_mac.len > 0)
		text(p, indent + 2, "macaddress", plan_mac_text(p->ctx->arena, &d->match_mac));
	strings(p, indent + 2, "name", &d->match_names);
	strings(p, indent + 2, "driver", &d->match_drivers);
}

static void device(struct printer *p, const struct network_device *d)
{
	buf_puts(&p->b, "    ");
	quoted(p, d->id);
	buf_puts(&p->b, ":\n");
	match(p, 6, d);
	text(p, 6, "set-name", d->set_name);
	strings(p, 6, "interfaces", &d->members);
	number(p, 6, "id", d->vlan_id);
	text(p, 6, "link", d->link);
	params(p, 6, d->params);
	choice(p, 6, "dhcp4", d->dhcp[0].enabled);
	if (d->dhcp[1].stateless)
		buf_puts(&p->b, "      dhcp6: stateless\n");
	else
		choice(p, 6, "dhcp6", d->dhcp[1].enabled);
	overrides(p, 6, "dhcp4-overrides", &d->dhcp[0]);
	overrides(p, 6, "dhcp6-overrides", &d->dhcp[1]);
	choice(p, 6, "accept-ra", d->accept_ra);
	choice(p, 6, "ipv6-privacy", d->ipv6_privacy);
	if (d->link_local6)
		buf_printf(&p->b, "      link-local: [%s]\n", d->link_local6 == PLAN_YES ? "ipv6" : "");
	choice(p, 6, "wakeonlan", d->wake_on_lan);
	if (d->mac.len > 0)
		text(p, 6, "macaddress", plan_mac_text(p->ctx->arena, &d->mac));
	number(p, 6, "mtu", d->mtu);
	number(p, 6, "ipv6-mtu", d->mtu6);
	addresses(p, 6, "addresses", &d->addresses, true);
	names(p, 6, "nameservers", &d->nameservers, &d->search);
	routes(p, 6, "routes", d->routes);
	rules(p, 6, d->rules);
	if (d->optional)
		buf_puts(&p->b, "      optional: true\n");
	if (d->manual || d->unmanaged)
		buf_puts(&p->b, "      activation-mode: manual\n");
}

const char *network_text(struct ctx *ctx, const struct network_plan *plan, size_t *len)
{
	static const char *const sections[] = { "ethernets", "bonds", "bridges", "vlans" };
	struct printer p = { .ctx = ctx };
	const char *out;

	buf_init(&p.b, TEXT_MAX);
	buf_puts(&p.b, plan->disabled ? "network:\n  config: disabled\n" : "network:\n  version: 2\n");
	for (unsigned kind = 0; kind < ARRAY_SIZE(sections); kind++) {
		bool begun = false;

		for (const struct network_device *d = plan->devices; d; d = d->next) {
			if (d->kind != kind)
				continue;
			if (!begun)
				buf_printf(&p.b, "  %s:\n", sections[kind]);
			begun = true;
			device(&p, d);
		}
	}
	names(&p, 2, "x-nameservers", &plan->nameservers, &plan->search);
	routes(&p, 2, "x-routes", plan->routes);
	*len = p.b.len;
	out = arena_strndup(ctx->arena, p.b.data, p.b.len);
	buf_free(&p.b);
	return out;
}
