/* status.c - coracle status: the machine, its containers, its boot configuration, what went wrong since boot. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "cli.h"
#include "fd.h"

#define PROBLEMS_MAX (4u << 20)
#define PROBLEMS_SHOWN 20

static void print_uptime(long seconds)
{
	long days = seconds / 86400, hours = seconds / 3600 % 24, minutes = seconds / 60 % 60;

	if (days > 0)
		printf("%ld d %ld h", days, hours);
	else if (hours > 0)
		printf("%ld h %ld min", hours, minutes);
	else
		printf("%ld min %ld s", minutes, seconds % 60);
}

static void print_memory(void)
{
	char text[4096], total[24], free_text[24], *p;
	unsigned long long kb = 0, available = 0;

	if (fd_read_small(AT_FDCWD, "/proc/meminfo", text, sizeof(text)) < 0)
		return;
	if ((p = strstr(text, "MemTotal:")))
		kb = strtoull(p + 9, NULL, 10);
	if ((p = strstr(text, "MemAvailable:")))
		available = strtoull(p + 13, NULL, 10);
	printf("memory      %s, %s available\n", cli_size(kb * 1024, total), cli_size(available * 1024, free_text));
}

static void print_system(void)
{
	char size[24], avail[24];
	struct utsname u;
	struct sysinfo si;
	struct statvfs v;

	uname(&u);
	sysinfo(&si);
	printf("system      %s, Coracle " CORACLE_VERSION ", Linux %s, up ", u.nodename, u.release);
	print_uptime((long)si.uptime);
	putchar('\n');
	print_memory();
	if (statvfs("/var", &v) == 0)
		printf("data (/var) %s, %s available\n", cli_size((uint64_t)v.f_blocks * v.f_frsize, size),
		       cli_size((uint64_t)v.f_bavail * v.f_frsize, avail));
}

/* The last word of coracle-config: "status: done". */
static void print_configuration(void)
{
	char line[256];
	FILE *f = popen("coracle-config status 2>/dev/null", "r");

	if (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		printf("boot config %s\n", cli_safe(strncmp(line, "status: ", 8) == 0 ? line + 8 : line));
	}
	if (f)
		pclose(f);
}

static void print_problem(char *line)
{
	yyjson_doc *doc = yyjson_read(line, strlen(line), 0);
	yyjson_val *o = yyjson_doc_get_root(doc);
	const char *message = yyjson_get_str(yyjson_obj_get(o, "message"));
	double at = (double)yyjson_get_uint(yyjson_obj_get(o, "time_ms")) / 1000;

	if (message)
		printf("  %9.3f  %s: %s\n", at, cli_safe(yyjson_get_str(yyjson_obj_get(o, "component"))), cli_safe(message));
	yyjson_doc_free(doc);
}

/* Returns how many there are. */
static size_t print_problems(void)
{
	CLEANUP_FREE char *text = NULL;
	char path[512], *save;
	size_t n = 0, count = 0, at = 0;

	snprintf(path, sizeof(path), "%s/problems", cli.run);
	if (fd_read_file(AT_FDCWD, path, PROBLEMS_MAX, &text, &n, NULL) < 0 || n == 0) {
		puts("problems    none since boot");
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		count += text[i] == '\n';
	printf("problems    %zu since boot (seconds after it, who, what)\n", count);
	if (count > PROBLEMS_SHOWN)
		printf("  the last %d:\n", PROBLEMS_SHOWN);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (at++ + PROBLEMS_SHOWN >= count)
			print_problem(line);
	return count;
}

/* 0: all is well, 1: the engine does not answer, 3: there are problems. */
int verb_status(int argc, char **argv)
{
	struct err err = ERR_INIT;
	size_t problems;
	int r;

	(void)argv;
	if (argc > 1)
		return cli_usage("status");
	print_system();
	print_configuration();
	problems = print_problems();
	puts("\ncontainers");
	r = cli_print_containers(true, &err);
	if (r < 0)
		return cli_fail(&err);
	return problems > 0 ? 3 : 0;
}
