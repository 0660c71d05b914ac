/* clouds.c - which cloud a machine is in, by what its firmware says (cloud-init, tools/ds-identify). */
#include <fnmatch.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "datasource.h"
#include "fd.h"

enum { ANY_CASE = FNM_CASEFOLD };

struct rule {
	enum fact fact;
	const char *pattern;	/* as fnmatch(3) */
	int flags;
};

/* "sys_vendor is Hetzner", or NULL. */
static const char *match(struct machine_facts *f, const struct rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *text = facts_get(f, rules[i].fact);

		if (*text && fnmatch(rules[i].pattern, text, rules[i].flags) == 0)
			return arena_printf(f->ctx->arena, "%s is %s", facts_name(rules[i].fact), text);
	}
	return NULL;
}

#define MATCH(f, ...) match(f, (const struct rule[]){ __VA_ARGS__ }, sizeof((const struct rule[]){ __VA_ARGS__ }) / sizeof(struct rule))

static bool is_config_label(const char *label)
{
	return !strcmp(label, "config-2") || !strcmp(label, "CONFIG-2");
}

const char *detect_config_drive(struct machine_facts *f)
{
	facts_list_devices(f);
	for (size_t i = 0; i < f->n_devices; i++)
		if (is_config_label(f->devices[i].label) && (!strcmp(f->devices[i].type, "vfat") || !strcmp(f->devices[i].type, "iso9660")))
			return arena_printf(f->ctx->arena, "%s is labelled %s", f->devices[i].node, f->devices[i].label);
	if (access(f->places->config_drive, F_OK) == 0)
		return f->places->config_drive;
	if (access(arena_printf(f->ctx->arena, "%s/config_drive", f->places->seed_dir), F_OK) == 0)
		return "the seed directory config_drive";
	return NULL;
}

/* AWS: the UUID begins with ec2, in either byte order (AWS, "Identify EC2 instances"). */
const char *detect_ec2(struct machine_facts *f)
{
	return MATCH(f, { FACT_PRODUCT_SERIAL, "*.brightbox.com", 0 }, { FACT_CHASSIS_ASSET_TAG, "*.zstack.io", 0 }, { FACT_SYS_VENDOR, "e24cloud", 0 },
		     { FACT_SYS_VENDOR, "Tilaa", 0 }, { FACT_PRODUCT_NAME, "3DS Outscale VM", 0 }, { FACT_HYPERVISOR_UUID, "ec2*", 0 },
		     { FACT_PRODUCT_UUID, "ec2*", ANY_CASE }, { FACT_PRODUCT_UUID, "????2[0-9a-f]ec-*", ANY_CASE });
}

const char *detect_gce(struct machine_facts *f)
{
	return MATCH(f, { FACT_PRODUCT_NAME, "Google Compute Engine", 0 }, { FACT_PRODUCT_SERIAL, "GoogleCloud-*", 0 });
}

const char *detect_openstack(struct machine_facts *f)
{
	return MATCH(f, { FACT_PRODUCT_NAME, "OpenStack Nova", 0 }, { FACT_PRODUCT_NAME, "OpenStack Compute", 0 },
		     { FACT_CHASSIS_ASSET_TAG, "OpenTelekomCloud", 0 }, { FACT_CHASSIS_ASSET_TAG, "SAP CCloud VM", 0 },
		     { FACT_CHASSIS_ASSET_TAG, "HUAWEICLOUD", 0 }, { FACT_CHASSIS_ASSET_TAG, "Samsung Cloud Platform", 0 },
		     { FACT_CHASSIS_ASSET_TAG, "OpenStack Nova", 0 }, { FACT_CHASSIS_ASSET_TAG, "OpenStack Compute", 0 });
}

const char *detect_digitalocean(struct machine_facts *f)
{
	return MATCH(f, { FACT_SYS_VENDOR, "DigitalOcean", 0 });
}

const char *detect_hetzner(struct machine_facts *f)
{
	return MATCH(f, { FACT_SYS_VENDOR, "Hetzner", 0 });
}

const char *detect_azure(struct machine_facts *f)
{
	const char *seed = arena_printf(f->ctx->arena, "%s/azure/ovf-env.xml", f->places->seed_dir);

	if (access(seed, F_OK) == 0)
		return seed;
	return MATCH(f, { FACT_CHASSIS_ASSET_TAG, "7783-7084-3265-9085-8269-3286-77", 0 });
}

static const struct {
	const char *name;
	struct rule rule;
} others[] = {
	{ "Akamai", { FACT_SYS_VENDOR, "Akamai", 0 } },
	{ "Akamai", { FACT_SYS_VENDOR, "Linode", 0 } },
	{ "AliYun", { FACT_PRODUCT_NAME, "Alibaba Cloud ECS", 0 } },
	{ "Bigstep", { FACT_SYS_VENDOR, "Bigstep", 0 } },
	{ "CloudCIX", { FACT_PRODUCT_NAME, "CloudCIX", 0 } },
	{ "CloudSigma", { FACT_PRODUCT_NAME, "CloudSigma", 0 } },
	{ "CloudStack", { FACT_PRODUCT_NAME, "CloudStack*", 0 } },
	{ "Exoscale", { FACT_PRODUCT_NAME, "Exoscale*", 0 } },
	{ "NWCS", { FACT_SYS_VENDOR, "NWCS", 0 } },
	{ "Oracle", { FACT_CHASSIS_ASSET_TAG, "OracleCloud.com", 0 } },
	{ "Scaleway", { FACT_SYS_VENDOR, "Scaleway", 0 } },
	{ "SmartOS", { FACT_PRODUCT_NAME, "SmartDC*", 0 } },
	{ "UpCloud", { FACT_SYS_VENDOR, "UpCloud", 0 } },
	{ "Vultr", { FACT_SYS_VENDOR, "Vultr", 0 } },
	{ "VMware", { FACT_SYS_VENDOR, "VMware, Inc.", 0 } },
};

static const char *by_label(struct machine_facts *f, const char **why)
{
	static const struct { const char *name, *label; } labels[] = { { "OpenNebula", "CONTEXT" }, { "RbxCloud", "CLOUDMD" } };

	facts_list_devices(f);
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		for (size_t k = 0; k < f->n_devices; k++)
			if (!strcasecmp(f->devices[k].label, labels[i].label)) {
				*why = arena_printf(f->ctx->arena, "%s is labelled %s", f->devices[k].node, f->devices[k].label);
				return labels[i].name;
			}
	return NULL;
}

const char *detect_unsupported(struct machine_facts *f, const char **why)
{
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if ((*why = match(f, &others[i].rule, 1)))
			return others[i].name;
	return by_label(f, why);
}
