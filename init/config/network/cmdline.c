/* cmdline.c - the network as the kernel command line says it: network-config=, ip= in the kernel's and in dracut's forms, and what dracut has beside it.
 *
 * Runs in coracle-config; pure. Forms: Documentation/admin-guide/nfs/nfsroot.rst of the kernel, dracut.cmdline(7). */
#include <errno.h>
#include <string.h>

#include "../base64.h"
#include "../scalar.h"
#include "params.h"
#include "read.h"

#define FIELDS_MAX 16
#define LINE_MAX_BYTES 65536

struct line {
	struct ctx *ctx;
	const struct source *source;
	struct network_plan *plan;
	const char *word;	/* the one that is read */
};

/* About the whole word (what NULL), or a part of it. */
static void problem(struct line *l, enum diag_level level, const char *hint, const char *what, const char *text)
{
	unsigned column = (unsigned)(l->word - l->source->text) + 1;
	const char *word = diag_quote(l->ctx->arena, l->word, strcspn(l->word, " \t\n"));

	if (what)
		diag_add(l->ctx->diags, level, l->source, 1, column, hint, "%s: %s %s", word, diag_quote(l->ctx->arena, what, strlen(what)), text);
	else
		diag_add(l->ctx->diags, level, l->source, 1, column, hint, "%s: %s", word, text);
}

/* Splits at separator; what is in [] stays together, and the brackets go. Returns how many, the last holds the rest. */
static size_t split(struct line *l, const char *s, char separator, char *fields[FIELDS_MAX])
{
	char *copy = arena_strndup(l->ctx->arena, s, strcspn(s, " \t\n"));
	size_t n = 0;

	for (char *p = copy;; p++) {
		char *end = *p == '[' ? strchr(p, ']') : NULL;

		fields[n++] = end ? p + 1 : p;
		if (end) {
			memmove(end, end + 1, strlen(end)); /* a prefix length may follow */
			p = end;
		}
		while (*p && *p != separator)
			p++;
		if (!*p || n == FIELDS_MAX)
			break;
		*p = '\0';
	}
	for (size_t i = n; i < FIELDS_MAX; i++)
		fields[i] = arena_strndup(l->ctx->arena, "", 0);
	return n;
}

static struct network_device *device(struct line *l, const char *name)
{
	struct network_device *d = plan_find_device(l->plan, name);

	if (d)
		return d;
	if (!plan_name_ok(name)) {
		problem(l, DIAG_ERROR, "1 to 15 letters, digits and . _ - @", name, "cannot be the name of a network device");
		return NULL;
	}
	if (l->plan->n_devices >= PLAN_DEVICES_MAX) {
		problem(l, DIAG_ERROR, NULL, NULL, "there are too many network devices");
		return NULL;
	}
	return plan_add_device(l->ctx, l->plan, PLAN_ETHERNET, name);
}

/* Every Ethernet device. */
static struct network_device *all_devices(struct line *l)
{
	struct network_device *d = plan_find_device(l->plan, "all");

	if (!d) {
		d = plan_add_device(l->ctx, l->plan, PLAN_ETHERNET, "all");
		strings_add(l->ctx, &d->match_names, "*");
		d->optional = true;
	}
	return d;
}

/* "dhcp" and its like. Returns 0, -ENOENT when it is none of them. d NULL: only asks. */
static int set_method(struct network_device *d, const char *word)
{
	static const struct { const char *word; bool four, six, ra; } methods[] = {
		{ "dhcp", true, false, false }, { "on", true, false, false }, { "any", true, false, false }, { "single-dhcp", true, false, false },
		{ "both", true, false, false }, { "bootp", true, false, false }, { "dhcp4", true, false, false }, { "dhcp6", false, true, true },
		{ "auto6", false, false, true }, { "either6", false, true, true }, { "link6", false, false, false },
		{ "off", false, false, false }, { "none", false, false, false }, { "link-local", false, false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (strcmp(methods[i].word, word) != 0)
			continue;
		if (d && methods[i].four)
			d->dhcp[0].enabled = PLAN_YES;
		if (d && methods[i].six)
			d->dhcp[1].enabled = PLAN_YES;
		if (d && methods[i].ra)
			d->accept_ra = PLAN_YES;
		return 0;
	}
	return -ENOENT;
}

static void add_nameserver(struct line *l, struct plan_addresses *to, const char *text)
{
	struct plan_address ip;

	if (plan_parse_ip(text, strlen(text), &ip) < 0)
		problem(l, DIAG_ERROR, "an IPv4 or IPv6 address", text, "is not the address of a name server");
	else
		plan_add_address(l->ctx, to, &ip);
}

static void set_mtu_and_mac(struct line *l, struct network_device *d, const char *mtu, const char *mac)
{
	uint64_t n;

	if (*mtu && (scalar_uint(mtu, 65536, &n) < 0 || n < 68))
		problem(l, DIAG_ERROR, "68 to 65536", mtu, "is not an MTU");
	else if (*mtu)
		d->mtu = (int64_t)n;
	if (*mac && plan_parse_mac(mac, &d->mac) < 0)
		problem(l, DIAG_ERROR, "such as 52:54:00:12:34:56", mac, "is not a hardware address");
}

/* The fields from `from` on as one text: a hardware address was taken apart. */
static const char *join(struct line *l, char *fields[FIELDS_MAX], size_t from, size_t n)
{
	const char *s = from < n ? fields[from] : "";

	for (size_t i = from + 1; i < n; i++)
		s = arena_printf(l->ctx->arena, "%s:%s", s, fields[i]);
	return s;
}

/* What stands behind the method: [MTU][:MAC], or up to two name servers and a time server. */
static void read_tail(struct line *l, struct network_device *d, char *fields[FIELDS_MAX], size_t from, size_t n)
{
	struct plan_address ip;

	for (size_t i = from; i < n; i++) {
		if (plan_parse_ip(fields[i], strlen(fields[i]), &ip) == 0) {
			if (i < from + 2)
				plan_add_address(l->ctx, &d->nameservers, &ip);
			else
				problem(l, DIAG_WARNING, "name it with ntp: in user-data", fields[i], "is a time server; it is not used");
		} else if (fields[i][0] || i == from) {
			/* an empty MTU may stand before a hardware address */
			if (i == from || i + 5 < n) {
				set_mtu_and_mac(l, d, i == from && strlen(fields[i]) != 2 ? fields[i] : "", join(l, fields, i == from ? from + 1 : i, n));
				return;
			}
			problem(l, DIAG_ERROR, NULL, fields[i], "is neither a name server nor an MTU");
		}
	}
}

/* CLIENT:PEER:GATEWAY:NETMASK:HOSTNAME:DEVICE:METHOD... */
static void read_static(struct line *l, char *f[FIELDS_MAX], size_t n)
{
	const char *name = f[5];
	struct network_device *d;
	struct plan_address ip;

	if (!*name) {
		problem(l, DIAG_WARNING, "name it in the sixth field", NULL, "no device is named; eth0 is taken");
		name = "eth0";
	}
	d = device(l, name);
	if (!d)
		return;
	if (*f[6] && set_method(d, f[6]) < 0)
		problem(l, DIAG_ERROR, "none, dhcp, dhcp6, auto6", f[6], "is not a way to get an address");
	if (*f[4])
		problem(l, DIAG_WARNING, "hostname: in user-data", f[4], "is a host name; it is not used");
	read_tail(l, d, f, 7, n);
	if (!*f[0])
		return;
	if (plan_parse_prefixed(f[0], &ip) < 0) {
		problem(l, DIAG_ERROR, NULL, f[0], "is not an address");
		return;
	}
	if (*f[3] && plan_parse_mask(f[3], ip.family, &ip.prefix) < 0)
		problem(l, DIAG_ERROR, "such as 255.255.255.0, or 24", f[3], "is not a netmask");
	else if (!*f[3] && !strchr(f[0], '/'))
		problem(l, DIAG_ERROR, "such as 255.255.255.0, or 24", NULL, "the netmask is missing");
	else
		plan_add_address(l->ctx, &d->addresses, &ip);
	if (*f[2] && network_add_route(l->ctx, d, "default", f[2]) < 0)
		problem(l, DIAG_ERROR, NULL, f[2], "is not the address of a gateway");
}

static void read_ip(struct line *l, const char *value)
{
	char *f[FIELDS_MAX];
	size_t n = split(l, value, ':', f);
	struct network_device *d;
	struct plan_address ip;

	if (n == 1 && (!strcmp(f[0], "off") || !strcmp(f[0], "none"))) {
		l->plan->disabled = true;
	} else if (n == 1 && set_method(NULL, f[0]) == 0) {
		set_method(all_devices(l), f[0]);
	} else if (n == 1 || plan_parse_prefixed(f[0], &ip) == 0 || !*f[0]) {
		if (n == 1)
			problem(l, DIAG_ERROR, "dhcp, DEVICE:dhcp, or ADDRESS::GATEWAY:NETMASK::DEVICE:none", NULL, "this says nothing about an address");
		else
			read_static(l, f, n);
	} else if (set_method(NULL, f[1]) < 0) {
		problem(l, DIAG_ERROR, "dhcp, dhcp6, auto6, link6, off", f[0], "is neither an address nor followed by a way to get one");
	} else if ((d = device(l, f[0]))) {
		set_method(d, f[1]);
		if (n > 2)
			set_mtu_and_mac(l, d, f[2], join(l, f, 3, n));
	}
}

static void read_route(struct line *l, const char *value)
{
	char *f[FIELDS_MAX];
	size_t n = split(l, value, ':', f);
	struct network_device nowhere = { .routes = NULL };
	struct network_device *d = n > 2 && *f[2] ? device(l, f[2]) : &nowhere;

	if (d && network_add_route(l->ctx, d, f[0], *f[1] ? f[1] : NULL) < 0)
		problem(l, DIAG_ERROR, "rd.route=198.51.100.0/24:192.0.2.1:eth0", NULL, "this is no route");
	if (d == &nowhere && nowhere.routes) {
		struct plan_route **at = &l->plan->routes;

		while (*at)
			at = &(*at)->next;
		*at = nowhere.routes;
	}
}

/* vlan=NAME:DEVICE; the id is the number at the name's end: vlan5, vlan0005, eth0.5. */
static void read_vlan(struct line *l, const char *value)
{
	char *f[FIELDS_MAX];
	size_t n = split(l, value, ':', f);
	size_t digits = strlen(f[0]);
	uint64_t id;
	struct network_device *d;

	while (digits > 0 && f[0][digits - 1] >= '0' && f[0][digits - 1] <= '9')
		digits--;
	if (n != 2 || scalar_uint(f[0] + digits, 4094, &id) < 0) {
		problem(l, DIAG_ERROR, "such as vlan=vlan5:eth0", NULL, "this is no VLAN on a device");
		return;
	}
	if (!device(l, f[1]) || !(d = device(l, f[0])))
		return;
	d->kind = PLAN_VLAN;
	d->link = f[1];
	d->vlan_id = (int64_t)id;
}

static void read_group(struct line *l, const char *value, enum plan_kind kind)
{
	char *f[FIELDS_MAX];
	char *words[FIELDS_MAX];
	size_t n = split(l, value, ':', f);
	struct network_device *d = device(l, *f[0] ? f[0] : kind == PLAN_BOND ? "bond0" : "br0");
	const char *members = n > 1 ? f[1] : "eth0,eth1";
	size_t count;

	if (!d)
		return;
	d->kind = kind;
	count = split(l, members, ',', words);
	for (size_t i = 0; i < count; i++)
		if (*words[i] && device(l, words[i]))
			strings_add(l->ctx, &d->members, words[i]);
	count = kind == PLAN_BOND && n > 2 ? split(l, f[2], ',', words) : 0;
	for (size_t i = 0; i < count; i++) {
		char *equal = strchr(words[i], '=');

		if (equal)
			*equal = '\0';
		/* the module's names have _ */
		for (char *c = words[i]; *c; c++)
			if (*c == '_')
				*c = '-';
		if (*words[i] && (!equal || params_set(l->ctx, d, words[i], equal + 1) < 0))
			problem(l, DIAG_ERROR, NULL, words[i], "cannot be set so");
	}
	if (n > 3)
		set_mtu_and_mac(l, d, f[3], "");
}

static void read_ifname(struct line *l, const char *value)
{
	size_t n = strcspn(value, ": \t\n");
	const char *name = arena_strndup(l->ctx->arena, value, n);
	const char *mac = value[n] == ':' ? arena_strndup(l->ctx->arena, value + n + 1, strcspn(value + n + 1, " \t\n")) : "";
	struct network_device *d = device(l, name);

	if (!d)
		return;
	if (plan_parse_mac(mac, &d->match_mac) < 0)
		problem(l, DIAG_ERROR, "such as ifname=lan:52:54:00:12:34:56", mac, "is not a hardware address");
	else
		d->set_name = d->id;
}

/* network-config=BASE64, which may be gzip inside, or `disabled`. */
static struct network_plan *read_config(struct line *l, const char *value)
{
	size_t n = strcspn(value, " \t\n");
	const char *why = NULL;
	size_t len = 0;
	char *text;
	struct network_plan *p;

	if (n == 8 && !memcmp(value, "disabled", 8)) {
		p = network_plan_new(l->ctx);
		p->disabled = true;
		return p;
	}
	text = base64_decode(l->ctx->arena, value, n, &len);
	if (text && is_gzip(text, len))
		text = gunzip(l->ctx->arena, text, len, YAML_TEXT_MAX, &len, &why);
	if (!text) {
		diag_add(l->ctx->diags, DIAG_ERROR, l->source, 1, (unsigned)(value - l->source->text) + 1, "base64 of a network-config",
			 "network-config= cannot be decoded%s%s", why ? ": " : "", why ? why : "");
		return NULL;
	}
	return network_read(l->ctx, "network-config= of the kernel command line", text, len);
}

/* Calls each for the value of every word that begins with key. Returns how many there were. */
static unsigned each_word(struct line *l, const char *key, void (*each)(struct line *, const char *))
{
	size_t n = strlen(key);
	unsigned found = 0;

	for (const char *s = l->source->text; *s;) {
		s += strspn(s, " \t\n");
		if (!strncmp(s, key, n) && s[n] && !strchr(" \t\n", s[n])) {
			l->word = s;
			if (each)
				each(l, s + n);
			found++;
		}
		s += strcspn(s, " \t\n");
	}
	return found;
}

static void word_vlan(struct line *l, const char *value) { read_vlan(l, value); }
static void word_bond(struct line *l, const char *value) { read_group(l, value, PLAN_BOND); }
static void word_bridge(struct line *l, const char *value) { read_group(l, value, PLAN_BRIDGE); }
static void word_nameserver(struct line *l, const char *value)
{
	char *f[FIELDS_MAX];

	/* an IPv6 address may stand without brackets here */
	split(l, value, ' ', f);
	add_nameserver(l, &l->plan->nameservers, f[0]);
}

static void word_team(struct line *l, const char *value)
{
	(void)value;
	problem(l, DIAG_ERROR, "bond=", NULL, "teams are not supported by Coracle");
}

struct network_plan *network_from_cmdline(struct ctx *ctx, const char *cmdline)
{
	static const struct { const char *key; void (*read)(struct line *, const char *); } words[] = {
		{ "ifname=", read_ifname }, { "bond=", word_bond }, { "bridge=", word_bridge }, { "vlan=", word_vlan }, { "team=", word_team },
		{ "ip=", read_ip }, { "nameserver=", word_nameserver }, { "rd.route=", read_route },
	};
	struct source *source = ARENA_NEW(ctx->arena, struct source);
	struct line l = { .ctx = ctx, .source = source };
	const char *config = NULL;

	*source = (struct source){ "kernel command line", cmdline, strnlen(cmdline, LINE_MAX_BYTES) };
	if (source->len == LINE_MAX_BYTES)
		return NULL;
	/* the last one counts */
	for (const char *s = cmdline; (s = strstr(s, "network-config=")); s++)
		if (s == cmdline || strchr(" \t\n", s[-1]))
			config = s + 15;
	if (config)
		return read_config(&l, config);
	if (each_word(&l, "ip=", NULL) == 0)
		return NULL;
	l.plan = network_plan_new(ctx);
	l.plan->source = "kernel command line";
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		each_word(&l, words[i].key, words[i].read);
	plan_check(ctx, l.plan);
	return l.plan;
}
