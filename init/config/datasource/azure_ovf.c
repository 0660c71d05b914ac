/* azure_ovf.c - ovf-env.xml of Azure's provisioning disk (cloud-init, sources/azure/../DataSourceAzure.py, read_azure_ovf()).
 *
 * Its password is a secret and is not used: keys are. */
#include <string.h>

#include "../base64.h"
#include "../text.h"
#include "azure.h"
#include "buf.h"
#include "xml.h"

void azure_set_user(struct ctx *ctx, const char *user, struct seed *seed)
{
	CLEANUP_BUF struct buf b = { 0 };

	if (!user || !*user || seed->vendor_data || !text_single_line(user, strlen(user)))
		return;
	buf_init(&b, 4096);
	buf_puts(&b, "#cloud-config\nuser: {name: ");
	buf_json_string(&b, user, strlen(user));
	buf_puts(&b, "}\n");
	if (buf_error(&b))
		return;
	seed->vendor_data = arena_strndup(ctx->arena, b.data, b.len);
	seed->vendor_data_len = b.len;
}

static void read_custom_data(struct ctx *ctx, const struct xml *set, const char *name, struct seed *seed)
{
	const struct xml *data = xml_child(set, "CustomData");
	size_t n;
	char *decoded;

	if (!data || !data->len)
		return;
	decoded = base64_decode(ctx->arena, data->text, data->len, &n);
	if (!decoded) {
		diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "%s: CustomData is not base64", name);
		return;
	}
	seed->user_data = decoded;
	seed->user_data_len = n;
}

static void read_keys(struct ctx *ctx, const struct xml *set, const char *name, struct seed *seed)
{
	const struct xml *keys = xml_at(set, "SSH/PublicKeys");

	for (const struct xml *k = keys ? keys->first : NULL; k; k = k->next) {
		const char *value = xml_text(k, "Value");

		if (value && text_single_line(value, strlen(value)))
			strings_add(ctx, &seed->meta.public_keys, value);
		else
			diag_add(ctx->diags, DIAG_WARNING, NULL, 0, 0, NULL, "%s: a public key is named, but is not there", name);
	}
}

int azure_read_ovf(struct ctx *ctx, const char *name, const char *text, size_t len, struct seed *seed)
{
	const char *why;
	const struct xml *root = xml_read(ctx->arena, text, len, &why);
	const struct xml *set = xml_at(root, "ProvisioningSection/LinuxProvisioningConfigurationSet");

	if (!root) {
		diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "%s: %s", name, why);
		return 0;
	}
	if (!set) {
		diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "%s has no LinuxProvisioningConfigurationSet", name);
		return 0;
	}
	meta_set_hostname(ctx, "ovf-env.xml: HostName", xml_text(set, "HostName"), &seed->meta);
	azure_set_user(ctx, xml_text(set, "UserName"), seed);
	read_keys(ctx, set, name, seed);
	read_custom_data(ctx, set, name, seed);
	if (xml_text(set, "UserPassword") && strcmp(xml_text(set, "UserPassword"), "REDACTED") != 0 && !seed->meta.public_keys.n)
		diag_add(ctx->diags, DIAG_WARNING, NULL, 0, 0, "give the machine a public key of ssh", "%s: the password of the user is not set", name);
	return 1;
}
