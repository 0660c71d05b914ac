/* exec.h - further processes in a running container, by `coracle-runtime exec`.
 *
 * Each is a child of the engine that waits for its process: an engine that dies knows nothing of them any more (the process itself goes
 * on until it writes), and after the end of a container there are none. Records of ended ones are kept for inspect, EXECS_KEPT of them. */
#ifndef CORACLE_ENGINE_EXEC_H
#define CORACLE_ENGINE_EXEC_H

#include <sys/ioctl.h>
#include "container.h"

#define EXECS_KEPT 128

struct exec_ops {
	/* stream 0 output, 1 errors. False: wait with reading until exec_go_on(). */
	bool (*output)(int stream, const char *data, size_t n, void *arg);
	/* Its input has room, or is there at last. */
	void (*pull)(void *arg);
	/* It is over, code is final, everything it wrote was given to output(). Called once. */
	void (*ended)(int code, void *arg);
};

struct exec {
	struct exec *next;
	struct arena mem;
	char id[65], container_id[CONTAINER_ID_LEN + 1];
	struct container *c;		/* NULL: it has gone */
	/* what is to run; the caller fills it in, memory of mem */
	char **argv, **env, *user, *cwd, *detach_keys;
	bool tty, privileged, in, out, err;
	struct winsize size;
	bool quiet;			/* no events, not listed: the engine's own (health) */
	/* what became of it */
	bool started, running;
	int exit_code;
	char failure[400];		/* why it could not be started; "" */
	/* private */
	const struct exec_ops *ops;
	void *arg;
	struct exec_stream {
		struct exec *e;
		struct loop_watch watch;	/* fd -1: closed */
		bool paused;
	} stream[2];
	struct loop_watch input;	/* fd -1: none */
	bool input_full, input_ended;
	struct child *child;
};

/* A record without a command; enlisted. NULL: no memory. */
struct exec *exec_new(struct container *c);
struct exec *exec_find(const char *id);
/* One that was not started, or is over. */
void exec_free(struct exec *e);

/* ops may be NULL (detached). Returns 0, then ended() follows; or -errno. */
int exec_start(struct exec *e, const struct exec_ops *ops, void *arg, struct err *err);
/* Nobody listens any more; it goes on. */
void exec_abandon(struct exec *e);
void exec_kill(struct exec *e);

/* Returns how many bytes were taken; pull() follows for the others. */
size_t exec_write(struct exec *e, const char *data, size_t n);
bool exec_end_input(struct exec *e);
void exec_go_on(struct exec *e);
int exec_resize(struct exec *e, const struct winsize *size);

/* Its process, 0: none (yet). */
pid_t exec_pid(const struct exec *e);

/* The container is removed. */
void exec_container_gone(struct container *c);
/* "ExecIDs": those that run. */
void exec_write_ids(struct buf *b, const struct container *c);

#endif
