/* digitalocean.c - DigitalOcean's metadata service (docs.digitalocean.com, "Droplet Metadata API"; cloud-init, sources/DataSourceDigitalOcean.py).
 *
 * Droplets have a config drive too, which is read before this is asked. */
#include <string.h>

#include "../network/network.h"
#include "imds.h"

static void bad(struct machine_facts *f, const struct node *at, const char *what)
{
	diag_at(f->ctx->diags, DIAG_ERROR, at, NULL, "v1.json: an interface's %s cannot be read", what);
}

static void add_family(struct machine_facts *f, struct network_device *d, const struct node *family, bool route)
{
	const char *mask = imds_text(family, "netmask");
	const char *gateway = imds_text(family, "gateway");
	const char *address = imds_text(family, "ip_address");

	if (!address)
		return;
	if (network_add_address(f->ctx, d, address, mask ? mask : imds_text(family, "cidr")) < 0)
		bad(f, family, "address");
	if (route && gateway && network_add_route(f->ctx, d, strchr(gateway, ':') ? "::/0" : "0.0.0.0/0", gateway) < 0)
		bad(f, family, "gateway");
}

/* One network card; only public ones lead to the rest of the world. */
static void add_nic(struct machine_facts *f, struct network_plan *p, const struct node *nic, const struct node *dns, bool public)
{
	static const char *const families[] = { "ipv4", "ipv6", "anchor_ipv4" };
	struct network_device *d = network_add_ethernet(f->ctx, p, NULL, imds_text(nic, "mac"));

	if (!d) {
		bad(f, nic, "mac");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const struct node *family = node_get(nic, families[i]);

		if (family && family->type == NODE_MAP)
			add_family(f, d, family, public && i < 2);
	}
	for (const struct item *i = public && dns && dns->type == NODE_LIST ? dns->items : NULL; i; i = i->next)
		if (i->value->type != NODE_SCALAR || network_add_nameserver(f->ctx, d, i->value->text) < 0)
			bad(f, i->value, "nameserver");
}

static void read_network(struct machine_facts *f, const struct node *root, struct seed *seed)
{
	static const char *const kinds[] = { "interfaces/public", "interfaces/private" };
	const struct node *dns = imds_at(root, "dns/nameservers");
	struct network_plan *p = network_plan_new(f->ctx);
	unsigned n = 0;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		const struct node *list = imds_at(root, kinds[k]);

		for (const struct item *i = list && list->type == NODE_LIST ? list->items : NULL; i; i = i->next)
			if (i->value->type == NODE_MAP) {
				add_nic(f, p, i->value, dns, k == 0);
				n++;
			}
	}
	if (n > 0)
		seed->network_config = network_text(f->ctx, p, &seed->network_config_len);
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
