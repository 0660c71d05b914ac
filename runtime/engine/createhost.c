/* createhost.c - "HostConfig" of a create body, but for its mounts (coracle-engine). Pure.
 * Sources: moby daemon/daemon_unix.go (verifyPlatformContainerResources), daemon/container.go (verifyContainerSettings). */
#include "createbody.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "jw.h"
#include "restart.h"
#include "service_fields.h"

#define KEY(name, kind, member) { name, CREATE_##kind, offsetof(struct service, member) }

static const struct create_key host_keys[] = {
	KEY("AutoRemove", BOOL, auto_remove), KEY("CapAdd", STRV, cap_add), KEY("CapDrop", STRV, cap_drop),
	KEY("Dns", STRV, dns), KEY("DnsOptions", STRV, dns_opt), KEY("DnsSearch", STRV, dns_search), KEY("ExtraHosts", STRV, extra_hosts),
	KEY("GroupAdd", STRV, group_add), KEY("OomScoreAdj", INT, oom_score_adj), KEY("Privileged", BOOL, privileged),
	KEY("ReadonlyRootfs", BOOL, read_only), KEY("SecurityOpt", STRV, security_opt), KEY("ShmSize", INT, shm_size),
	KEY("Sysctls", MAP, sysctls), KEY("Annotations", MAP, annotations), KEY("CpuShares", INT, cpu_shares), KEY("Memory", INT, mem_limit),
	KEY("NanoCpus", INT, nano_cpus), KEY("CpuPeriod", INT, cpu_period), KEY("CpuQuota", INT, cpu_quota), KEY("CpusetCpus", STR, cpuset),
	KEY("CpusetMems", STR, cpuset_mems), KEY("MemoryReservation", INT, mem_reservation), KEY("MemorySwap", INT, memswap_limit),
	KEY("PidsLimit", INT, pids_limit), KEY("BlkioWeight", INT, blkio_weight), KEY("DeviceCgroupRules", STRV, device_rules),
	KEY("Init", BOOL, init), KEY("UsernsMode", STR, userns),
};

/* What is not done here: with any value but those that mean "not set" it is an error. */
static const struct {
	const char *key, *also;		/* a value that is fine, NULL: none */
	unsigned status;
	const char *why;
} refused[] = {
	{ "VolumeDriver", "local", 400, "error looking up volume plugin: there are no volume plugins" },
	{ "Cgroup", NULL, 501, "joining the control group of another container is not supported" },
	{ "CgroupParent", NULL, 501, "a parent control group cannot be chosen" },
	{ "StorageOpt", NULL, 400, "--storage-opt is supported only for overlay over xfs with 'pquota' mount option" },
	{ "Isolation", "default", 400, "invalid isolation: this is Linux" },
	{ "DeviceRequests", NULL, 501, "could not select device driver: there are no device drivers; name devices with --device" },
	{ "CpuCount", NULL, 400, "invalid option: CPU count is for Windows" },
	{ "CpuPercent", NULL, 400, "invalid option: CPU percent is for Windows" },
	{ "IOMaximumIOps", NULL, 400, "invalid option: IOMaximumIOps is for Windows" },
	{ "IOMaximumBandwidth", NULL, 400, "invalid option: IOMaximumBandwidth is for Windows" },
	{ "Links", NULL, 501, "links are not supported; use a user-defined network" },
};

/* Without meaning on a machine with control groups of version 2: told. */
static const char *const discarded[] = { "CpuRealtimePeriod", "CpuRealtimeRuntime", "KernelMemory", "KernelMemoryTCP", "OomKillDisable" };

static int check_refused(struct create_body *x, yyjson_val *host)
{
	yyjson_val *v;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		v = yyjson_obj_get(host, refused[i].key);
		if (!create_unset(v) && !(refused[i].also && yyjson_equals_str(v, refused[i].also)))
			return create_refuse(x, refused[i].status, "%s (HostConfig.%s)", refused[i].why, refused[i].key);
	}
	for (size_t i = 0; i < ARRAY_SIZE(discarded); i++)
		if (!create_unset(yyjson_obj_get(host, discarded[i])))
			create_warn(x, "%s is discarded: the kernel's control groups have no such thing.", discarded[i]);
	v = yyjson_obj_get(host, "MemorySwappiness");
	if (yyjson_is_int(v) && yyjson_get_sint(v) != -1)
		create_warn(x, "Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.");
	v = yyjson_obj_get(host, "Runtime");
	if (!create_unset(v) && !yyjson_equals_str(v, "coracle") && !yyjson_equals_str(v, "runc") && !yyjson_equals_str(v, "io.containerd.runc.v2"))
		return create_refuse(x, 400, "unknown or invalid runtime name: %.60s", yyjson_get_str(v) ? yyjson_get_str(v) : "?");
	return 0;
}

static int take_restart(struct create_body *x, yyjson_val *v)
{
	const char *name = yyjson_get_str(yyjson_obj_get(v, "Name"));
	int64_t retries = yyjson_get_sint(yyjson_obj_get(v, "MaximumRetryCount"));
	int p = name && name[0] ? restart_policy_parse(name) : (int)RESTART_NO;

	if (p < 0)
		return create_refuse(x, 400, "invalid restart policy: unknown policy '%.40s'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'", name);
	if (retries < 0 || retries > 1000000)
		return create_refuse(x, 400, "invalid restart policy: maximum retry count cannot be negative");
	if (retries && p != (int)RESTART_ON_FAILURE)
		return create_refuse(x, 400, "invalid restart policy: maximum retry count can only be used with 'on-failure'");
	x->svc.restart = (struct restart_rule){ .policy = (enum restart_policy)p, .max_retries = (int)retries };
	if (x->svc.auto_remove && p != (int)RESTART_NO)
		return create_refuse(x, 400, "can't create 'AutoRemove' container with restart policy");
	return 0;
}

static int check_limits(struct create_body *x)
{
	struct service *s = &x->svc;

	if (s->mem_limit && s->mem_limit < 6 << 20)
		return create_refuse(x, 400, "Minimum memory limit allowed is 6MB");
	if (s->memswap_limit > 0 && !s->mem_limit)
		return create_refuse(x, 400, "You should always set the Memory limit when using Memoryswap limit, see usage");
	if (s->memswap_limit > 0 && s->memswap_limit < s->mem_limit)
		return create_refuse(x, 400, "Minimum memoryswap limit should be larger than memory limit, see usage");
	if (s->mem_limit && s->mem_reservation > s->mem_limit)
		return create_refuse(x, 400, "Minimum memory limit can not be less than memory reservation limit, see usage");
	if (s->mem_limit < 0 || s->mem_reservation < 0 || s->shm_size < 0)
		return create_refuse(x, 400, "a size cannot be negative: Memory, MemoryReservation, ShmSize");
	if (s->nano_cpus && (s->cpu_period || s->cpu_quota))
		return create_refuse(x, 400, "Conflicting options: Nano CPUs and CPU %s cannot both be set", s->cpu_period ? "Period" : "Quota");
	if (s->nano_cpus < 0 || s->nano_cpus > 1000000LL * 1000000000)
		return create_refuse(x, 400, "range of CPUs is from 0.01 to the number of the machine's, as there are no others");
	if (s->nano_cpus) {
		s->cpu_period = 100000;
		s->cpu_quota = s->nano_cpus / 10000;
	}
	if (s->cpu_period && (s->cpu_period < 1000 || s->cpu_period > 1000000))
		return create_refuse(x, 400, "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
	if (s->cpu_quota > 0 && s->cpu_quota < 1000)
		return create_refuse(x, 400, "CPU cfs quota can not be less than 1ms (i.e. 1000)");
	if (s->blkio_weight && (s->blkio_weight < 10 || s->blkio_weight > 1000))
		return create_refuse(x, 400, "Range of blkio weight is from 10 to 1000");
	if (s->oom_score_adj < -1000 || s->oom_score_adj > 1000)
		return create_refuse(x, 400, "Invalid value %lld, range for oom score adj is [-1000, 1000]", (long long)s->oom_score_adj);
	if (s->pids_limit < 0)
		s->pids_limit = -1;
	return 0;
}

static int take_ulimits(struct create_body *x, yyjson_val *arr)
{
	size_t i, max;
	yyjson_val *v;

	if (create_unset(arr))
		return 0;
	x->svc.ulimits = arena_strv(x->mem, yyjson_arr_size(arr));
	if (!x->svc.ulimits)
		return create_refuse(x, 400, "invalid value for Ulimits");
	yyjson_arr_foreach(arr, i, max, v) {
		const char *name = yyjson_get_str(yyjson_obj_get(v, "Name"));

		if (!name || !name[0] || strlen(name) > 20 || strchr(name, '='))
			return create_refuse(x, 400, "invalid ulimit type");
		x->svc.ulimits[i] = arena_printf(x->mem, "%s=%lld:%lld", name, (long long)yyjson_get_sint(yyjson_obj_get(v, "Soft")),
						 (long long)yyjson_get_sint(yyjson_obj_get(v, "Hard")));
	}
	return 0;
}

static int take_devices(struct create_body *x, yyjson_val *arr)
{
	size_t i, max;
	yyjson_val *v;

	if (create_unset(arr))
		return 0;
	x->svc.devices = arena_strv(x->mem, yyjson_arr_size(arr));
	if (!x->svc.devices)
		return create_refuse(x, 400, "invalid value for Devices");
	yyjson_arr_foreach(arr, i, max, v) {
		const char *from = yyjson_get_str(yyjson_obj_get(v, "PathOnHost")), *to = yyjson_get_str(yyjson_obj_get(v, "PathInContainer"));
		const char *access = yyjson_get_str(yyjson_obj_get(v, "CgroupPermissions"));

		if (!from || from[0] != '/' || strchr(from, ':') || (to && strchr(to, ':')))
			return create_refuse(x, 400, "invalid device: PathOnHost must be an absolute path without a colon");
		if (access && access[0] && strspn(access, "rwm") != strlen(access))
			return create_refuse(x, 400, "invalid device mode: %.20s", access);
		x->svc.devices[i] = arena_printf(x->mem, "%s:%s:%s", from, to && to[0] ? to : from, access && access[0] ? access : "rwm");
	}
	return 0;
}

/* "" and these words, or host, or container:NAME where others makes sense. */
static int take_space(struct create_body *x, yyjson_val *host, const char *key, const char *own, bool others, char **out)
{
	const char *v = yyjson_get_str(yyjson_obj_get(host, key));

	if (!v || !v[0] || strcmp(v, own) == 0 || (others && strcmp(v, "shareable") == 0))
		return 0;
	if (strcmp(v, "host") != 0 && !(others && strncmp(v, "container:", 10) == 0 && v[10]))
		return create_refuse(x, 400, "invalid %s: %.80s", key, v);
	*out = arena_strdup(x->mem, v);
	return 0;
}

static int take_security(struct create_body *x, yyjson_val *host)
{
	yyjson_val *masked = yyjson_obj_get(host, "MaskedPaths"), *readonly = yyjson_obj_get(host, "ReadonlyPaths");
	bool open = yyjson_is_arr(masked) && yyjson_arr_size(masked) == 0 && yyjson_is_arr(readonly) && yyjson_arr_size(readonly) == 0;
	size_t n = strv_len(x->svc.security_opt), k = 0;
	char **out = arena_strv(x->mem, n + 1);

	if (!out)
		return create_refuse(x, 400, "invalid value for SecurityOpt");
	for (size_t i = 0; i < n; i++) {
		char *o = x->svc.security_opt[i];

		if (strcmp(o, "no-new-privileges") == 0 || strcmp(o, "no-new-privileges:true") == 0 || strcmp(o, "no-new-privileges=true") == 0)
			out[k++] = arena_strdup(x->mem, "no-new-privileges");
		else if (strcmp(o, "seccomp=unconfined") == 0 || strcmp(o, "systempaths=unconfined") == 0 || strncmp(o, "mask=", 5) == 0 ||
			 strncmp(o, "unmask=", 7) == 0)
			out[k++] = o;
		else if (strcmp(o, "no-new-privileges:false") == 0 || strcmp(o, "no-new-privileges=false") == 0 || strcmp(o, "seccomp=builtin") == 0 ||
			 strcmp(o, "apparmor=unconfined") == 0 || strcmp(o, "label=disable") == 0 || strcmp(o, "label:disable") == 0)
			continue;
		else if (strncmp(o, "seccomp", 7) == 0)
			return create_refuse(x, 501, "a seccomp profile of one's own is not supported (HostConfig.SecurityOpt): seccomp=unconfined or none");
		else
			return create_refuse(x, 400, "invalid --security-opt: \"%.60s\": the kernel has neither AppArmor nor SELinux", o);
	}
	if (open)
		out[k++] = arena_strdup(x->mem, "systempaths=unconfined");
	else if (!create_unset(masked) || !create_unset(readonly))
		create_warn(x, "MaskedPaths and ReadonlyPaths of one's own are not supported: the default ones hold.");
	x->svc.security_opt = k ? out : NULL;
	return 0;
}

static int take_log(struct create_body *x, yyjson_val *v)
{
	static const struct create_key keys[] = { KEY("Config", MAP, log_opt) };
	const char *type = yyjson_get_str(yyjson_obj_get(v, "Type"));

	if (create_unset(v))
		return 0;
	if (type && type[0] && strcmp(type, "json-file") != 0)
		return create_refuse(x, 501, "logger: no log driver named '%.40s' is registered: json-file is the one there is", type);
	if (create_take_keys(x, v, keys, 1) < 0)
		return create_refuse(x, 400, "invalid value for LogConfig.Config");
	for (char **o = x->svc.log_opt; o && *o; o++) {
		if (strncmp(*o, "max-size=", 9) != 0 && strncmp(*o, "max-file=", 9) != 0)
			return create_refuse(x, 400, "unknown log opt '%.*s' for json-file log driver: max-size and max-file are known",
					     (int)MIN(strcspn(*o, "="), 40), *o);
	}
	return 0;
}

static int take_blkio(struct create_body *x, yyjson_val *host)
{
	static const char *const keys[] = { "BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteIOps" };
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 65536);
	jw_open(&b, '{');
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		yyjson_val *v = yyjson_obj_get(host, keys[i]), *one;
		size_t k, max;

		if (create_unset(v))
			continue;
		yyjson_arr_foreach(v, k, max, one)
			if (!yyjson_get_str(yyjson_obj_get(one, "Path")) || !yyjson_is_uint(yyjson_obj_get(one, i ? "Rate" : "Weight")))
				return create_refuse(x, 400, "invalid value for %s", keys[i]);
		jw_kraw(&b, keys[i], create_json(x, v));
	}
	jw_close(&b, '}');
	if (b.len > 2)
		x->svc.blkio = arena_strdup(x->mem, b.data);
	return buf_error(&b) ? create_refuse(x, 400, "the blkio limits are too large") : 0;
}

/* As it was asked for; `default` is the default bridge. */
static int take_network_mode(struct create_body *x, yyjson_val *host)
{
	const char *mode = yyjson_get_str(yyjson_obj_get(host, "NetworkMode"));

	if (x->svc.network_mode)
		return 0;
	if (!mode || !mode[0] || strcmp(mode, "default") == 0)
		mode = "bridge";
	x->svc.network_mode = arena_strdup(x->mem, mode);
	return x->svc.network_mode ? 0 : create_refuse(x, 400, "the request is too large");
}

static void take_tty_size(struct create_body *x, yyjson_val *size)
{
	int64_t rows = yyjson_get_sint(yyjson_arr_get(size, 0)), columns = yyjson_get_sint(yyjson_arr_get(size, 1));

	if (rows > 0 && columns > 0 && rows < 65536 && columns < 65536) {
		x->svc.tty_rows = rows;
		x->svc.tty_columns = columns;
	}
}

int create_take_host(struct create_body *x, yyjson_val *host)
{
	struct service *s = &x->svc;
	int r = check_refused(x, host);

	r = r ? r : create_take_keys(x, host, host_keys, ARRAY_SIZE(host_keys));
	r = r ? r : check_limits(x);
	r = r ? r : take_restart(x, yyjson_obj_get(host, "RestartPolicy"));
	r = r ? r : take_ulimits(x, yyjson_obj_get(host, "Ulimits"));
	r = r ? r : take_devices(x, yyjson_obj_get(host, "Devices"));
	r = r ? r : take_space(x, host, "PidMode", "", true, &s->pid);
	r = r ? r : take_space(x, host, "IpcMode", "private", true, &s->ipc);
	r = r ? r : take_space(x, host, "UTSMode", "", false, &s->uts);
	r = r ? r : take_space(x, host, "CgroupnsMode", "private", false, &s->cgroup);
	r = r ? r : take_security(x, host);
	r = r ? r : take_log(x, yyjson_obj_get(host, "LogConfig"));
	r = r ? r : take_blkio(x, host);
	r = r ? r : take_network_mode(x, host);
	if (r == 0 && s->userns && strcmp(s->userns, "host") != 0)
		return create_refuse(x, 400, "invalid UsernsMode: %.40s", s->userns);
	if (r == 0)
		take_tty_size(x, yyjson_obj_get(host, "ConsoleSize"));
	/* name:address; our records have name=address, as IPv6 has colons */
	for (char **e = s->extra_hosts; r == 0 && e && *e; e++) {
		char *sep = strpbrk(*e, "=:");

		if (!sep || !sep[1])
			return create_refuse(x, 400, "bad format for add-host: \"%.80s\"", *e);
		*sep = '=';
	}
	return r;
}

int create_update(struct arena *mem, const char *json, size_t n, struct service *s, unsigned *status, struct err *err)
{
	static const struct create_key keys[] = {
		KEY("CpuShares", INT, cpu_shares), KEY("Memory", INT, mem_limit), KEY("NanoCpus", INT, nano_cpus), KEY("CpuPeriod", INT, cpu_period),
		KEY("CpuQuota", INT, cpu_quota), KEY("CpusetCpus", STR, cpuset), KEY("CpusetMems", STR, cpuset_mems),
		KEY("MemoryReservation", INT, mem_reservation), KEY("MemorySwap", INT, memswap_limit), KEY("PidsLimit", INT, pids_limit),
		KEY("BlkioWeight", INT, blkio_weight),
	};
	struct create_body x = { .mem = mem, .svc = *s, .err = err, .status = 400 };
	yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)json, n, 0, NULL, NULL);
	yyjson_val *root = yyjson_doc_get_root(doc), *policy = yyjson_obj_get(root, "RestartPolicy");
	int r = yyjson_is_obj(root) ? create_take_keys(&x, root, keys, ARRAY_SIZE(keys)) : create_refuse(&x, 400, "invalid JSON: an object is needed");

	/* of the two ways to say it the one that was asked for counts */
	if (create_unset(yyjson_obj_get(root, "NanoCpus")) && (x.svc.cpu_period != s->cpu_period || x.svc.cpu_quota != s->cpu_quota))
		x.svc.nano_cpus = 0;
	else if (x.svc.nano_cpus && create_unset(yyjson_obj_get(root, "CpuPeriod")) && create_unset(yyjson_obj_get(root, "CpuQuota")))
		x.svc.cpu_period = x.svc.cpu_quota = 0;
	r = r ? r : check_limits(&x);
	if (r == 0 && !create_unset(yyjson_obj_get(policy, "Name")))
		r = take_restart(&x, policy);
	if (r == 0)
		*s = x.svc;
	*status = x.status;
	yyjson_doc_free(doc);
	return r;
}
