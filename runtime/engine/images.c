/* images.c - imports from the boot medium in a child process (coracle-engine). The engine itself never unpacks. */
#include "images.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "console.h"
#include "engine.h"
#include "fd.h"
#include "loop.h"
#include "notify.h"
#include "report.h"
#include "text.h"

#define ARCHIVES_MAX 1024
#define LINE_MAX_BYTES 1600
#define TRIES_MAX 3		/* of what was killed: by the kernel for want of memory, by someone */

static char *archives[ARCHIVES_MAX];
static size_t archive_count;
static struct loop_watch pipe_watch = { .fd = -1 };
static char line[LINE_MAX_BYTES];
static size_t line_len;
static bool importing = true;	/* until the media have been looked at */
static void (*on_changed)(void);
static void (*on_done)(void);

int images_open(struct err *err)
{
	struct store_options opt = { .fetch = engine.opt.fetch };
	int r = store_open(&engine.store, engine.opt.root, &opt, err);

	/* The engine before this one was killed; what it started dies with it, in a moment. */
	for (int i = 0; r == -EBUSY && i < 100; i++) {
		usleep(20000);
		r = store_open(&engine.store, engine.opt.root, &opt, err);
	}
	return r;
}

int images_lookup(const char *name, struct store_image **out, struct err *err)
{
	return store_image_lookup(engine.store, name, out, err);
}

bool images_importing(void)
{
	return importing;
}

/* -- finding ------------------------------------------------------------- */

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && strcmp(s + n - m, end) == 0;
}

static bool is_image(const char *dir, const char *name)
{
	static const char *const ends[] = { ".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst" };
	char path[1024];
	struct stat st;

	text_set(path, sizeof(path), "%s/%s", dir, name);
	if (stat(path, &st) < 0)
		return false;
	for (size_t i = 0; S_ISREG(st.st_mode) && i < ARRAY_SIZE(ends); i++)
		if (ends_in(name, ends[i]))
			return true;
	if (!S_ISDIR(st.st_mode))
		return false;
	text_set(path, sizeof(path), "%s/%s/oci-layout", dir, name);
	return access(path, F_OK) == 0;
}

static void add_archive(const char *path)
{
	if (archive_count == ARCHIVES_MAX) {
		report_problem("engine", "%s is not imported: more than %d archives", path, ARCHIVES_MAX);
		return;
	}
	archives[archive_count] = strdup(path);
	if (archives[archive_count])
		archive_count++;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void scan_medium(const char *dir)
{
	struct dirent **names;
	char path[1024];
	int n;

	text_set(path, sizeof(path), "%s/oci-layout", dir);
	if (access(path, F_OK) == 0) {
		add_archive(dir);	/* the whole medium is a layout */
		return;
	}
	n = scandir(dir, &names, NULL, by_name);
	for (int i = 0; i < n; i++) {
		text_set(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && is_image(dir, names[i]->d_name))
			add_archive(path);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

static void scan_media(const char *media)
{
	struct dirent **names;
	char path[1024];
	int n = scandir(media, &names, NULL, by_name);

	for (int i = 0; i < n; i++) {
		text_set(path, sizeof(path), "%s/%s", media, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			scan_medium(path);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* -- in the child -------------------------------------------------------- */

struct importer {
	int out;
	const char *path;
	uint64_t last_note;
};

/* One line to the parent; at most PIPE_BUF, so that it arrives whole. */
static void tell(const struct importer *im, char kind, const char *text)
{
	char msg[LINE_MAX_BYTES];
	int n = snprintf(msg, sizeof(msg) - 1, "%c%s", kind, text);

	n = MIN(n, (int)sizeof(msg) - 2);
	for (int i = 0; i < n; i++)
		if (msg[i] == '\n')
			msg[i] = ' ';
	msg[n++] = '\n';
	fd_write_full(im->out, msg, (size_t)n);
}

static void on_progress(const struct store_progress *p, void *arg)
{
	struct importer *im = arg;
	char text[400];

	if (loop_now() - im->last_note < 1000)
		return;
	im->last_note = loop_now();
	text_set(text, sizeof(text), "import %.200s: %s, layer %zu of %zu, %llu MB", p->image, p->step, p->layer, p->layers,
		 (unsigned long long)(p->bytes / 1000000));
	tell(im, 'N', text);
}

static void on_warning(const char *text, void *arg)
{
	struct importer *im = arg;
	char msg[1200];

	text_set(msg, sizeof(msg), "import %s: %s", im->path, text);
	tell(im, 'N', msg);
}

static void import_one(struct importer *im)
{
	struct store_import_options opt = { .progress = on_progress, .warning = on_warning, .arg = im };
	struct store_import_result result = { 0 };
	struct err err = ERR_INIT;
	char text[1400];
	uint64_t begin = loop_now();
	bool fresh = false;
	int r = -EINTR;

	im->last_note = begin;
	for (int tries = 1; r == -EINTR; tries++) {
		r = store_import(engine.store, im->path, &opt, &result, &err);
		if (r != -EINTR || tries == TRIES_MAX)
			break;
		text_set(text, sizeof(text), "import %.300s: %s; once more", im->path, err.text);
		tell(im, 'N', text);
	}
	if (r < 0) {
		text_set(text, sizeof(text), "import %.300s: %s", im->path, err.text);
		tell(im, 'E', text);
		return;
	}
	for (size_t i = 0; i < result.count; i++) {
		if (result.image[i].known)
			continue;
		fresh = true;
		text_set(text, sizeof(text), "imported %s in %llu ms", result.image[i].name,
			 (unsigned long long)(loop_now() - begin));
		tell(im, 'N', text);
	}
	free(result.image);
	tell(im, fresh ? 'D' : 'K', im->path);
}

static void import_all(int out)
{
	for (size_t i = 0; i < archive_count; i++) {
		struct importer im = { .out = out, .path = archives[i] };

		import_one(&im);
	}
}

/* -- in the engine ------------------------------------------------------- */

static void reload(void)
{
	struct err err = ERR_INIT;

	if (store_reload(engine.store, &err) < 0)
		report_problem("engine", "read the store again: %s", err.text);
	on_changed();
}

static void on_line(const char *text)
{
	switch (text[0]) {
	case 'E':
		report_problem("engine", "%s", text + 1);
		break;
	case 'N':
		report_note("engine", "%s", text + 1);
		/* who watches the containers' output waits for the first container */
		console_line("engine", text + 1, strlen(text + 1));
		notify_send("STATUS=%s", text + 1);
		break;
	case 'D':
		reload();
		break;
	default:
		break;
	}
}

static ssize_t read_lines(void)
{
	ssize_t n = read(pipe_watch.fd, line + line_len, sizeof(line) - line_len);
	char *end;

	if (n <= 0)
		return n;
	line_len += (size_t)n;
	while ((end = memchr(line, '\n', line_len))) {
		size_t used = (size_t)(end - line) + 1;

		*end = '\0';
		on_line(line);
		line_len -= used;
		memmove(line, line + used, line_len);
	}
	if (line_len == sizeof(line))
		line_len = 0;
	return n;
}

static void finish(void)
{
	importing = false;
	for (size_t i = 0; i < archive_count; i++)
		free(archives[i]);
	archive_count = 0;
	on_done();
}

static void on_readable(uint32_t events, void *arg)
{
	(void)events;
	(void)arg;
	if (read_lines() == 0)
		loop_remove(&pipe_watch);
}

static bool start_importer(void);

static void on_child_done(int status, void *arg)
{
	static int tries = 1;

	(void)arg;
	while (read_lines() > 0)
		;
	loop_remove(&pipe_watch);
	fd_close(&pipe_watch.fd);
	line_len = 0;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && tries++ < TRIES_MAX && !engine.stopping) {
		report_note("engine", "the import of images was killed; once more");
		reload();
		if (start_importer())
			return;
	}
	if (status != 0)
		report_problem("engine", "the import of images ended with %s %d",
			       WIFSIGNALED(status) ? "signal" : "code", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	reload();
	finish();
}

static bool start_importer(void)
{
	struct err err = ERR_INIT;
	int p[2];
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) < 0) {
		report_problem("engine", "import of images: %s", strerror(errno));
		return false;
	}
	pid = child_fork(on_child_done, NULL, &err);
	if (pid == 0) {
		close(p[0]);
		import_all(p[1]);
		_exit(0);
	}
	close(p[1]);
	pipe_watch = (struct loop_watch){ .fd = p[0], .ready = on_readable };
	fd_set_nonblock(p[0]);
	if (pid < 0) {
		report_problem("engine", "import of images: %s", err.text);
		fd_close(&pipe_watch.fd);
		return false;
	}
	loop_add(&pipe_watch, EPOLLIN);
	return true;
}

void images_import_media(const char *media, void (*changed)(void), void (*done)(void))
{
	on_changed = changed;
	on_done = done;
	scan_media(media);
	if (archive_count == 0 || !start_importer())
		finish();
}
