/* spec_linux.c - the linux section of config.json but its resources. Runs in
 * coracle-runtime; only parses. */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include "runtime/oci/jsonv.h"
#include "runtime/oci/spec.h"

static const char *const NS_NAMES[NS_COUNT] = { "user", "pid", "network", "mount", "ipc", "uts", "cgroup", "time" };

static int parse_namespaces(struct spec *s, yyjson_val *lin, struct err *err)
{
	yyjson_val *arr = NULL, *v;
	yyjson_arr_iter it;
	int r = jsonv_array(lin, "linux", "namespaces", &arr, err);

	if (r <= 0)
		return r;
	yyjson_arr_iter_init(arr, &it);
	while ((v = yyjson_arr_iter_next(&it))) {
		const char *type = "", *path = NULL;
		int i = 0;

		if ((r = jsonv_string(v, "linux.namespaces[]", "type", &type, err)) < 0 ||
		    (r = jsonv_string(v, "linux.namespaces[]", "path", &path, err)) < 0)
			return r;
		while (i < NS_COUNT && strcmp(type, NS_NAMES[i]))
			i++;
		if (i == NS_COUNT)
			return err_set(err, 0, "linux.namespaces: unknown type \"%s\"", type);
		if (s->ns[i].present)
			return err_set(err, 0, "linux.namespaces: %s is there twice", type);
		if (path && *path && *path != '/')
			return err_set(err, 0, "linux.namespaces: path \"%s\" of %s is not absolute", path, type);
		s->ns[i].present = true;
		s->ns[i].path = path && *path ? path : NULL;
	}
	return 0;
}

static int parse_device(yyjson_val *v, struct spec_device *d, struct err *err)
{
	const char *type = "";
	int64_t major = 0, minor = 0;
	uint64_t mode = 0666, uid = 0, gid = 0;
	int r;

	if ((r = jsonv_string(v, "linux.devices[]", "type", &type, err)) < 0 ||
	    (r = jsonv_string(v, "linux.devices[]", "path", &d->path, err)) < 0 ||
	    (r = jsonv_int(v, "linux.devices[]", "major", &major, 0, UINT32_MAX, err)) < 0 ||
	    (r = jsonv_int(v, "linux.devices[]", "minor", &minor, 0, UINT32_MAX, err)) < 0 ||
	    (r = jsonv_uint(v, "linux.devices[]", "fileMode", &mode, UINT32_MAX, err)) < 0 ||
	    (r = jsonv_uint(v, "linux.devices[]", "uid", &uid, UINT32_MAX - 1, err)) < 0 ||
	    (r = jsonv_uint(v, "linux.devices[]", "gid", &gid, UINT32_MAX - 1, err)) < 0)
		return r;
	if (!d->path || d->path[0] != '/')
		return err_set(err, 0, "linux.devices[].path: \"%s\" is not an absolute path", d->path ? d->path : "");
	if (strlen(type) != 1 || !strchr("cbup", type[0]))
		return err_set(err, 0, "linux.devices: %s: unknown type \"%s\"", d->path, type);
	d->type = type[0];
	d->major = (unsigned)major;
	d->minor = (unsigned)minor;
	d->mode = (mode_t)(mode & 07777);
	d->uid = (uid_t)uid;
	d->gid = (gid_t)gid;
	return 0;
}

static int parse_devices(struct spec *s, yyjson_val *lin, struct err *err)
{
	yyjson_val *arr = NULL, *v;
	yyjson_arr_iter it;
	int r = jsonv_array(lin, "linux", "devices", &arr, err);

	if (r <= 0)
		return r;
	s->devices = arena_array(&s->arena, yyjson_arr_size(arr), sizeof *s->devices);
	if (!s->devices)
		return err_set(err, ENOMEM, "linux.devices");
	yyjson_arr_iter_init(arr, &it);
	while ((v = yyjson_arr_iter_next(&it)))
		if ((r = parse_device(v, &s->devices[s->devices_n++], err)) < 0)
			return r;
	return 0;
}

static int parse_propagation(struct spec *s, yyjson_val *lin, struct err *err)
{
	static const struct { const char *name; unsigned long flags; } MODES[] = {
		{ "shared", MS_SHARED }, { "slave", MS_SLAVE }, { "private", MS_PRIVATE }, { "unbindable", MS_UNBINDABLE },
		{ "rshared", MS_SHARED | MS_REC }, { "rslave", MS_SLAVE | MS_REC }, { "rprivate", MS_PRIVATE | MS_REC },
		{ "runbindable", MS_UNBINDABLE | MS_REC }, { "", 0 },
	};
	const char *mode = "";
	int r = jsonv_string(lin, "linux", "rootfsPropagation", &mode, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(MODES); i++)
		if (!strcmp(MODES[i].name, mode)) {
			s->root_propagation = MODES[i].flags;
			return 0;
		}
	return err_set(err, 0, "linux.rootfsPropagation: unknown value \"%s\"", mode);
}

static int parse_time_offsets(struct spec *s, yyjson_val *lin, struct err *err)
{
	static const char *const CLOCKS[2] = { "monotonic", "boottime" };
	yyjson_val *offsets = NULL;
	int r = jsonv_object(lin, "linux", "timeOffsets", &offsets, err);

	if (r <= 0)
		return r;
	for (int i = 0; i < 2; i++) {
		yyjson_val *o = NULL;
		uint64_t nanos = 0;

		if ((r = jsonv_object(offsets, "linux.timeOffsets", CLOCKS[i], &o, err)) < 0)
			return r;
		if (!r)
			continue;
		if ((r = jsonv_int(o, "linux.timeOffsets[]", "secs", &s->time_offset_secs[i], INT64_MIN, INT64_MAX, err)) < 0 ||
		    (r = jsonv_uint(o, "linux.timeOffsets[]", "nanosecs", &nanos, 999999999, err)) < 0)
			return r;
		s->time_offset_nanos[i] = (uint32_t)nanos;
		s->has_time_offset[i] = true;
	}
	if ((s->has_time_offset[0] || s->has_time_offset[1]) && (!s->ns[NS_TIME].present || s->ns[NS_TIME].path))
		return err_set(err, 0, "linux.timeOffsets: needs a new time namespace");
	return 0;
}

static int check_user_maps(const struct spec *s, struct err *err)
{
	bool fresh = s->ns[NS_USER].present && !s->ns[NS_USER].path;

	if (fresh && (!s->uid_maps || !s->gid_maps))
		return err_set(err, 0, "linux.uidMappings and gidMappings: needed by a new user namespace");
	if (!s->ns[NS_USER].present && (s->uid_maps || s->gid_maps))
		return err_set(err, 0, "linux.uidMappings: there is no user namespace");
	return 0;
}

int spec_parse_linux(struct spec *s, yyjson_val *lin, struct err *err)
{
	yyjson_val *resources = NULL;
	int r;

	if ((r = parse_namespaces(s, lin, err)) < 0 ||
	    (r = spec_parse_id_maps(s, lin, "linux", "uidMappings", &s->uid_map, &s->uid_maps, err)) < 0 ||
	    (r = spec_parse_id_maps(s, lin, "linux", "gidMappings", &s->gid_map, &s->gid_maps, err)) < 0 ||
	    (r = check_user_maps(s, err)) < 0 ||
	    (r = parse_time_offsets(s, lin, err)) < 0 ||
	    (r = parse_devices(s, lin, err)) < 0 ||
	    (r = jsonv_string(lin, "linux", "cgroupsPath", &s->cgroups_path, err)) < 0 ||
	    (r = jsonv_object(lin, "linux", "resources", &resources, err)) < 0 ||
	    (resources && (r = spec_parse_resources(s, resources, err)) < 0) ||
	    (r = spec_parse_pairs(s, lin, "linux", "sysctl", &s->sysctl, &s->sysctl_n, err)) < 0 ||
	    (r = jsonv_strings(lin, "linux", "maskedPaths", &s->arena, &s->masked, NULL, err)) < 0 ||
	    (r = jsonv_strings(lin, "linux", "readonlyPaths", &s->arena, &s->readonly, NULL, err)) < 0 ||
	    (r = jsonv_string(lin, "linux", "mountLabel", &s->mount_label, err)) < 0 ||
	    (r = parse_propagation(s, lin, err)) < 0 ||
	    (r = spec_parse_platform(s, lin, err)) < 0 ||
	    (r = jsonv_object(lin, "linux", "seccomp", &s->seccomp, err)) < 0)
		return r;
	return 0;
}
