/* spec_platform.c - parts of the linux section that ask something of the
 * machine: memoryPolicy, intelRdt, netDevices, personality. Runs in
 * coracle-runtime; only parses. */
#include <errno.h>
#include <string.h>
#include "runtime/oci/jsonv.h"
#include "runtime/oci/spec.h"

#define NET_NAME_MAX 15		/* IFNAMSIZ - 1 */

/* MPOL_*: the kernel's numbers are the places in the list. */
static const char *const MODES[] = {
	"MPOL_DEFAULT", "MPOL_PREFERRED", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_LOCAL", "MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE",
};
enum { MODE_DEFAULT = 0, MODE_PREFERRED = 1, MODE_LOCAL = 4 };
static const struct { const char *name; int bit; } MODE_FLAGS[] = {
	{ "MPOL_F_NUMA_BALANCING", 1 << 13 }, { "MPOL_F_RELATIVE_NODES", 1 << 14 }, { "MPOL_F_STATIC_NODES", 1 << 15 },
};

const char *spec_memory_mode_name(size_t i)
{
	return i < ARRAY_SIZE(MODES) ? MODES[i] : NULL;
}

const char *spec_memory_flag_name(size_t i)
{
	return i < ARRAY_SIZE(MODE_FLAGS) ? MODE_FLAGS[i].name : NULL;
}

static int mode_flag(const char *name, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(MODE_FLAGS); i++)
		if (!strcmp(MODE_FLAGS[i].name, name))
			return MODE_FLAGS[i].bit;
	return err_set(err, 0, "linux.memoryPolicy.flags: unknown flag \"%s\"", name);
}

static int parse_memory_policy(struct spec *s, yyjson_val *lin, struct err *err)
{
	struct spec_memory_policy *out = &s->memory_policy;
	const char *mode = "", *nodes = "";
	yyjson_val *o = NULL;
	char **flags = NULL;
	size_t i = 0;
	int r = jsonv_object(lin, "linux", "memoryPolicy", &o, err);

	if (r <= 0)
		return r;
	if ((r = jsonv_string(o, "linux.memoryPolicy", "mode", &mode, err)) < 0 ||
	    (r = jsonv_string(o, "linux.memoryPolicy", "nodes", &nodes, err)) < 0 ||
	    (r = jsonv_strings(o, "linux.memoryPolicy", "flags", &s->arena, &flags, NULL, err)) < 0)
		return r;
	while (i < ARRAY_SIZE(MODES) && strcmp(MODES[i], mode))
		i++;
	if (i == ARRAY_SIZE(MODES))
		return err_set(err, 0, "linux.memoryPolicy.mode: unknown value \"%s\"", mode);
	if ((i == MODE_DEFAULT || i == MODE_LOCAL) && *nodes)
		return err_set(err, 0, "linux.memoryPolicy.nodes: %s takes no nodes", mode);
	if (i != MODE_DEFAULT && i != MODE_LOCAL && i != MODE_PREFERRED && !*nodes)
		return err_set(err, 0, "linux.memoryPolicy.nodes: %s needs at least one node", mode);
	out->mode = (int)i;
	for (; flags && *flags; flags++) {
		if ((r = mode_flag(*flags, err)) < 0)
			return r;
		out->mode |= r;
	}
	out->present = true;
	return *nodes ? spec_parse_list(s, nodes, "linux.memoryPolicy.nodes", SPEC_NODE_WORDS, &out->nodes, err) : 0;
}

static int one_line(const char *key, const char *value, const char *start, struct err *err)
{
	if (value && strchr(value, '\n'))
		return err_set(err, 0, "linux.intelRdt.%s: must not hold a newline", key);
	if (value && strncmp(value, start, strlen(start)))
		return err_set(err, 0, "linux.intelRdt.%s: \"%s\" does not start with \"%s\"", key, value, start);
	return 0;
}

static int parse_rdt(struct spec *s, yyjson_val *lin, struct err *err)
{
	struct spec_rdt *out = &s->rdt;
	yyjson_val *o = NULL;
	int r = jsonv_object(lin, "linux", "intelRdt", &o, err);

	if (r <= 0)
		return r;
	if ((r = jsonv_string(o, "linux.intelRdt", "closID", &out->clos, err)) < 0 ||
	    (r = jsonv_string(o, "linux.intelRdt", "l3CacheSchema", &out->l3, err)) < 0 ||
	    (r = jsonv_string(o, "linux.intelRdt", "memBwSchema", &out->bandwidth, err)) < 0 ||
	    (r = jsonv_strings(o, "linux.intelRdt", "schemata", &s->arena, &out->schemata, NULL, err)) < 0 ||
	    (r = jsonv_bool(o, "linux.intelRdt", "enableMonitoring", &out->monitoring, err)) < 0)
		return r;
	if (out->clos && !*out->clos)
		out->clos = NULL;
	if (out->l3 && !*out->l3)
		out->l3 = NULL;
	if (out->bandwidth && !*out->bandwidth)
		out->bandwidth = NULL;
	if (out->clos && strcmp(out->clos, "/") && (strchr(out->clos, '/') || !strcmp(out->clos, ".") || !strcmp(out->clos, "..")))
		return err_set(err, 0, "linux.intelRdt.closID: \"%s\" is not the name of a directory", out->clos);
	if ((r = one_line("l3CacheSchema", out->l3, "", err)) < 0 || (r = one_line("memBwSchema", out->bandwidth, "MB:", err)) < 0)
		return r;
	for (char **line = out->schemata; line && *line; line++)
		if ((r = one_line("schemata[]", *line, "", err)) < 0)
			return r;
	if (yyjson_obj_get(o, "enableCMT") || yyjson_obj_get(o, "enableMBM"))
		spec_warn(s, "linux.intelRdt: enableCMT and enableMBM have no effect; use enableMonitoring");
	out->present = true;
	return 0;
}

/* As the kernel's dev_valid_name(); "%d" is a template for a number. */
static bool net_name_ok(const char *name)
{
	size_t n = strlen(name);

	return n && n <= NET_NAME_MAX && strcmp(name, ".") && strcmp(name, "..") && !strpbrk(name, "/: \t\n\v\f\r");
}

static int parse_net_devices(struct spec *s, yyjson_val *lin, struct err *err)
{
	yyjson_val *map = NULL, *k;
	yyjson_obj_iter it;
	int r = jsonv_object(lin, "linux", "netDevices", &map, err);

	if (r <= 0 || !yyjson_obj_size(map))
		return r;
	s->net_devices = arena_array(&s->arena, yyjson_obj_size(map), sizeof *s->net_devices);
	if (!s->net_devices)
		return err_set(err, ENOMEM, "linux.netDevices");
	yyjson_obj_iter_init(map, &it);
	while ((k = yyjson_obj_iter_next(&it))) {
		const char *from = yyjson_get_str(k), *to = from;

		if (!yyjson_is_obj(yyjson_obj_iter_get_val(k)))
			return err_set(err, 0, "linux.netDevices.%s: expected an object, found %s", from, jsonv_type(yyjson_obj_iter_get_val(k)));
		if ((r = jsonv_string(yyjson_obj_iter_get_val(k), "linux.netDevices[]", "name", &to, err)) < 0)
			return r;
		if (!*to)
			to = from;
		if (!net_name_ok(from) || !net_name_ok(to))
			return err_set(err, 0, "linux.netDevices: \"%s\" is not the name of a network device", net_name_ok(from) ? to : from);
		s->net_devices[s->net_devices_n++] = (struct spec_pair){ from, to };
	}
	if (!s->ns[NS_NET].present)
		return err_set(err, 0, "linux.netDevices: unable to move network devices without a private NET namespace");
	return 0;
}

static int parse_personality(struct spec *s, yyjson_val *lin, struct err *err)
{
	yyjson_val *o = NULL, *flags = NULL;
	const char *domain = "";
	int r = jsonv_object(lin, "linux", "personality", &o, err);

	if (r <= 0)
		return r;
	if ((r = jsonv_string(o, "linux.personality", "domain", &domain, err)) < 0 ||
	    (r = jsonv_array(o, "linux.personality", "flags", &flags, err)) < 0)
		return r;
	if (strcmp(domain, "LINUX") && strcmp(domain, "LINUX32"))
		return err_set(err, 0, "linux.personality.domain: unknown value \"%s\"", domain);
	if (yyjson_arr_size(flags))
		spec_warn(s, "ignoring linux.personality.flags: no flag is defined");
	s->has_personality = true;
	s->personality32 = !strcmp(domain, "LINUX32");
	return 0;
}

int spec_parse_platform(struct spec *s, yyjson_val *lin, struct err *err)
{
	int r;

	if ((r = parse_memory_policy(s, lin, err)) < 0 ||
	    (r = parse_rdt(s, lin, err)) < 0 ||
	    (r = parse_net_devices(s, lin, err)) < 0)
		return r;
	return parse_personality(s, lin, err);
}
