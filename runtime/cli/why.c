/* why.c - coracle why: how this boot began, how the last one ended, what it said at its end. Reads what init and look.c keep in
 * /var/lib/coracle/boot and crash; asks nobody, so it answers also when the engine and init do not. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "cli.h"
#include "fd.h"
#include "verdict.h"

#define FILE_MAX 300000
#define HISTORY_SHOWN 5
#define LINES_SHOWN 8
#define CLOCK_WAS_SET 1700000000	/* before this the machine did not know the time */

static const struct { const char *kind, *means; } kinds[] = {
	{ "clean", "it was asked to" },
	{ "service", "a service kept failing" },
	{ "watchdog", "the watchdog reset it" },
	{ "panic", "the kernel panicked" },
	{ "init-crash", "process 1 crashed" },
	{ "power-loss", "it was cut off" },
	{ "reset", "it was reset at once" },
	{ "kexec", "another kernel was started" },
	{ "first", "this is the first" },
};

static bool state_is_elsewhere(void)
{
	const char *dir = getenv("CORACLE_STATE");

	return dir && *dir;
}

const char *cli_state_directory(void)
{
	return state_is_elsewhere() ? getenv("CORACLE_STATE") : "/var/lib/coracle";
}

static char *read_state(const char *name, size_t *n)
{
	char path[512], *text = NULL;

	snprintf(path, sizeof(path), "%s/%s", cli_state_directory(), name);
	return fd_read_file(AT_FDCWD, path, FILE_MAX, &text, n, NULL) < 0 ? NULL : text;
}

static bool read_boot(const char *name, struct verdict_boot *b)
{
	CLEANUP_FREE char *text = read_state(name, NULL);

	memset(b, 0, sizeof(*b));
	if (text)
		verdict_parse(text, b);
	return b->state[0] || b->kind[0];
}

static const char *when(long long seconds, char out[40])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (seconds < CLOCK_WAS_SET || !gmtime_r(&t, &tm))
		return "when the clock was not set yet";
	strftime(out, 40, "%Y-%m-%d %H:%M:%S UTC", &tm);
	return out;
}

static const char *long_time(long long s, char out[40])
{
	if (s >= 86400)
		snprintf(out, 40, "%lld d %lld h", s / 86400, s / 3600 % 24);
	else if (s >= 3600)
		snprintf(out, 40, "%lld h %lld min", s / 3600, s / 60 % 60);
	else
		snprintf(out, 40, "%lld min %lld s", s / 60, s % 60);
	return out;
}

static const char *meaning(const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kind, kinds[i].kind) == 0)
			return kinds[i].means;
	return kind;
}

/* The last lines, indented. */
static void print_tail(const char *text, int lines)
{
	const char *at = text + strlen(text);

	while (at > text && at[-1] == '\n')
		at--;
	for (const char *end = at; at > text; at--)
		if (at[-1] == '\n' && at < end && --lines == 0)
			break;
	while (*at) {
		size_t n = strcspn(at, "\n");
		char line[200];

		snprintf(line, sizeof(line), "%.*s", (int)n, at);
		printf("  %.77s\n", cli_safe(line));
		at += n + (at[n] == '\n');
	}
}

static void print_crash(const struct verdict_boot *last)
{
	CLEANUP_FREE char *text = last->crash[0] ? read_state(last->crash, NULL) : NULL;

	if (!text)
		return;
	printf("\nthe kernel's last lines (%s/%s)\n", cli_state_directory(), cli_safe(last->crash));
	print_tail(text, LINES_SHOWN);
}

static void print_problems(void)
{
	CLEANUP_FREE char *text = read_state("boot/last-problems", NULL);
	char *save;
	size_t count = 0, at = 0;

	if (!text)
		return;
	for (const char *c = text; *c; c++)
		count += *c == '\n';
	puts("\nits last problems (seconds after it began, who, what)");
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		yyjson_doc *doc = at++ + LINES_SHOWN >= count ? yyjson_read(line, strlen(line), 0) : NULL;
		yyjson_val *o = yyjson_doc_get_root(doc);
		const char *message = yyjson_get_str(yyjson_obj_get(o, "message"));

		if (message)
			printf("  %9.3f  %s: %.200s\n", (double)yyjson_get_uint(yyjson_obj_get(o, "time_ms")) / 1000,
			       cli_safe(yyjson_get_str(yyjson_obj_get(o, "component"))), cli_safe(message));
		yyjson_doc_free(doc);
	}
}

static void print_history(unsigned last)
{
	CLEANUP_FREE char *text = read_state("boot/history", NULL);
	char *save, began[40];
	bool said = false;

	if (!text)
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned number = 0;
		long long at = 0;
		char kind[16] = "";
		int n = 0;

		if (sscanf(line, "%u %lld %15s %n", &number, &at, kind, &n) < 3 || number >= last || number + HISTORY_SHOWN < last)
			continue;
		if (!said)
			puts("\nand before it");
		said = true;
		printf("  boot %u, %s: %s: %.120s\n", number, when(at, began), cli_safe(kind), cli_safe(line + n));
	}
}

static void print_text(const struct verdict_boot *now, const struct verdict_boot *last)
{
	char began[40], ran[40];
	struct sysinfo si = { .uptime = 0 };

	sysinfo(&si);
	if (now->number)
		printf("this boot   number %u, recorded %s, started by %s, Linux %s, up %s\n", now->number, when(now->began, began),
		       strcmp(now->start, "kexec") == 0 ? "another kernel (kexec)" : "the firmware", cli_safe(now->kernel), long_time((long long)si.uptime, ran));
	if (now->kind[0])
		printf("            it is going to end: %s: %s\n", cli_safe(now->kind), cli_safe(now->text));
	printf("last boot   %s: %s\n            %s\n", cli_safe(last->kind), meaning(last->kind), cli_safe(last->text));
	if (last->number)
		printf("            number %u%s%s%s%s\n", last->number, last->began ? ", recorded " : ", too short to be recorded",
		       last->began ? when(last->began, began) : "", last->uptime ? ", ran for " : "", last->uptime ? long_time(last->uptime, ran) : "");
	print_crash(last);
	print_problems();
	print_history(last->number);
}

static yyjson_mut_val *boot_as_json(yyjson_mut_doc *doc, const struct verdict_boot *b)
{
	yyjson_mut_val *o = yyjson_mut_obj(doc);

	yyjson_mut_obj_add_uint(doc, o, "number", b->number);
	yyjson_mut_obj_add_int(doc, o, "recorded", b->began);
	yyjson_mut_obj_add_str(doc, o, "kernel", b->kernel);
	yyjson_mut_obj_add_str(doc, o, "start", b->start);
	yyjson_mut_obj_add_str(doc, o, "state", b->state);
	yyjson_mut_obj_add_str(doc, o, "kind", b->kind);
	yyjson_mut_obj_add_str(doc, o, "text", b->text);
	yyjson_mut_obj_add_int(doc, o, "uptime", b->uptime);
	yyjson_mut_obj_add_str(doc, o, "crash", b->crash);
	return o;
}

static int print_json(const struct verdict_boot *now, const struct verdict_boot *last)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	CLEANUP_FREE char *text = NULL;

	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_val(doc, root, "this", boot_as_json(doc, now));
	yyjson_mut_obj_add_val(doc, root, "last", boot_as_json(doc, last));
	text = yyjson_mut_write(doc, YYJSON_WRITE_PRETTY, NULL);
	if (text)
		puts(text);
	yyjson_mut_doc_free(doc);
	return text ? 0 : 1;
}

/* Until init has looked at the last boot, what is there is about the one before. */
static bool is_of_this_boot(const struct verdict_boot *now)
{
	char id[40];

	return state_is_elsewhere() || fd_read_small(AT_FDCWD, "/proc/sys/kernel/random/boot_id", id, sizeof(id)) < 0 || strcmp(id, now->id) == 0;
}

int verb_why(int argc, char **argv)
{
	struct verdict_boot now, last, end;
	bool json = argc == 3 && strcmp(argv[1], "--format") == 0 && strcmp(argv[2], "json") == 0;
	struct err err = ERR_INIT;

	if (argc == 2 && strcmp(argv[1], "--look") == 0)
		return look();
	if (argc > 1 && !json)
		return cli_usage("why [--format json]");
	read_boot("boot/current", &now);
	read_boot("boot/end", &end);
	/* decided already */
	if (strcmp(end.id, now.id) == 0) {
		memcpy(now.kind, end.kind, sizeof(now.kind));
		memcpy(now.text, end.text, sizeof(now.text));
	}
	if (!read_boot("boot/last", &last) || !is_of_this_boot(&now)) {
		err_set(&err, 0, "the last boot has not been looked at yet: the unit `why` does so a moment after the engine was started");
		return cli_fail(&err);
	}
	if (json)
		return print_json(&now, &last);
	print_text(&now, &last);
	return 0;
}
