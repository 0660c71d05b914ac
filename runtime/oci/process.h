/* process.h - from the runtime's process to the container's program: limits,
 * working directory, user, capabilities, execve.
 *
 * Called inside the container's root, in this order: process_find_program
 * answers at create what start would meet (runc's messages, which engines parse). */
#ifndef CORACLE_OCI_PROCESS_H
#define CORACLE_OCI_PROCESS_H

#include <stdbool.h>
#include "lib/err.h"
#include "runtime/oci/seccomp.h"
#include "runtime/oci/spec.h"

/* rlimits and what schedule_apply does: while still privileged. */
int process_set_limits(const struct spec *s, struct err *err);
/* chdir to process.cwd; make: create it when missing. Refuses a directory outside the root (CVE-2024-21626). */
int process_enter_cwd(const struct spec_process *p, bool make, struct err *err);
/* Groups and user; keeps the capabilities for process_confine. bounding: drop to process.capabilities.bounding. */
int process_become_user(const struct spec_process *p, struct err *err);
/* The last privileged acts: capabilities, no_new_privs, seccomp. */
int process_confine(const struct spec_process *p, const struct seccomp_program *seccomp, struct err *err);

/* Environment as the program gets it: HOME from /etc/passwd where missing, LISTEN_* when fds are passed. In the arena. */
char **process_environment(struct spec *s, int listen_fds, struct err *err);
/* Path of args[0] by the container's PATH, as the container's user: runc's three errors. In the arena. */
const char *process_find_program(struct spec *s, char **env, struct err *err);
/* Descriptors end at execve but for 0-2 and the next keep. Before process_confine, whose filter may refuse it. */
int process_close_rest(int keep, struct err *err);
/* Does not return but on failure. */
int process_exec(const char *path, const struct spec_process *p, char **env, struct err *err);

/* Gives pipes and terminals on 0-2 to the container's user; never /dev/null (a shared node of the host). */
void process_own_stdio(uid_t uid);

#endif
