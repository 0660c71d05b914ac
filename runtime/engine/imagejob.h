/* imagejob.h - long work for a request in a child process: load, save, import, export, commit, prune, df.
 *
 * The child is a fork: it sees the engine as it was at that moment, and the store (whose changes the engine reads again when it has
 * ended). It answers on io->out: a line with the HTTP status, then the body; imagejob_answer() and imagejob_fail() write
 * both. The body goes to the client as it comes, unless the status is an error: then it is the message. */
#ifndef CORACLE_ENGINE_IMAGEJOB_H
#define CORACLE_ENGINE_IMAGEJOB_H

#include "apiint.h"

struct imagejob_io {
	int in;		/* the request's body, -1: none */
	int out;
};

/* In the child. */
void imagejob_answer(const struct imagejob_io *io, const char *body, size_t n);	/* 200 and a body at once */
void imagejob_begin(const struct imagejob_io *io);	/* 200; the caller writes the body to io->out */
void imagejob_fail(const struct imagejob_io *io, unsigned status, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* A line of progress as Docker's clients read it: {"stream":...} or {"status":...}, and the error that ends one. */
void imagejob_line(const struct imagejob_io *io, const char *key, const char *fmt, ...) PRINTF_LIKE(3, 4);
void imagejob_error_line(const struct imagejob_io *io, const char *text);

/* Starts work(io, arg) for r (r->state is the job's then). type: of the answer's content. upload: r's body goes to io->in as it arrives,
 * and imagejob_respond() answers. Without upload the request is answered when the child is. False: answered with 500. */
bool imagejob_start(struct request *r, const char *type, bool upload, void (*work)(const struct imagejob_io *io, void *arg), void *arg);
/* The whole body has come: ends io->in and lets the child answer. */
void imagejob_respond(struct request *r);

/* work in a child that nobody waits for; done (may be NULL) is called from the loop. Returns 0 or -errno. */
int imagejob_background(void (*work)(void), void (*done)(int status), struct err *err);

#endif
