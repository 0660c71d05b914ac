/* intelrdt.c - writes resctrl. Runs in coracle-runtime, at create, run and update; never mounts. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/intelrdt.h"

#define SCHEMATA_MAX 16384
#define MOUNTINFO_MAX (16u << 20)

/* "36 35 0:31 / /sys/fs/resctrl rw,... - resctrl resctrl rw": the fifth word. */
static bool mount_point(char *line, char *root, size_t size)
{
	const char *kind = strstr(line, " - ");
	char *word = line, *end;

	if (!kind || strncmp(kind + 3, "resctrl ", 8))
		return false;
	for (int i = 0; i < 4; i++) {
		word = strchr(word, ' ');
		if (!word)
			return false;
		word++;
	}
	end = strchr(word, ' ');
	return end && snprintf(root, size, "%.*s", (int)(end - word), word) < (int)size;
}

int rdt_find(char *root, size_t size, struct err *err)
{
	CLEANUP_FREE char *text = NULL;
	char *line, *save = NULL;
	int r = fd_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, NULL, err);

	if (r < 0)
		return r;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (mount_point(line, root, size))
			return 0;
	return err_set(err, 0, "linux.intelRdt: no resctrl file system is mounted (mount -t resctrl resctrl /sys/fs/resctrl, or leave it out)");
}

static int join(char *out, const char *a, const char *b, struct err *err)
{
	return snprintf(out, PATH_MAX, "%s/%s", a, b) >= PATH_MAX ? err_set(err, ENAMETOOLONG, "linux.intelRdt: %s", b) : 0;
}

static int write_file(const char *group, const char *file, const char *text, struct err *err)
{
	char path[PATH_MAX];
	int r = join(path, group, file, err);

	if (r < 0)
		return r;
	r = fd_write_small(AT_FDCWD, path, text);
	return r < 0 ? err_set(err, -r, "linux.intelRdt: write \"%s\" to %s", text, path) : 0;
}

/* "L3:0=f" is true of "  L3:0=00f;1=ff": each part is there, whatever zeros are in front. */
static bool part_holds(const char *line, const char *part, size_t n)
{
	size_t id = strcspn(part, "="), skip;

	for (line += strcspn(line, ":") + 1;; line++) {
		size_t m = strcspn(line, ";\n"), k = strcspn(line, "=");

		if (k == id && id < n && k < m && !strncmp(line, part, k)) {
			const char *want = part + id + 1, *have = line + k + 1;
			size_t wn = n - id - 1, hn = m - k - 1;

			skip = strspn(want, "0");
			want += skip < wn ? skip : 0;
			wn -= skip < wn ? skip : 0;
			skip = strspn(have, "0");
			have += skip < hn ? skip : 0;
			hn -= skip < hn ? skip : 0;
			return wn == hn && !strncasecmp(want, have, wn);
		}
		line += m;
		if (*line != ';')
			return false;
	}
}

static bool line_holds(const char *line, const char *want)
{
	size_t name = strcspn(want, ":");

	line += strspn(line, " ");
	if (strncmp(line, want, name + 1))
		return false;
	for (want += name + 1; *want; want += *want == ';') {
		size_t n = strcspn(want, ";");

		if (n && !part_holds(line, want, n))
			return false;
		want += n;
	}
	return true;
}

static int check_schema(const char *group, const char *text, const char *want, struct err *err)
{
	for (const char *line = text; *line; line += *line == '\n') {
		if (line_holds(line, want))
			return 0;
		line += strcspn(line, "\n");
	}
	return err_set(err, 0, "linux.intelRdt.closID: %s is there already and its schemata do not have \"%s\"", group, want);
}

/* A class that others made is used only as it is. */
static int check_schemata(const char *group, const struct spec_rdt *c, struct err *err)
{
	CLEANUP_FREE char *text = NULL;
	char path[PATH_MAX];
	int r;

	if ((r = join(path, group, "schemata", err)) < 0 ||
	    (r = fd_read_file(AT_FDCWD, path, SCHEMATA_MAX, &text, NULL, err)) < 0 ||
	    (c->l3 && (r = check_schema(group, text, c->l3, err)) < 0) ||
	    (c->bandwidth && (r = check_schema(group, text, c->bandwidth, err)) < 0))
		return r;
	for (char **line = c->schemata; line && *line; line++)
		if ((r = check_schema(group, text, *line, err)) < 0)
			return r;
	return 0;
}

static int write_schemata(const char *group, const struct spec_rdt *c, struct err *err)
{
	int r;

	if ((c->l3 && (r = write_file(group, "schemata", c->l3, err)) < 0) ||
	    (c->bandwidth && (r = write_file(group, "schemata", c->bandwidth, err)) < 0))
		return r;
	for (char **line = c->schemata; line && *line; line++)
		if ((r = write_file(group, "schemata", *line, err)) < 0)
			return r;
	return 0;
}

static int open_group(struct rdt *r, const struct spec_rdt *c, bool schema, struct err *err)
{
	int rc;

	if (c->clos && !schema) {
		if (access(r->group, F_OK) < 0)
			return err_set(err, errno, "linux.intelRdt.closID: %s is to be there when no schema is given", r->group);
		return 0;
	}
	rc = sys_mkdirat(AT_FDCWD, r->group, 0755);
	if (rc == -EEXIST)
		return c->clos ? check_schemata(r->group, c, err) : 0;
	if (rc == -ENOSPC)
		return err_set(err, ENOSPC, "linux.intelRdt: make %s: the processor has no class of service left", r->group);
	if (rc < 0)
		return err_set(err, -rc, "linux.intelRdt: make %s", r->group);
	r->made_group = true;
	return 0;
}

static int open_monitor(struct rdt *r, const char *id, struct err *err)
{
	char parent[PATH_MAX];
	int rc;

	if ((rc = join(parent, r->group, "mon_groups", err)) < 0 || (rc = join(r->monitor, parent, id, err)) < 0)
		return rc;
	rc = sys_mkdirat(AT_FDCWD, r->monitor, 0755);
	if (rc < 0 && rc != -EEXIST)
		return err_set(err, -rc, "linux.intelRdt.enableMonitoring: make %s", r->monitor);
	r->made_monitor = rc == 0;
	return 0;
}

int rdt_apply(struct rdt *r, const char *root, const struct spec_rdt *c, const char *id, pid_t pid, struct err *err)
{
	bool schema = c->l3 || c->bandwidth || (c->schemata && *c->schemata), top = c->clos && !strcmp(c->clos, "/");
	char number[16];
	int rc;

	r->keep_group = c->clos != NULL;
	snprintf(number, sizeof number, "%d", (int)pid);
	if (top)
		snprintf(r->group, sizeof r->group, "%s", root);
	else if ((rc = join(r->group, root, c->clos ? c->clos : id, err)) < 0)
		return rc;
	if ((rc = open_group(r, c, schema, err)) < 0 ||
	    (rc = write_schemata(r->group, c, err)) < 0 ||
	    (rc = write_file(r->group, "tasks", number, err)) < 0 ||
	    (c->monitoring && ((rc = open_monitor(r, id, err)) < 0 || (rc = write_file(r->monitor, "tasks", number, err)) < 0)))
		return rc;
	return 0;
}

/* Lines such as "    L3:0=f" and "    MB:0=100" are there for what the processor can do. */
static bool offered(const char *schemata, const char *name)
{
	for (const char *line = schemata; *line; line += *line == '\n') {
		line += strspn(line, " ");
		if (!strncmp(line, name, strlen(name)))
			return true;
		line += strcspn(line, "\n");
	}
	return false;
}

static int check_offer(const char *root, const struct spec_rdt *want, struct err *err)
{
	CLEANUP_FREE char *text = NULL;
	char path[PATH_MAX];
	struct err none;
	int r = *root ? join(path, root, "schemata", err) : -ENOENT;

	if (r >= 0)
		r = fd_read_file(AT_FDCWD, path, SCHEMATA_MAX, &text, NULL, &none);
	if (want->l3 && (r < 0 || !offered(text, "L3")))
		return err_set(err, 0, "Intel RDT/CAT: l3 cache schema is not enabled");
	if (want->bandwidth && (r < 0 || !offered(text, "MB:")))
		return err_set(err, 0, "Intel RDT/MBA: memory bandwidth schema is not enabled");
	return 0;
}

int rdt_update(struct rdt *r, const char *root, const struct spec_rdt *config, const struct spec_rdt *want, const char *id, pid_t pid, struct err *err)
{
	char number[16];
	int rc = check_offer(root, want, err);

	if (rc < 0)
		return rc;
	if (config->clos && !strcmp(config->clos, "/"))
		snprintf(r->group, sizeof r->group, "%s", root);
	else if ((rc = join(r->group, root, config->clos ? config->clos : id, err)) < 0)
		return rc;
	if (config->present)
		return write_schemata(r->group, want, err);
	/* the container has none yet: what holds for it must be there before it comes in */
	if ((rc = open_group(r, want, true, err)) < 0)
		return rc;
	snprintf(number, sizeof number, "%d", (int)pid);
	if ((rc = write_schemata(r->group, want, err)) < 0 || (rc = write_file(r->group, "tasks", number, err)) < 0)
		rdt_undo(r);
	return rc;
}

void rdt_undo(struct rdt *r)
{
	if (r->made_monitor)
		sys_unlinkat(AT_FDCWD, r->monitor, AT_REMOVEDIR);
	if (r->made_group)
		sys_unlinkat(AT_FDCWD, r->group, AT_REMOVEDIR);
}

const char *rdt_owned(const struct rdt *r, int i)
{
	const char *list[2];
	int n = 0;

	if (r->made_monitor)
		list[n++] = r->monitor;
	if (r->made_group && !r->keep_group)
		list[n++] = r->group;
	return i < n ? list[i] : NULL;
}
