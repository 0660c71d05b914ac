/* azure.c - Azure: ovf-env.xml of the provisioning disk, the metadata service, and the report that the machine is ready.
 *
 * (learn.microsoft.com, "Azure Instance Metadata Service"; cloud-init, sources/DataSourceAzure.py.) Custom data comes on the provisioning
 * disk; user data by the metadata service. Where Azure writes that disk as UDF, which our kernel does not read, an error says what to do. */
#include <fcntl.h>
#include <string.h>

#include "../base64.h"
#include "azure.h"
#include "fd.h"
#include "imds.h"
#include "sys.h"

static bool is_zeros(const char *s)
{
	return strspn(s, "0-") == strlen(s);
}

static int read_file(struct machine_facts *f, int dirfd, const char *what, struct seed *seed)
{
	const char *text;
	size_t len;

	return seed_read_file(f->ctx, dirfd, what, "ovf-env.xml", &text, &len) > 0 && azure_read_ovf(f->ctx, arena_printf(f->ctx->arena, "%s: ovf-env.xml", what), text, len, seed);
}

/* The seed directory, then every optical file system. Returns where it was, NULL: nowhere. */
static const char *read_disk(struct machine_facts *f, struct seed *seed)
{
	const char *dir = arena_printf(f->ctx->arena, "%s/azure", f->places->seed_dir);
	CLEANUP_FD int dirfd = sys_openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);

	if (dirfd >= 0 && read_file(f, dirfd, dir, seed))
		return dir;
	facts_list_devices(f);
	for (size_t i = 0; i < f->n_devices; i++) {
		const struct device *d = &f->devices[i];
		int found;
		int fd;

		if (strcmp(d->type, "iso9660") || (fd = device_open(f, d)) < 0)
			continue;
		found = read_file(f, fd, d->node, seed);
		device_close(f, &fd);
		if (found)
			return d->node;
	}
	return NULL;
}

static void read_compute(struct machine_facts *f, const struct node *compute, struct seed *seed)
{
	const struct node *keys = node_get(compute, "publicKeys");
	const struct node *profile = imds_at(compute, "osProfile");
	const char *user = imds_text(compute, "userData");
	bool from_disk = seed->meta.public_keys.n > 0;
	size_t n;

	meta_set_instance_id(f->ctx, "compute/vmId", imds_text(compute, "vmId"), &seed->meta);
	meta_set_hostname(f->ctx, "compute/osProfile/computerName", imds_text(profile, "computerName"), &seed->meta);
	for (const struct item *i = keys && keys->type == NODE_LIST && !from_disk ? keys->items : NULL; i; i = i->next)
		meta_add_keys(f->ctx, i->value->type == NODE_MAP ? node_get(i->value, "keyData") : NULL, &seed->meta);
	azure_set_user(f->ctx, imds_text(profile, "adminUsername"), seed);
	seed->region = imds_text(compute, "location");
	seed->availability_zone = imds_text(compute, "zone");
	if (!user || !*user || seed->user_data)
		return;
	seed->user_data = base64_decode(f->ctx->arena, user, strlen(user), &n);
	seed->user_data_len = seed->user_data ? n : 0;
	if (!seed->user_data)
		diag_add(f->ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "Azure metadata service: userData is not base64");
}

static int read_service(struct machine_facts *f, struct seed *seed)
{
	static const char *const headers[] = { "Metadata: true", NULL };
	struct imds m = { .ctx = f->ctx, .base = IMDS_ADDRESS "/metadata", .headers = headers, .timeout_ms = 5000, .tries = 10, .total_ms = 60000 };
	const struct node *compute;
	const struct node *root;
	const char *text;
	size_t len;

	if (imds_want(&m, "/instance?api-version=2021-08-01&extended=true", true, &text, &len) <= 0 || !(root = imds_parse(f->ctx, "metadata", text, len)))
		return 0;
	compute = node_get(root, "compute");
	if (!compute || compute->type != NODE_MAP) {
		diag_at(f->ctx->diags, DIAG_ERROR, root, NULL, "Azure's metadata service tells nothing of \"compute\"");
		return 0;
	}
	read_compute(f, compute, seed);
	seed->meta.tree = root;
	return 1;
}

int azure_read(struct machine_facts *f, struct seed *seed)
{
	const char *disk = read_disk(f, seed);
	const char *uuid = facts_get(f, FACT_PRODUCT_UUID);
	int service = read_service(f, seed);

	if (!disk && !service)
		return 0;
	if (!is_zeros(uuid))
		meta_set_instance_id(f->ctx, "product_uuid", uuid, &seed->meta);
	if (!disk && !seed->user_data)
		diag_add(f->ctx->diags, DIAG_WARNING, NULL, 0, 0, "give it as user data (az vm create --user-data)",
			 "there is no user data, and no provisioning disk that can be read: custom data on a disk with UDF is not");
	azure_report_ready(f->ctx);
	seed->name = arena_printf(f->ctx->arena, "DataSourceAzure [seed=%s]", disk ? disk : "IMDS");
	seed->cloud_name = "azure";
	seed->platform = "azure";
	seed->subplatform = disk ? arena_printf(f->ctx->arena, "config-disk (%s)", disk) : "imds";
	return 1;
}
