/* hetzner.c - Hetzner Cloud's metadata service (docs.hetzner.cloud, "Server Metadata"; cloud-init, sources/DataSourceHetzner.py). */
#include <string.h>

#include "imds.h"

int hetzner_read(struct machine_facts *f, struct seed *seed)
{
	struct imds m = { .ctx = f->ctx, .base = IMDS_ADDRESS "/hetzner/v1", .timeout_ms = 2000, .tries = 60, .total_ms = 60000 };
	const struct node *root;
	const struct node *network;
	const char *text;
	size_t len;

	if (imds_want(&m, "/metadata", true, &text, &len) <= 0 || !(root = imds_parse(f->ctx, "metadata", text, len)))
		return 0;
	meta_set_instance_id(f->ctx, "metadata: instance-id", imds_text(root, "instance-id"), &seed->meta);
	meta_set_hostname(f->ctx, "metadata: hostname", imds_text(root, "hostname"), &seed->meta);
	meta_add_keys(f->ctx, node_get(root, "public-keys"), &seed->meta);
	seed->meta.tree = root;
	seed->availability_zone = imds_text(root, "availability-zone");
	seed->region = imds_text(root, "region");
	seed->vendor_data = imds_text(root, "vendor_data");
	seed->vendor_data_len = seed->vendor_data ? strlen(seed->vendor_data) : 0;
	network = node_get(root, "network-config");
	if (network && network->type == NODE_MAP)
		seed->network_config = node_json(f->ctx, network, &seed->network_config_len);
	if (imds_want(&m, "/userdata", false, &seed->user_data, &seed->user_data_len) > 0)
		imds_decode(f->ctx, &seed->user_data, &seed->user_data_len);
	if (!seed->meta.instance_id)
		meta_set_instance_id(f->ctx, "product_serial", facts_get(f, FACT_PRODUCT_SERIAL), &seed->meta);
	seed->name = "DataSourceHetzner";
	seed->cloud_name = "hetzner";
	seed->platform = "hetzner";
	seed->subplatform = "metadata (" IMDS_ADDRESS "/hetzner/v1/metadata)";
	return 1;
}
