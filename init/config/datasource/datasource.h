/* datasource.h - where a boot configuration comes from.
 *
 * Each source of the table is asked in its order whether the machine has it, by what the hardware, the firmware and the kernel command line
 * say (cloud-init, tools/ds-identify): no device is opened for that, nothing waits, no network is probed. The first that
 * then delivers something ends the search. */
#ifndef CORACLE_CONFIG_DATASOURCE_H
#define CORACLE_CONFIG_DATASOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include "../userdata.h"
#include "facts.h"

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
	const char *network_config;	/* version 1 or 2, YAML or JSON, with or without the outer `network:`; OpenStack's and others' own forms are turned into it */
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

	const char *why;		/* what the source was found by: "sys_vendor is Hetzner" */
	const char *disabled;		/* why nothing is to be done: "cloud-init=disabled on the kernel command line"; NULL: not disabled */
};

struct datasource {
	const char *name;	/* as in `ds=NAME`, any case */
	/* Says whether the machine has it: what it was found by, for the log, or NULL. A NULL pointer: read() finds out. */
	const char *(*detect)(struct machine_facts *f);
	/* Returns 1 when it filled seed, 0 when there is nothing (usable; then reported). NULL: a cloud that we cannot ask. */
	int (*read)(struct machine_facts *f, struct seed *seed);
};

extern const struct datasource datasources[];
extern const size_t datasources_n;

/* Asks all sources. Returns 1, or 0 when there is none: then seed->name is DataSourceNone. */
int datasource_find(struct ctx *ctx, const struct places *p, struct seed *seed);

/* What the machine's firmware says about clouds (clouds.c); NULL: not that cloud. */
const char *detect_config_drive(struct machine_facts *f);
const char *detect_azure(struct machine_facts *f);
const char *detect_digitalocean(struct machine_facts *f);
const char *detect_ec2(struct machine_facts *f);
const char *detect_gce(struct machine_facts *f);
const char *detect_openstack(struct machine_facts *f);
const char *detect_hetzner(struct machine_facts *f);
/* A cloud that we know and cannot ask: its name, and *why it is thought to be that; NULL: none. */
const char *detect_unsupported(struct machine_facts *f, const char **why);

int nocloud_read(struct machine_facts *f, struct seed *seed);
int fw_cfg_read(struct machine_facts *f, struct seed *seed);
int credentials_read(struct machine_facts *f, struct seed *seed);
int config_drive_read(struct machine_facts *f, struct seed *seed);
int azure_read(struct machine_facts *f, struct seed *seed);
int digitalocean_read(struct machine_facts *f, struct seed *seed);
int ec2_read(struct machine_facts *f, struct seed *seed);
int gce_read(struct machine_facts *f, struct seed *seed);
int openstack_read(struct machine_facts *f, struct seed *seed);
int hetzner_read(struct machine_facts *f, struct seed *seed);
int esp_read(struct machine_facts *f, struct seed *seed);

/* Credentials that come beside any source: root's keys and password, a host name when there is none yet. */
void credentials_add(struct machine_facts *f, struct seed *seed);

/* Reads NoCloud's four files from a directory: meta-data's keys only where seed has none yet, the others replace. required:
 * user-data and meta-data must both be there. Returns 1 when it was read, 0 when a required file is missing. */
int seed_read_dir(struct ctx *ctx, int dirfd, const char *what, bool required, struct seed *seed);

/* Reads a file of at most USERDATA_MAX bytes into the arena. Returns 1, 0 when it is not there, -errno (reported). */
int seed_read_file(struct ctx *ctx, int dirfd, const char *dirname, const char *file, const char **out, size_t *len);

/* Gives the seed an instance-id when it has none: PREFIX- and a part of the hash of its user-data, so that another configuration is another instance. */
void seed_hash_instance(struct ctx *ctx, const char *prefix, struct seed *seed);

/* What a source asks for beside its documents: files (seed->files) go in front of the configuration's own; GCE's container joins its containers. */
struct config;
void seed_add(struct ctx *ctx, const struct seed *seed, struct config *c);

/* /run/cloud-init/cloud-id, as cloud-init: a link to cloud-id-NAME, which holds the name. Returns 0 or -errno. */
struct target;
int seed_write_cloud_id(const struct target *t, const struct seed *seed, struct err *err);

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
