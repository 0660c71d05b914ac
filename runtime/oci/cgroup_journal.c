/* cgroup_journal.c - what the files of a group held before an update wrote them.
 * Runs in coracle-runtime, update only; elsewhere there is no journal and no cost. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/fd.h"
#include "runtime/oci/cgroup.h"
#include "runtime/oci/log.h"

#define OLD_MAX 65536

struct entry {
	struct entry *next;	/* the one written before */
	int dir;
	char *old;		/* what to write again */
	char file[];
};

static bool on;
static struct entry *last;

void cgroup_journal_begin(void)
{
	on = true;
}

/* "8:0 rbps=1" is about one device, of which the file has a line or none yet; so with rdma.max, net_prio.ifpriomap. */
static bool of_device(const char *file, const char *value)
{
	return strchr(value, ' ') && strcmp(file, "cpu.max") != 0;
}

/* The line that is to be written again, cut out of the file's text; NULL when there was none. */
static char *old_line(char *text, const char *file, const char *value)
{
	size_t n = strcspn(value, " ") + 1;
	char *save = NULL, *line = strtok_r(text, "\n", &save);

	while (line && of_device(file, value) && strncmp(line, value, n) != 0)
		line = strtok_r(NULL, "\n", &save);
	/* memory.oom_control of v1: "oom_kill_disable 0" */
	return line && !strncmp(line, "oom_kill_disable ", 17) ? line + 17 : line;
}

static int nothing_of_device(char *out, size_t size, const char *file, const char *value)
{
	const char *none = !strcmp(file, "io.max") ? "rbps=max wbps=max riops=max wiops=max" : !strncmp(file, "io.", 3) ? "default" : "0";

	return snprintf(out, size, "%.*s%s", (int)strcspn(value, " ") + 1, value, none);
}

int cgroup_journal_note(int dir, const char *file, const char *value, struct err *err)
{
	CLEANUP_FREE char *text = NULL;
	struct err none;
	struct entry *e;
	char reset[128];
	char *old;

	if (!on || fd_read_file(dir, file, OLD_MAX, &text, NULL, &none) < 0)
		return 0;	/* what cannot be read cannot be written, or need not be written back */
	old = old_line(text, file, value);
	if (!old && of_device(file, value)) {
		nothing_of_device(reset, sizeof reset, file, value);
		old = reset;
	}
	e = malloc(sizeof *e + strlen(file) + 1);
	/* an empty cpuset is written as a line */
	old = strdup(old ? old : "\n");
	if (!e || !old) {
		free(e);
		free(old);
		return err_set(err, ENOMEM, "remember %s", file);
	}
	e->dir = dir;
	e->old = old;
	strcpy(e->file, file);
	e->next = last;
	last = e;
	return 0;
}

void cgroup_journal_end(bool undo)
{
	on = false;
	while (last) {
		struct entry *e = last;
		int r = undo ? fd_write_small(e->dir, e->file, e->old) : 0;

		if (r < 0)
			log_warning("update failed, and so did setting %s back to \"%s\": %s", e->file, e->old, strerror(-r));
		last = e->next;
		free(e->old);
		free(e);
	}
}
