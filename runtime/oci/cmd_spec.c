/* cmd_spec.c - spec: writes a config.json that runs a shell in ./rootfs with
 * the restrictions of the Docker world. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "lib/buf.h"
#include "lib/cdefs.h"
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/args.h"
#include "runtime/oci/verbs.h"

#define CAPS "[\"CAP_CHOWN\", \"CAP_DAC_OVERRIDE\", \"CAP_FSETID\", \"CAP_FOWNER\", \"CAP_MKNOD\", \"CAP_NET_RAW\", \"CAP_SETGID\", " \
	"\"CAP_SETUID\", \"CAP_SETFCAP\", \"CAP_SETPCAP\", \"CAP_NET_BIND_SERVICE\", \"CAP_SYS_CHROOT\", \"CAP_KILL\", \"CAP_AUDIT_WRITE\"]"

/* What differs without root: a user namespace that maps the caller to root, the host's network and /sys, no limits. */
struct variant {
	const char *pts, *sys, *cgroups, *linux;
};

static const struct variant FULL = {
	", \"gid=5\"",
	"{\"destination\": \"/sys\", \"type\": \"sysfs\", \"source\": \"sysfs\", \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"ro\"]}",
	",\n    {\"destination\": \"/sys/fs/cgroup\", \"type\": \"cgroup\", \"source\": \"cgroup\", \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"relatime\", \"ro\"]}",
	"    \"resources\": {\"devices\": [{\"allow\": false, \"access\": \"rwm\"}]},\n"
	"    \"namespaces\": [{\"type\": \"pid\"}, {\"type\": \"network\"}, {\"type\": \"ipc\"}, {\"type\": \"uts\"}, {\"type\": \"mount\"}, {\"type\": \"cgroup\"}],\n",
};

static const char TEXT[] =
	"{\n"
	"  \"ociVersion\": \"" SPEC_VERSION "\",\n"
	"  \"process\": {\n"
	"    \"terminal\": true,\n"
	"    \"user\": {\"uid\": 0, \"gid\": 0},\n"
	"    \"args\": [\"sh\"],\n"
	"    \"env\": [\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\", \"TERM=xterm\"],\n"
	"    \"cwd\": \"/\",\n"
	"    \"capabilities\": {\n"
	"      \"bounding\": " CAPS ",\n"
	"      \"effective\": " CAPS ",\n"
	"      \"permitted\": " CAPS "\n"
	"    },\n"
	"    \"rlimits\": [{\"type\": \"RLIMIT_NOFILE\", \"hard\": 1024, \"soft\": 1024}],\n"
	"    \"noNewPrivileges\": true\n"
	"  },\n"
	"  \"root\": {\"path\": \"rootfs\", \"readonly\": true},\n"
	"  \"hostname\": \"coracle\",\n"
	"  \"mounts\": [\n"
	"    {\"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\", \"options\": [\"nosuid\", \"noexec\", \"nodev\"]},\n"
	"    {\"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\", \"options\": [\"nosuid\", \"strictatime\", \"mode=755\", \"size=65536k\"]},\n"
	"    {\"destination\": \"/dev/pts\", \"type\": \"devpts\", \"source\": \"devpts\", \"options\": [\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\"%s]},\n"
	"    {\"destination\": \"/dev/shm\", \"type\": \"tmpfs\", \"source\": \"shm\", \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"mode=1777\", \"size=65536k\"]},\n"
	"    {\"destination\": \"/dev/mqueue\", \"type\": \"mqueue\", \"source\": \"mqueue\", \"options\": [\"nosuid\", \"noexec\", \"nodev\"]},\n"
	"    %s%s\n"
	"  ],\n"
	"  \"annotations\": {\"" SPEC_SECCOMP_ANNOTATION "\": \"default\"},\n"
	"  \"linux\": {\n"
	"%s"
	"    \"maskedPaths\": [\"/proc/acpi\", \"/proc/asound\", \"/proc/interrupts\", \"/proc/kcore\", \"/proc/keys\", \"/proc/latency_stats\", \"/proc/timer_list\",\n"
	"      \"/proc/timer_stats\", \"/proc/sched_debug\", \"/proc/scsi\", \"/sys/firmware\", \"/sys/devices/virtual/powercap\"],\n"
	"    \"readonlyPaths\": [\"/proc/bus\", \"/proc/fs\", \"/proc/irq\", \"/proc/sys\", \"/proc/sysrq-trigger\"]\n"
	"  }\n"
	"}\n";

static void write_text(struct buf *b, bool rootless)
{
	char maps[512];
	struct variant v = FULL;

	if (rootless) {
		v.pts = v.cgroups = "";
		v.sys = "{\"destination\": \"/sys\", \"type\": \"none\", \"source\": \"/sys\", \"options\": [\"rbind\", \"nosuid\", \"noexec\", \"nodev\", \"ro\"]}";
		snprintf(maps, sizeof maps,
			 "    \"uidMappings\": [{\"containerID\": 0, \"hostID\": %u, \"size\": 1}],\n"
			 "    \"gidMappings\": [{\"containerID\": 0, \"hostID\": %u, \"size\": 1}],\n"
			 "    \"namespaces\": [{\"type\": \"pid\"}, {\"type\": \"ipc\"}, {\"type\": \"uts\"}, {\"type\": \"mount\"}, {\"type\": \"cgroup\"}, {\"type\": \"user\"}],\n",
			 (unsigned)geteuid(), (unsigned)getegid());
		v.linux = maps;
	}
	buf_init(b, 16384);
	buf_printf(b, TEXT, v.pts, v.sys, v.cgroups, v.linux);
}

int verb_spec(const struct globals *g, int argc, char **argv, struct err *err)
{
	const char *bundle = ".";
	bool rootless = false;
	const struct args_option options[] = { { "bundle", 'b', ARGS_VALUE, &bundle }, { "rootless", 0, ARGS_FLAG, &rootless } };
	int n = args_parse(argc, argv, options, ARRAY_SIZE(options), false, err);
	CLEANUP_BUF struct buf text = { 0 };
	CLEANUP_FD int dir = -1, fd = -1;

	(void)g;
	if (n < 0)
		return n;
	if (n)
		return verb_usage(err, "spec [--bundle DIR] [--rootless]");
	dir = sys_openat(AT_FDCWD, bundle, O_PATH | O_DIRECTORY, 0);
	if (dir < 0)
		return err_set(err, -dir, "open the bundle %s", bundle);
	fd = sys_openat(dir, "config.json", O_WRONLY | O_CREAT | O_EXCL, 0666);
	if (fd == -EEXIST)
		return err_set(err, 0, "file config.json exists. Remove it first");
	write_text(&text, rootless);
	n = buf_error(&text);
	if (fd >= 0 && n == 0)
		n = fd_write_full(fd, text.data, text.len);
	return fd < 0 || n < 0 ? err_set(err, fd < 0 ? -fd : -n, "write config.json") : 0;
}
