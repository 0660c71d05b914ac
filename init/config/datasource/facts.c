/* facts.c - reads what a machine says of itself. */
#include "facts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"

#define FACT_MAX 4096

#define PLACES(prefix) { \
	.cmdline = prefix "/proc/cmdline", .dmi = prefix "/sys/class/dmi/id", .smbios = prefix "/sys/firmware/dmi/tables/DMI", \
	.hypervisor_uuid = prefix "/sys/hypervisor/uuid", .fw_cfg = prefix "/sys/firmware/qemu_fw_cfg/by_name", \
	.devices = prefix "/run/coracle/devices", .seed_dir = prefix "/var/lib/cloud/seed", .config_drive = prefix "/config-drive", \
	.mount_point = prefix "/run/coracle/seed", .disabled = prefix "/etc/cloud/cloud-init.disabled" }

const struct places machine_places = PLACES("");

static const char *const names[FACT_COUNT] = {
	[FACT_SYS_VENDOR] = "sys_vendor", [FACT_PRODUCT_NAME] = "product_name", [FACT_PRODUCT_SERIAL] = "product_serial",
	[FACT_PRODUCT_UUID] = "product_uuid", [FACT_PRODUCT_VERSION] = "product_version", [FACT_CHASSIS_ASSET_TAG] = "chassis_asset_tag",
	[FACT_CHASSIS_SERIAL] = "chassis_serial", [FACT_CHASSIS_VENDOR] = "chassis_vendor", [FACT_BOARD_NAME] = "board_name",
	[FACT_BOARD_SERIAL] = "board_serial", [FACT_BOARD_ASSET_TAG] = "board_asset_tag", [FACT_BOARD_VENDOR] = "board_vendor",
	[FACT_HYPERVISOR_UUID] = "/sys/hypervisor/uuid", [FACT_CMDLINE] = "the kernel command line",
};

struct places places_below(struct arena *a, const char *tree)
{
	struct places p = machine_places;
	const char **all[] = { &p.cmdline, &p.dmi, &p.smbios, &p.hypervisor_uuid, &p.fw_cfg, &p.devices, &p.seed_dir, &p.config_drive,
			       &p.mount_point, &p.disabled };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		*all[i] = arena_printf(a, "%s%s", tree, *all[i]);
	return p;
}

void facts_init(struct machine_facts *f, struct ctx *ctx, const struct places *p)
{
	memset(f, 0, sizeof(*f));
	f->ctx = ctx;
	f->places = p;
}

const char *facts_name(enum fact which)
{
	return names[which];
}

const char *facts_get(struct machine_facts *f, enum fact which)
{
	const char *path = f->places->cmdline;
	char text[FACT_MAX];
	ssize_t n;

	if (f->text[which])
		return f->text[which];
	if (which < FACT_HYPERVISOR_UUID)
		path = arena_printf(f->ctx->arena, "%s/%s", f->places->dmi, names[which]);
	else if (which == FACT_HYPERVISOR_UUID)
		path = f->places->hypervisor_uuid;
	n = fd_read_small(AT_FDCWD, path, text, sizeof(text));
	/* firmware pads with blanks */
	while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\n'))
		n--;
	f->text[which] = arena_strndup(f->ctx->arena, text, n > 0 ? (size_t)n : 0);
	return f->text[which];
}

const char *facts_word(struct machine_facts *f, const char *name)
{
	const char *line = facts_get(f, FACT_CMDLINE);
	size_t n = strlen(name);
	const char *found = NULL;
	size_t len = 0;

	for (const char *word = line; *word; word += strspn(word, " \t\n")) {
		size_t w = strcspn(word, " \t\n");

		if (w > n && !memcmp(word, name, n) && word[n] == '=') {
			found = word + n + 1;
			len = w - n - 1;
		}
		word += w;
	}
	return found ? arena_strndup(f->ctx->arena, found, len) : NULL;
}
