/* cloud_id.c - the name of the cloud for other programs (cloud-init, cmd/cloud_id.py and sources/__init__.py, canonical_cloud_id()). */
#include <stdio.h>
#include <string.h>

#include "../target.h"
#include "datasource.h"

static bool begins(const char *s, const char *with)
{
	return s && !strncmp(s, with, strlen(with));
}

/* Clouds whose regions of some states are apart have names of their own there. */
static const char *canonical(const struct seed *seed)
{
	const char *name = seed->cloud_name ? seed->cloud_name : "none";

	if (!strcmp(name, "aws") && begins(seed->region, "cn-"))
		return "aws-china";
	if (!strcmp(name, "aws") && begins(seed->region, "us-gov-"))
		return "aws-gov";
	if (!strcmp(name, "azure") && begins(seed->region, "china"))
		return "azure-china";
	return name;
}

int seed_write_cloud_id(const struct target *t, const struct seed *seed, struct err *err)
{
	const char *name = canonical(seed);
	char path[64];
	char text[32];
	int r;

	snprintf(path, sizeof(path), "/run/cloud-init/cloud-id-%.24s", name);
	snprintf(text, sizeof(text), "%.24s\n", name);
	r = target_put(t, path, text, 0644, err);
	return r < 0 ? r : target_symlink(t, strrchr(path, '/') + 1, "/run/cloud-init/cloud-id", err);
}
