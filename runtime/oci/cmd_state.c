/* cmd_state.c - state: what is known of one container, as runc prints it. */
#include <stdio.h>
#include <string.h>
#include "lib/cdefs.h"
#include "lib/fd.h"
#include "runtime/oci/args.h"
#include "runtime/oci/verbs.h"

static void member(struct buf *b, const char *key, const char *value)
{
	buf_printf(b, ",\n  \"%s\": ", key);
	buf_json_string(b, value, strlen(value));
}

static void annotations(struct buf *b, const struct state *s)
{
	yyjson_obj_iter it;
	yyjson_val *k;
	const char *comma = "";

	if (!s->annotations)
		return;
	buf_puts(b, ",\n  \"annotations\": {");
	yyjson_obj_iter_init(s->annotations, &it);
	while ((k = yyjson_obj_iter_next(&it))) {
		const char *v = yyjson_get_str(yyjson_obj_iter_get_val(k));

		buf_printf(b, "%s\n    ", comma);
		buf_json_string(b, yyjson_get_str(k), yyjson_get_len(k));
		buf_puts(b, ": ");
		buf_json_string(b, v ? v : "", v ? strlen(v) : 0);
		comma = ",";
	}
	buf_puts(b, "\n  }");
}

static int print(const struct state *s, enum state_status st)
{
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 1 << 20);
	buf_puts(&b, "{\n  \"ociVersion\": ");
	buf_json_string(&b, s->version, strlen(s->version));
	member(&b, "id", s->id);
	buf_printf(&b, ",\n  \"pid\": %d", st == STATUS_STOPPED ? 0 : (int)s->pid);
	member(&b, "status", state_status_name(st));
	member(&b, "bundle", s->bundle);
	member(&b, "rootfs", s->rootfs);
	member(&b, "created", s->created);
	annotations(&b, s);
	member(&b, "owner", "");
	buf_puts(&b, "\n}\n");
	return fd_write_full(1, b.data, b.len);
}

int verb_state(const struct globals *g, int argc, char **argv, struct err *err)
{
	struct cgroup cg = { .base = -1 };
	enum state_status st;
	struct state s;
	struct err ignored;
	int r, n = args_parse(argc, argv, NULL, 0, false, err);

	if (n < 0)
		return n;
	if (n != 1)
		return verb_usage(err, "state ID");
	if ((r = state_load(&s, g->root, argv[0], err)) < 0)
		return r;
	st = state_status(&s, NULL);
	if (st == STATUS_RUNNING && state_open_cgroup(&s, &cg, &ignored) == 0)
		st = state_status(&s, &cg);
	r = print(&s, st);
	cgroup_fini(&cg);
	state_fini(&s);
	return r < 0 ? err_set(err, -r, "write") : 0;
}
