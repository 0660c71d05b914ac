/* facts.h - what a machine says of itself: DMI, command line, file systems. Each is read when it is first asked for.
 *
 * No device is opened but by device_open(), and nothing waits. */
#ifndef CORACLE_CONFIG_FACTS_H
#define CORACLE_CONFIG_FACTS_H

#include <stdbool.h>
#include "../schema.h"

/* The places that are looked at: the machine's own, or the same below a directory (a test's). */
struct places {
	const char *cmdline;		/* /proc/cmdline */
	const char *dmi;		/* /sys/class/dmi/id */
	const char *smbios;		/* /sys/firmware/dmi/tables/DMI */
	const char *hypervisor_uuid;	/* /sys/hypervisor/uuid */
	const char *fw_cfg;		/* /sys/firmware/qemu_fw_cfg/by_name */
	const char *devices;		/* /run/coracle/devices; when it is missing the devices are probed here */
	const char *seed_dir;		/* /var/lib/cloud/seed */
	const char *config_drive;	/* /config-drive */
	const char *mount_point;	/* /run/coracle/seed */
	const char *disabled;		/* /etc/cloud/cloud-init.disabled */
};

extern const struct places machine_places;
/* The same places below a directory; strings in the arena. */
struct places places_below(struct arena *a, const char *tree);

struct credential;

enum fact {
	FACT_SYS_VENDOR, FACT_PRODUCT_NAME, FACT_PRODUCT_SERIAL, FACT_PRODUCT_UUID, FACT_PRODUCT_VERSION, FACT_CHASSIS_ASSET_TAG, FACT_CHASSIS_SERIAL,
	FACT_CHASSIS_VENDOR, FACT_BOARD_NAME, FACT_BOARD_SERIAL, FACT_BOARD_ASSET_TAG, FACT_BOARD_VENDOR,
	FACT_HYPERVISOR_UUID, FACT_CMDLINE,
	FACT_COUNT,
};

struct device {
	const char *node;	/* "/dev/vdb" */
	const char *type;	/* "vfat", "iso9660", ... */
	const char *label;
};

#define DEVICES_MAX 64

struct machine_facts {
	struct ctx *ctx;
	const struct places *places;
	const char *text[FACT_COUNT];	/* NULL: not read yet */
	bool listed;
	struct device devices[DEVICES_MAX];	/* highest name first */
	size_t n_devices;
	bool credentials_listed;
	struct credential *credentials;	/* credentials.h */
};

void facts_init(struct machine_facts *f, struct ctx *ctx, const struct places *p);

/* Never NULL: "" for what the machine does not say. */
const char *facts_get(struct machine_facts *f, enum fact which);
/* "sys_vendor", ... */
const char *facts_name(enum fact which);

/* The value of the last NAME=VALUE word on the command line, NULL: there is none. */
const char *facts_word(struct machine_facts *f, const char *name);

/* Fills f->devices. */
void facts_list_devices(struct machine_facts *f);

/* Mounts it read-only in a private place and opens its root; a node that is a directory (in a test's tree) is opened as it is.
 * Returns the descriptor, or -errno (reported). device_close() unmounts. One at a time. */
int device_open(struct machine_facts *f, const struct device *d);
void device_close(struct machine_facts *f, int *fd);

#endif
