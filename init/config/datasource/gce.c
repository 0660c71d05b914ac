/* gce.c - Google Compute Engine's metadata service (cloud.google.com, "About VM metadata"; cloud-init, sources/DataSourceGCE.py).
 *
 * Asked by its address, so that no name has to be resolved; all of it in one request. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base64.h"
#include "../scalar.h"
#include "../text.h"
#include "imds.h"

#define DEFAULT_USER "coracle"

/* The last part of projects/1/zones/us-central1-f. */
static const char *last_part(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

static bool is_true(const char *text)
{
	bool truth = false;

	return text && scalar_bool(text, &truth) == 0 && truth;
}

/* google-ssh {"userName":"a","expireOn":"2030-01-31T12:00:00+0000"}: true when that time is over. */
static bool expired(const char *key)
{
	const char *at = strstr(key, "google-ssh") ? strstr(key, "\"expireOn\"") : NULL;
	const char *quote = at ? strchr(at + 10, '"') : NULL;
	time_t now = time(NULL);
	char text[32];
	struct tm tm;

	if (!quote)
		return false;
	/* both in UTC and in the same form: the texts compare as the times do */
	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	return strncmp(quote + 1, text, strlen(text)) < 0;
}

/* Lines of user:key; those of the default user and of `cloudinit` count. Returns how many are for others. */
static unsigned add_keys(struct machine_facts *f, const char *lines, struct seed *seed)
{
	unsigned others = 0;

	for (const char *s = lines ? lines : ""; *s; s += strspn(s, "\r\n")) {
		size_t n = strcspn(s, "\r\n");
		const char *line = arena_strndup(f->ctx->arena, s, n);
		const char *colon = strchr(line, ':');

		s += n;
		if (!colon || !text_single_line(line, n) || expired(colon + 1))
			continue;
		if (!strncmp(line, "cloudinit:", 10) || !strncmp(line, DEFAULT_USER ":", sizeof(DEFAULT_USER)))
			strings_add(f->ctx, &seed->meta.public_keys, colon + 1);
		else
			others++;
	}
	return others;
}

static void read_user_data(struct machine_facts *f, const struct node *attributes, struct seed *seed)
{
	const struct node *text = node_get(attributes, "user-data");
	const char *encoding = imds_text(attributes, "user-data-encoding");
	char *decoded;
	size_t n;

	if (!text || text->type != NODE_SCALAR || node_is_null(text))
		return;
	seed->user_data = text->text;
	seed->user_data_len = text->len;
	if (!encoding)
		return;
	if (strcmp(encoding, "base64") != 0) {
		diag_add(f->ctx->diags, DIAG_WARNING, NULL, 0, 0, "base64", "user-data-encoding: %s is not known; user-data is taken as it is",
			 diag_quote(f->ctx->arena, encoding, strlen(encoding)));
	} else if ((decoded = base64_decode(f->ctx->arena, text->text, text->len, &n))) {
		seed->user_data = decoded;
		seed->user_data_len = n;
	} else {
		diag_add(f->ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "user-data-encoding is base64, but user-data is not");
		seed->user_data = NULL;
		seed->user_data_len = 0;
	}
}

static void read_attributes(struct machine_facts *f, const struct node *instance, const struct node *project, struct seed *seed)
{
	const struct node *own = node_get(instance, "attributes");
	const struct node *all = project ? node_get(project, "attributes") : NULL;
	const struct node *declaration = own ? node_get(own, "gce-container-declaration") : NULL;
	unsigned others = add_keys(f, imds_text(own, "ssh-keys"), seed) + add_keys(f, imds_text(own, "sshKeys"), seed);

	if (all && !is_true(imds_text(own, "block-project-ssh-keys")))
		others += add_keys(f, imds_text(all, "ssh-keys"), seed) + add_keys(f, imds_text(all, "sshKeys"), seed);
	if (others && !seed->meta.public_keys.n)
		diag_add(f->ctx->diags, DIAG_WARNING, NULL, 0, 0, "name it " DEFAULT_USER " or cloudinit", "ssh-keys: no key is for a user of this machine, %u are for others",
			 others);
	if (own && own->type == NODE_MAP)
		read_user_data(f, own, seed);
	if (declaration && declaration->type == NODE_SCALAR) {
		seed->gce_declaration = declaration->text;
		seed->gce_declaration_len = declaration->len;
	}
}

static const char *region_of(struct arena *a, const char *zone)
{
	const char *dash = zone ? strrchr(zone, '-') : NULL;

	return dash ? arena_strndup(a, zone, (size_t)(dash - zone)) : NULL;
}

int gce_read(struct machine_facts *f, struct seed *seed)
{
	static const char *const headers[] = { "Metadata-Flavor: Google", NULL };
	struct imds m = { .ctx = f->ctx, .base = IMDS_ADDRESS "/computeMetadata/v1", .headers = headers, .timeout_ms = 5000, .tries = 10, .total_ms = 60000 };
	const struct node *root;
	const struct node *instance;
	const char *text;
	size_t len;

	if (imds_want(&m, "/?recursive=true&alt=json", true, &text, &len) <= 0 || !(root = imds_parse(f->ctx, "metadata", text, len)))
		return 0;
	instance = node_get(root, "instance");
	if (instance && instance->type == NODE_MAP)
		meta_set_instance_id(f->ctx, "instance/id", imds_text(instance, "id"), &seed->meta);
	if (!seed->meta.instance_id) {
		diag_add(f->ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "GCE's metadata service tells no instance/id");
		return 0;
	}
	meta_set_hostname(f->ctx, "instance/hostname", imds_text(instance, "hostname"), &seed->meta);
	seed->availability_zone = last_part(imds_text(instance, "zone"));
	seed->region = region_of(f->ctx->arena, seed->availability_zone);
	read_attributes(f, instance, node_get(root, "project"), seed);
	seed->meta.tree = root;
	seed->name = "DataSourceGCELocal";
	seed->cloud_name = "gce";
	seed->platform = "gce";
	seed->subplatform = "metadata (" IMDS_ADDRESS ")";
	return 1;
}
