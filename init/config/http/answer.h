/* answer.h - an answer of coracle-http while it comes in. Used by http.c only. */
#ifndef CORACLE_CONFIG_HTTP_ANSWER_H
#define CORACLE_CONFIG_HTTP_ANSWER_H

#include <stdbool.h>
#include "buf.h"
#include "err.h"

struct answering {
	struct buf body;
	struct buf url;
	int status;
	bool done;
	int failed;		/* errno */
	struct err *err;
};

/* Takes every whole frame out of the buffer. Returns 0 (look at done), or -errno when it breaks the rules: -EFBIG for a body that is too large, else -EBADMSG. */
int http_take_frames(struct buf *in, struct answering *a);

#endif
