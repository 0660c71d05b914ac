/* verbs.h - the commands of coracle-runtime, one file each.
 *
 * A verb gets its own arguments (argv[0] is the first after its name) and
 * returns the exit status, or a negative errno with the reason in err: main
 * prints it and exits with 1, as runc does. */
#ifndef CORACLE_OCI_VERBS_H
#define CORACLE_OCI_VERBS_H

#include <stdbool.h>
#include "lib/err.h"
#include "runtime/oci/cgroup.h"
#include "runtime/oci/state.h"

struct globals {
	const char *root;	/* --root */
	const char *log;	/* --log, NULL: none */
	bool log_json;
	bool debug;
	bool systemd_cgroup;	/* --systemd-cgroup */
};

int verb_create(const struct globals *g, int argc, char **argv, struct err *err);
int verb_run(const struct globals *g, int argc, char **argv, struct err *err);
int verb_start(const struct globals *g, int argc, char **argv, struct err *err);
int verb_state(const struct globals *g, int argc, char **argv, struct err *err);
int verb_kill(const struct globals *g, int argc, char **argv, struct err *err);
int verb_delete(const struct globals *g, int argc, char **argv, struct err *err);
int verb_exec(const struct globals *g, int argc, char **argv, struct err *err);
int verb_list(const struct globals *g, int argc, char **argv, struct err *err);
int verb_ps(const struct globals *g, int argc, char **argv, struct err *err);
int verb_pause(const struct globals *g, int argc, char **argv, struct err *err);
int verb_resume(const struct globals *g, int argc, char **argv, struct err *err);
int verb_update(const struct globals *g, int argc, char **argv, struct err *err);
int verb_events(const struct globals *g, int argc, char **argv, struct err *err);
int verb_spec(const struct globals *g, int argc, char **argv, struct err *err);
int verb_features(const struct globals *g, int argc, char **argv, struct err *err);
int verb_refused(const struct globals *g, int argc, char **argv, struct err *err);

/* cmd_delete.c: stops what is left and removes everything. */
int delete_container(const struct globals *g, struct state *s, struct err *err);
/* wait.c: foreground: carries signals, the terminal and what comes at notify (sdnotify.h, -1: none) until pid ends. Returns its exit status (128 + signal). */
int wait_foreground(pid_t pid, int master, int notify, struct err *err);
/* protect.c: see there. */
int protect_binary(char **argv, struct err *err);

/* --preserve-fds N: descriptors 3 to 2+N must be open, else ours could end up in the container. */
int verb_check_fds(int n, struct err *err);
/* --pidfd-socket: connects to path and sends a descriptor of pid with the text what. path may be NULL. */
int verb_send_pidfd(const char *path, pid_t pid, const char *what, struct err *err);

/* help.c: prints the options of a command; false when it is none of ours. */
bool verb_help(const char *verb);

/* "wrong number of arguments" texts in one place. */
int verb_usage(struct err *err, const char *usage);

#endif
