/* client.c - coracle-registry and coracle-http as child processes, and what they answer. Runs in the process that pulls.
 * What they say is not trusted: packets are bounded, digests are computed here or by coracle-fetch. */
#include "runtime/registry/client/client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/image/say.h"
#include "runtime/registry/registry.h"

#define FDS_MAX (REGISTRY_HTTP_FD(REGISTRY_SLOTS_MAX - 1) + 1)
#define GRACE_MS 2000	/* for an answer whose reason is already known */

struct slot {
	int control;
	int busy;
	pid_t http;
};

struct registry {
	struct store_remote remote;
	struct image_ref ref;
	pid_t pid;
	int slots;
	struct slot slot[REGISTRY_SLOTS_MAX];
	char digest[IMAGE_DIGEST_SIZE];
	char *root;		/* the document of that digest, until it is asked for */
	size_t root_len;
};

/* -- programs ------------------------------------------------------------- */

static void find_program(const char *given, const char *name, char out[PATH_MAX + 64])
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (given) {
		snprintf(out, PATH_MAX + 64, "%s", given);
		return;
	}
	self[n > 0 ? n : 0] = '\0';
	if (strrchr(self, '/'))
		strrchr(self, '/')[1] = '\0';
	snprintf(out, PATH_MAX + 64, "%s%s", self, name);
	if (access(out, X_OK) < 0)
		snprintf(out, PATH_MAX + 64, "/usr/lib/coracle/%s", name);
}

/* After fork: fds[i] becomes descriptor i, -1: /dev/null. Nothing but system calls. */
static NORETURN void become(const char *path, char *const argv[], const int *fds, int n, pid_t parent)
{
	char *const env[] = { NULL };
	int high[FDS_MAX], null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
	for (int i = 0; i < n; i++)
		high[i] = fcntl(fds[i] >= 0 ? fds[i] : null, F_DUPFD_CLOEXEC, 64);
	for (int i = 0; i < n; i++)
		if (high[i] < 0 || dup2(high[i], i) < 0)
			_exit(126);
	execve(path, argv, env);
	_exit(127);
}

static pid_t start(const char *path, char *const argv[], const int *fds, int n, struct err *err)
{
	pid_t parent = getpid(), pid;

	if (access(path, X_OK) < 0)
		return err_set(err, errno, "start %s", path);
	pid = fork();
	if (pid == 0)
		become(path, argv, fds, n, parent);
	return pid < 0 ? err_set(err, errno, "start %s", path) : pid;
}

static void end(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		;
	*pid = 0;
}

struct starting {
	int fds[FDS_MAX];	/* of coracle-registry */
	int settings;		/* our end */
};

static int start_slot(struct registry *r, int i, const char *http, struct starting *st, struct err *err)
{
	static char name[] = "coracle-http";
	char *argv[] = { name, NULL };
	int control[2], stream[2], fds[3];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0)
		return err_set(err, errno, "make a socket");
	r->slot[i].control = control[0];
	st->fds[REGISTRY_CONTROL_FD(i)] = control[1];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream) < 0)
		return err_set(err, errno, "make a socket");
	st->fds[REGISTRY_HTTP_FD(i)] = stream[1];
	fds[0] = fds[1] = stream[0];
	fds[2] = -1;
	r->slot[i].http = start(http, argv, fds, 3, err);
	close(stream[0]);
	return r->slot[i].http < 0 ? (int)r->slot[i].http : 0;
}

static int start_all(struct registry *r, const struct registry_options *opt, struct starting *st, struct err *err)
{
	char path[PATH_MAX + 64], http[PATH_MAX + 64], number[12], name[] = "coracle-registry";
	char *argv[] = { name, number, NULL };
	int p[2], q;

	find_program(opt->registry, "coracle-registry", path);
	find_program(opt->http, "coracle-http", http);
	snprintf(number, sizeof(number), "%d", r->slots);
	for (int i = 0; i < r->slots; i++)
		if ((q = start_slot(r, i, http, st, err)) < 0)
			return q;
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe");
	st->fds[0] = p[0];
	st->settings = p[1];
	r->pid = start(path, argv, st->fds, REGISTRY_CONTROL_FD(r->slots), err);
	return r->pid < 0 ? (int)r->pid : 0;
}

/* -- answers -------------------------------------------------------------- */

/* One packet, with a NUL behind it. Returns its length or -errno; -EINTR: coracle-registry is gone. */
static ssize_t receive(struct registry *r, int i, char *text, size_t size, struct err *err)
{
	ssize_t n;

	do
		n = recv(r->slot[i].control, text, size - 1, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return image_say(err, EINTR, "coracle-registry was killed");
	text[n] = '\0';
	return n;
}

static int take_error(const char *text, struct err *err)
{
	char *rest;
	long code = strtol(text + 6, &rest, 10);

	if (code <= 0 || code > 4095)
		code = EPROTO;
	return image_say(err, (int)code, "%s", *rest == ' ' ? rest + 1 : rest);
}

static int ask(struct registry *r, int i, const char *text, int fd, struct err *err)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .bytes = "" };
	struct iovec v = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *c;

		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	if (sendmsg(r->slot[i].control, &m, MSG_NOSIGNAL) < 0)
		return image_say(err, EINTR, "coracle-registry was killed");
	return 0;
}

/* A document by slot 0. type may be NULL. */
static int get(struct registry *r, const char *request, char type[128], char **out, size_t *n, struct err *err)
{
	CLEANUP_FREE char *packet = malloc(REGISTRY_PACKET_MAX + 1);
	CLEANUP_BUF struct buf b = { 0 };
	ssize_t len;
	int q;

	buf_init(&b, IMAGE_JSON_MAX);
	if (!packet)
		return err_set(err, ENOMEM, "pull");
	if ((q = ask(r, 0, request, -1, err)) < 0)
		return q;
	for (;;) {
		if ((len = receive(r, 0, packet, REGISTRY_PACKET_MAX + 1, err)) < 0)
			return (int)len;
		if (!strncmp(packet, "error ", 6))
			return take_error(packet, err);
		if (!strcmp(packet, "done"))
			break;
		if (!strncmp(packet, "data ", 5))
			buf_add(&b, packet + 5, (size_t)len - 5);
		else if (type && !strncmp(packet, "type ", 5))
			snprintf(type, 128, "%s", packet + 5);
		else
			return image_say(err, EPROTO, "coracle-registry said '%.60s'", packet);
	}
	*n = b.len;
	if (buf_error(&b) || !(*out = buf_take(&b)))
		return image_say(err, ENOMEM, "coracle-registry sent too much");
	return 0;
}

/* -- what the store asks for ------------------------------------------------ */

static int make_index(void *arg, char **out, size_t *n, struct err *err)
{
	struct registry *r = arg;
	struct image_ref name = r->ref;
	char request[256], type[128] = "", full[IMAGE_REF_SIZE];
	CLEANUP_BUF struct buf b = { 0 };
	int q;

	if (name.digest[0])
		name.tag[0] = '\0';
	snprintf(request, sizeof(request), "manifest %s", name.digest[0] ? name.digest : name.tag);
	if ((q = get(r, request, type, &r->root, &r->root_len, err)) < 0)
		return q;
	image_digest_of(r->root, r->root_len, r->digest);
	if (name.digest[0] && strcmp(name.digest, r->digest) != 0)
		return image_bad(err, "manifest: the content's digest is %s, not %s: damaged or altered", r->digest, name.digest);
	buf_init(&b, 4096);
	buf_puts(&b, "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":");
	buf_json_string(&b, type, strlen(type));
	buf_printf(&b, ",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{\"io.containerd.image.name\":\"%s\"}}]}", r->digest, r->root_len,
		image_ref_full(&name, full));
	*n = b.len;
	return buf_error(&b) || !(*out = buf_take(&b)) ? err_set(err, ENOMEM, "pull") : 0;
}

static int get_document(void *arg, const char *digest, int is_manifest, char **out, size_t *n, struct err *err)
{
	struct registry *r = arg;
	char request[256], type[128];

	if (is_manifest && r->root && !strcmp(digest, r->digest)) {
		*n = r->root_len;
		*out = ptr_take(&r->root);
		return 0;
	}
	snprintf(request, sizeof(request), "%s %s", is_manifest ? "manifest" : "document", digest);
	return get(r, request, is_manifest ? type : NULL, out, n, err);
}

static int begin_blob(void *arg, const char *digest, uint64_t size, int pipe_fd, struct err *err)
{
	struct registry *r = arg;
	char request[256];
	int i = 0, q;

	while (i < r->slots && r->slot[i].busy)
		i++;
	if (i == r->slots)
		return image_say(err, EBUSY, "more layers at once than there are slots");
	snprintf(request, sizeof(request), "blob %s %llu", digest, (unsigned long long)size);
	if ((q = ask(r, i, request, pipe_fd, err)) < 0)
		return q;
	r->slot[i].busy = 1;
	return i;
}

static int end_blob(void *arg, int i, struct err *err)
{
	struct registry *r = arg;
	struct pollfd p = { .fd = r->slot[i].control, .events = POLLIN };
	char text[ERR_TEXT_MAX + 64];
	ssize_t n;

	/* whoever calls has seen the end of the pipe, so the answer is there, or the reader has died and nothing is to be said */
	if (poll(&p, 1, GRACE_MS) == 0)
		return image_say(err, EPIPE, "coracle-registry goes on");
	if ((n = receive(r, i, text, sizeof(text), err)) < 0)
		return (int)n;
	r->slot[i].busy = 0;
	if (!strcmp(text, "done"))
		return 0;
	return !strncmp(text, "error ", 6) ? take_error(text, err) : image_say(err, EPROTO, "coracle-registry said '%.60s'", text);
}

/* -- the whole --------------------------------------------------------------- */

int registry_open(struct registry **out, const struct registry_options *opt, const struct store_remote **remote, struct err *err)
{
	struct registry *r = calloc(1, sizeof(*r));
	struct starting st = { .settings = -1 };
	int q;

	if (!r)
		return err_set(err, ENOMEM, "pull");
	r->ref = *opt->ref;
	r->slots = MAX(1, MIN(opt->parallel, REGISTRY_SLOTS_MAX));
	r->remote = (struct store_remote){ make_index, get_document, begin_blob, end_blob, r->slots, r };
	for (int i = 0; i < FDS_MAX; i++)
		st.fds[i] = -1;
	for (int i = 0; i < REGISTRY_SLOTS_MAX; i++)
		r->slot[i].control = -1;
	q = start_all(r, opt, &st, err);
	for (int i = 0; i < FDS_MAX; i++)
		fd_close(&st.fds[i]);
	if (q == 0 && fd_write_full(st.settings, opt->settings, strlen(opt->settings)) < 0)
		q = image_say(err, EINTR, "coracle-registry ended at once");
	fd_close(&st.settings);
	if (q < 0) {
		registry_close(r);
		return q;
	}
	*out = r;
	*remote = &r->remote;
	return 0;
}

void registry_close(struct registry *r)
{
	if (!r)
		return;
	end(&r->pid);
	for (int i = 0; i < REGISTRY_SLOTS_MAX; i++) {
		end(&r->slot[i].http);
		fd_close(&r->slot[i].control);
	}
	free(r->root);
	free(r);
}

const char *registry_digest(const struct registry *r)
{
	return r->digest;
}
