/* cmd_spec.c - spec: writes a config.json that runs a shell in ./rootfs with
 * the restrictions of the Docker world. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "lib/cdefs.h"
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/args.h"
#include "runtime/oci/verbs.h"

#define CAPS "[\"CAP_CHOWN\", \"CAP_DAC_OVERRIDE\", \"CAP_FSETID\", \"CAP_FOWNER\", \"CAP_MKNOD\", \"CAP_NET_RAW\", \"CAP_SETGID\", " \
	"\"CAP_SETUID\", \"CAP_SETFCAP\", \"CAP_SETPCAP\", \"CAP_NET_BIND_SERVICE\", \"CAP_SYS_CHROOT\", \"CAP_KILL\", \"CAP_AUDIT_WRITE\"]"

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
	"    {\"destination\": \"/dev/pts\", \"type\": \"devpts\", \"source\": \"devpts\", \"options\": [\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\", \"gid=5\"]},\n"
	"    {\"destination\": \"/dev/shm\", \"type\": \"tmpfs\", \"source\": \"shm\", \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"mode=1777\", \"size=65536k\"]},\n"
	"    {\"destination\": \"/dev/mqueue\", \"type\": \"mqueue\", \"source\": \"mqueue\", \"options\": [\"nosuid\", \"noexec\", \"nodev\"]},\n"
	"    {\"destination\": \"/sys\", \"type\": \"sysfs\", \"source\": \"sysfs\", \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"ro\"]},\n"
	"    {\"destination\": \"/sys/fs/cgroup\", \"type\": \"cgroup\", \"source\": \"cgroup\", \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"relatime\", \"ro\"]}\n"
	"  ],\n"
	"  \"annotations\": {\"" SPEC_SECCOMP_ANNOTATION "\": \"default\"},\n"
	"  \"linux\": {\n"
	"    \"resources\": {\"devices\": [{\"allow\": false, \"access\": \"rwm\"}]},\n"
	"    \"namespaces\": [{\"type\": \"pid\"}, {\"type\": \"network\"}, {\"type\": \"ipc\"}, {\"type\": \"uts\"}, {\"type\": \"mount\"}, {\"type\": \"cgroup\"}],\n"
	"    \"maskedPaths\": [\"/proc/acpi\", \"/proc/asound\", \"/proc/interrupts\", \"/proc/kcore\", \"/proc/keys\", \"/proc/latency_stats\", \"/proc/timer_list\",\n"
	"      \"/proc/timer_stats\", \"/proc/sched_debug\", \"/proc/scsi\", \"/sys/firmware\", \"/sys/devices/virtual/powercap\"],\n"
	"    \"readonlyPaths\": [\"/proc/bus\", \"/proc/fs\", \"/proc/irq\", \"/proc/sys\", \"/proc/sysrq-trigger\"]\n"
	"  }\n"
	"}\n";

int verb_spec(const struct globals *g, int argc, char **argv, struct err *err)
{
	const char *bundle = ".";
	bool rootless = false;
	const struct args_option options[] = { { "bundle", 'b', ARGS_VALUE, &bundle }, { "rootless", 0, ARGS_FLAG, &rootless } };
	int n = args_parse(argc, argv, options, ARRAY_SIZE(options), false, err);
	CLEANUP_FD int dir = -1, fd = -1;

	(void)g;
	if (n < 0)
		return n;
	if (n)
		return verb_usage(err, "spec [--bundle DIR]");
	if (rootless)
		return err_set(err, 0, "spec --rootless is not supported");
	dir = sys_openat(AT_FDCWD, bundle, O_PATH | O_DIRECTORY, 0);
	if (dir < 0)
		return err_set(err, -dir, "open the bundle %s", bundle);
	fd = sys_openat(dir, "config.json", O_WRONLY | O_CREAT | O_EXCL, 0666);
	if (fd == -EEXIST)
		return err_set(err, 0, "file config.json exists. Remove it first");
	if (fd >= 0)
		n = fd_write_full(fd, TEXT, sizeof TEXT - 1);
	return fd < 0 || n < 0 ? err_set(err, fd < 0 ? -fd : -n, "write config.json") : 0;
}
