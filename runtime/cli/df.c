/* df.c - coracle df: what takes how much of the disk. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "table.h"

struct sum {
	unsigned count, used;
	uint64_t size, free;	/* free: of what nobody uses */
};

static void add_row(struct table *t, const char *what, const struct sum *s)
{
	char count[16], used[16], size[24], can[24];

	snprintf(count, sizeof(count), "%u", s->count);
	snprintf(used, sizeof(used), "%u", s->used);
	cli_size(s->size, size);
	cli_size(s->free, can);
	table_add(t, (const char *[]){ what, count, used, size, can });
}

static uint64_t number(yyjson_val *o, const char *key)
{
	int64_t n = yyjson_get_sint(yyjson_obj_get(o, key));

	return n > 0 ? (uint64_t)n : 0;
}

static struct sum images(yyjson_val *root)
{
	struct sum s = { .size = number(root, "LayersSize") };
	uint64_t in_use = 0;
	yyjson_val *v;
	size_t i, max;

	yyjson_arr_foreach(yyjson_obj_get(root, "Images"), i, max, v) {
		s.count++;
		if (number(v, "Containers") == 0)
			continue;
		s.used++;
		in_use += number(v, "Size");
	}
	s.free = s.used == s.count ? 0 : s.size - MIN(s.size, in_use);
	return s;
}

static struct sum containers(yyjson_val *root)
{
	struct sum s = { 0, 0, 0, 0 };
	yyjson_val *v;
	size_t i, max;

	yyjson_arr_foreach(yyjson_obj_get(root, "Containers"), i, max, v) {
		const char *state = yyjson_get_str(yyjson_obj_get(v, "State"));
		int up = state && (!strcmp(state, "running") || !strcmp(state, "paused") || !strcmp(state, "restarting"));

		s.count++;
		s.used += (unsigned)up;
		s.size += number(v, "SizeRw");
		s.free += up ? 0 : number(v, "SizeRw");
	}
	return s;
}

static struct sum volumes(yyjson_val *root)
{
	struct sum s = { 0, 0, 0, 0 };
	yyjson_val *v;
	size_t i, max;

	yyjson_arr_foreach(yyjson_obj_get(root, "Volumes"), i, max, v) {
		yyjson_val *usage = yyjson_obj_get(v, "UsageData");

		s.count++;
		s.used += number(usage, "RefCount") > 0;
		s.size += number(usage, "Size");
		s.free += number(usage, "RefCount") > 0 ? 0 : number(usage, "Size");
	}
	return s;
}

int verb_df(int argc, char **argv)
{
	static const char *const head[] = { "WHAT", "COUNT", "IN USE", "SIZE", "COULD GO" };
	struct err err = ERR_INIT;
	struct sum sum[3];
	yyjson_doc *doc;
	struct table t;

	(void)argv;
	if (argc > 1)
		return cli_usage("df");
	doc = cli_get("/system/df", &err);
	if (!doc)
		return cli_fail(&err);
	sum[0] = images(yyjson_doc_get_root(doc));
	sum[1] = containers(yyjson_doc_get_root(doc));
	sum[2] = volumes(yyjson_doc_get_root(doc));
	yyjson_doc_free(doc);
	table_init(&t, ARRAY_SIZE(head));
	table_add(&t, head);
	add_row(&t, "images", &sum[0]);
	add_row(&t, "containers", &sum[1]);
	add_row(&t, "volumes", &sum[2]);
	table_print(&t, 0);
	return 0;
}
