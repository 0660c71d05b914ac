/* status.h - /run/cloud-init/status.json and result.json, in cloud-init's formats, and `cloud-init status`. */
#ifndef CORACLE_CONFIG_STATUS_H
#define CORACLE_CONFIG_STATUS_H

#include "schema.h"
#include "target.h"

enum status_stage { STAGE_LOCAL, STAGE_INIT, STAGE_CONFIG, STAGE_FINAL, STAGE_COUNT };

struct status_times {
	uint64_t start;		/* microseconds since the epoch, 0: not yet */
	uint64_t finished;
	struct strings errors;
	struct strings warnings;	/* recoverable_errors.WARNING */
	struct strings recovered;	/* recoverable_errors.ERROR */
};

struct status {
	const char *datasource;		/* "DataSourceNoCloud [seed=/dev/vdb]" */
	struct status_times stage[STAGE_COUNT];
	int running;			/* the stage that runs, or -1 */
	const char *disabled;		/* boot_status_code when nothing is to be done; NULL: not disabled */
};

/* Microseconds since the epoch. */
uint64_t status_now(void);
/* Files every problem under its stage. */
void status_add_diags(struct ctx *ctx, struct status *s);
/* Writes status.json, and result.json too when the last stage has finished. */
int status_write(const struct target *t, const struct status *s, struct err *err);
/* Reads status.json. Returns 0, -ENOENT when there is none. */
int status_read(struct ctx *ctx, const struct target *t, struct status *s);

/* What other parts of the machine reported (/run/coracle/problems) becomes recoverable errors of the last stage. */
void status_add_problems(struct ctx *ctx, const struct target *t, struct status *s);

/* The members "init-local": {...}, ... of status.json and of `status`; json: with quotes and commas, else as YAML has them. */
void status_add_stages(struct buf *b, const struct status *s, bool json);

/* cloud-init's exit status: 0 all well, 1 errors, 2 recoverable errors. */
int status_exit(const struct status *s);
/* "not started", "running", "done", "error", "disabled". s NULL: not started. */
const char *status_word(const struct status *s);

enum status_format { STATUS_TABULAR, STATUS_JSON, STATUS_YAML };

/* As `cloud-init status`; extended: --long, for the tabular form. */
void status_print(const struct status *s, bool extended, enum status_format format, struct buf *out);
/* "init-local", "init", "modules-config", "modules-final". */
const char *status_stage_name(enum status_stage stage);

#endif
