/* spec_resources.c - linux.resources of config.json. Runs in coracle-runtime;
 * only parses: cgroup_v1.c and cgroup_v2.c write the files. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "runtime/oci/jsonv.h"
#include "runtime/oci/spec.h"

#define W "linux.resources."

static int opt_int(yyjson_val *o, const char *where, const char *key, bool *has, int64_t *out, struct err *err)
{
	int r = jsonv_int(o, where, key, out, INT64_MIN, INT64_MAX, err);

	if (r > 0)
		*has = true;
	return r;
}

static int opt_uint(yyjson_val *o, const char *where, const char *key, bool *has, uint64_t *out, struct err *err)
{
	int r = jsonv_uint(o, where, key, out, UINT64_MAX, err);

	if (r > 0)
		*has = true;
	return r;
}

static int parse_memory(struct spec *s, yyjson_val *res, struct err *err)
{
	struct spec_resources *x = &s->resources;
	yyjson_val *o = NULL;
	int64_t ignored;
	bool old = false;	/* useHierarchy: what every kernel does since 5.11 */
	int r = jsonv_object(res, "linux.resources", "memory", &o, err);

	if (r <= 0)
		return r;
	if ((r = opt_int(o, W "memory", "limit", &x->has_mem_limit, &x->mem_limit, err)) < 0 ||
	    (r = opt_int(o, W "memory", "reservation", &x->has_mem_reservation, &x->mem_reservation, err)) < 0 ||
	    (r = opt_int(o, W "memory", "swap", &x->has_mem_swap, &x->mem_swap, err)) < 0 ||
	    (r = opt_uint(o, W "memory", "swappiness", &x->has_swappiness, &x->swappiness, err)) < 0 ||
	    (r = opt_int(o, W "memory", "kernel", &x->has_mem_kernel, &ignored, err)) < 0 ||
	    (r = opt_int(o, W "memory", "kernelTCP", &x->has_mem_kernel, &ignored, err)) < 0 ||
	    (r = jsonv_bool(o, W "memory", "useHierarchy", &old, err)) < 0 ||
	    (r = jsonv_bool(o, W "memory", "checkBeforeUpdate", &x->mem_check, err)) < 0 ||
	    (r = jsonv_bool(o, W "memory", "disableOOMKiller", &x->disable_oom_killer, err)) < 0)
		return r;
	if (x->has_mem_kernel)
		spec_warn(s, W "memory.kernel, kernelTCP: kernel memory settings are ignored (kernels count it in the limit)");
	/* Go's -1 in an unsigned property: not set */
	if (x->has_swappiness && x->swappiness == UINT64_MAX)
		x->has_swappiness = false;
	if (x->has_swappiness && x->swappiness > 100)
		return err_set(err, 0, W "memory.swappiness: invalid value %llu (valid range is 0-100)", (unsigned long long)x->swappiness);
	return 0;
}

static int parse_cpu(struct spec_resources *x, yyjson_val *res, struct err *err)
{
	yyjson_val *o = NULL;
	int r = jsonv_object(res, "linux.resources", "cpu", &o, err);

	if (r <= 0)
		return r;
	if ((r = opt_uint(o, W "cpu", "shares", &x->has_shares, &x->shares, err)) < 0 ||
	    (r = opt_int(o, W "cpu", "quota", &x->has_quota, &x->quota, err)) < 0 ||
	    (r = opt_uint(o, W "cpu", "burst", &x->has_burst, &x->burst, err)) < 0 ||
	    (r = opt_uint(o, W "cpu", "period", &x->has_period, &x->period, err)) < 0 ||
	    (r = opt_int(o, W "cpu", "realtimeRuntime", &x->has_rt_runtime, &x->rt_runtime, err)) < 0 ||
	    (r = opt_uint(o, W "cpu", "realtimePeriod", &x->has_rt_period, &x->rt_period, err)) < 0 ||
	    (r = opt_int(o, W "cpu", "idle", &x->has_idle, &x->idle, err)) < 0 ||
	    (r = jsonv_string(o, W "cpu", "cpus", &x->cpus, err)) < 0 ||
	    (r = jsonv_string(o, W "cpu", "mems", &x->mems, err)) < 0)
		return r;
	return 0;
}

static int parse_blkio_list(struct spec *s, yyjson_val *o, const char *key, const char *value, struct spec_blkio_rule **out, size_t *n, struct err *err)
{
	yyjson_val *arr = NULL, *v;
	yyjson_arr_iter it;
	int r = jsonv_array(o, W "blockIO", key, &arr, err);

	if (r <= 0)
		return r;
	*out = arena_array(&s->arena, yyjson_arr_size(arr), sizeof **out);
	if (!*out)
		return err_set(err, ENOMEM, W "blockIO");
	yyjson_arr_iter_init(arr, &it);
	while ((v = yyjson_arr_iter_next(&it))) {
		struct spec_blkio_rule *b = &(*out)[*n];
		uint64_t major = 0, minor = 0;
		int got;

		if ((r = jsonv_uint(v, key, "major", &major, UINT32_MAX, err)) < 0 ||
		    (r = jsonv_uint(v, key, "minor", &minor, UINT32_MAX, err)) < 0 ||
		    (got = jsonv_uint(v, key, value, &b->value, UINT64_MAX, err)) < 0)
			return -EINVAL;
		if (!got)
			continue;
		b->major = (unsigned)major;
		b->minor = (unsigned)minor;
		(*n)++;
	}
	return 0;
}

static int parse_blockio(struct spec *s, yyjson_val *res, struct err *err)
{
	static const char *const NAMES[THROTTLE_KINDS] = {
		"throttleReadBpsDevice", "throttleWriteBpsDevice", "throttleReadIOPSDevice", "throttleWriteIOPSDevice"
	};
	struct spec_resources *x = &s->resources;
	yyjson_val *o = NULL;
	int r = jsonv_object(res, "linux.resources", "blockIO", &o, err);

	if (r <= 0)
		return r;
	if ((r = opt_uint(o, W "blockIO", "weight", &x->has_weight, &x->weight, err)) < 0 ||
	    (r = opt_uint(o, W "blockIO", "leafWeight", &x->has_leaf_weight, &x->leaf_weight, err)) < 0 ||
	    (r = parse_blkio_list(s, o, "weightDevice", "weight", &x->weight_devices, &x->weight_devices_n, err)) < 0)
		return r;
	for (int i = 0; i < THROTTLE_KINDS; i++)
		if ((r = parse_blkio_list(s, o, NAMES[i], "rate", &x->throttle[i], &x->throttle_n[i], err)) < 0)
			return r;
	return 0;
}

static int parse_hugepages(struct spec *s, yyjson_val *res, struct err *err)
{
	struct spec_resources *x = &s->resources;
	yyjson_val *arr = NULL, *v;
	yyjson_arr_iter it;
	int r = jsonv_array(res, "linux.resources", "hugepageLimits", &arr, err);

	if (r <= 0)
		return r;
	x->hugepages = arena_array(&s->arena, yyjson_arr_size(arr), sizeof *x->hugepages);
	if (!x->hugepages)
		return err_set(err, ENOMEM, W "hugepageLimits");
	yyjson_arr_iter_init(arr, &it);
	while ((v = yyjson_arr_iter_next(&it))) {
		struct spec_hugepage *h = &x->hugepages[x->hugepages_n++];

		if ((r = jsonv_string(v, W "hugepageLimits[]", "pageSize", &h->page_size, err)) < 0 ||
		    (r = jsonv_uint(v, W "hugepageLimits[]", "limit", &h->limit, UINT64_MAX, err)) < 0)
			return r;
		if (!h->page_size || strchr(h->page_size, '/'))
			return err_set(err, 0, W "hugepageLimits[].pageSize: missing");
	}
	return 0;
}

static int parse_network(struct spec *s, yyjson_val *res, struct err *err)
{
	struct spec_resources *x = &s->resources;
	yyjson_val *o = NULL, *arr = NULL, *v;
	yyjson_arr_iter it;
	int r = jsonv_object(res, "linux.resources", "network", &o, err);

	if (r <= 0)
		return r;
	if ((r = opt_uint(o, W "network", "classID", &x->has_class_id, &x->class_id, err)) < 0 ||
	    (r = jsonv_array(o, W "network", "priorities", &arr, err)) <= 0)
		return r;
	x->net_prio = arena_array(&s->arena, yyjson_arr_size(arr), sizeof *x->net_prio);
	yyjson_arr_iter_init(arr, &it);
	while (x->net_prio && (v = yyjson_arr_iter_next(&it))) {
		uint64_t prio = 0;
		char text[24];
		struct spec_pair *p = &x->net_prio[x->net_prio_n++];

		if ((r = jsonv_string(v, W "network.priorities[]", "name", &p->key, err)) < 0 ||
		    (r = jsonv_uint(v, W "network.priorities[]", "priority", &prio, UINT32_MAX, err)) < 0)
			return r;
		snprintf(text, sizeof text, "%u", (unsigned)prio);
		p->value = arena_join(&s->arena, text, "", "");
		if (!p->key || !p->value)
			return err_set(err, 0, W "network.priorities[].name: missing");
	}
	return 0;
}

static int parse_rdma(struct spec *s, yyjson_val *res, struct err *err)
{
	struct spec_resources *x = &s->resources;
	yyjson_val *o = NULL, *k;
	yyjson_obj_iter it;
	int r = jsonv_object(res, "linux.resources", "rdma", &o, err);

	if (r <= 0)
		return r;
	x->rdma = arena_array(&s->arena, yyjson_obj_size(o), sizeof *x->rdma);
	yyjson_obj_iter_init(o, &it);
	while (x->rdma && (k = yyjson_obj_iter_next(&it))) {
		yyjson_val *v = yyjson_obj_iter_get_val(k);
		uint64_t handles = 0, objects = 0;
		char a[40] = "", b[40] = "";
		int h, n;

		if ((h = jsonv_uint(v, W "rdma", "hcaHandles", &handles, UINT32_MAX, err)) < 0 ||
		    (n = jsonv_uint(v, W "rdma", "hcaObjects", &objects, UINT32_MAX, err)) < 0)
			return -EINVAL;
		if (h)
			snprintf(a, sizeof a, " hca_handle=%u", (unsigned)handles);
		if (n)
			snprintf(b, sizeof b, " hca_object=%u", (unsigned)objects);
		x->rdma[x->rdma_n].key = yyjson_get_str(k);
		x->rdma[x->rdma_n].value = arena_join(&s->arena, a, b, "");
		if (!x->rdma[x->rdma_n++].value)
			return err_set(err, ENOMEM, W "rdma");
	}
	return 0;
}

static int parse_device_rule(yyjson_val *v, struct spec_device_rule *d, struct err *err)
{
	const char *type = "a", *access = "rwm";
	int r;

	d->major = d->minor = -1;
	if ((r = jsonv_bool(v, W "devices[]", "allow", &d->allow, err)) < 0 ||
	    (r = jsonv_string(v, W "devices[]", "type", &type, err)) < 0 ||
	    (r = jsonv_int(v, W "devices[]", "major", &d->major, -1, UINT32_MAX, err)) < 0 ||
	    (r = jsonv_int(v, W "devices[]", "minor", &d->minor, -1, UINT32_MAX, err)) < 0 ||
	    (r = jsonv_string(v, W "devices[]", "access", &access, err)) < 0)
		return r;
	if (!*type)
		type = "a";
	if (strlen(type) != 1 || !strchr("abc", type[0]))
		return err_set(err, 0, W "devices[].type: unknown value \"%s\"", type);
	d->type = type[0];
	for (; *access; access++) {
		if (!strchr("rwm", *access))
			return err_set(err, 0, W "devices[].access: unknown letter '%c'", *access);
		d->access |= *access == 'r' ? 1u : *access == 'w' ? 2u : 4u;
	}
	if (!d->access)
		d->access = 7;
	return 0;
}

static int parse_device_rules(struct spec *s, yyjson_val *res, struct err *err)
{
	struct spec_resources *x = &s->resources;
	yyjson_val *arr = NULL, *v;
	yyjson_arr_iter it;
	int r = jsonv_array(res, "linux.resources", "devices", &arr, err);

	if (r <= 0)
		return r;
	x->devices = arena_array(&s->arena, yyjson_arr_size(arr), sizeof *x->devices);
	if (!x->devices)
		return err_set(err, ENOMEM, W "devices");
	yyjson_arr_iter_init(arr, &it);
	while ((v = yyjson_arr_iter_next(&it)))
		if ((r = parse_device_rule(v, &x->devices[x->devices_n++], err)) < 0)
			return r;
	return 0;
}

int spec_parse_resources(struct spec *s, yyjson_val *res, struct err *err)
{
	struct spec_resources *x = &s->resources;
	yyjson_val *pids = NULL;
	int r;

	x->present = true;
	if ((r = parse_memory(s, res, err)) < 0 ||
	    (r = parse_cpu(x, res, err)) < 0 ||
	    (r = parse_blockio(s, res, err)) < 0 ||
	    (r = parse_hugepages(s, res, err)) < 0 ||
	    (r = parse_network(s, res, err)) < 0 ||
	    (r = parse_rdma(s, res, err)) < 0 ||
	    (r = spec_parse_pairs(s, res, "linux.resources", "unified", &x->unified, &x->unified_n, err)) < 0 ||
	    (r = parse_device_rules(s, res, err)) < 0 ||
	    (r = jsonv_object(res, "linux.resources", "pids", &pids, err)) < 0)
		return r;
	if (pids && (r = opt_int(pids, W "pids", "limit", &x->has_pids, &x->pids, err)) < 0)
		return r;
	for (size_t i = 0; i < x->unified_n; i++)
		if (strchr(x->unified[i].key, '/') || !strchr(x->unified[i].key, '.'))
			return err_set(err, 0, W "unified: \"%s\" is not the name of a cgroup file", x->unified[i].key);
	return 0;
}
