/* storage_fstab.c - makes /etc/fstab as cloud-init does (cc_mounts.handle): its own lines carry comment=cloudconfig, those of an earlier run go.
 *
 * Pure but for the look into /dev that storage_device may take. Runs in coracle-config. An entry is one line whatever its fields hold: blanks, backslashes and
 * a leading # are escaped as getmntent(3) reads them, and control characters were refused when they were read. */
#include <string.h>

#include "buf.h"
#include "storage.h"

#define MARK "comment=cloudconfig"
#define FSTAB_MAX ((size_t)1 << 20)

/* What cloud-init fills in on a machine with a service manager. */
static const char *const default_fields[MOUNT_FIELDS] = {
	NULL, NULL, "auto", "defaults,nofail,x-systemd.after=cloud-init-network.service,_netdev", "0", "2",
};

static void add_field(struct buf *b, const char *s)
{
	if (*s == '#') {
		buf_puts(b, "\\043");
		s++;
	}
	for (; *s; s++) {
		if (*s == ' ' || *s == '\t' || *s == '\\')
			buf_printf(b, "\\%03o", (unsigned)*s);
		else
			buf_putc(b, *s);
	}
}

static void add_line(struct buf *b, const struct storage_line *l)
{
	for (unsigned i = 0; i < MOUNT_FIELDS; i++) {
		if (i)
			buf_putc(b, '\t');
		add_field(b, l->field[i]);
		if (i == FSTAB_OPTIONS)
			buf_puts(b, "," MARK);
	}
	buf_putc(b, '\n');
}

/* Copies the lines of the old file that are not ours. */
static void keep_others(struct buf *b, const char *old)
{
	while (*old) {
		size_t n = strcspn(old, "\n");

		if (!memmem(old, n, MARK, strlen(MARK))) {
			buf_add(b, old, n);
			buf_putc(b, '\n');
		}
		old += n + (old[n] == '\n');
	}
}

/* True when somebody else's line is about this device. */
static bool is_listed(const char *old, const char *spec)
{
	size_t len = strlen(spec);

	for (const char *p = old; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t n = strcspn(p, "\n");

		if (strcspn(p, " \t\n") == len && !memcmp(p, spec, len) && !memmem(p, n, MARK, strlen(MARK)))
			return true;
	}
	return false;
}

/* One whose directory is null takes back the earlier ones for its device, and is none itself. */
static unsigned take_back(struct storage_line *lines, unsigned n, const char *spec)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++)
		if (strcmp(lines[i].field[FSTAB_SPEC], spec) != 0)
			lines[kept++] = lines[i];
	return kept;
}

static unsigned collect(struct ctx *ctx, const struct storage *s, const char *old, bool look, struct storage_line *lines)
{
	unsigned n = 0;

	for (const struct storage_mount *m = s->mounts; m; m = m->next) {
		const char *name = m->field[FSTAB_SPEC];
		const char *spec = storage_device(ctx, s, name, look);
		struct storage_line *l = &lines[n];

		if (!spec && !m->field[FSTAB_FILE])
			continue; /* takes back what a cloud would have mounted; here nothing is */
		if (!spec) {
			diag_at(ctx->diags, DIAG_WARNING, m->at, "name the device, or LABEL=NAME", "%s is not mounted: there is no disk of that name here", name);
			continue;
		}
		if (is_listed(old, spec)) {
			diag_at(ctx->diags, DIAG_WARNING, m->at, NULL, "%s is in /etc/fstab already; that line stays as it is", spec);
			continue;
		}
		*l = (struct storage_line){ .at = m->at };
		for (unsigned i = 0; i < MOUNT_FIELDS; i++)
			l->field[i] = m->field[i] ? m->field[i] : s->has_defaults ? s->defaults[i] : default_fields[i];
		for (unsigned i = FSTAB_TYPE; i < MOUNT_FIELDS; i++)
			if (!l->field[i])
				l->field[i] = default_fields[i];
		l->field[FSTAB_SPEC] = spec;
		if (l->field[FSTAB_FILE])
			n++;
		else
			n = take_back(lines, n, spec);
	}
	return n;
}

const char *storage_fstab(struct ctx *ctx, const struct storage *s, const char *old, const char *swap_path, bool look, struct storage_line *lines,
			  unsigned *n_lines)
{
	CLEANUP_BUF struct buf b = { 0 };
	unsigned n = collect(ctx, s, old, look, lines);

	if (swap_path)
		lines[n++] = (struct storage_line){ s->swap.at, { swap_path, "none", "swap", "sw", "0", "0" } };
	*n_lines = n;
	if (n == 0)
		return NULL;
	buf_init(&b, FSTAB_MAX);
	keep_others(&b, old);
	for (unsigned i = 0; i < n; i++)
		add_line(&b, &lines[i]);
	if (buf_error(&b)) {
		diag_at(ctx->diags, DIAG_ERROR, NULL, NULL, "/etc/fstab would be more than 1 MiB; it stays as it is");
		*n_lines = 0;
		return NULL;
	}
	return arena_strndup(ctx->arena, b.data, b.len);
}
