/* capture.h - a call of coracle-runtime whose output is wanted. */
#ifndef CORACLE_ENGINE_CAPTURE_H
#define CORACLE_ENGINE_CAPTURE_H

#include "err.h"
#include "child.h"

#define CAPTURE_ARGS_MAX 32
#define CAPTURE_MAX (1u << 20)

struct capture {
	void (*done)(struct capture *c, int status, const char *out, const char *errors);	/* from the loop; the capture is freed after */
	void *arg;
	int out, err;		/* private */
};

/* args: verb and what follows it, NULL at the end. Returns 0 and calls done once, or -errno. */
int capture_runtime(char *const *args, void (*done)(struct capture *c, int status, const char *out, const char *errors), void *arg, struct err *err);

#endif
