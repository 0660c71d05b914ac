/* main.c - coracle-engine: options, start, signals, end.
 *
 * One process, one thread. On a Coracle machine init starts and supervises it; on an ordinary host it
 * works with all its paths given as options (docs/design/interfaces.md). */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "api.h"
#include "child.h"
#include "console.h"
#include "engine.h"
#include "fd.h"
#include "images.h"
#include "initlink.h"
#include "lifecycle.h"
#include "notify.h"
#include "orchestrate.h"
#include "path.h"
#include "report.h"
#include "resolv.h"
#include "runtime/store/store.h"
#include "text.h"

#define LOG_MAX_SIZE (10 << 20)
#define LOG_MAX_FILES 3

struct engine engine = {
	.opt = {
		.root = "/var/lib/coracle",
		.run = "/run/coracle",
		.socket = "/run/docker.sock",
		.log_max_size = LOG_MAX_SIZE,
		.log_max_files = LOG_MAX_FILES,
	},
};

static struct loop_watch signal_watch;
static struct loop_timer api_timer;
static uint64_t api_deadline;
static bool settled, api_up;

static void usage(FILE *to)
{
	fputs("usage: coracle-engine [OPTION...]\n"
	      "       coracle-engine import [--root DIR] [--platform OS/ARCH] ARCHIVE-OR-LAYOUT...\n"
	      "Starts the containers of containers.json and answers the Docker API.\n\n"
	      "  --root DIR           images, containers and volumes (/var/lib/coracle)\n"
	      "  --run DIR            what lasts until the next boot (/run/coracle)\n"
	      "  --socket PATH        of the API (/run/docker.sock)\n"
	      "  --config FILE        the wanted containers (RUN/containers.json)\n"
	      "  --media DIR          image archives lie in DIR/N (RUN/media)\n"
	      "  --init-socket PATH   init's control socket (RUN/init.sock where it exists)\n"
	      "  --runtime PATH       coracle-runtime (beside this program)\n"
	      "  --fetch PATH         coracle-fetch (beside this program)\n"
	      "  --console-logs PATH  shows container output there as NAME | line\n"
	      "  --log-max-size N     bytes of one log file of a container (10 MiB)\n"
	      "  --log-max-files N    files of one container's log (3)\n"
	      "  --boot-id TEXT       instead of the kernel's (tests)\n"
	      "  --version, --help\n", to);
}

enum { OPT_HELP = 1, OPT_VERSION, OPT_LOG_SIZE, OPT_LOG_FILES, OPT_TEXT };

static const struct {
	const char *name;
	size_t offset;
} text_options[] = {
	{ "root", offsetof(struct engine_options, root) }, { "run", offsetof(struct engine_options, run) },
	{ "socket", offsetof(struct engine_options, socket) }, { "config", offsetof(struct engine_options, config) },
	{ "media", offsetof(struct engine_options, media) }, { "init-socket", offsetof(struct engine_options, init_socket) },
	{ "runtime", offsetof(struct engine_options, runtime) }, { "fetch", offsetof(struct engine_options, fetch) },
	{ "console-logs", offsetof(struct engine_options, console) }, { "boot-id", offsetof(struct engine_options, boot_id) },
};

static int64_t number(const char *name, const char *s, int64_t least)
{
	char *end;
	long long v = strtoll(s, &end, 10);

	if (end == s || *end || v < least) {
		fprintf(stderr, "coracle-engine: --%s: %s is not a number of at least %lld\n", name, s, (long long)least);
		exit(2);
	}
	return v;
}

static void parse_options(int argc, char **argv)
{
	struct option longs[ARRAY_SIZE(text_options) + 5] = {
		{ "help", no_argument, NULL, OPT_HELP }, { "version", no_argument, NULL, OPT_VERSION },
		{ "log-max-size", required_argument, NULL, OPT_LOG_SIZE },
		{ "log-max-files", required_argument, NULL, OPT_LOG_FILES },
	};
	int o;

	for (size_t i = 0; i < ARRAY_SIZE(text_options); i++)
		longs[4 + i] = (struct option){ text_options[i].name, required_argument, NULL, OPT_TEXT + (int)i };
	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (o == OPT_HELP) {
			usage(stdout);
			exit(0);
		} else if (o == OPT_VERSION) {
			puts("coracle-engine " CORACLE_VERSION);
			exit(0);
		} else if (o == OPT_LOG_SIZE) {
			engine.opt.log_max_size = number("log-max-size", optarg, 1024);
		} else if (o == OPT_LOG_FILES) {
			engine.opt.log_max_files = (int)number("log-max-files", optarg, 1);
		} else if (o >= OPT_TEXT) {
			*(const char **)(void *)((char *)&engine.opt + text_options[o - OPT_TEXT].offset) = optarg;
		} else {
			usage(stderr);
			exit(2);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "coracle-engine: unexpected argument %s\n", argv[optind]);
		exit(2);
	}
}

static char *join(const char *dir, const char *name)
{
	char *out = NULL;

	if (asprintf(&out, "%s/%s", dir, name) < 0) {
		fputs("coracle-engine: out of memory\n", stderr);
		exit(1);
	}
	return out;
}

/* coracle-runtime lies beside this program. */
static char *beside_us(const char *name)
{
	char self[512];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	return join(slash ? self : "/usr/lib/coracle", name);
}

static bool has_word(const char *line, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = line; (p = strstr(p, word)); p += n)
		if ((p == line || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

static void fill_in_options(void)
{
	struct engine_options *o = &engine.opt;
	char line[4096];

	if (!o->config)
		o->config = join(o->run, "containers.json");
	if (!o->media)
		o->media = join(o->run, "media");
	if (!o->runtime)
		o->runtime = beside_us("coracle-runtime");
	if (!o->init_socket) {
		o->init_socket = join(o->run, "init.sock");
		if (access(o->init_socket, F_OK) < 0)
			o->init_socket = NULL;
	}
	if (fd_read_small(AT_FDCWD, "/proc/cmdline", line, sizeof(line)) >= 0) {
		if (!o->console && has_word(line, "coracle.console=logs"))
			o->console = "/dev/console";
		engine.debug_exit = has_word(line, "coracle.exit=debug");
	}
	if (o->boot_id)
		text_set(engine.boot_id, sizeof(engine.boot_id), "%s", o->boot_id);
	else
		fd_read_small(AT_FDCWD, "/proc/sys/kernel/random/boot_id", engine.boot_id, sizeof(engine.boot_id));
}

/* -- running ------------------------------------------------------------- */

static void ready(void)
{
	static bool said;

	if (said || !settled || !api_up)
		return;
	said = true;
	report_stamp("engine-ready");
	notify_send("READY=1\nSTATUS=running");
}

/* Containers come first: clients wait until nothing is between created and started, two seconds at most. */
static void open_api(void *arg)
{
	struct err err = ERR_INIT;

	(void)arg;
	if (lifecycle_busy() && loop_now() < api_deadline) {
		loop_timer_set(&api_timer, 5);
		return;
	}
	if (api_open(engine.opt.socket, &err) < 0)
		report_problem("engine", "API: %s", err.text);
	api_up = true;
	ready();
}

static void on_settled(void)
{
	settled = true;
	ready();
}

static void send_exit_code(void)
{
	if (engine.debug_exit)
		initlink_exit_code(engine.last_failed_code);
}

static void on_all_down(void)
{
	send_exit_code();
	loop_quit();
}

static void terminate(void)
{
	char path[512];

	if (engine.stopping)
		return;
	text_set(path, sizeof(path), "%s/shutdown", engine.opt.run);
	notify_send("STOPPING=1");
	if (access(path, F_OK) == 0)
		orchestrate_stop_all(on_all_down);
	else
		loop_quit();	/* an upgrade: containers go on */
}

static void on_signal(uint32_t events, void *arg)
{
	struct signalfd_siginfo si;

	(void)events;
	(void)arg;
	while (read(signal_watch.fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			child_reap(lifecycle_exited);
		else
			terminate();
	}
}

static int watch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal_watch = (struct loop_watch){ .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .ready = on_signal };
	return signal_watch.fd < 0 ? -errno : loop_add(&signal_watch, EPOLLIN);
}

static int set_up(struct err *err)
{
	int r = loop_init();

	if (r == 0)
		r = watch_signals();
	if (r < 0)
		return err_set(err, -r, "event loop");
	r = path_mkdirs(engine.opt.run, 0755);
	if (r < 0)
		return err_set(err, -r, "make %s", engine.opt.run);
	if (engine.opt.init_socket)
		r = initlink_open(engine.opt.init_socket, lifecycle_exited, lifecycle_watch_again, err);
	else if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		r = err_set(err, errno, "become a subreaper");
	if (r < 0)
		return r;
	if (engine.opt.console)
		console_open(engine.opt.console);
	r = images_open(err);
	return r < 0 ? r : container_load_all(err);
}

static void adopt_all(void)
{
	int64_t latest = 0;

	for (struct container *c = engine.containers, *next; c; c = next) {
		next = c->next;
		if (c->this_boot && c->svc.restart.policy == RESTART_NO && c->exit_code != 0 && c->finished_ns > latest) {
			latest = c->finished_ns;
			engine.last_failed_code = c->exit_code;
		}
		lifecycle_adopt(c);
	}
	notify_drop_rest();
}

static int run(void)
{
	struct err err = ERR_INIT;
	int r;

	engine.started_ns = wall_now();
	report_stamp("engine-start");
	notify_init();
	r = set_up(&err);
	if (r < 0) {
		report_problem("engine", "%s", err.text);
		return 1;
	}
	adopt_all();
	orchestrate_begin(on_settled);
	images_import_media(engine.opt.media, orchestrate_step, orchestrate_step);
	resolv_watch();
	api_deadline = loop_now() + 2000;
	api_timer.fire = open_api;
	open_api(NULL);
	r = loop_run();
	api_close();
	if (engine.stopping)
		lifecycle_unmount_all();
	console_flush(200);
	store_close(engine.store);
	return r < 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "import") == 0)
		return store_import_main(argc - 1, argv + 1);
	parse_options(argc, argv);
	fill_in_options();
	report_set_dir(engine.opt.run);
	return run();
}
