/* tick.c - the service that qemu/bench has supervised by init and its peers: it lives a second, ends, and counts the instructions
 * from its exit to the first instruction of its next run.
 *
 * Linked without a C library, so that its first instruction is the kernel's first one in user space. The virtual machine runs with -icount: its
 * time-stamp counter counts instructions. Runs share a page of a file. The programs are this one file under several names:
 *   mount      does the early mounts and writes down the time; with arguments it executes them
 *   sleeper    sleeps for ever
 *   quick      ends at once; its runs QUICK_FROM and QUICK_RUNS say so on the console and show /proc/1/status; several may run at once
 *   all else   the service
 */
#include <linux/reboot.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <fcntl.h>
#include <time.h>

#define PAGE_FILE "/run/tick"
#define RUNS 60
#ifndef QUICK_FROM
#define QUICK_FROM 1000
#endif
#ifndef QUICK_RUNS
#define QUICK_RUNS 100000
#endif

struct page {
	uint64_t mounted;	/* CLOCK_MONOTONIC in ns */
	uint64_t first;		/* the same, at the first run's first instruction */
	uint64_t ended;		/* time-stamp counter before the exit */
	uint64_t n;
	uint64_t took[RUNS];
	uint64_t quick;
};

static long call(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "0"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return r;
}

#define call3(n, a, b, c) call(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)

static uint64_t counter(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static uint64_t now(void)
{
	struct timespec ts;

	call3(SYS_clock_gettime, CLOCK_MONOTONIC, &ts, 0);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static struct page *page_open(void)
{
	long fd = call3(SYS_open, PAGE_FILE, O_RDWR | O_CREAT, 0600);

	call3(SYS_ftruncate, fd, 4096, 0);
	return (struct page *)call(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static unsigned length(const char *s)
{
	unsigned n = 0;

	while (s[n])
		n++;
	return n;
}

static void put(const char *s)
{
	static long fd = -1;

	if (fd < 0)
		fd = call3(SYS_open, "/dev/ttyS0", O_WRONLY | O_NOCTTY, 0);
	call3(SYS_write, fd, s, length(s));
}

static void put_number(uint64_t v)
{
	char text[24];
	char *at = text + sizeof(text) - 1;

	*at = 0;
	do
		*--at = (char)('0' + v % 10);
	while (v /= 10);
	put(at);
}

static void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	call3(SYS_nanosleep, &ts, 0, 0);
}

static void machine_off(void)
{
	call(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART, 0, 0, 0);
	for (;;)
		sleep_ms(100000);
}

static void show_file(const char *path)
{
	char text[4097];
	long fd = call3(SYS_open, path, O_RDONLY, 0);
	long n = call3(SYS_read, fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = 0;
	put(text);
}

static void show(struct page *p)
{
	/* insertion sort: the median does not mind */
	for (int i = 1; i < RUNS; i++)
		for (int k = i; k > 0 && p->took[k] < p->took[k - 1]; k--) {
			uint64_t t = p->took[k];

			p->took[k] = p->took[k - 1];
			p->took[k - 1] = t;
		}
	put("\ntick: restart ");
	put_number(p->took[RUNS / 2]);
	put(" ");
	put_number(p->took[0]);
	put(" ");
	put_number(p->took[RUNS - 1]);
	put(" mounted ");
	put_number(p->mounted);
	put(" first ");
	put_number(p->first);
	put("\n");
	show_file("/run/coracle/boot-times");
}

static void mount_early(void)
{
	static const char *const table[][2] = {
		{ "devtmpfs", "/dev" }, { "proc", "/proc" }, { "sysfs", "/sys" }, { "tmpfs", "/run" }, { "tmpfs", "/tmp" }, { "cgroup2", "/sys/fs/cgroup" },
	};

	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		call(SYS_mount, (long)table[i][0], (long)table[i][1], (long)table[i][0], 0, 0, 0);
}

static int name_is(const char *path, const char *name)
{
	unsigned n = length(path), m = length(name);

	if (n < m || (n > m && path[n - m - 1] != '/'))
		return 0;
	for (unsigned i = 0; i < m; i++)
		if (path[n - m + i] != name[i])
			return 0;
	return 1;
}

static void quick(struct page *p)
{
	uint64_t run = __atomic_add_fetch(&p->quick, 1, __ATOMIC_RELAXED);

	if (run == QUICK_FROM || run == QUICK_RUNS) {
		put("\ntick: run ");
		put_number(run);
		put("\n");
		show_file("/proc/1/status");
	}
	if (run == QUICK_RUNS)
		machine_off();
}

static void serve(struct page *p, uint64_t began)
{
	if (!p->first)
		p->first = now();
	else if (p->n < RUNS)
		p->took[p->n++] = began - p->ended;
	if (p->n == RUNS) {
		show(p);
		machine_off();
	}
	/* the peers wait a second before they start what lived less */
	sleep_ms(1100);
	p->ended = counter();
	call3(SYS_exit, 0, 0, 0);
}

static void __attribute__((used)) run(uint64_t began, long *stack)
{
	char **argv = (char **)(stack + 1);
	char **envp = argv + stack[0] + 1;
	const char *name = argv[0];

	if (name_is(name, "mount")) {
		mount_early();
		page_open()->mounted = now();
		if (argv[1])
			call3(SYS_execve, argv[1], argv + 1, envp);
	} else if (name_is(name, "sleeper")) {
		for (;;)
			sleep_ms(100000);
	} else if (name_is(name, "quick")) {
		quick(page_open());
	} else {
		serve(page_open(), began);
	}
	call3(SYS_exit, 0, 0, 0);
}

__asm__(".globl _start\n_start:\n\trdtsc\n\tshl $32, %rdx\n\tor %rdx, %rax\n\tmov %rax, %rdi\n\tmov %rsp, %rsi\n\tand $-16, %rsp\n\tcall run\n\thlt\n");
