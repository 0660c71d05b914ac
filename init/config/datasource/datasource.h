/* datasource.h - where a boot configuration comes from.
 *
 * Each source is asked in the order of the table whether the machine has it
 * (cheap: no device is opened, nothing waits), and the first that has something ends the search. */
#ifndef CORACLE_CONFIG_DATASOURCE_H
#define CORACLE_CONFIG_DATASOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include "../userdata.h"

struct config_file;

/* What a source delivered; bytes live in the arena. NULL: it has none. */
struct seed {
	const char *name;	/* as cloud-init says it: "DataSourceNoCloud [seed=/dev/vdb]" */
	struct meta meta;
	const char *user_data;
	size_t user_data_len;
	const char *vendor_data;
	size_t vendor_data_len;
	const char *vendor_data2;	/* OpenStack's second, below user-data and above vendor_data */
	size_t vendor_data2_len;
	const char *network_config;	/* version 1 or 2, YAML or JSON, with or without the outer `network:`; OpenStack's and others' own forms are turned into version 1 */
	size_t network_config_len;
	const char *gce_declaration;	/* GCE's gce-container-declaration, YAML */
	size_t gce_declaration_len;
	struct config_file *files;	/* that the source wants written (ConfigDrive's injected files) */

	/* v1.* of instance-data; NULL: unknown */
	const char *cloud_name;		/* "aws", "gce", "openstack", "nocloud", ...: /run/cloud-init/cloud-id too */
	const char *platform;		/* "ec2", "gce", ... */
	const char *subplatform;	/* "metadata (http://169.254.169.254)", "seed-dir (/dev/vdb)", ... */
	const char *region;
	const char *availability_zone;

	/* systemd credentials that concern root; they come beside any source */
	struct strings root_keys;		/* ssh.authorized_keys.root, one line each */
	const char *root_hashed_password;	/* passwd.hashed-password.root, a crypt(3) string; NULL: none */

	const char *disabled;		/* why nothing is to be done: "cloud-init=disabled on the kernel command line"; NULL: not disabled */
};

/* The places that are looked at: the machine's own, or a test's. */
struct places {
	const char *cmdline;		/* /proc/cmdline */
	const char *serial;		/* /sys/class/dmi/id/product_serial */
	const char *fw_cfg;		/* /sys/firmware/qemu_fw_cfg/by_name */
	const char *devices;		/* /run/coracle/devices; when it is missing the devices are probed here */
	const char *seed_dir;		/* /var/lib/cloud/seed */
	const char *mount_point;	/* /run/coracle/seed */
};

extern const struct places machine_places;

struct datasource {
	const char *name;
	/* Returns 1 when it filled seed, 0 when the machine does not have it (or nothing usable; reported). */
	int (*read)(struct ctx *ctx, const struct places *p, struct seed *seed);
};

/* Asks all sources. Returns 1, or 0 when there is none: then seed->name is DataSourceNone. */
int datasource_find(struct ctx *ctx, const struct places *p, struct seed *seed);

int nocloud_read(struct ctx *ctx, const struct places *p, struct seed *seed);
int fw_cfg_read(struct ctx *ctx, const struct places *p, struct seed *seed);

/* Reads NoCloud's four files from a directory: meta-data's keys only where seed has none yet, the others replace. required:
 * user-data and meta-data must both be there. Returns 1 when it was read, 0 when a required file is missing. */
int seed_read_dir(struct ctx *ctx, int dirfd, const char *what, bool required, struct seed *seed);

/* Reads a file of at most USERDATA_MAX bytes into the arena. Returns 1, 0 when it is not there, -errno (reported). */
int seed_read_file(struct ctx *ctx, int dirfd, const char *dirname, const char *file, const char **out, size_t *len);

/* The last `ds=nocloud...` word of a line; parsed into its parts. Returns 1 when there is one. */
struct nocloud_line {
	const char *seedfrom;
	const char *local_hostname;
	const char *instance_id;
};
int nocloud_parse_line(struct arena *a, const char *line, struct nocloud_line *out);

/* Labels that NoCloud is found by: all lower or all upper case. */
bool nocloud_label_ok(const char *type, const char *label);

#endif
