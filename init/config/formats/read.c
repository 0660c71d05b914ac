/* read.c - reads the user-data of a seed, with the facts of the machine. */
#include <fcntl.h>
#include <string.h>

#include "../run.h"
#include "fd.h"
#include "fetch.h"
#include "formats.h"
#include "variables.h"

#define CMDLINE_MAX ((size_t)65536)

/* EC2 and OpenStack number the machines that were started together. */
static const char *launch_index(const struct node *meta)
{
	static const char *const names[] = { "launch-index", "ami-launch-index", "launch_index" };

	for (size_t i = 0; meta && i < ARRAY_SIZE(names); i++) {
		const struct node *n = node_get(meta, names[i]);

		if (n && n->type == NODE_SCALAR && !node_is_null(n))
			return n->text;
	}
	return NULL;
}

static const char *read_cmdline(struct run *r)
{
	CLEANUP_FREE char *text = NULL;
	size_t len;

	if (!r->cmdline_path && !r->target.machine)
		return NULL;
	if (fd_read_file(AT_FDCWD, r->cmdline_path ? r->cmdline_path : machine_places.cmdline, CMDLINE_MAX, &text, &len, NULL) < 0)
		return NULL;
	return arena_strndup(&r->arena, text, len);
}

void formats_read(struct run *r)
{
	const struct seed *s = &r->seed;
	const char *id = s->meta.instance_id ? s->meta.instance_id : "nocloud";
	struct fetch *fetch = ARENA_NEW(&r->arena, struct fetch);

	*fetch = (struct fetch){ .target = &r->target, .instance_id = id };
	r->variables = variables_of_seed(&r->ctx, s, id, r->target.rootfd);
	r->userdata = (struct userdata){
		.layer = {
			[LAYER_USER] = { .text = s->user_data, .len = s->user_data_len },
			[LAYER_VENDOR2] = { .text = s->vendor_data2, .len = s->vendor_data2_len },
			[LAYER_VENDOR] = { .text = s->vendor_data, .len = s->vendor_data_len },
		},
		.cmdline = read_cmdline(r),
		.instance = r->variables,
		.launch_index = launch_index(s->meta.tree),
		.fetch = fetch_part,
		.fetch_arg = fetch,
	};
	userdata_read_layers(&r->ctx, &r->userdata, &r->config);
}
