/* apiint.h - between the API's own files: a request and the ways to answer it.
 *
 * A handler either answers (api_json, api_error, api_empty, api_stream) or, to answer
 * later, calls api_suspend() and answers from a callback with api_resume() after it. */
#ifndef CORACLE_ENGINE_APIINT_H
#define CORACLE_ENGINE_APIINT_H

#include <stdbool.h>
#include <stdint.h>
#include <microhttpd.h>
#include "arena.h"
#include "buf.h"
#include "container.h"
#include "loop.h"

struct request {
	struct MHD_Connection *conn;
	const char *method;
	char *path;			/* without the version, decoded */
	const char *arg;		/* what '*' of the route stands for */
	struct buf body;
	bool body_too_large, dispatched, suspended, gone;
	struct MHD_Response *response;
	unsigned status;
	struct arena mem;
	char id[CONTAINER_ID_LEN + 1];	/* the container it is about; it may go meanwhile */
	struct container_waiter waiter;
	struct container *waited;	/* whose waiter it is; NULL: none */
	struct loop_watch peer;		/* tells when the client has gone, while suspended */
	void *state;			/* of a stream */
	void (*state_free)(struct request *r);
};

void api_json(struct request *r, unsigned status, struct buf *b);	/* takes the buffer's text */
void api_error(struct request *r, unsigned status, const char *fmt, ...) PRINTF_LIKE(3, 4);
void api_empty(struct request *r, unsigned status);
void api_text(struct request *r, unsigned status, const char *text);
/* reader as libmicrohttpd's; it may call api_suspend(r) and return 0. */
void api_stream(struct request *r, const char *type, MHD_ContentReaderCallback reader);

void api_suspend(struct request *r);
void api_resume(struct request *r);

/* A query parameter, NULL when absent; a flag as Docker reads it ("", 0, no, false, none are false). */
const char *api_query(struct request *r, const char *key);
bool api_flag(struct request *r, const char *key);

/* The container that arg names, or NULL after answering 404 or 400. */
struct container *api_container(struct request *r);

void api_wait(struct request *r, struct container *c, int events, void (*fire)(struct container *, enum container_event, int, void *));

/* The image's name as people write it. */
char *api_familiar(const char *image, char *out, size_t size);

/* Handlers. */
void api_ping(struct request *r);
void api_version(struct request *r);
void api_info(struct request *r);
void api_containers(struct request *r);
void api_inspect(struct request *r);
void api_logs(struct request *r);
void api_start(struct request *r);
void api_stop(struct request *r);
void api_restart(struct request *r);
void api_kill(struct request *r);
void api_wait_container(struct request *r);
void api_remove(struct request *r);
void api_images(struct request *r);

#endif
