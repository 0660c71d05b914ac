/* final.c - the last stage: the instance's scripts (runcmd is one of them), then the power state.
 *
 * The scripts run once per instance-id, as cloud-init's scripts_user: the marker below sem/ is made before they start, so
 * that a script which reboots the machine does not do so for ever. With a stateless /var they run on each boot. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "path.h"
#include "report.h"
#include "run.h"
#include "scalar.h"

#define FINAL_PATH "/run/coracle/final"
#define INIT_SOCKET "/run/coracle/init.sock"
#define SCRIPTS_MAX 256

struct plan {
	const char *instance_id;
	bool scripts;
	const char *power;	/* NULL: stay up */
	uint64_t delay_minutes;
	uint64_t timeout_s;
	const char *message;
	const char *condition;
};

static void read_line(struct plan *p, const char *name, const char *value)
{
	if (!strcmp(name, "instance-id") && path_component_ok(value))
		p->instance_id = value;
	else if (!strcmp(name, "scripts"))
		p->scripts = true;
	else if (!strcmp(name, "power"))
		p->power = value;
	else if (!strcmp(name, "delay"))
		scalar_uint(value, 100000, &p->delay_minutes);
	else if (!strcmp(name, "timeout"))
		scalar_uint(value, 100000, &p->timeout_s);
	else if (!strcmp(name, "message"))
		p->message = value;
	else if (!strcmp(name, "condition"))
		p->condition = value;
}

static int read_plan(struct run *r, struct plan *p)
{
	CLEANUP_FREE char *text = NULL;
	char *save = NULL;
	size_t len;
	int e = target_read(&r->target, FINAL_PATH, 8192, &text, &len);

	*p = (struct plan){ .instance_id = "nocloud" };
	if (e < 0)
		return e;
	for (char *line = strtok_r(arena_strndup(&r->arena, text, len), "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *blank = strchr(line, ' ');

		if (!blank)
			continue;
		*blank = '\0';
		read_line(p, line, blank + 1);
	}
	return 0;
}

static void mark(struct run *r, const struct plan *p, const char *module)
{
	struct err err = ERR_INIT;
	const char *text = arena_printf(&r->arena, "%d: %" PRIu64 "\n", (int)getpid(), status_now() / 1000000);
	struct target_file f = {
		.path = arena_printf(&r->arena, "/var/lib/cloud/instances/%s/sem/config_%s", p->instance_id, module),
		.data = text, .len = strlen(text), .mode = 0644, .sync = true,
	};

	if (target_write(&r->target, &f, NULL, &err) < 0)
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "%s", err.text);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The executable files of the directory, sorted, as run-parts. */
static size_t list_scripts(struct run *r, const char *dir, const char **names)
{
	int fd = path_open_in(r->target.rootfd, dir, O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct stat st;
	size_t n = 0;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while ((e = readdir(d)) && n < SCRIPTS_MAX)
		if (e->d_name[0] != '.' && fstatat(dirfd(d), e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0100))
			names[n++] = arena_strndup(&r->arena, e->d_name, strlen(e->d_name));
	closedir(d);
	qsort(names, n, sizeof(names[0]), by_name);
	return n;
}

static void run_scripts(struct run *r, const struct plan *p)
{
	const char *names[SCRIPTS_MAX];
	const char *dir = arena_printf(&r->arena, "/var/lib/cloud/instances/%s/scripts", p->instance_id);
	size_t n = list_scripts(r, dir, names);

	mark(r, p, "scripts_user");
	for (size_t i = 0; i < n; i++) {
		int status = script_run(r, NULL, arena_printf(&r->arena, "%s/%s", dir, names[i]), p->instance_id, 0);

		if (status < 0)
			diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "the script %s cannot be run: %s", names[i], err_name(-status));
		else if (status != 0)
			diag_at(&r->diags, DIAG_ERROR, NULL, "see /var/log/cloud-init-output.log", "the script %s failed with status %d",
				names[i], WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	}
}

static int ask_init(const char *what, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = INIT_SOCKET };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char answer[256];
	ssize_t n;

	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_set(err, errno, "connect to %s", INIT_SOCKET);
	if (send(fd, what, strlen(what), MSG_NOSIGNAL) < 0)
		return err_set(err, errno, "ask init to %s", what);
	n = recv(fd, answer, sizeof(answer) - 1, 0);
	if (n < 0)
		return err_set(err, errno, "init's answer to %s", what);
	answer[n] = '\0';
	return strcmp(answer, "ok") ? err_set(err, 0, "init does not %s: %s", what, answer) : 0;
}

static bool condition_holds(struct run *r, const struct plan *p)
{
	int status = p->condition ? script_run(r, "/bin/sh", p->condition, p->instance_id, (unsigned)p->timeout_s) : 0;

	if (status < 0)
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "the condition of power_state cannot be tested: %s", err_name(-status));
	return status == 0;
}

/* Last of all, when the status is written. Returns true when the machine goes down. */
static bool change_power(struct run *r, const struct plan *p)
{
	struct timespec delay = { .tv_sec = (time_t)(p->delay_minutes * 60) };
	struct err err = ERR_INIT;

	if (p->message)
		report_problem("config", "%s: %s", p->power, p->message);
	while (delay.tv_sec > 0 && nanosleep(&delay, &delay) < 0)
		;
	if (ask_init(p->power, &err) == 0)
		return true;
	diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "power_state: %s", err.text);
	return false;
}

int final_run(struct run *r)
{
	struct err err = ERR_INIT;
	struct plan p;
	bool power;

	if (read_plan(r, &p) < 0)
		return 0;
	if (status_read(&r->ctx, &r->target, &r->status) < 0)
		r->status.datasource = "";
	r->status.running = STAGE_FINAL;
	r->status.stage[STAGE_FINAL].start = status_now();
	status_write(&r->target, &r->status, &err);
	if (p.scripts)
		run_scripts(r, &p);
	power = p.power && condition_holds(r, &p);
	if (power)
		mark(r, &p, "power_state_change");
	r->status.running = -1;
	r->status.stage[STAGE_FINAL].finished = status_now();
	status_add_diags(&r->ctx, &r->status, STAGE_FINAL);
	if (status_write(&r->target, &r->status, &err) < 0)
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "%s", err.text);
	target_unlink(&r->target, FINAL_PATH);
	run_report(r);
	if (power && !change_power(r, &p))
		report_problem("config", "power_state: the machine stays up: %s", r->diags.first ? r->diags.first->text : "?");
	return status_exit(&r->status);
}
