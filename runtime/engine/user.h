/* user.h - "uid[:gid]", "name[:group]" and mixtures, by the passwd and group files of a container's root.
 *
 * As runc and Docker do (libcontainer user.GetExecUser): a number that is not in the file is taken as it is, a
 * name that is not there is an error; supplementary groups come from the group file unless a group was named.
 * The files are opened below the root only and read up to 1 MiB. */
#ifndef CORACLE_ENGINE_USER_H
#define CORACLE_ENGINE_USER_H

#include <stddef.h>
#include <sys/types.h>
#include "err.h"

#define USER_GROUPS_MAX 64

struct user_ids {
	uid_t uid;
	gid_t gid;
	gid_t groups[USER_GROUPS_MAX];
	size_t group_count;
	char home[256];		/* "/" when unknown */
};

/* spec NULL or "": root. Returns 0, -ENOENT (no such user or group) or -errno. */
int user_resolve(int rootfd, const char *spec, struct user_ids *out, struct err *err);

/* Adds group_add's names and numbers (NULL: none) to the groups. Returns as user_resolve(). */
int user_add_groups(int rootfd, char *const *names, struct user_ids *out, struct err *err);

/* The same with the files' texts ("" when missing); they are cut into pieces. Pure. */
int user_resolve_text(char *passwd, char *group, const char *spec, struct user_ids *out, struct err *err);

#endif
