/* apply.c - carries a configuration out, and leaves what the last stage needs to know.
 *
 * Everything was read and checked before; one step that fails is reported and the next ones go on. In coracle-config boot and apply. */
#include <string.h>

#include "final.h"
#include "formats/formats.h"
#include "modules/module.h"

/* /var/lib/cloud as cloud-init keeps it: instance -> instances/ID, data/. */
static void apply_instance(struct run *r)
{
	const char *id = r->instance_id;
	struct err err = ERR_INIT;

	module_put(r, "/var/lib/cloud/data/instance-id", arena_printf(&r->arena, "%s\n", id), 0644);
	module_put(r, "/run/cloud-init/.instance-id", arena_printf(&r->arena, "%s\n", id), 0644);
	if (target_symlink(&r->target, arena_printf(&r->arena, "instances/%s", id), "/var/lib/cloud/instance", &err) < 0)
		module_failed(r, NULL, &err);
}

static void run_stage(struct run *r, enum status_stage stage)
{
	r->status.stage[stage].start = status_now();
	modules_run(r, stage);
	r->status.stage[stage].finished = status_now();
}

bool apply_config(struct run *r)
{
	r->instance_id = r->seed.meta.instance_id ? r->seed.meta.instance_id : "nocloud";
	target_unlink(&r->target, FINAL_PATH); /* of an earlier run in this boot */
	r->diags.stage = STAGE_INIT;
	apply_instance(r);
	formats_store(r);
	run_stage(r, STAGE_INIT);
	run_stage(r, STAGE_CONFIG);
	if (final_leave(r))
		return true;
	/* there is no last stage: what it says at its end is said here (boot-finished is what many tools wait for) */
	r->diags.stage = STAGE_FINAL;
	apply_final_message(r);
	return false;
}
