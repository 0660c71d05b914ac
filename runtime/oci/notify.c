/* notify.c - gives a seccomp listener to its agent. Runs in coracle-runtime
 * (run, start, exec), in the runtime's namespaces. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lib/buf.h"
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/jsonv.h"
#include "runtime/oci/notify.h"
#include "runtime/oci/state.h"
#include "runtime/oci/sync.h"

#define STATE_MAX (1u << 20)

/* The process waits for our answer, so the pid is its own. */
static int take_listener(pid_t pid, const char *number)
{
	CLEANUP_FD int pidfd = sys_pidfd_open(pid, 0);

	return pidfd < 0 ? pidfd : sys_pidfd_getfd(pidfd, atoi(number));
}

static void describe(const struct spec *s, const struct notify *n, const char *metadata, struct buf *out)
{
	buf_puts(out, "{\"ociVersion\":\"" SPEC_VERSION "\",\"fds\":[\"seccompFd\"]");
	buf_printf(out, ",\"pid\":%d", (int)n->pid);
	if (metadata) {
		buf_puts(out, ",\"metadata\":");
		buf_json_string(out, metadata, strlen(metadata));
	}
	buf_puts(out, ",\"state\":");
	state_json(out, s->version, n->id, n->status, n->init, n->bundle, s->annotations, s->annotations_n);
	buf_putc(out, '}');
}

/* The descriptor goes with the first byte; the rest of a long state follows in the stream. */
static int send_state(int agent, int listener, const struct buf *state)
{
	int n = sync_send_fd(agent, state->data, state->len, listener);

	if (n < 0)
		return n;
	return fd_write_full(agent, state->data + n, state->len - (size_t)n);
}

int notify_serve(const struct spec *s, const struct notify *n, int sync, const char *fd, int passed, struct err *err)
{
	const char *path = "", *metadata = NULL;
	CLEANUP_BUF struct buf state = { 0 };
	CLEANUP_FD int listener = passed, agent = -1;
	int r;

	if ((r = jsonv_string(s->seccomp, "linux.seccomp", "listenerPath", &path, err)) < 0 ||
	    (r = jsonv_string(s->seccomp, "linux.seccomp", "listenerMetadata", &metadata, err)) < 0)
		return r;
	if (listener < 0)
		listener = take_listener(n->pid, fd);
	if (listener < 0)
		return err_set(err, -listener, "take the seccomp listener");
	agent = sync_connect(path, SOCK_STREAM);
	if (agent < 0)
		return err_set(err, -agent, "linux.seccomp.listenerPath \"%s\": failed to connect with seccomp agent", path);
	buf_init(&state, STATE_MAX);
	describe(s, n, metadata, &state);
	if ((r = buf_error(&state)) < 0 || (r = send_state(agent, listener, &state)) < 0)
		return err_set(err, -r, "linux.seccomp.listenerPath \"%s\": send the state", path);
	r = sync_send(sync, SYNC_GO, "");
	return r < 0 && r != -EPIPE ? err_set(err, -r, "send") : 0;
}
