/* crash.c - the kernel's last words: from pstore (memory that outlives a reset, or variables of the firmware) to the data disk.
 *
 * What is kept is bounded: the last KEEP crashes, each of at most TOTAL_MAX. Everything is removed from pstore, also what cannot be
 * kept: it has little room and would be taken for the next boot's. */
#include "crash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "fd.h"
#include "report.h"
#include "sys.h"

#define KEEP 8
#define FILES_MAX 64
#define RECORD_MAX 65536
#define TOTAL_MAX 262144

struct dump_file {
	char name[64];
	time_t at;		/* of the dump; several may be there, and each may come in parts */
	unsigned part;		/* "Panic#1 Part2": the highest part is the oldest text */
};

static struct dump_file files[FILES_MAX];
static char record[RECORD_MAX];

static size_t read_record(int dir, const char *name)
{
	CLEANUP_FD int fd = sys_openat(dir, name, O_RDONLY, 0);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, record, sizeof(record) - 1);

	record[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static int oldest_text_first(const void *a, const void *b)
{
	const struct dump_file *x = a;
	const struct dump_file *y = b;

	if (x->at != y->at)
		return (x->at > y->at) - (x->at < y->at);
	return x->part != y->part ? (x->part < y->part) - (x->part > y->part) : strcmp(x->name, y->name);
}

/* Fills files. Returns how many. */
static unsigned list_dumps(DIR *d)
{
	const struct dirent *e;
	unsigned n = 0;

	while (n < FILES_MAX && (e = readdir(d))) {
		const char *part;
		struct stat st;

		if (strncmp(e->d_name, "dmesg-", 6) || strlen(e->d_name) >= sizeof(files[0].name))
			continue;
		files[n].at = fstatat(dirfd(d), e->d_name, &st, 0) == 0 ? st.st_mtime : 0;
		read_record(dirfd(d), e->d_name);
		part = strstr(record, " Part");
		memcpy(files[n].name, e->d_name, strlen(e->d_name) + 1);
		files[n++].part = part && part < record + 40 ? (unsigned)strtoul(part + 5, NULL, 10) : 1;
	}
	qsort(files, n, sizeof(files[0]), oldest_text_first);
	return n;
}

/* "boot-17.txt": 17; 0 for another name. */
static unsigned number_of(const char *name)
{
	return strncmp(name, "boot-", 5) ? 0 : (unsigned)strtoul(name + 5, NULL, 10);
}

/* Removes the files with the lowest numbers until KEEP are left. */
static void prune(const char *path)
{
	for (;;) {
		DIR *d = opendir(path);
		const struct dirent *e;
		unsigned count = 0, lowest = 0;
		char name[32];

		while (d && (e = readdir(d)))
			if (number_of(e->d_name)) {
				lowest = lowest && lowest < number_of(e->d_name) ? lowest : number_of(e->d_name);
				count++;
			}
		snprintf(name, sizeof(name), "boot-%u.txt", lowest);
		if (count <= KEEP || unlinkat(dirfd(d), name, 0) < 0)
			count = 0;
		if (d)
			closedir(d);
		if (count == 0)
			return;
	}
}

static void keep(int dir, unsigned n, const char *state, unsigned number, char *path, size_t size)
{
	char folder[512], whole[600];
	CLEANUP_FD int out = -1;
	size_t total = 0;

	snprintf(folder, sizeof(folder), "%s/crash", state);
	sys_mkdirat(AT_FDCWD, folder, 0700);
	snprintf(path, size, "crash/boot-%u.txt", number);
	snprintf(whole, sizeof(whole), "%s/%s", state, path);
	out = sys_openat(AT_FDCWD, whole, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	for (unsigned i = 0; i < n && out >= 0; i++) {
		size_t len = read_record(dir, files[i].name);

		if (total + len > TOTAL_MAX)
			break;
		if (fd_write_full(out, record, len) < 0)
			report_problem("why", "keep the kernel's last words in %s: %s", whole, err_name(errno));
		total += len;
	}
	if (out < 0) {
		report_problem("why", "keep the kernel's last words: open %s: %s", whole, err_name(-out));
		path[0] = '\0';
		return;
	}
	sys_fsync(out);
	prune(folder);
}

void crash_collect(struct verdict_evidence *e, const char *pstore, const char *state, unsigned number, char *path, size_t size)
{
	DIR *d = opendir(pstore);
	unsigned n;

	path[0] = '\0';
	if (!d)
		return;
	n = list_dumps(d);
	for (unsigned i = 0; i < n; i++)
		if (read_record(dirfd(d), files[i].name) > 0)
			verdict_add_dump(e, record);
	if (e->dump >= VERDICT_EMERGENCY)
		keep(dirfd(d), n, state, number, path, size);
	for (unsigned i = 0; i < n; i++)
		unlinkat(dirfd(d), files[i].name, 0);
	closedir(d);
}
