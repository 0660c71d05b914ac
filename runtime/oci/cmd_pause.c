/* cmd_pause.c - pause and resume. */
#include "lib/cdefs.h"
#include "runtime/oci/args.h"
#include "runtime/oci/verbs.h"

static int set(const struct globals *g, int argc, char **argv, bool frozen, struct err *err)
{
	struct cgroup cg = { .base = -1 };
	struct state s;
	enum state_status st;
	int r, n = args_parse(argc, argv, NULL, 0, false, err);

	if (n < 0)
		return n;
	if (n != 1)
		return verb_usage(err, frozen ? "pause ID" : "resume ID");
	if ((r = state_load(&s, g->root, argv[0], err)) < 0 || (r = state_open_cgroup(&s, &cg, err)) < 0)
		return r;
	st = state_status(&s, &cg);
	if (frozen && st != STATUS_RUNNING && st != STATUS_CREATED)
		r = err_set(err, 0, "container not running");
	else if (!frozen && st != STATUS_PAUSED)
		r = err_set(err, 0, "container not paused");
	else
		r = cgroup_freeze(&cg, frozen, err);
	cgroup_fini(&cg);
	state_fini(&s);
	return r < 0 ? r : 0;
}

int verb_pause(const struct globals *g, int argc, char **argv, struct err *err)
{
	return set(g, argc, argv, true, err);
}

int verb_resume(const struct globals *g, int argc, char **argv, struct err *err)
{
	return set(g, argc, argv, false, err);
}
