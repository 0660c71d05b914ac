/* params.c - reads the parameters of bonds and bridges.
 *
 * Runs in coracle-config; nothing here touches the machine. The names of version 2 are netplan's, those of version 1 ifupdown's. */
#include "params.h"

#include <errno.h>
#include <linux/if_link.h>
#include <string.h>

#include "../scalar.h"
#include "../text.h"

static const char *const modes[] = { "balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb", NULL };
static const char *const rates[] = { "slow", "fast", NULL };
static const char *const hashes[] = { "layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac", NULL };
static const char *const selects[] = { "stable", "bandwidth", "count", NULL };
static const char *const validates[] = { "none", "active", "backup", "all", NULL };
static const char *const alls[] = { "any", "all", NULL };
static const char *const fail_overs[] = { "none", "active", "follow", NULL };
static const char *const reselects[] = { "always", "better", "failure", NULL };

static const struct param_key bond_keys[] = {
	{ "mode", "mode", PARAM_WORD, IFLA_BOND_MODE, 1, .words = modes, .early = true },
	{ "lacp-rate", "lacp-rate", PARAM_WORD, IFLA_BOND_AD_LACP_RATE, 1, .words = rates, .early = true },
	{ "mii-monitor-interval", "miimon", PARAM_MS, IFLA_BOND_MIIMON, 4, .max = 1000000 },
	{ "min-links", "min-links", PARAM_NUMBER, IFLA_BOND_MIN_LINKS, 4, .max = 65535 },
	{ "transmit-hash-policy", "xmit-hash-policy", PARAM_WORD, IFLA_BOND_XMIT_HASH_POLICY, 1, .words = hashes },
	{ "ad-select", "ad-select", PARAM_WORD, IFLA_BOND_AD_SELECT, 1, .words = selects, .early = true },
	{ "all-members-active", "all-slaves-active", PARAM_BOOL, IFLA_BOND_ALL_SLAVES_ACTIVE, 1, .max = 1 },
	{ "all-slaves-active", NULL, PARAM_BOOL, IFLA_BOND_ALL_SLAVES_ACTIVE, 1, .max = 1 },
	{ "arp-interval", "arp-interval", PARAM_MS, IFLA_BOND_ARP_INTERVAL, 4, .max = 1000000 },
	{ "arp-ip-targets", "arp-ip-target", PARAM_TARGETS, IFLA_BOND_ARP_IP_TARGET, 0, .max = 16 },
	{ "arp-validate", "arp-validate", PARAM_WORD, IFLA_BOND_ARP_VALIDATE, 4, .words = validates },
	{ "arp-all-targets", "arp-all-targets", PARAM_WORD, IFLA_BOND_ARP_ALL_TARGETS, 4, .words = alls },
	{ "up-delay", "updelay", PARAM_MS, IFLA_BOND_UPDELAY, 4, .max = 1000000 },
	{ "down-delay", "downdelay", PARAM_MS, IFLA_BOND_DOWNDELAY, 4, .max = 1000000 },
	{ "fail-over-mac-policy", "fail-over-mac", PARAM_WORD, IFLA_BOND_FAIL_OVER_MAC, 1, .words = fail_overs, .early = true },
	{ "gratuitous-arp", "num-grat-arp", PARAM_NUMBER, IFLA_BOND_NUM_PEER_NOTIF, 1, .max = 255 },
	{ "gratuitious-arp", "num-unsol-na", PARAM_NUMBER, IFLA_BOND_NUM_PEER_NOTIF, 1, .max = 255 },
	{ "packets-per-member", "packets-per-slave", PARAM_NUMBER, IFLA_BOND_PACKETS_PER_SLAVE, 4, .max = 65535 },
	{ "packets-per-slave", NULL, PARAM_NUMBER, IFLA_BOND_PACKETS_PER_SLAVE, 4, .max = 65535 },
	{ "primary-reselect-policy", "primary-reselect", PARAM_WORD, IFLA_BOND_PRIMARY_RESELECT, 1, .words = reselects },
	{ "resend-igmp", "resend-igmp", PARAM_NUMBER, IFLA_BOND_RESEND_IGMP, 4, .max = 255 },
	{ "learn-packet-interval", "lp-interval", PARAM_SECONDS, IFLA_BOND_LP_INTERVAL, 4, .max = 0x7fffffff },
	{ "primary", "primary", PARAM_DEVICE, IFLA_BOND_PRIMARY, 4, .max = 0 },
};

static const struct param_key bridge_keys[] = {
	{ "ageing-time", "ageing", PARAM_TICKS, IFLA_BR_AGEING_TIME, 4, .max = 1000000 },
	{ "aging-time", NULL, PARAM_TICKS, IFLA_BR_AGEING_TIME, 4, .max = 1000000 },
	{ "priority", "bridgeprio", PARAM_NUMBER, IFLA_BR_PRIORITY, 2, .max = 65535 },
	{ "forward-delay", "fd", PARAM_TICKS, IFLA_BR_FORWARD_DELAY, 4, .max = 30 },
	{ "hello-time", "hello", PARAM_TICKS, IFLA_BR_HELLO_TIME, 4, .max = 10 },
	{ "max-age", "maxage", PARAM_TICKS, IFLA_BR_MAX_AGE, 4, .max = 40 },
	{ "stp", "stp", PARAM_BOOL, IFLA_BR_STP_STATE, 4, .max = 1 },
	{ "path-cost", "pathcost", PARAM_NUMBER, IFLA_BRPORT_COST, 4, .max = 65535, .port = true },
	{ "port-priority", "portprio", PARAM_NUMBER, IFLA_BRPORT_PRIORITY, 2, .max = 63, .port = true },
};

/* Of ifupdown's bridges, and without a meaning here: what waits does not, and the kernel collects by itself. */
static const char *const bridge_idle[] = { "gcint", "maxwait", "waitport", "hw", "ports", NULL };

struct param_table {
	const struct param_key *keys;
	size_t n;
	bool old;
};

static struct param_table table_of(const struct network_device *d, bool old)
{
	if (d->kind == PLAN_BOND)
		return (struct param_table){ bond_keys, ARRAY_SIZE(bond_keys), old };
	return (struct param_table){ bridge_keys, ARRAY_SIZE(bridge_keys), old };
}

static const char *name_of(const struct param_table *t, size_t i)
{
	return t->old ? t->keys[i].old : t->keys[i].name;
}

static const char *table_name(size_t i, const void *arg)
{
	const struct param_table *t = arg;
	size_t seen = 0;

	for (size_t k = 0; k < t->n; k++)
		if (name_of(t, k) && seen++ == i)
			return name_of(t, k);
	return NULL;
}

/* - and _ are the same in version 1. */
static bool same(const char *a, const char *b, bool old)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(old && *a == '_' && *b == '-'))
			return false;
	return *a == *b;
}

/* "100", "100ms", "2s": in thousandths or in whole seconds. */
static int parse_time(const char *s, uint64_t max, bool ms, uint32_t *out)
{
	uint64_t n;

	if (scalar_uint(s, max, &n) < 0) {
		if (scalar_duration(s, &n) < 0)
			return -EINVAL;
		if (!ms && n % 1000)
			return -EINVAL;
		n = ms ? n : n / 1000;
	}
	if (n > max)
		return -EINVAL;
	*out = (uint32_t)n;
	return 0;
}

static int parse_word(const struct param_key *k, const char *text, uint32_t *out)
{
	uint64_t number;
	uint32_t n = 0;

	for (; k->words[n]; n++)
		if (!strcmp(k->words[n], text)) {
			*out = n;
			return 0;
		}
	if (scalar_uint(text, n - 1, &number) < 0)
		return -EINVAL;
	*out = (uint32_t)number;
	return 0;
}

static int parse_value(const struct param_key *k, const char *text, uint32_t *out)
{
	uint64_t number;
	bool truth;

	switch (k->kind) {
	case PARAM_WORD:
		return parse_word(k, text, out);
	case PARAM_BOOL:
		if (scalar_bool(text, &truth) < 0)
			return -EINVAL;
		*out = truth;
		return 0;
	case PARAM_MS:
		return parse_time(text, k->max, true, out);
	case PARAM_SECONDS:
		return parse_time(text, k->max, false, out);
	case PARAM_TICKS:
		if (parse_time(text, k->max, false, out) < 0)
			return -EINVAL;
		*out *= 100;
		return 0;
	case PARAM_DEVICE:
		return *text ? 0 : -EINVAL;
	default:
		if (scalar_uint(text, k->max, &number) < 0)
			return -EINVAL;
		*out = (uint32_t)number;
		return 0;
	}
}

static const char *what_it_takes(struct ctx *ctx, const struct param_key *k)
{
	const char *list = k->words ? k->words[0] : NULL;

	switch (k->kind) {
	case PARAM_WORD:
		for (size_t i = 1; k->words[i]; i++)
			list = arena_printf(ctx->arena, "%s, %s", list, k->words[i]);
		return list;
	case PARAM_BOOL:
		return "true or false";
	case PARAM_MS:
		return "milliseconds, or a time such as 1s";
	case PARAM_DEVICE:
		return "the name of a member";
	case PARAM_TARGETS:
		return "IPv4 addresses, at most 16";
	default:
		return arena_printf(ctx->arena, k->kind == PARAM_NUMBER ? "a number from 0 to %u" : "seconds, from 0 to %u", k->max);
	}
}

/* Of several values for one parameter (of one member) the last counts. */
static struct plan_param *add_param(struct ctx *ctx, struct network_device *d, const struct param_key *k, const char *text, uint32_t number,
				    const char *port)
{
	struct plan_param **at = &d->params;
	struct plan_param *p;

	/* a canonical text, whatever spelling was used */
	if (k->kind == PARAM_WORD)
		text = k->words[number];
	else if (k->kind == PARAM_BOOL)
		text = number ? "true" : "false";
	else if (k->kind != PARAM_DEVICE)
		text = arena_printf(ctx->arena, "%u", k->kind == PARAM_TICKS ? number / 100 : number);
	while (*at && ((*at)->key->attribute != k->attribute || (*at)->key->port != k->port || (port && strcmp((*at)->port, port) != 0)))
		at = &(*at)->next;
	p = *at ? *at : ARENA_NEW(ctx->arena, struct plan_param);
	*p = (struct plan_param){ .key = k, .text = text, .number = number, .port = port, .next = p->next };
	*at = p;
	return p;
}

static int wrong_value(struct ctx *ctx, const struct param_key *k, const char *name, const struct node *value)
{
	return diag_at(ctx->diags, DIAG_ERROR, value, what_it_takes(ctx, k), "%s cannot be %s", name,
		       value->type == NODE_SCALAR ? diag_quote(ctx->arena, value->text, value->len) : node_describe(value));
}

static int set_targets(struct ctx *ctx, struct network_device *d, const struct param_key *k, const char *name, const struct node *value)
{
	struct plan_addresses found = { NULL, 0 };
	struct strings list;
	struct plan_address ip;

	if (value_strings(ctx, value, &list) < 0)
		return -EINVAL;
	for (size_t i = 0; i < list.n; i++) {
		const char *s = list.v[i];

		while (*s) {
			size_t n = strcspn(s, ", ");

			if (plan_parse_ip(s, n, &ip) < 0 || ip.family != AF_INET || found.n == k->max)
				return wrong_value(ctx, k, name, value);
			plan_add_address(ctx, &found, &ip);
			s += n;
			s += strspn(s, ", ");
		}
	}
	if (found.n > 0)
		add_param(ctx, d, k, "", 0, NULL)->targets = found;
	return 0;
}

/* path-cost: {eth0: 50}, or in version 1 ["eth0 50", ...]. */
static int set_ports(struct ctx *ctx, struct network_device *d, const struct param_key *k, const char *name, const struct node *value)
{
	uint32_t number;
	int r = 0;

	if (value->type == NODE_SCALAR)
		return wrong_value(ctx, k, name, value);
	for (const struct item *i = value->items; i; i = i->next) {
		const char *text = i->value->type == NODE_SCALAR ? i->value->text : "";
		const char *port = i->key ? i->key->text : text;
		size_t n = i->key ? i->key->len : strcspn(text, " ");

		if (!i->key)
			text += n + strspn(text + n, " ");
		if (n == 0 || parse_value(k, text, &number) < 0) {
			r = wrong_value(ctx, k, name, i->value);
			continue;
		}
		add_param(ctx, d, k, text, number, arena_strndup(ctx->arena, port, n));
	}
	return r;
}

static int set_value(struct ctx *ctx, struct network_device *d, const struct param_key *k, const char *name, const struct node *value)
{
	uint32_t number = 0;

	if (k->port)
		return set_ports(ctx, d, k, name, value);
	if (k->kind == PARAM_TARGETS && value->type != NODE_MAP)
		return set_targets(ctx, d, k, name, value);
	if (value->type != NODE_SCALAR || parse_value(k, value->text, &number) < 0)
		return wrong_value(ctx, k, name, value);
	add_param(ctx, d, k, value->text, number, NULL);
	return 0;
}

static const struct param_key *find(const struct param_table *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (name_of(t, i) && same(name, name_of(t, i), t->old))
			return &t->keys[i];
	return NULL;
}

static unsigned unknown(struct ctx *ctx, const struct param_table *t, const struct network_device *d, const struct node *key, const char *name)
{
	const char *near = text_nearest(name, strlen(name), table_name, t);

	diag_at(ctx->diags, DIAG_UNKNOWN, key, near ? arena_printf(ctx->arena, "did you mean \"%s\"?", near) : NULL,
		"unknown key %s in the parameters of a %s", diag_quote(ctx->arena, key->text, key->len), d->kind == PLAN_BOND ? "bond" : "bridge");
	return 0;
}

unsigned params_read(struct ctx *ctx, const struct node *map, struct network_device *d)
{
	struct param_table t = table_of(d, false);
	unsigned errors = 0;

	for (const struct item *i = map->items; i; i = i->next) {
		const struct param_key *k = find(&t, i->key->text);

		if (!k)
			errors += unknown(ctx, &t, d, i->key, i->key->text);
		else if (!node_is_null(i->value))
			errors += set_value(ctx, d, k, k->name, i->value) < 0;
	}
	return errors;
}

unsigned params_read_old(struct ctx *ctx, const struct node *map, struct network_device *d)
{
	struct param_table t = table_of(d, true);
	const char *prefix = d->kind == PLAN_BOND ? "bond" : "bridge";
	unsigned errors = 0;

	for (const struct item *i = map->items; i; i = i->next) {
		const char *name = i->key->text;
		const struct param_key *k;
		size_t n = strlen(prefix);
		bool idle = false;

		if (!strncmp(name, prefix, n) && (name[n] == '-' || name[n] == '_'))
			name += n + 1;
		k = find(&t, name);
		for (size_t w = 0; d->kind == PLAN_BRIDGE && bridge_idle[w]; w++)
			idle = idle || same(name, bridge_idle[w], true);
		if (idle)
			diag_at(ctx->diags, DIAG_WARNING, i->key, NULL, "%s has no meaning for Coracle; it is not used",
				diag_quote(ctx->arena, i->key->text, i->key->len));
		else if (!k)
			errors += unknown(ctx, &t, d, i->key, name);
		else if (!node_is_null(i->value))
			errors += set_value(ctx, d, k, i->key->text, i->value) < 0;
	}
	return errors;
}

int params_set(struct ctx *ctx, struct network_device *d, const char *name, const char *text)
{
	struct param_table now = table_of(d, false);
	struct param_table old = table_of(d, true);
	const struct param_key *k = find(&now, name);
	struct plan_address ip;
	uint32_t number = 0;

	if (!k)
		k = find(&old, name);
	if (!k || k->port)
		return -ENOENT;
	if (k->kind == PARAM_TARGETS) {
		struct plan_param *p = NULL;

		for (const char *s = text; *s; s += strspn(s, ",;")) {
			size_t n = strcspn(s, ",;");

			if (plan_parse_ip(s, n, &ip) < 0 || ip.family != AF_INET)
				return -EINVAL;
			p = p ? p : add_param(ctx, d, k, "", 0, NULL);
			plan_add_address(ctx, &p->targets, &ip);
			s += n;
		}
		return 0;
	}
	if (parse_value(k, text, &number) < 0)
		return -EINVAL;
	add_param(ctx, d, k, text, number, NULL);
	return 0;
}
