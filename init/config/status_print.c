/* status_print.c - `coracle-config status`, as `cloud-init status` prints it (24.1 and later). */
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
	if (count(s, true))
		return "error";
	return s->stage[STAGE_FINAL].finished > 0 ? "done" : "running";
}

static const char *extended_word(const struct status *s)
{
	bool done = s && s->stage[STAGE_FINAL].finished > 0;

	if (!s)
		return "not started";
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

static void print_json(const struct status *s, struct buf *out)
{
	buf_printf(out, "{\n  \"boot_status_code\": \"%s\",\n  \"datasource\": \"", s ? "enabled-by-generator" : "unknown");
	if (s)
		add_short_name(out, s->datasource);
	buf_puts(out, "\",\n  \"detail\": ");
	buf_json_string(out, s ? s->datasource : "", s ? strlen(s->datasource) : 0);
	buf_puts(out, ",\n  \"errors\": ");
	add_joined(out, s, offsetof(struct status_times, errors));
	buf_printf(out, ",\n  \"extended_status\": \"%s\",\n", extended_word(s));
	if (s) {
		status_add_stages(out, s);
		buf_puts(out, "  \"last_update\": \"");
		add_update_time(out, s);
		buf_puts(out, "\",\n");
	}
	buf_puts(out, "  \"recoverable_errors\": {");
	if (s && count(s, false)) {
		buf_puts(out, "\"ERROR\": ");
		add_joined(out, s, offsetof(struct status_times, recovered));
		buf_puts(out, ", \"WARNING\": ");
		add_joined(out, s, offsetof(struct status_times, warnings));
	}
	buf_printf(out, "},\n  \"status\": \"%s\"\n}\n", status_word(s));
}

void status_print(const struct status *s, bool extended, bool json, struct buf *out)
{
	if (json) {
		print_json(s, out);
		return;
	}
	buf_printf(out, "status: %s\n", status_word(s));
	if (!extended)
		return;
	buf_printf(out, "extended_status: %s\nboot_status_code: %s\n", extended_word(s), s ? "enabled-by-generator" : "unknown");
	if (s) {
		buf_puts(out, "last_update: ");
		add_update_time(out, s);
		buf_printf(out, "\ndetail: %s\n", s->datasource);
	}
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
