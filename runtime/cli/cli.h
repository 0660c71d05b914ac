/* cli.h - what the verbs of `coracle` share. Each verb is one file with one function: argv[0] is the verb;
 * it returns the exit code. */
#ifndef CORACLE_CLI_H
#define CORACLE_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>
#include "buf.h"
#include "err.h"

struct cli {
	const char *docker_socket;	/* /run/docker.sock */
	const char *run;		/* /run/coracle */
};

extern struct cli cli;

int verb_ps(int argc, char **argv);
int verb_images(int argc, char **argv);
int verb_logs(int argc, char **argv);
int verb_start(int argc, char **argv);
int verb_stop(int argc, char **argv);
int verb_restart(int argc, char **argv);
int verb_inspect(int argc, char **argv);
int verb_status(int argc, char **argv);
int verb_services(int argc, char **argv);
int verb_boot_time(int argc, char **argv);
int verb_poweroff(int argc, char **argv);
int verb_reboot(int argc, char **argv);
int verb_reload(int argc, char **argv);
int verb_reload_init(int argc, char **argv);
int verb_why(int argc, char **argv);
int verb_explain(int argc, char **argv);
int verb_version(int argc, char **argv);

/* Prints "coracle: TEXT" on standard error and returns 1. */
int cli_fail(const struct err *err);
/* Prints how the verb is used on standard error and returns 2. */
int cli_usage(const char *how);

/* GET path as a JSON document; the caller frees it. NULL: *err says why. */
yyjson_doc *cli_get(const char *path, struct err *err);

/* True when init has a unit of that name. */
bool cli_has_unit(const char *name);
/* "start", "stop" or "restart" of a unit. Returns 0 or -errno. */
int cli_unit(const char *action, const char *name, struct err *err);
/* The text of its unit file, NULL when it has none (that of an instance is its template's); local: it is the machine's and not the image's. The
 * caller frees it. */
char *cli_unit_file(const char *name, bool *local);
/* What a unit has printed, as far as the kernel log still has it: the last `most` lines (below 0: all). follow: does not return. */
int cli_unit_logs(const char *name, long most, bool follow, bool times, struct err *err);

/* The same for each line that is there now, and what the program of that name has reported itself. Returns 0 or -errno. */
int cli_unit_each(const char *name, void (*line)(double at, const char *text, void *arg), void *arg);

/* POST on /containers/NAME/ACTION[QUERY] for each name; a name that no container has and a unit of init has is told init. Returns the exit code. */
int cli_each(int argc, char **argv, const char *action, const char *query);

/* One request to init's socket; line is called for each packet until an end. Returns 0 or -errno. */
int cli_init(const char *request, void (*line)(const char *text, void *arg), void *arg, struct err *err);

/* What init and coracle why keep: /var/lib/coracle, or CORACLE_STATE. */
const char *cli_state_directory(void);
/* look.c. Returns the exit code. */
int look(void);

/* Containers as a table (all or running ones). */
int cli_print_containers(bool all, struct err *err);

/* Terminal-safe: control characters of s become '?'. Static buffer per call of at most 8. */
const char *cli_safe(const char *s);

/* "12 MB" */
const char *cli_size(uint64_t bytes, char out[24]);

#endif
