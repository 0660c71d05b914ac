/* hijack.h - a connection that has left HTTP: bytes of a client to a process and back (attach, exec).
 *
 * The reply is 101; what the process says before the client has it is kept. A client that does not read has at most
 * HIJACK_HIGH bytes waiting before hijack_send() tells that the source should wait, and is cut when it takes
 * nothing for HIJACK_STALL_MS: neither the engine nor, for ever, a container waits for a reader.
 * Framing: docker-api "Hijack": 8-byte heads unless the process has a terminal. */
#ifndef CORACLE_ENGINE_HIJACK_H
#define CORACLE_ENGINE_HIJACK_H

#include "apiint.h"

#define HIJACK_HIGH (256u << 10)
#define HIJACK_MAX (16u << 20)		/* bytes that may wait at all: what was in pipes when a process ended */
#define HIJACK_STALL_MS 60000

struct hijack;

struct hijack_ops {
	/* Bytes for the process: returns how many were taken; for the others hijack_pull() asks again. */
	size_t (*input)(void *owner, const char *data, size_t n);
	/* The client has no more. False: not now, hijack_pull() asks again. */
	bool (*input_end)(void *owner);
	/* The client has read: the source may go on. */
	void (*drained)(void *owner);
	/* The client has gone, or has everything after hijack_end(). The hijack is no more. */
	void (*closed)(void *owner);
};

/* Answers r with 101. raw: no frames. NULL: no memory or no Upgrade header; then r is answered with an error and closed() is not called. */
struct hijack *hijack_begin(struct request *r, bool raw, const struct hijack_ops *ops, void *owner);

/* stream: 1 output, 2 errors. False: enough for now (everything was taken all the same). */
bool hijack_send(struct hijack *h, int stream, const char *data, size_t n);
/* Asks again for input that was not taken. */
void hijack_pull(struct hijack *h);
/* Sends what waits, then closes; closed() follows from the loop. */
void hijack_end(struct hijack *h);

#endif
