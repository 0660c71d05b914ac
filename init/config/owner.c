/* owner.c - names of users and groups, by the tree's own passwd and group files. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cdefs.h"
#include "scalar.h"
#include "target.h"

#define ACCOUNTS_MAX ((size_t)1 << 20)
#define ID_MAX 4294967294u	/* the one above is "no change" to chown(2) */

/* Field number n (from 0) of a line of `:`-separated fields, as a number. */
static int number_field(const char *line, size_t len, unsigned n, uint64_t *out)
{
	char text[16];
	size_t i = 0;
	size_t end;

	for (; n > 0; n--) {
		while (i < len && line[i] != ':')
			i++;
		i++;
	}
	for (end = i; end < len && line[end] != ':'; end++)
		;
	if (i >= len || end - i >= sizeof(text))
		return -EINVAL;
	memcpy(text, line + i, end - i);
	text[end - i] = '\0';
	return scalar_uint(text, ID_MAX, out);
}

/* Finds NAME:... in a file, and the numbers in fields 2 and 3 of its line (third may be NULL). */
static int look_up(const struct target *t, const char *file, const char *name, uint64_t *second, uint64_t *third)
{
	CLEANUP_FREE char *text = NULL;
	size_t n = strlen(name);
	int r = target_read(t, file, ACCOUNTS_MAX, &text, NULL);

	if (r < 0)
		return r;
	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		size_t len = strcspn(line, "\n");

		if (len <= n || line[n] != ':' || memcmp(line, name, n) != 0)
			continue;
		if (number_field(line, len, 2, second) < 0)
			return -EINVAL;
		return third ? number_field(line, len, 3, third) : 0;
	}
	return -ENOENT;
}

int target_owner(const struct target *t, const char *user, const char *group, uid_t *uid, gid_t *gid, struct err *err)
{
	uint64_t u = 0;
	uint64_t g = 0;
	int r = 0;

	/* root is 0 everywhere: no need to read two files for it */
	if (strcmp(user, "root") != 0 && scalar_uint(user, ID_MAX, &u) < 0)
		r = look_up(t, "/etc/passwd", user, &u, group ? NULL : &g);
	if (r < 0)
		return err_set(err, r == -ENOENT ? 0 : -r, "there is no user \"%.64s\" here", user);
	if (group && strcmp(group, "root") != 0 && scalar_uint(group, ID_MAX, &g) < 0)
		r = look_up(t, "/etc/group", group, &g, NULL);
	if (r < 0)
		return err_set(err, r == -ENOENT ? 0 : -r, "there is no group \"%.64s\" here", group);
	*uid = (uid_t)u;
	*gid = (gid_t)g;
	return 0;
}
