/* accounts.h - /etc/passwd, /etc/group and environment files as text: what a service is started as and with.
 *
 * Runs in PID 1, in tests and in the fuzzer. Pure; no heap, and none of the C library's NSS, which may wait for a network. */
#ifndef CORACLE_INIT_ACCOUNTS_H
#define CORACLE_INIT_ACCOUNTS_H

#include <sys/types.h>

#define ACCOUNT_GROUPS_MAX 64

struct account {
	uid_t uid;
	gid_t gid;
	char name[33];
	char home[96];
	char shell[48];
};

/* The user of that name, or of that number where there is no such name. Returns 0; -ENOENT. */
int account_user(const char *passwd, const char *name, struct account *out);
/* The number of a group; a number needs no line in the file. Returns 0; -ENOENT. */
int account_group(const char *group, const char *name, gid_t *out);
/* `first`, then the groups that name the user as a member; at most max. Returns how many. */
int account_groups(const char *group, const char *user, gid_t first, gid_t *out, int max);

/* The next NAME=VALUE of an environment file (systemd.exec(5)), decoded in place; *at moves behind it. Returns 1; 0 at the end; -EINVAL for a line
 * that is none, or a quote that is not closed. */
int environment_next(char **at, char **entry);

#endif
