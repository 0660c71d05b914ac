/* ntp.c - ntp: the clock from the network, by busybox's ntpd.
 *
 * Runs in coracle-config on each boot: it writes /etc/ntp.conf for people and the unit that init starts, after the network, out of the way of the first
 * container. Without `ntp` there is neither: the clock is the machine's own. */
#include <errno.h>
#include <string.h>

#include "module.h"

#define NTP_SERVERS_MAX 16

/* A word of a command line and of a unit file: nothing that either would read as more. */
static int read_names(struct ctx *ctx, const struct node *value, void *out)
{
	struct strings *s = out;
	int r = value_strings(ctx, value, s);

	for (size_t i = 0; r == 0 && i < s->n; i++) {
		size_t len = strlen(s->v[i]);

		if (len == 0 || len > 253 || s->v[i][0] == '-' || strspn(s->v[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:_-") != len)
			r = diag_at(ctx->diags, DIAG_ERROR, value, "a host name or an address", "%s is not a time server",
				    diag_quote(ctx->arena, s->v[i], len));
	}
	if (r == 0 && s->n > NTP_SERVERS_MAX)
		r = diag_at(ctx->diags, DIAG_ERROR, value, NULL, "more than %d time servers", NTP_SERVERS_MAX);
	return r;
}

static int read_enabled(struct ctx *ctx, const struct node *value, void *out)
{
	bool on = true;

	if (value_bool(ctx, value, &on) < 0)
		return -EINVAL;
	*(bool *)out = !on;
	return 0;
}

static int read_client(struct ctx *ctx, const struct node *value, void *out)
{
	const char *name;

	(void)out;
	if (value_line(ctx, value, &name) < 0)
		return -EINVAL;
	if (strcmp(name, "auto") != 0 && strcmp(name, "ntp") != 0)
		diag_at(ctx->diags, DIAG_WARNING, value, NULL, "the time comes by busybox's ntpd, not by %s", diag_quote(ctx->arena, value->text, value->len));
	return 0;
}

static const struct key ntp_keys[] = {
	KEY("enabled", NODE_SCALAR, read_enabled, struct system_ntp, disabled),
	KEY("servers", NODE_SCALAR | NODE_LIST, read_names, struct system_ntp, servers),
	KEY("pools", NODE_SCALAR | NODE_LIST, read_names, struct system_ntp, pools),
	{ "ntp_client", NODE_SCALAR, read_client, 0 },
};

static const struct known_key ntp_known[] = {
	{ "allow", DIAG_WARNING, "is not done: the machine asks for the time, and gives it to nobody" },
	{ "peers", DIAG_WARNING, "is not done: busybox's ntpd has servers only; name them there" },
	{ "config", DIAG_WARNING, "is not done: it describes another NTP program" },
};

static const struct schema ntp_schema = {
	.what = "ntp",
	.keys = ntp_keys,
	.n_keys = ARRAY_SIZE(ntp_keys),
	.known = ntp_known,
	.n_known = ARRAY_SIZE(ntp_known),
	.unknown = DIAG_UNKNOWN,
};

/* `ntp:` with nothing is NTP with the default servers. */
int read_ntp(struct ctx *ctx, const struct node *value, void *out)
{
	static const char *const defaults[] = { "0.pool.ntp.org", "1.pool.ntp.org", "2.pool.ntp.org", "3.pool.ntp.org" };
	struct system_ntp n = { .at = value };

	if (value->type == NODE_MAP && schema_read(ctx, &ntp_schema, value, &n) > 0)
		return -EINVAL;
	if (value->type != NODE_MAP && !node_is_null(value))
		return diag_at(ctx->diags, DIAG_ERROR, value, "ntp: {servers: [192.0.2.1]}", "ntp must be a mapping, not %s", node_describe(value));
	if (n.servers.n + n.pools.n == 0)
		for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
			strings_add(ctx, &n.pools, defaults[i]);
	*(struct system_ntp *)out = n;
	return 0;
}

bool ntp_wanted(const struct run *r)
{
	return r->config.system.ntp.at && !r->config.system.ntp.disabled;
}

static void add_all(struct buf *b, const struct system_ntp *n, const char *format_server, const char *format_pool)
{
	for (size_t i = 0; i < n->servers.n; i++)
		buf_puts(b, format_server), buf_puts(b, n->servers.v[i]);
	for (size_t i = 0; i < n->pools.n; i++)
		buf_puts(b, format_pool), buf_puts(b, n->pools.v[i]);
}

void apply_ntp(struct run *r)
{
	const struct system_ntp *n = &r->config.system.ntp;
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 16384);
	buf_puts(&b, "# From the boot configuration; busybox's ntpd is given the same servers by its unit.");
	add_all(&b, n, "\nserver ", "\npool ");
	buf_putc(&b, '\n');
	module_put(r, "/etc/ntp.conf", b.data, 0644);
	buf_reset(&b);
	buf_puts(&b, "# From the boot configuration: ntp\n[Unit]\nDescription=Clock from the network\nAfter=network\n\n[Service]\nExecStart=/bin/busybox ntpd -n");
	add_all(&b, n, " -p ", " -p ");
	buf_puts(&b, "\nRestart=always\nRestartSec=1s\nRestartMaxDelaySec=60s\nTimeoutStopSec=2s\n");
	module_put(r, "/etc/coracle/units/ntp.unit", b.data, 0644);
}
