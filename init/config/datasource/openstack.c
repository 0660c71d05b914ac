/* openstack.c - OpenStack's tree: meta_data.json and what stands beside it (docs.openstack.org, nova, "Metadata"; cloud-init,
 * sources/helpers/openstack.py). Read from a config drive or from the metadata service. */
#include "openstack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../config.h"
#include "../network/network.h"
#include "fd.h"
#include "imds.h"
#include "sys.h"

#define FILES_MAX 100

/* Newest first; one we do not know is read as "latest" when none of these is there. */
static const char *const versions[] = {
	"2018-08-27", "2017-02-22", "2016-10-06", "2016-06-30", "2015-10-15", "2013-10-17", "2013-04-04", "2012-08-10", "latest",
};

static int read_json(struct openstack_tree *t, const char *path, const struct node **root)
{
	const char *text;
	size_t len;
	int r = t->read(t, path, &text, &len);

	*root = r > 0 ? imds_parse(t->ctx, path, text, len) : NULL;
	return r;
}

static int find_version(struct openstack_tree *t, const char **version, const struct node **meta)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		int r = read_json(t, arena_printf(t->ctx->arena, "openstack/%s/meta_data.json", versions[i]), meta);

		*version = versions[i];
		if (r != 0)
			return r > 0 && *meta ? 1 : -EINVAL;
	}
	return 0;
}

/* files[]: {"path": "/etc/x", "content_path": "/content/0000"} */
static struct config_file *read_injected(struct openstack_tree *t, const struct node *entry)
{
	const char *from = entry->type == NODE_MAP ? imds_text(entry, "content_path") : NULL;
	const struct node *to = entry->type == NODE_MAP ? node_get(entry, "path") : NULL;
	struct config_file *file = ARENA_NEW(t->ctx->arena, struct config_file);
	int r;

	*file = (struct config_file){ .at = entry, .user = "root", .mode = 0660 };
	if (!from || !to || to->type != NODE_SCALAR) {
		diag_at(t->ctx->diags, DIAG_ERROR, entry, NULL, "a file of the config drive needs path and content_path");
		return NULL;
	}
	if (value_path(t->ctx, to, &file->path) < 0)
		return NULL;
	if (strstr(from, "..")) {
		diag_at(t->ctx->diags, DIAG_ERROR, entry, NULL, "%s leads out of the config drive", diag_quote(t->ctx->arena, from, strlen(from)));
		return NULL;
	}
	r = t->read(t, arena_printf(t->ctx->arena, "openstack/%s", from + strspn(from, "/")), &file->content, &file->len);
	if (r == 0)
		diag_at(t->ctx->diags, DIAG_ERROR, entry, NULL, "%s is not there, which %s shall be made of", from, file->path);
	return r > 0 ? file : NULL;
}

static void read_files(struct openstack_tree *t, const struct node *list, struct seed *seed)
{
	struct config_file **end = &seed->files;
	unsigned n = 0;

	for (const struct item *i = list && list->type == NODE_LIST ? list->items : NULL; i; i = i->next) {
		struct config_file *file;

		if (n++ == FILES_MAX) {
			diag_at(t->ctx->diags, DIAG_ERROR, i->value, NULL, "more than %u files; the others are left out", FILES_MAX);
			return;
		}
		file = read_injected(t, i->value);
		if (file) {
			*end = file;
			end = &file->next;
		}
	}
}

/* JSON: text, {"cloud-init": text or list}, or a list of texts, which is a cloud-config archive. */
static void read_vendor(struct openstack_tree *t, const char *path, const char **out, size_t *len)
{
	struct source *source = ARENA_NEW(t->ctx->arena, struct source);
	const struct node *n;
	const char *text;
	const char *json;
	size_t size;
	bool empty;

	if (t->read(t, path, &text, &size) <= 0 || size == 0)
		return;
	*source = (struct source){ path, text, size };
	n = yaml_read(t->ctx->arena, t->ctx->diags, source, &empty);
	if (n && n->type == NODE_MAP)
		n = node_get(n, "cloud-init");
	if (!n || node_is_null(n))
		return;
	if (n->type == NODE_SCALAR) {
		*out = n->text;
		*len = n->len;
	} else if (n->type == NODE_LIST && n->count > 0 && (json = node_json(t->ctx, n, &size))) {
		*out = arena_printf(t->ctx->arena, "#cloud-config-archive\n%s\n", json);
		*len = strlen(*out);
	} else if (n->type == NODE_MAP) {
		diag_at(t->ctx->diags, DIAG_ERROR, n, NULL, "vendor data under \"cloud-init\" must be text or a list, not %s", node_describe(n));
	}
}

static void read_network(struct openstack_tree *t, const char *version, struct seed *seed)
{
	const struct node *root;

	if (read_json(t, arena_printf(t->ctx->arena, "openstack/%s/network_data.json", version), &root) > 0 && root)
		seed->network_config = network_from_openstack(t->ctx, root, &seed->network_config_len);
}

static int read_meta(struct openstack_tree *t, const struct node *meta, struct seed *seed)
{
	const char *zone = imds_text(meta, "availability_zone");

	meta_set_instance_id(t->ctx, "meta_data.json: uuid", imds_text(meta, "uuid"), &seed->meta);
	if (!seed->meta.instance_id) {
		diag_at(t->ctx->diags, DIAG_ERROR, meta, NULL, "meta_data.json has no uuid; %s is not used", t->what);
		return 0;
	}
	meta_set_hostname(t->ctx, "meta_data.json: hostname", imds_text(meta, "hostname"), &seed->meta);
	meta_add_keys(t->ctx, node_get(meta, "public_keys"), &seed->meta);
	seed->meta.tree = meta;
	seed->availability_zone = zone;
	return 1;
}

int openstack_read_tree(struct openstack_tree *t, struct seed *seed)
{
	struct arena *a = t->ctx->arena;
	const struct node *meta = NULL;
	const char *version = NULL;

	if (find_version(t, &version, &meta) <= 0 || !read_meta(t, meta, seed))
		return 0;
	t->read(t, arena_printf(a, "openstack/%s/user_data", version), &seed->user_data, &seed->user_data_len);
	read_vendor(t, arena_printf(a, "openstack/%s/vendor_data.json", version), &seed->vendor_data, &seed->vendor_data_len);
	read_vendor(t, arena_printf(a, "openstack/%s/vendor_data2.json", version), &seed->vendor_data2, &seed->vendor_data2_len);
	read_network(t, version, seed);
	read_files(t, node_get(meta, "files"), seed);
	return 1;
}

static int read_disk(struct openstack_tree *t, const char *path, const char **out, size_t *len)
{
	return seed_read_file(t->ctx, t->fd, t->what, path, out, len);
}

static int read_root(struct machine_facts *f, int fd, const char *what, struct seed *seed)
{
	struct openstack_tree t = { .ctx = f->ctx, .what = what, .read = read_disk, .fd = fd };

	if (!openstack_read_tree(&t, seed))
		return 0;
	seed->name = arena_printf(f->ctx->arena, "DataSourceConfigDrive [net,ver=2][source=%s]", what);
	seed->cloud_name = "configdrive";
	seed->platform = "openstack";
	seed->subplatform = arena_printf(f->ctx->arena, "config-disk (%s)", what);
	return 1;
}

int config_drive_read(struct machine_facts *f, struct seed *seed)
{
	const char *const places[] = { f->places->config_drive, arena_printf(f->ctx->arena, "%s/config_drive", f->places->seed_dir) };
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		CLEANUP_FD int fd = sys_openat(AT_FDCWD, places[i], O_RDONLY | O_DIRECTORY, 0);

		if (fd >= 0 && read_root(f, fd, places[i], seed))
			return 1;
		any = any || fd >= 0;
	}
	facts_list_devices(f);
	for (size_t i = 0; i < f->n_devices; i++) {
		const struct device *d = &f->devices[i];
		int found;
		int fd;

		if ((strcmp(d->label, "config-2") && strcmp(d->label, "CONFIG-2")) || (fd = device_open(f, d)) < 0)
			continue;
		any = true;
		found = read_root(f, fd, d->node, seed);
		device_close(f, &fd);
		if (found)
			return 1;
	}
	if (any)
		diag_add(f->ctx->diags, DIAG_WARNING, NULL, 0, 0, "openstack/latest/meta_data.json must be there", "the config drive is not a valid one");
	return 0;
}

static int read_http(struct openstack_tree *t, const char *path, const char **out, size_t *len)
{
	/* one that is not there is asked for once */
	return imds_want(t->imds, arena_printf(t->ctx->arena, "/%s", path), false, out, len);
}

int openstack_read(struct machine_facts *f, struct seed *seed)
{
	struct imds m = { .ctx = f->ctx, .base = IMDS_ADDRESS, .timeout_ms = 10000, .tries = 6, .total_ms = 60000, .end_ms = imds_in(90000) };
	struct openstack_tree t = { .ctx = f->ctx, .what = IMDS_ADDRESS "/openstack", .read = read_http, .fd = -1, .imds = &m };

	if (!openstack_read_tree(&t, seed))
		return 0;
	seed->name = "DataSourceOpenStackLocal [net,ver=2]";
	seed->cloud_name = "openstack";
	seed->platform = "openstack";
	seed->subplatform = "metadata (" IMDS_ADDRESS ")";
	return 1;
}
