/* status_print.c - `coracle-config status`, as `cloud-init status` prints it (24.1 and later). */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "status.h"

static size_t count(const struct status *s, bool errors)
{
	size_t n = 0;

	for (int i = 0; i < STAGE_COUNT; i++)
		n += errors ? s->stage[i].errors.n : s->stage[i].recovered.n + s->stage[i].warnings.n;
	return n;
}

int status_exit(const struct status *s)
{
	return count(s, true) ? 1 : count(s, false) ? 2 : 0;
}

const char *status_word(const struct status *s)
{
	if (!s)
		return "not started";
	if (s->disabled)
		return "disabled";
	if (count(s, true))
		return "error";
	return s->stage[STAGE_FINAL].finished > 0 ? "done" : "running";
}

static const char *extended_word(const struct status *s)
{
	bool done = s && s->stage[STAGE_FINAL].finished > 0;

	if (!s)
		return "not started";
	if (s->disabled)
		return "disabled";
	if (count(s, true))
		return done ? "error - done" : "error - running";
	if (count(s, false))
		return done ? "degraded done" : "degraded running";
	return done ? "done" : "running";
}

/* All lists of one kind, as one. which: offset of the list in struct status_times. */
static const struct strings *list_of(const struct status *s, int stage, size_t which)
{
	return (const struct strings *)((const char *)&s->stage[stage] + which);
}

static void add_bullets(struct buf *out, const struct status *s, size_t which, const char *title)
{
	bool any = false;

	for (int i = 0; s && i < STAGE_COUNT; i++) {
		const struct strings *list = list_of(s, i, which);

		for (size_t k = 0; k < list->n; k++) {
			if (!any)
				buf_printf(out, "%s\n", title);
			any = true;
			buf_printf(out, "\t- %s\n", list->v[k]);
		}
	}
}

static void add_joined(struct buf *out, const struct status *s, size_t which)
{
	bool first = true;

	buf_putc(out, '[');
	for (int i = 0; s && i < STAGE_COUNT; i++) {
		const struct strings *list = list_of(s, i, which);

		for (size_t k = 0; k < list->n; k++) {
			buf_puts(out, first ? "" : ", ");
			buf_json_string(out, list->v[k], strlen(list->v[k]));
			first = false;
		}
	}
	buf_putc(out, ']');
}

static void add_update_time(struct buf *out, const struct status *s)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	uint64_t last = 0;
	time_t when;
	struct tm tm;

	for (int i = 0; i < STAGE_COUNT; i++)
		last = MAX(last, MAX(s->stage[i].start, s->stage[i].finished));
	when = (time_t)(last / 1000000);
	gmtime_r(&when, &tm);
	buf_printf(out, "%s, %02d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
		   tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* "DataSourceNoCloud [seed=/dev/vdb]" -> "nocloud" */
static void add_short_name(struct buf *out, const char *datasource)
{
	const char *s = !strncmp(datasource, "DataSource", 10) ? datasource + 10 : datasource;

	for (; *s && *s != ' '; s++)
		buf_putc(out, (char)(*s >= 'A' && *s <= 'Z' ? *s + 32 : *s));
}

/* What a not started, a running, a finished and a disabled boot have to say of themselves. */
static const char *detail(const struct status *s)
{
	static char stage[64];

	if (!s)
		return "coracle-config has not run yet.";
	if (s->disabled)
		return !strcmp(s->disabled, "disabled-by-marker-file") ? "Cloud-init disabled by /etc/cloud/cloud-init.disabled" :
									 "Cloud-init disabled by kernel parameter cloud-init=disabled";
	if (s->datasource[0] || s->running < 0)
		return s->datasource;
	snprintf(stage, sizeof(stage), "Running in stage: %s", status_stage_name((enum status_stage)s->running));
	return stage;
}

static const char *boot_code(const struct status *s)
{
	return !s ? "unknown" : s->disabled ? s->disabled : "enabled-by-generator";
}

/* {"ERROR": [...], "WARNING": [...]}, of kinds that there are. */
static void add_recoverable(struct buf *out, const struct status *s)
{
	static const struct { const char *name; size_t which; } kinds[] = {
		{ "ERROR", offsetof(struct status_times, recovered) }, { "WARNING", offsetof(struct status_times, warnings) },
	};
	bool any = false;

	buf_putc(out, '{');
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		size_t n = 0;

		for (int i = 0; s && i < STAGE_COUNT; i++)
			n += list_of(s, i, kinds[k].which)->n;
		if (n == 0)
			continue;
		buf_printf(out, "%s\"%s\": ", any ? ", " : "", kinds[k].name);
		add_joined(out, s, kinds[k].which);
		any = true;
	}
	buf_putc(out, '}');
}

/* The keys of cloud-init's, in their order: what a program asks for. Lists and stages are JSON in both forms: JSON is YAML. */
static void print_keys(const struct status *s, bool json, struct buf *out)
{
	const char *quote = json ? "\"" : "";
	const char *indent = json ? "  " : "";
	const char *end = json ? ",\n" : "\n";
	bool done = s && !s->disabled;

	buf_printf(out, "%s%sboot_status_code%s: \"%s\"%s%s%sdatasource%s: \"", indent, quote, quote, boot_code(s), end, indent, quote, quote);
	if (done)
		add_short_name(out, s->datasource);
	buf_printf(out, "\"%s%s%sdetail%s: ", end, indent, quote, quote);
	buf_json_string(out, detail(s), strlen(detail(s)));
	buf_printf(out, "%s%s%serrors%s: ", end, indent, quote, quote);
	add_joined(out, s, offsetof(struct status_times, errors));
	buf_printf(out, "%s%s%sextended_status%s: \"%s\"%s", end, indent, quote, quote, extended_word(s), end);
	if (done)
		status_add_stages(out, s, json);
	buf_printf(out, "%s%slast_update%s: \"", indent, quote, quote);
	if (done)
		add_update_time(out, s);
	buf_printf(out, "\"%s%s%srecoverable_errors%s: ", end, indent, quote, quote);
	add_recoverable(out, s);
	if (done && s->running >= 0)
		buf_printf(out, "%s%s%sstage%s: \"%s\"", end, indent, quote, quote, status_stage_name((enum status_stage)s->running));
	else if (done)
		buf_printf(out, "%s%s%sstage%s: null", end, indent, quote, quote);
	buf_printf(out, "%s%s%sstatus%s: \"%s\"\n", end, indent, quote, quote, status_word(s));
}

void status_print(const struct status *s, bool extended, enum status_format format, struct buf *out)
{
	if (format != STATUS_TABULAR) {
		buf_puts(out, format == STATUS_JSON ? "{\n" : "---\n");
		print_keys(s, format == STATUS_JSON, out);
		buf_puts(out, format == STATUS_JSON ? "}\n" : "...\n");
		return;
	}
	buf_printf(out, "status: %s\n", status_word(s));
	if (!extended)
		return;
	buf_printf(out, "extended_status: %s\nboot_status_code: %s\n", extended_word(s), boot_code(s));
	if (s && !s->disabled) {
		buf_puts(out, "last_update: ");
		add_update_time(out, s);
		buf_putc(out, '\n');
	}
	buf_printf(out, "detail: %s\n", detail(s));
	if (s && count(s, true))
		add_bullets(out, s, offsetof(struct status_times, errors), "errors:");
	else
		buf_puts(out, "errors: []\n");
	if (s && count(s, false)) {
		buf_puts(out, "recoverable_errors:\n");
		add_bullets(out, s, offsetof(struct status_times, recovered), "ERROR:");
		add_bullets(out, s, offsetof(struct status_times, warnings), "WARNING:");
	} else {
		buf_puts(out, "recoverable_errors: {}\n");
	}
}
