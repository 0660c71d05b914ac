/* files.c - what the DHCP clients, their script and the resolver have to know, as files below /run/coracle/network.
 *
 * Runs in coracle-config. The script sources dhcp4.NAME: only words and numbers of our own stand there. */
#include <errno.h>
#include <string.h>

#include "../run.h"
#include "boot.h"
#include "buf.h"

#define RESOLVER "/run/coracle/resolv.conf"
#define UNITS "/etc/coracle/units"
#define TEMPLATES "/usr/lib/coracle/units"

static void put(struct run *r, const char *path, const char *text)
{
	struct err err = ERR_INIT;

	if (target_put(&r->target, path, text, 0644, &err) < 0)
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "%s", err.text);
}

static void add_names(struct buf *b, struct arena *arena, const struct plan_addresses *servers, const struct strings *search)
{
	for (size_t i = 0; i < search->n; i++)
		buf_printf(b, "search %s\n", search->v[i]);
	for (size_t i = 0; i < servers->n; i++)
		buf_printf(b, "nameserver %s\n", plan_ip_text(arena, &servers->v[i], false));
}

/* One line of search for all, as resolv.conf wants it. */
static const char *resolver_text(struct run *r, const struct network_plan *p)
{
	struct strings search = { NULL, 0 };
	struct plan_addresses servers = { NULL, 0 };
	CLEANUP_BUF struct buf b = { 0 };
	const struct network_device *d = p->devices;

	for (bool last = false; !last; d = d ? d->next : NULL) {
		const struct strings *s = d ? &d->search : &p->search;
		const struct plan_addresses *n = d ? &d->nameservers : &p->nameservers;

		last = !d;
		for (size_t i = 0; i < s->n; i++) {
			size_t k = 0;

			while (k < search.n && strcmp(search.v[k], s->v[i]) != 0)
				k++;
			if (k == search.n)
				strings_add(&r->ctx, &search, s->v[i]);
		}
		for (size_t i = 0; i < n->n; i++) {
			size_t k = 0;

			while (k < servers.n && memcmp(&servers.v[k], &n->v[i], sizeof(n->v[i])) != 0)
				k++;
			if (k == servers.n)
				plan_add_address(&r->ctx, &servers, &n->v[i]);
		}
	}
	buf_init(&b, 65536);
	for (size_t i = 0; i < search.n; i++)
		buf_printf(&b, "%s%s", i ? " " : "search ", search.v[i]);
	if (search.n)
		buf_putc(&b, '\n');
	add_names(&b, &r->arena, &servers, &(struct strings){ NULL, 0 });
	return b.len && !buf_error(&b) ? arena_strndup(&r->arena, b.data, b.len) : NULL;
}

/* The name servers of a lease that network_need got stay, behind the configuration's; the next lease writes all anew. */
static const char *with_leases(struct run *r, const char *resolver)
{
	CLEANUP_FREE char *now = NULL;
	char *save = NULL;
	size_t len;

	if (target_read(&r->target, RESOLVER, 65536, &now, &len) < 0)
		return resolver;
	for (char *line = strtok_r(now, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, "nameserver ", 11) && !strstr(resolver, arena_printf(&r->arena, "%s\n", line)))
			resolver = arena_printf(&r->arena, "%s%s\n", resolver, line);
	return resolver;
}

static void add_word(struct buf *b, const char *name, enum plan_choice value)
{
	if (value != PLAN_DEFAULT)
		buf_printf(b, "%s=%s\n", name, value == PLAN_YES ? "yes" : "no");
}

static void write_overrides(struct run *r, const char *name, const struct plan_dhcp *d, int family, bool mtu_given)
{
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 1024);
	add_word(&b, "use_dns", d->use_dns);
	add_word(&b, "use_routes", d->use_routes);
	/* an MTU of the configuration's own is not undone by the server's */
	add_word(&b, "use_mtu", mtu_given ? PLAN_NO : d->use_mtu);
	add_word(&b, "use_hostname", d->use_hostname);
	add_word(&b, "use_domains", d->use_domains);
	if (d->metric != PLAN_UNSET)
		buf_printf(&b, "metric=%lld\n", (long long)d->metric);
	if (b.len > 0)
		put(r, arena_printf(&r->arena, NETWORK_DIR "/dhcp%d.%s", family, name), b.data);
}

/* Returns true when it is new. */
static bool enable_unit(struct run *r, const char *template, const char *name)
{
	const char *path = arena_printf(&r->arena, UNITS "/%s@%s.unit", template, name);
	struct err err = ERR_INIT;

	if (target_exists(&r->target, path))
		return false;
	if (target_symlink(&r->target, arena_printf(&r->arena, TEMPLATES "/%s@.unit", template), path, &err) < 0) {
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "%s", err.text);
		return false;
	}
	return true;
}

static void leave_alone(struct run *r, const char *name)
{
	put(r, arena_printf(&r->arena, NETWORK_DIR "/no-dhcp.%s", name), "");
}

/* known: init has a unit of DHCP for this name, made when it found the hardware; others get one by a link. Returns true when one is new. */
static bool write_dhcp(struct run *r, const struct network_device *d, const char *name, bool known)
{
	bool up = !d->manual && !d->unmanaged;
	bool made = false;

	if (up && d->dhcp[0].enabled == PLAN_YES) {
		write_overrides(r, name, &d->dhcp[0], 4, d->mtu != PLAN_UNSET);
		target_unlink(&r->target, arena_printf(&r->arena, NETWORK_DIR "/no-dhcp.%s", name));
		if (!known)
			made = enable_unit(r, "dhcp", name);
	} else if (known) {
		leave_alone(r, name);
	}
	if (up && d->dhcp[1].enabled == PLAN_YES) {
		write_overrides(r, name, &d->dhcp[1], 6, d->mtu != PLAN_UNSET);
		made = enable_unit(r, d->dhcp[1].stateless ? "dhcp6-info" : "dhcp6", name) || made;
	}
	return made;
}

bool network_enable_dhcp(struct run *r, const struct network_device *d, const char *name)
{
	return d ? write_dhcp(r, d, name, false) : enable_unit(r, "dhcp", name);
}

/* Was there hardware of this name when the machine started? */
static bool was_physical(const struct links *links, const char *name)
{
	for (size_t i = 0; i < links->n; i++)
		if (links->v[i].physical && !strcmp(links->v[i].first_name, name))
			return true;
	return false;
}

static void write_dhcp_of_links(struct run *r, const struct applier *a)
{
	for (size_t i = 0; i < a->links.n; i++) {
		const struct link *l = &a->links.v[i];

		if (l->device)
			write_dhcp(r, l->device, l->name, was_physical(&a->links, l->name));
		else if (l->physical)
			leave_alone(r, l->name);
		/* the name that it had is nobody's now */
		if (l->physical && strcmp(l->first_name, l->name) != 0 && !links_find(&a->links, l->first_name))
			leave_alone(r, l->first_name);
	}
}

void network_write_files(struct run *r, const struct network_plan *p, const struct applier *a)
{
	const char *resolver = resolver_text(r, p);
	size_t len;

	put(r, NETWORK_PLAN_PATH, network_text(&r->ctx, p, &len));
	if (resolver) {
		put(r, NETWORK_DIR "/resolv.static", resolver);
		put(r, RESOLVER, with_leases(r, resolver));
	}
	if (a && a->routes_later)
		put(r, NETWORK_LATER_PATH, "");
	if (a) {
		write_dhcp_of_links(r, a);
		return;
	}
	for (const struct network_device *d = p->devices; d; d = d->next)
		if (plan_device_name(d))
			write_dhcp(r, d, plan_device_name(d), false);
}
