/* digitalocean.c - DigitalOcean's metadata service (docs.digitalocean.com, "Droplet Metadata API"; cloud-init, sources/DataSourceDigitalOcean.py).
 *
 * Droplets have a config drive too, which is read before this is asked. */
#include <string.h>

#include "imds.h"
#include "netplan.h"

static void add_address(struct machine_facts *f, const struct node *family, struct strings *addresses)
{
	const char *mask = family ? imds_text(family, "netmask") : NULL;
	const char *text = netplan_address(f->ctx->arena, imds_text(family, "ip_address"), mask ? mask : imds_text(family, "cidr"));

	if (text)
		strings_add(f->ctx, addresses, text);
}

static const char *gateway_of(const struct node *nic, const char *family)
{
	const struct node *n = node_get(nic, family);

	return n && n->type == NODE_MAP ? imds_text(n, "gateway") : NULL;
}

static void write_routes(struct buf *b, const struct node *nic)
{
	const char *four = gateway_of(nic, "ipv4");
	const char *six = gateway_of(nic, "ipv6");
	bool first = true;

	buf_puts(b, ", \"routes\": [");
	if (four) {
		buf_puts(b, "{");
		netplan_text(b, &first, "to", "0.0.0.0/0");
		netplan_text(b, &first, "via", four);
		buf_puts(b, "}");
	}
	if (six) {
		buf_puts(b, first ? "{" : ", {");
		first = true;
		netplan_text(b, &first, "to", "::/0");
		netplan_text(b, &first, "via", six);
		buf_puts(b, "}");
	}
	buf_puts(b, "]");
}

/* One network card; only public ones lead to the rest of the world. */
static void write_nic(struct machine_facts *f, struct buf *b, const char *id, const struct node *nic, const struct node *dns, bool public)
{
	static const char *const families[] = { "ipv4", "ipv6", "anchor_ipv4" };
	struct strings addresses = { NULL, 0 };
	struct strings servers = { NULL, 0 };
	const char *mac = imds_text(nic, "mac");
	bool first = true;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const struct node *family = node_get(nic, families[i]);

		if (family && family->type == NODE_MAP)
			add_address(f, family, &addresses);
	}
	buf_printf(b, "\"%s\": {\"match\": {", id);
	netplan_text(b, &first, "macaddress", mac);
	buf_putc(b, '}');
	first = false;
	netplan_list(b, &first, "addresses", &addresses);
	if (public)
		write_routes(b, nic);
	for (const struct item *i = dns && dns->type == NODE_LIST ? dns->items : NULL; i; i = i->next)
		if (i->value->type == NODE_SCALAR)
			strings_add(f->ctx, &servers, i->value->text);
	if (public && servers.n) {
		bool inner = true;

		buf_puts(b, ", \"nameservers\": {");
		netplan_list(b, &inner, "addresses", &servers);
		buf_putc(b, '}');
	}
	buf_putc(b, '}');
}

static void read_network(struct machine_facts *f, const struct node *root, struct seed *seed)
{
	static const char *const kinds[] = { "public", "private" };
	const struct node *dns = imds_at(root, "dns/nameservers");
	CLEANUP_BUF struct buf b = { 0 };
	unsigned n = 0;

	buf_init(&b, NETPLAN_MAX);
	buf_puts(&b, "{\"version\": 2, \"ethernets\": {");
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		const struct node *list = imds_at(root, arena_printf(f->ctx->arena, "interfaces/%s", kinds[k]));

		for (const struct item *i = list && list->type == NODE_LIST ? list->items : NULL; i; i = i->next) {
			if (i->value->type != NODE_MAP || !imds_text(i->value, "mac"))
				continue;
			buf_puts(&b, n ? ", " : "");
			write_nic(f, &b, arena_printf(f->ctx->arena, "%s%u", kinds[k], n), i->value, dns, k == 0);
			n++;
		}
	}
	buf_puts(&b, "}}");
	if (n == 0 || buf_error(&b))
		return;
	seed->network_config = arena_strndup(f->ctx->arena, b.data, b.len);
	seed->network_config_len = b.len;
}

int digitalocean_read(struct machine_facts *f, struct seed *seed)
{
	struct imds m = { .ctx = f->ctx, .base = IMDS_ADDRESS, .timeout_ms = 2000, .tries = 30, .total_ms = 60000 };
	const struct node *root;
	const struct node *user;
	const char *text;
	size_t len;

	if (imds_want(&m, "/metadata/v1.json", true, &text, &len) <= 0 || !(root = imds_parse(f->ctx, "v1.json", text, len)))
		return 0;
	meta_set_instance_id(f->ctx, "v1.json: droplet_id", imds_text(root, "droplet_id"), &seed->meta);
	meta_set_hostname(f->ctx, "v1.json: hostname", imds_text(root, "hostname"), &seed->meta);
	meta_add_keys(f->ctx, node_get(root, "public_keys"), &seed->meta);
	seed->meta.tree = root;
	seed->region = imds_text(root, "region");
	user = node_get(root, "user_data");
	if (user && user->type == NODE_SCALAR && !node_is_null(user)) {
		seed->user_data = user->text;
		seed->user_data_len = user->len;
	}
	seed->vendor_data = imds_text(root, "vendor_data");
	seed->vendor_data_len = seed->vendor_data ? strlen(seed->vendor_data) : 0;
	read_network(f, root, seed);
	seed->name = "DataSourceDigitalOcean";
	seed->cloud_name = "digitalocean";
	seed->platform = "digitalocean";
	seed->subplatform = "metadata (" IMDS_ADDRESS "/metadata/v1.json)";
	return 1;
}
