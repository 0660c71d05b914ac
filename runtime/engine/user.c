/* user.c - users and groups of a container's root (coracle-engine). Opens nothing outside that root. */
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fd.h"
#include "path.h"
#include "text.h"

#define FILE_MAX (1u << 20)
#define FIELDS_MAX 7

/* Next line cut into fields at ':'; returns the number of fields, -1 at the end. */
static int next_line(char **text, char *field[FIELDS_MAX])
{
	char *line = *text, *end;
	int n = 0;

	if (!*line)
		return -1;
	end = strchr(line, '\n');
	if (end)
		*end = '\0';
	*text = end ? end + 1 : line + strlen(line);
	while (n < FIELDS_MAX) {
		field[n++] = line;
		if (n == FIELDS_MAX)
			break;
		line = strchr(line, ':');
		if (!line)
			break;
		*line++ = '\0';
	}
	return n;
}

static bool parse_id(const char *s, uint32_t *id)
{
	unsigned long long v;
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno || *end || v > INT32_MAX)
		return false;
	*id = (uint32_t)v;
	return true;
}

/* Finds the user; *name is left empty when the file has none of that number. */
static int find_user(char *passwd, const char *want, struct user_ids *out, char *name, size_t size, struct err *err)
{
	uint32_t number = 0, uid, gid;
	bool numeric = parse_id(want, &number);
	char *field[FIELDS_MAX];
	int n;

	while ((n = next_line(&passwd, field)) >= 0) {
		if (n < 4 || !parse_id(field[2], &uid) || !parse_id(field[3], &gid))
			continue;
		if (strcmp(field[0], want) != 0 && !(numeric && uid == number))
			continue;
		out->uid = uid;
		out->gid = gid;
		if (n >= 6 && field[5][0] == '/')
			text_set(out->home, sizeof(out->home), "%s", field[5]);
		text_set(name, size, "%s", field[0]);
		return 0;
	}
	if (!numeric)
		return err_set(err, ENOENT, "unable to find user %s: no matching entries in passwd file", want);
	out->uid = number;
	return 0;
}

static bool is_member(char *list, const char *name)
{
	char *save;

	for (char *m = strtok_r(list, ",", &save); m; m = strtok_r(NULL, ",", &save))
		if (strcmp(m, name) == 0)
			return true;
	return false;
}

static int find_group(char *group, const char *want, struct user_ids *out, struct err *err)
{
	uint32_t number = 0, gid;
	bool numeric = parse_id(want, &number);
	char *field[FIELDS_MAX];
	int n;

	while ((n = next_line(&group, field)) >= 0) {
		if (n >= 3 && parse_id(field[2], &gid) && (strcmp(field[0], want) == 0 || (numeric && gid == number))) {
			out->gid = gid;
			return 0;
		}
	}
	if (!numeric)
		return err_set(err, ENOENT, "unable to find group %s: no matching entries in group file", want);
	out->gid = number;
	return 0;
}

static void find_memberships(char *group, const char *name, struct user_ids *out)
{
	char *field[FIELDS_MAX];
	uint32_t gid;
	int n;

	while ((n = next_line(&group, field)) >= 0 && out->group_count < USER_GROUPS_MAX)
		if (n >= 4 && parse_id(field[2], &gid) && is_member(field[3], name))
			out->groups[out->group_count++] = gid;
}

int user_resolve_text(char *passwd, char *group, const char *spec, struct user_ids *out, struct err *err)
{
	char want[256], name[256] = "";
	char *colon;
	int r;

	*out = (struct user_ids){ .home = "/" };
	if (!spec || !spec[0])
		spec = "0";
	if ((size_t)snprintf(want, sizeof(want), "%s", spec) >= sizeof(want))
		return err_set(err, ENAMETOOLONG, "user");
	colon = strchr(want, ':');
	if (colon)
		*colon++ = '\0';
	r = find_user(passwd, want[0] ? want : "0", out, name, sizeof(name), err);
	if (r < 0)
		return r;
	if (colon && colon[0])
		return find_group(group, colon, out, err);
	if (name[0])
		find_memberships(group, name, out);
	return 0;
}

static char *read_in(int rootfd, const char *path)
{
	int fd = path_open_in(rootfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	char *text = calloc(1, FILE_MAX + 1);
	struct stat st;
	ssize_t n = 0;

	if (fd >= 0 && text && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = fd_read_full(fd, text, FILE_MAX);
	fd_close(&fd);
	if (text)
		text[n > 0 ? n : 0] = '\0';
	return text;
}

int user_resolve(int rootfd, const char *spec, struct user_ids *out, struct err *err)
{
	CLEANUP_FREE char *passwd = read_in(rootfd, "/etc/passwd");
	CLEANUP_FREE char *group = read_in(rootfd, "/etc/group");

	if (!passwd || !group)
		return err_set(err, ENOMEM, "user");
	return user_resolve_text(passwd, group, spec, out, err);
}

int user_add_groups(int rootfd, char *const *names, struct user_ids *out, struct err *err)
{
	for (; names && *names; names++) {
		CLEANUP_FREE char *group = read_in(rootfd, "/etc/group");
		struct user_ids one = { .gid = 0 };
		int r = group ? find_group(group, *names, &one, err) : err_set(err, ENOMEM, "group");

		if (r < 0)
			return r;
		if (out->group_count >= USER_GROUPS_MAX)
			return err_set(err, 0, "more than %d groups", USER_GROUPS_MAX);
		out->groups[out->group_count++] = one.gid;
	}
	return 0;
}
