/* boottime_gather.c - coracle boot-time: reads stamps, init's units and the firmware's times. */
#include "boottime.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "cli.h"
#include "fd.h"

#define STAMPS_MAX (1u << 20)
#define LOADER "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"	/* the boot loader interface's vendor (systemd.io/BOOT_LOADER_INTERFACE) */

int boot_find(const struct boot *b, const char *name)
{
	for (int i = 0; i < b->n; i++)
		if (b->item[i].kind == BOOT_UNIT && !strcmp(b->item[i].name, name))
			return i;
	return -1;
}

static struct boot_item *add(struct boot *b, enum boot_kind kind, const char *name, double start, double ready)
{
	struct boot_item *it;

	if (b->n == BOOT_ITEMS_MAX)
		return NULL;
	it = &b->item[b->n++];
	*it = (struct boot_item){ .kind = kind, .start = start, .ready = ready };
	snprintf(it->name, sizeof(it->name), "%s", cli_safe(name));
	return it;
}

/* Stages end where their stamp is; each begins where the one before it ended. */
static void add_stage(struct boot *b, const char *name, double at)
{
	static const char *const stages[][2] = {
		{ "init", "kernel" }, { "root", "mounts" }, { "devices", "devices" },
	};
	double before = b->n > 0 ? b->item[b->n - 1].ready : 0;

	for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
		if (!strcmp(name, stages[i][0]))
			add(b, BOOT_STAGE, stages[i][1], before, at);
}

/* "container NAME": the engine started it. */
static void add_container(struct boot *b, const char *name, double at)
{
	static const char word[] = "container ";

	if (!strncmp(name, word, sizeof(word) - 1))
		add(b, BOOT_CONTAINER, name + sizeof(word) - 1, at, at);
}

static int read_stamps(struct boot *b, struct err *err)
{
	CLEANUP_FREE char *text = NULL;
	char path[512];
	char *save = NULL;
	size_t n = 0;
	int r;

	snprintf(path, sizeof(path), "%s/boot-times", cli.run);
	if ((r = fd_read_file(AT_FDCWD, path, STAMPS_MAX, &text, &n, err)) < 0)
		return r;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *name;
		double at = strtod(line, &name) / 1000;

		if (*name++ != ' ')
			continue;
		add_stage(b, name, at);
		add_container(b, name, at);
	}
	return 0;
}

static double from_usec(const char *text)
{
	double v = strtod(text, NULL);

	return v > 0 ? v / 1000 : BOOT_NEVER;
}

/* It belongs to no boot: its time comes later, and maybe often. */
static bool is_timed(const char *name)
{
	bool local;
	CLEANUP_FREE char *text = cli_unit_file(name, &local);

	return text && strstr(text, "\n[Timer]");
}

/* "NAME STATE STARTED READY AFTER": microseconds, 0: never; names with commas, "-": none. */
static void on_unit(const char *text, void *arg)
{
	char name[80] = "", state[16] = "", started[24] = "", ready[24] = "", after[1024] = "";
	struct boot_item *it;

	if (sscanf(text, "%79s %15s %23s %23s %1023s", name, state, started, ready, after) < 4 || is_timed(name))
		return;
	it = add(arg, BOOT_UNIT, name, from_usec(started), from_usec(ready));
	if (!it)
		return;
	snprintf(it->state, sizeof(it->state), "%s", cli_safe(state));
	if (strcmp(after, "-"))
		snprintf(it->after, sizeof(it->after), "%s", after);
}

/* A variable of the loader: four bytes of attributes, then a number in UTF-16. */
static double read_loader_variable(const char *dir, const char *name)
{
	char path[512], raw[132], text[64];
	CLEANUP_FD int fd = -1;
	ssize_t n;
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/%s" LOADER, dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, raw, sizeof(raw));
	for (ssize_t i = 4; i + 1 < n && raw[i] >= '0' && raw[i] <= '9' && len < sizeof(text) - 1; i += 2)
		text[len++] = raw[i];
	text[len] = '\0';
	return from_usec(text);
}

/* Nobody needs the variables mounted but us: in a mount namespace of our own. */
static void mount_variables(const char *dir)
{
	if (access(dir, F_OK) == 0 && unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		mount("efivarfs", dir, "efivarfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* Both count from the machine's start: what the firmware took until the loader began, what the loader took until it ran the kernel. */
static void read_firmware(struct boot *b, const char *efivars)
{
	double init, run;

	if (!efivars) {
		efivars = "/sys/firmware/efi/efivars";
		mount_variables(efivars);
	}
	init = read_loader_variable(efivars, "LoaderTimeInitUSec");
	run = read_loader_variable(efivars, "LoaderTimeExecUSec");
	b->firmware = init;
	b->loader = init >= 0 && run >= init ? run - init : BOOT_NEVER;
}

int boot_gather(struct boot *b, const char *efivars, struct err *err)
{
	int r;

	memset(b, 0, sizeof(*b));
	if ((r = read_stamps(b, err)) < 0)
		return r;
	cli_init("boot-times", on_unit, b, err);
	read_firmware(b, efivars);
	return 0;
}

/* True when the list of names with commas has the name. */
static int has_name(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (!strncmp(at, name, n) && (at[n] == ',' || at[n] == '\0'))
			return 1;
	}
	return 0;
}

int boot_blocked_by(const struct boot *b, int unit)
{
	int last = -1;

	for (int i = 0; i < b->n; i++) {
		const struct boot_item *it = &b->item[i];

		if (it->kind == BOOT_UNIT && i != unit && it->ready >= 0 && has_name(b->item[unit].after, it->name) &&
		    (last < 0 || it->ready > b->item[last].ready))
			last = i;
	}
	return last;
}
