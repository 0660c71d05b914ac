/* log.h - what people and engines read: --log, or standard error when there is none.
 *
 * As runc: one line per message, text or JSON ({"level","msg","time"}, which
 * podman parses). With --log an error is also written to standard error, as plain text.
 * Only the verbs and the runtime's side of create and exec report; everything below them returns a struct err. */
#ifndef CORACLE_OCI_LOG_H
#define CORACLE_OCI_LOG_H

#include "lib/cdefs.h"
#include "runtime/oci/verbs.h"

/* g must stay valid until the process ends. Without it messages are text on standard error. */
void log_init(const struct globals *g);
void log_error(const char *text);
void log_warning(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Nothing without --debug. */
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* What has no effect: what spec_load noted (spec_warn), and capabilities that we do not have to give. */
void log_spec_warnings(const struct spec *s);

#endif
