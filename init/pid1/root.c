/* root.c - the mounts of the running system, PID 1's own limits and the kernel command line.
 *
 * Runs once, in PID 1, on the EROFS root. A mount that fails is reported and boot goes on: what is missing then
 * explains itself better than a machine that stopped. */
#include "init/pid1/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "err.h"
#include "fd.h"
#include "report.h"
#include "sys.h"

/* Beside the kernel; measured: a virtual machine of 39 MiB has 19 left and imports and runs one container of busybox, one of 36
 * MiB has 16 left and does not. */
#define MEMORY_NEEDED_MIB 19

static const struct mount_point {
	const char *type;
	const char *where;
	unsigned long flags;
	const char *data;
	int make;		/* the directory is not in the image but in what was mounted before */
} mounts[] = {
	{ "devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC, "mode=755", 0 },
	{ "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, 0 },
	{ "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, 0 },
	{ "tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=755,size=25%", 0 },
	{ "tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777,size=25%", 0 },
	{ "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=666", 1 },
	{ "tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777,size=25%", 1 },
	{ "cgroup2", "/sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, "nsdelegate,memory_recursiveprot", 0 },
};

static void mount_all(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		const struct mount_point *m = &mounts[i];
		int r;

		if (m->make)
			sys_mkdirat(AT_FDCWD, m->where, 0755);
		r = sys_mount(m->type, m->where, m->type, m->flags, m->data);
		if (r < 0 && r != -EBUSY)
			report_problem("init", "mount %s on %s: %s", m->type, m->where, err_name(-r));
	}
}

/* Descriptors 0 to 2 must be something harmless, or the next file that is opened becomes somebody's output. */
static void open_null(void)
{
	int fd = sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0);

	if (fd < 0)
		fd = sys_memfd_create("null", 0);
	if (fd < 0)
		return;
	for (int i = 0; i < 3; i++)
		if (i != fd)
			dup2(fd, i);
	if (fd > 2)
		close(fd);
}

/* /etc comes from the image; what is written there lives until the next boot. */
static void overlay_etc(void)
{
	int r;

	sys_mkdirat(AT_FDCWD, INIT_RUN "/etc", 0700);
	sys_mkdirat(AT_FDCWD, INIT_RUN "/etc/upper", 0755);
	sys_mkdirat(AT_FDCWD, INIT_RUN "/etc/work", 0700);
	r = sys_mount("etc", "/etc", "overlay", 0,
		      "lowerdir=/etc,upperdir=" INIT_RUN "/etc/upper,workdir=" INIT_RUN "/etc/work");
	if (r < 0)
		report_problem("init", "mount an overlay on /etc: %s; /etc stays read-only", err_name(-r));
}

static void set_limits(void)
{
	struct rlimit files = { 1048576, 1048576 };
	struct rlimit core = { 0, RLIM_INFINITY };

	umask(022);
	prlimit(0, RLIMIT_NOFILE, &files, NULL); /* services get a soft limit of 1024 again: spawn.c */
	prlimit(0, RLIMIT_CORE, &core, NULL);
}

static int has_word(const char *line, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = line; (at = strstr(at, word)); at += n)
		if ((at == line || at[-1] == ' ') && (at[n] == '\0' || at[n] == ' ' || at[n] == '\n'))
			return 1;
	return 0;
}

/* The text behind the last "KEY=", up to the next blank; 0 when there is none. */
static size_t value_of(const char *line, const char *key, char *out, size_t size)
{
	size_t n = strlen(key);
	size_t len = 0;

	out[0] = '\0';
	for (const char *at = line; (at = strstr(at, key)); at += n)
		if (at == line || at[-1] == ' ') {
			len = MIN(strcspn(at + n, " \n"), size - 1);
			memcpy(out, at + n, len);
			out[len] = '\0';
		}
	return len;
}

/* Seconds, 1 to a day. */
static void read_seconds(const char *line, const char *key, int off, int *out)
{
	char text[16];
	int n = 0;

	if (value_of(line, key, text, sizeof(text)) == 0)
		return;
	if (off && !strcmp(text, "off")) {
		*out = -1;
		return;
	}
	for (const char *at = text; *at >= '0' && *at <= '9' && n <= 86400; at++) {
		n = n * 10 + (*at - '0');
		if (!at[1] && n >= 1 && n <= 86400) {
			*out = n;
			return;
		}
	}
	report_problem("init", "command line: %s%s: expected seconds, 1 to 86400%s", key, text, off ? ", or off" : "");
}

static void read_command_line(struct options *o)
{
	char line[4096];

	if (fd_read_small(AT_FDCWD, "/proc/cmdline", line, sizeof(line)) < 0)
		return;
	o->rescue = has_word(line, "coracle.rescue");
	o->wait_data = has_word(line, "coracle.data=wait");
	o->exit_debug = has_word(line, "coracle.exit=debug");
	read_seconds(line, "coracle.watchdog=", 1, &o->watchdog_s);
	read_seconds(line, "coracle.shutdown=", 0, &o->shutdown_s);
	value_of(line, "coracle.break=", o->break_at, sizeof(o->break_at));
}

static void set_kernel(const char *path, const char *value)
{
	int r = fd_write_small(AT_FDCWD, path, value);

	if (r < 0)
		report_problem("init", "write %s: %s", path, err_name(-r));
}

/* Said before anything else needs memory. Without the engine, and without the receive buffers of network interfaces, the
 * rest of the machine still has enough. */
static void check_memory(struct options *o)
{
	struct sysinfo info;
	unsigned long mib;

	if (sysinfo(&info) < 0)
		return;
	mib = (unsigned long)((uint64_t)info.totalram * info.mem_unit >> 20);
	if (mib >= MEMORY_NEEDED_MIB)
		return;
	o->small = 1;
	report_problem("init", "too little memory: %lu MiB beside the kernel, the engine and one small container need %d MiB: "
		       "containers and networks are not started; give the machine more", mib, MEMORY_NEEDED_MIB);
	/* what the kernel keeps free against fragmentation would be a fifth of it all */
	set_kernel("/proc/sys/vm/watermark_boost_factor", "0");
	/* an eighth of what was free while the initramfs was still packed: some 40, and the kernel's own threads are as many */
	set_kernel("/proc/sys/kernel/threads-max", "256");
}

/* The kernel's number of its first pid namespace (PROC_PID_INIT_INO). */
static int is_guest(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) < 0 || st.st_ino != 0xeffffffcu;
}

void root_prepare(struct options *o)
{
	static const char *const links[][2] = {
		{ "/proc/self/fd", "/dev/fd" }, { "/proc/self/fd/0", "/dev/stdin" },
		{ "/proc/self/fd/1", "/dev/stdout" }, { "/proc/self/fd/2", "/dev/stderr" },
	};

	mount_all();
	open_null();
	sys_close_range(3, ~0U, 0);
	/* Ctrl-Alt-Del becomes SIGINT to us instead of a reset. */
	reboot(RB_DISABLE_CAD);
	set_limits();
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		sys_symlinkat(links[i][0], AT_FDCWD, links[i][1]);
	sys_mkdirat(AT_FDCWD, INIT_RUN, 0755);
	report_stamp("init");
	check_memory(o);
	/* The kernel drops user space's lines above ten in five seconds; we limit services ourselves. */
	fd_write_small(AT_FDCWD, "/proc/sys/kernel/printk_devkmsg", "on\n");
	read_command_line(o);
	o->guest = is_guest();
	breakpoint_check();
	breakpoint_reached("early");
	overlay_etc();
	report_stamp("root");
	breakpoint_reached("root");
}

void root_say(const char *fmt, ...)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "<3>coracle: init: ");
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	/* Without a newline the kernel would hold the record back for a continuation. */
	strcat(line, "\n");
	report_kernel(line, strlen(line));
}
