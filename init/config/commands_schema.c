/* commands_schema.c - `coracle-config schema`: the verdict that the boot would give, without applying anything.
 *
 * Runs as anybody, on any Linux; reads only the file that it is given, or with --system what the machine was started with. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"
#include "network/network.h"
#include "options.h"
#include "run.h"
#include "sys.h"

#define OUTPUT_MAX ((size_t)4 << 20)
#define INSTANCE "/var/lib/cloud/instance/"

struct request {
	const char *file;
	const char *type;	/* NULL: cloud-config, unless it is a network-config by its keys */
	const char *root;
	bool annotate;
	bool system;
	bool wrong;		/* an option that is not known */
};

static bool is_network(const struct request *q, const char *text, size_t len)
{
	return q->type ? !strcmp(q->type, "network-config") : network_looks_like(text, len);
}

static char mark_of(const struct diag *d)
{
	return d->level == DIAG_WARNING ? 'W' : 'E';
}

/* "\t\t# E1,E2" behind a line that something is wrong with. */
static void add_marks(struct buf *out, const struct diags *diags, const struct source *source, unsigned line)
{
	unsigned number[2] = { 0, 0 };
	bool any = false;

	for (const struct diag *d = diags->first; d; d = d->next) {
		unsigned n = ++number[mark_of(d) == 'E'];

		if (d->source != source || d->line != line)
			continue;
		buf_printf(out, "%s%c%u", any ? "," : "\t\t# ", mark_of(d), n);
		any = true;
	}
}

static void add_list(struct buf *out, const struct diags *diags, char mark, const char *title)
{
	unsigned n = 0;

	for (const struct diag *d = diags->first; d; d = d->next) {
		if (mark_of(d) != mark)
			continue;
		if (n == 0)
			buf_printf(out, "# %s: -------------\n", title);
		buf_printf(out, "# %c%u: %s%s%s%s\n", mark, ++n, d->text, d->hint ? " (" : "", d->hint ? d->hint : "", d->hint ? ")" : "");
	}
}

/* The file as it is, each line with the numbers of its problems, as `cloud-init schema --annotate`. */
static void annotate(struct buf *out, const struct diags *diags, const char *text, size_t len)
{
	const struct source *source = NULL;
	const char *end = text + len;
	unsigned line = 1;

	for (const struct diag *d = diags->first; d && !source; d = d->next)
		source = d->source;
	for (const char *p = text; p < end; line++) {
		size_t n = strcspn(p, "\n");

		if (n > (size_t)(end - p))
			n = (size_t)(end - p);
		buf_add(out, p, n - (n > 0 && p[n - 1] == '\r'));
		add_marks(out, diags, source, line);
		buf_putc(out, '\n');
		p += n + 1;
	}
	buf_putc(out, '\n');
	add_list(out, diags, 'E', "Errors");
	add_list(out, diags, 'W', "Warnings");
}

/* Returns the exit status of one text. */
static int check(const struct request *q, const char *name, const char *text, size_t len, bool network)
{
	CLEANUP_BUF struct buf out = { 0 };
	struct run r;
	int code;

	run_init(&r);
	buf_init(&out, OUTPUT_MAX);
	if (network) {
		network_read(&r.ctx, name, text, len);
	} else {
		userdata_read(&r.ctx, name, text, len, &r.config);
		config_finish(&r.ctx, &r.config);
	}
	if (q->annotate && r.diags.first)
		annotate(&out, &r.diags, text, len);
	else
		diags_render(&r.diags, &out);
	fputs(out.data, stdout);
	if (!r.diags.first)
		printf("%s: valid\n", name);
	code = diags_errors(&r.diags) ? 1 : 0;
	run_fini(&r);
	return code;
}

static int check_file(const struct request *q)
{
	struct err err = ERR_INIT;
	CLEANUP_FREE char *text = NULL;
	size_t len;

	int e = fd_read_file(AT_FDCWD, q->file, USERDATA_MAX, &text, &len, &err);

	if (e == -EFBIG)
		printf("%s:1:1: error: this is larger than 1 MiB; no source delivers that much\n", q->file);
	else if (e < 0)
		fprintf(stderr, "coracle-config: %s\n", err.text);
	if (e < 0)
		return 1;
	return check(q, q->file, text, len, is_network(q, text, len));
}

static int check_system(const struct request *q)
{
	static const struct { const char *path; bool network; } files[] = {
		{ INSTANCE "user-data.txt", false }, { INSTANCE "vendor-data.txt", false }, { INSTANCE "vendor-data2.txt", false },
		{ INSTANCE "network-config.json", true },
	};
	struct err err = ERR_INIT;
	struct target t;
	unsigned found = 0;
	int code = 0;

	if (target_open(&t, q->root, false, &err) < 0) {
		fprintf(stderr, "coracle-config: %s\n", err.text);
		return 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		CLEANUP_FREE char *text = NULL;
		size_t len = 0;
		int e = target_read(&t, files[i].path, USERDATA_MAX + 1, &text, &len);

		if (e == -ENOENT || (e == 0 && len == 0))
			continue;
		found++;
		if (e < 0)
			fprintf(stderr, "coracle-config: read %s: %s\n", files[i].path, err_name(-e));
		code |= e < 0 ? 1 : check(q, files[i].path, text, len, files[i].network);
	}
	target_close(&t);
	if (found == 0)
		printf("no user-data was given to this machine; nothing to check\n");
	return code;
}

static bool type_known(const char *type)
{
	return !strcmp(type, "cloud-config") || !strcmp(type, "network-config");
}

static void read_options(struct options *o, struct request *q)
{
	const char *unused = "";

	for (o->i = 1; o->i < o->argc; o->i++) {
		if (option_value(o, "-c", "--config-file", &q->file))
			q->wrong |= !q->file;
		else if (option_value(o, "-t", "--schema-type", &q->type))
			q->wrong |= !q->type || !type_known(q->type);
		else if (option_value(o, "-i", "--instance-data", &unused))
			q->wrong |= !unused;
		else if (option_value(o, NULL, "--root", &q->root))
			q->wrong |= !q->root;
		else if (option_flag(o, NULL, "--annotate"))
			q->annotate = true;
		else if (option_flag(o, NULL, "--system"))
			q->system = true;
		else
			q->wrong = true;
	}
}

int command_schema(int argc, char **argv)
{
	struct options o = { .argc = argc, .argv = argv };
	struct request q = { .root = "/" };

	read_options(&o, &q);
	if (q.wrong || (q.system == (q.file != NULL))) {
		fprintf(stderr, "usage: coracle-config schema -c FILE [-t cloud-config|network-config] [--annotate]\n"
				"       coracle-config schema --system [--root DIR] [--annotate]\n");
		return 1;
	}
	return q.system ? check_system(&q) : check_file(&q);
}
