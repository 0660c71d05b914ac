/* verdict.c - why the last boot ended: records, and what is made of them. Pure: no system call, no heap. */
#include "verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdefs.h"

#define REASON "coracle: init: reason: "
#define PANIC "Kernel panic - not syncing: "

enum field_type { TEXT, NUMBER, BIG };

static const struct field {
	const char *key;
	enum field_type type;
	size_t at, size;
} fields[] = {
	{ "boot", NUMBER, offsetof(struct verdict_boot, number), 0 },
	{ "id", TEXT, offsetof(struct verdict_boot, id), sizeof(((struct verdict_boot *)0)->id) },
	{ "began", BIG, offsetof(struct verdict_boot, began), 0 },
	{ "kernel", TEXT, offsetof(struct verdict_boot, kernel), sizeof(((struct verdict_boot *)0)->kernel) },
	{ "start", TEXT, offsetof(struct verdict_boot, start), sizeof(((struct verdict_boot *)0)->start) },
	{ "state", TEXT, offsetof(struct verdict_boot, state), sizeof(((struct verdict_boot *)0)->state) },
	{ "kind", TEXT, offsetof(struct verdict_boot, kind), sizeof(((struct verdict_boot *)0)->kind) },
	{ "text", TEXT, offsetof(struct verdict_boot, text), sizeof(((struct verdict_boot *)0)->text) },
	{ "ended", BIG, offsetof(struct verdict_boot, ended), 0 },
	{ "uptime", BIG, offsetof(struct verdict_boot, uptime), 0 },
	{ "crash", TEXT, offsetof(struct verdict_boot, crash), sizeof(((struct verdict_boot *)0)->crash) },
};

/* Copies n bytes of a line; control characters become blanks, so that no text can forge a line. */
static void copy_line(char *out, size_t size, const char *text, size_t n)
{
	n = MIN(n, size - 1);
	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)text[i] < 0x20 ? ' ' : text[i];
	out[n] = '\0';
}

static void take(struct verdict_boot *out, const char *line, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *f = &fields[i];
		size_t key = strlen(f->key);
		char *to = (char *)out + f->at;

		if (n <= key || memcmp(line, f->key, key) || line[key] != '=')
			continue;
		if (f->type == TEXT)
			copy_line(to, f->size, line + key + 1, n - key - 1);
		else if (f->type == NUMBER)
			*(unsigned *)(void *)to = (unsigned)strtoul(line + key + 1, NULL, 10);
		else
			*(int64_t *)(void *)to = strtoll(line + key + 1, NULL, 10);
	}
}

/* "KIND: TEXT", as reason.c said it to the kernel log. */
static int take_kept(struct verdict_boot *b, const char *line)
{
	size_t n = strcspn(line, ":");
	const char *text = line[n] == ':' ? line + n + 1 : "";

	if (line[n] != ':' || n == 0 || n >= sizeof(b->kind))
		return 0;
	memcpy(b->kind, line, n);
	b->kind[n] = '\0';
	text += *text == ' ';
	copy_line(b->text, sizeof(b->text), text, strlen(text));
	return 1;
}

/* What the handler of a fault leaves, which cannot do more: the line that it sent to the kernel log. */
static void take_last_word(struct verdict_boot *out, const char *line, size_t n)
{
	static const char begin[] = "<2>" REASON;
	char text[VERDICT_TEXT_MAX];

	if (n < sizeof(begin) || memcmp(line, begin, sizeof(begin) - 1))
		return;
	copy_line(text, sizeof(text), line + sizeof(begin) - 1, n - sizeof(begin) + 1);
	if (take_kept(out, text))
		snprintf(out->state, sizeof(out->state), "ending");
}

void verdict_parse(const char *text, struct verdict_boot *out)
{
	for (const char *at = text; *at;) {
		size_t n = strcspn(at, "\n");

		take(out, at, n);
		take_last_word(out, at, n);
		at += n + (at[n] == '\n');
	}
}

size_t verdict_format(const struct verdict_boot *b, char *out, size_t size)
{
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fields) && at < size; i++) {
		const struct field *f = &fields[i];
		const char *from = (const char *)b + f->at;

		if (f->type == TEXT && from[0])
			at += (size_t)snprintf(out + at, size - at, "%s=%s\n", f->key, from);
		else if (f->type == NUMBER)
			at += (size_t)snprintf(out + at, size - at, "%s=%u\n", f->key, *(const unsigned *)(const void *)from);
		else if (f->type == BIG)
			at += (size_t)snprintf(out + at, size - at, "%s=%lld\n", f->key, (long long)*(const int64_t *)(const void *)from);
	}
	return MIN(at, size - 1);
}

/* The rest of the line behind the last `mark`. */
static int find_last(const char *text, const char *mark, char *out, size_t size)
{
	const char *found = NULL;

	for (const char *at = text; (at = strstr(at, mark));) {
		at += strlen(mark);
		found = at;
	}
	if (found)
		copy_line(out, size, found, strcspn(found, "\n"));
	return found != NULL;
}

void verdict_add_dump(struct verdict_evidence *e, const char *text)
{
	static const struct { const char *word; enum verdict_dump dump; } kinds[] = {
		{ "Shutdown#", VERDICT_SHUTDOWN }, { "Emergency#", VERDICT_EMERGENCY }, { "Oops#", VERDICT_PANIC }, { "Panic#", VERDICT_PANIC },
	};
	enum verdict_dump dump = VERDICT_NO_DUMP;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strncmp(text, kinds[i].word, strlen(kinds[i].word)))
			dump = kinds[i].dump;
	if (dump < e->dump || dump == VERDICT_NO_DUMP)
		return;
	if (dump > e->dump)
		e->line[0] = '\0';
	e->dump = dump;
	/* a dump may come in parts, and an oops before its panic: not each has the line */
	if (dump == VERDICT_PANIC && !find_last(text, PANIC, e->line, sizeof(e->line)) && !e->line[0])
		find_last(text, "BUG: ", e->line, sizeof(e->line));
	else if (dump == VERDICT_SHUTDOWN)
		find_last(text, REASON, e->line, sizeof(e->line));
	else if (dump == VERDICT_EMERGENCY && !find_last(text, "softdog: Initiating", e->line, sizeof(e->line)))
		find_last(text, "sysrq: ", e->line, sizeof(e->line));
}

static void say(struct verdict_boot *b, const char *kind, const char *text)
{
	char whole[sizeof(b->text)];
	int going_down = b->state[0] && strcmp(b->state, "running") && b->text[0];

	/* what had been decided before it came to this */
	if (going_down)
		snprintf(whole, sizeof(whole), "%.100s, while going down (%.70s)", text, b->text);
	else
		snprintf(whole, sizeof(whole), "%s", text);
	snprintf(b->kind, sizeof(b->kind), "%s", kind);
	memcpy(b->text, whole, sizeof(whole));
}

static void judge_panic(struct verdict_boot *b, const char *line)
{
	if (strstr(line, "Attempted to kill init"))
		say(b, "init-crash", line);
	else if (strstr(line, "atchdog"))
		say(b, "watchdog", line);
	else
		say(b, "panic", line[0] ? line : "no line of it says why");
}

static int is_state(const struct verdict_boot *b, const char *state)
{
	return !strcmp(b->state, state);
}

static void judge_watchdog(struct verdict_boot *b)
{
	if (!strcmp(b->kind, "watchdog") && b->text[0])
		b->state[0] = '\0'; /* it had been said already why it would not be fed */
	else
		say(b, "watchdog", "the watchdog reset the machine: process 1 or the kernel hung");
}

/* Nobody tells how it ended. */
static void judge_silence(struct verdict_boot *b)
{
	if (!strcmp(b->kind, "watchdog") || !strcmp(b->kind, "init-crash"))
		return; /* decided, and the machine was not able to say more */
	say(b, "power-loss", is_state(b, "running") ? "the power was lost, or the machine was reset from outside" :
	    "the power was lost, the machine was reset, or the end could not be written");
}

/* In order. A line of the kernel's log that says something else is of a later boot, which ended before it had a disk to write on. */
static void judge_ended(struct verdict_boot *b, const struct verdict_evidence *e)
{
	char line[sizeof(b->kind) + sizeof(b->text) + 2];
	struct verdict_boot later = { .number = b->number + 1 };

	snprintf(line, sizeof(line), "%s: %s", b->kind, b->text);
	if (e->dump == VERDICT_SHUTDOWN && strncmp(line, e->line, sizeof(e->line) - 1) && take_kept(&later, e->line))
		*b = later;
}

void verdict_judge(struct verdict_boot *last, const struct verdict_evidence *e)
{
	if (e->dump == VERDICT_PANIC)
		judge_panic(last, e->line);
	else if (e->watchdog || (e->dump == VERDICT_EMERGENCY && strstr(e->line, "system reboot")))
		judge_watchdog(last);
	else if (e->dump == VERDICT_EMERGENCY)
		say(last, "reset", e->line[0] ? e->line : "the kernel was told to reset at once");
	else if (last->number && is_state(last, "ended"))
		judge_ended(last, e);
	else if (e->dump == VERDICT_SHUTDOWN && take_kept(last, e->line))
		;
	else if (last->number)
		judge_silence(last);
	else
		say(last, e->by_kexec ? "kexec" : "first", e->by_kexec ? "another kernel started this one" : "nothing is known of a boot before this one");
	if (!strcmp(last->kind, "kexec") && !e->by_kexec)
		say(last, "kexec", "the firmware started this kernel nevertheless");
}
