/* sockets.c - socket activation (systemd.socket(5)): the sockets of units are opened by PID 1, watched while their unit listens, and
 * handed to its process at each start as LISTEN_FDS, before what it has stored.
 *
 * Runs in PID 1. Nothing is ever accepted or read here: whoever comes waits in the kernel's queue until the service is there, also while it is
 * restarted. A socket that could not be opened is a problem, and is tried again at each start of its unit and at each reload. */
#include "init/pid1/init.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <arpa/inet.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "fd.h"
#include "init/pid1/recover.h"
#include "init/units/accounts.h"
#include "init/units/values.h"
#include "report.h"
#include "sys.h"

#define ADDRESS_MAX 108

#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif

SPARSE static struct opened {
	int fd;
	int unit;
	enum unit_socket_kind kind;
	int watched;
	char address[ADDRESS_MAX];
} opened[UNITS_SOCKETS_MAX];
static int opened_n;

const struct state_section sockets_state[] = { STATE_TABLE("sock", opened, &opened_n), STATE_END };

static void watch(struct opened *o)
{
	if (!o->watched)
		o->watched = loop_add(o->fd, WATCH_SOCKET, o->fd, EPOLLIN) == 0;
}

/* The service has it open as well, so it has to be taken out and not only be closed. */
static void unwatch(struct opened *o)
{
	if (o->watched)
		loop_remove(o->fd);
	o->watched = 0;
}

void sockets_restored(void)
{
	int kept = 0;

	for (int i = 0; i < opened_n; i++) {
		struct opened *o = &opened[kept];

		*o = opened[i];
		o->watched = 0;
		if (o->unit >= init_sup.n || !recover_keep(o->fd))
			continue;
		if (init_sup.run[o->unit].state == SUP_LISTENING)
			watch(o);
		kept++;
	}
	opened_n = kept;
}

/* ---- opening */

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* "PORT", "A.B.C.D:PORT", "[IPv6]:PORT". Returns the length of the address, -EINVAL. */
static int parse_port(const char *text, union address *a)
{
	char host[64] = "";
	const char *colon = strrchr(text, ':');
	const char *port = colon ? colon + 1 : text;
	int64_t n;

	if (*port < '0' || *port > '9' || value_number(port, 1, 65535, &n) < 0)
		return -EINVAL;
	if (colon)
		snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	memset(a, 0, sizeof(*a));
	if (*host && *host != '[') {
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons((uint16_t)n);
		return inet_pton(AF_INET, host, &a->in.sin_addr) == 1 ? (int)sizeof(a->in) : -EINVAL;
	}
	a->in6.sin6_family = AF_INET6;
	a->in6.sin6_port = htons((uint16_t)n);
	if (!*host)
		return sizeof(a->in6);
	host[strlen(host) - 1] = '\0';
	return inet_pton(AF_INET6, host + 1, &a->in6.sin6_addr) == 1 ? (int)sizeof(a->in6) : -EINVAL;
}

static int open_port(const struct unit_socket *s, const char *text, int type)
{
	int on = 1;
	union address a;
	int n = parse_port(text, &a);
	CLEANUP_FD int fd = -1;

	if (n < 0)
		return n;
	fd = sys_socket(a.any.sa_family, type, 0);
	/* a port alone is both families; where the kernel has no IPv6, what there is */
	if (fd == -EAFNOSUPPORT && a.any.sa_family == AF_INET6 && *text != '[') {
		in_port_t port = a.in6.sin6_port;

		memset(&a, 0, sizeof(a));
		a.in.sin_family = AF_INET;
		a.in.sin_port = port;
		n = sizeof(a.in);
		fd = sys_socket(AF_INET, type, 0);
	}
	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* an address that comes later, by DHCP, is no reason to fail now */
	if (a.any.sa_family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on));
	if (a.any.sa_family == AF_INET6 && *text != '[') {
		on = 0;
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	}
	if (bind(fd, &a.any, (socklen_t)n) < 0 || (type == SOCK_STREAM && listen(fd, s->backlog) < 0))
		return -errno;
	return fd_take(&fd);
}

static int make_parents(const char *path)
{
	char part[ADDRESS_MAX];
	int r;

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if ((r = sys_mkdirat(AT_FDCWD, part, 0755)) < 0 && r != -EEXIST)
			return r;
	}
	return 0;
}

/* Of a path that we made: before anybody may connect, where the order of calls allows it. */
COLD static int set_owner(const struct unit_socket *s, const char *path)
{
	const char *user = unit_string(s->user);
	const char *group = unit_string(s->group);
	struct account account = { .uid = (uid_t)-1, .gid = (gid_t)-1 };
	int r = 0;

	if (*user && (r = (int)fd_read_small(AT_FDCWD, "/etc/passwd", init_scratch, sizeof(init_scratch))) >= 0)
		r = account_user(init_scratch, user, &account);
	if (r >= 0 && *group && (r = (int)fd_read_small(AT_FDCWD, "/etc/group", init_scratch, sizeof(init_scratch))) >= 0)
		r = account_group(init_scratch, group, &account.gid);
	if (r < 0)
		return r;
	if (account.uid == (uid_t)-1 && account.gid == (gid_t)-1)
		return 0;
	return sys_fchownat(AT_FDCWD, path, account.uid, account.gid, AT_SYMLINK_NOFOLLOW);
}

/* What an earlier boot or service left there, if it is a socket and nothing else. */
static void remove_stale(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		sys_unlinkat(AT_FDCWD, path, 0);
}

static int open_fifo(const struct unit_socket *s, const char *path)
{
	struct stat st;
	mode_t mask = umask(0);
	int r = mkfifo(path, s->mode) < 0 && errno != EEXIST ? -errno : set_owner(s, path);
	CLEANUP_FD int fd = -1;

	umask(mask);
	/* with both ends, it never hangs up and its opening waits for nobody */
	if (r < 0 || (fd = r = sys_openat(AT_FDCWD, path, O_RDWR | O_NONBLOCK | O_NOFOLLOW, 0)) < 0)
		return r;
	if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))
		return -EEXIST;
	fcntl(fd, F_SETFL, O_RDWR);
	return fd_take(&fd);
}

COLD static int open_local(const struct unit_socket *s, const char *text, int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = strlen(text);
	CLEANUP_FD int fd = sys_socket(AF_UNIX, type, 0);
	mode_t mask;
	int r;

	if (fd < 0)
		return fd;
	if (n >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	memcpy(a.sun_path, text, n);
	if (*text == '@')
		a.sun_path[0] = '\0';
	else
		remove_stale(text);
	mask = umask((mode_t)~s->mode & 0777);
	r = bind(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0 ? -errno : 0;
	umask(mask);
	if (r == 0 && *text == '/')
		r = set_owner(s, text);
	if (r == 0 && type != SOCK_DGRAM && listen(fd, s->backlog) < 0)
		r = -errno;
	return r < 0 ? r : fd_take(&fd);
}

static int open_socket(const struct unit_socket *s, const char *text)
{
	static const int types[] = { [UNIT_SOCKET_STREAM] = SOCK_STREAM, [UNIT_SOCKET_DATAGRAM] = SOCK_DGRAM, [UNIT_SOCKET_SEQPACKET] = SOCK_SEQPACKET };
	int r;

	if (*text == '/' && (r = make_parents(text)) < 0)
		return r;
	if (s->kind == UNIT_SOCKET_FIFO)
		return open_fifo(s, text);
	return *text == '/' || *text == '@' ? open_local(s, text, types[s->kind]) : open_port(s, text, types[s->kind]);
}

/* ---- the table */

static struct opened *find(const struct unit_socket *s)
{
	for (int i = 0; i < opened_n; i++)
		if (opened[i].unit == s->unit && opened[i].kind == s->kind && !strcmp(opened[i].address, unit_string(s->address)))
			return &opened[i];
	return NULL;
}

COLD static struct opened *find_or_open(const struct unit_socket *s)
{
	const char *text = unit_string(s->address);
	struct opened *o = find(s);
	int fd;

	if (o || opened_n == UNITS_SOCKETS_MAX)
		return o;
	if ((fd = open_socket(s, text)) < 0) {
		report_problem("init", "open the socket %s of %s: %s", text, unit_name(s->unit), err_name(-fd));
		return NULL;
	}
	o = &opened[opened_n++];
	*o = (struct opened){ .fd = fd, .unit = s->unit, .kind = s->kind };
	snprintf(o->address, sizeof(o->address), "%s", text);
	return o;
}

static int is_wanted(const struct opened *o)
{
	for (int i = 0; i < units.sockets_n; i++)
		if (find(&units.sockets[i]) == o)
			return 1;
	return 0;
}

void sockets_load(void)
{
	int kept = 0;
	int before = opened_n;

	for (int i = 0; i < opened_n; i++) {
		if (!is_wanted(&opened[i])) {
			unwatch(&opened[i]);
			close(opened[i].fd);
			opened[i].unit = -1;
		}
	}
	for (int i = 0; i < opened_n; i++)
		if (opened[i].unit >= 0)
			opened[kept++] = opened[i];
	opened_n = kept;
	if (kept != before)
		recover_commit(); /* before one of the numbers is used again */
	for (int i = 0; i < units.sockets_n; i++) {
		struct opened *o = find_or_open(&units.sockets[i]);

		if (o && o->unit < init_sup.n && init_sup.run[o->unit].state == SUP_LISTENING)
			watch(o);
	}
}

void sockets_listen(int unit, int on)
{
	for (int i = 0; i < opened_n; i++) {
		if (opened[i].unit != unit)
			continue;
		if (on)
			watch(&opened[i]);
		else
			unwatch(&opened[i]);
	}
}

void sockets_on_readable(int fd)
{
	int unit = -1;

	for (int i = 0; i < opened_n; i++)
		if (opened[i].fd == fd)
			unit = opened[i].unit;
	if (unit < 0)
		return;
	/* whoever came is still there when the unit listens again, and wakes us then */
	sockets_listen(unit, 0);
	if (init_sup.run[unit].state == SUP_LISTENING)
		init_event(&(struct sup_event){ .type = SUP_EV_TRIGGER, .unit = unit });
}

int sockets_collect(int unit, int *fds, int max, char *names, size_t size)
{
	size_t len = 0;
	int n = 0;

	if (size)
		names[0] = '\0';
	for (int i = 0; i < units.sockets_n && n < max; i++) {
		const struct unit_socket *s = &units.sockets[i];
		const struct opened *o = s->unit == unit ? find_or_open(s) : NULL;
		int w;

		if (!o)
			continue;
		w = snprintf(names + len, size - len, "%s%s", n ? ":" : "", unit_string(s->fdname));
		if (w < 0 || (size_t)w >= size - len) {
			names[len] = '\0';
			break;
		}
		len += (size_t)w;
		fds[n++] = o->fd;
	}
	return n;
}
