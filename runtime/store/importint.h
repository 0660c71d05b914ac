/* importint.h - one import under way; shared by import.c, jobs.c, marks.c, space.c and commit.c.
 *
 * Staging, tmp/import-PID-N/: members/ (of an archive that was extracted), layer.N/{diff/,size},
 * blob.N (layer blobs), doc.N.manifest, doc.N.config. All of it goes, or is renamed away, at the end. */
#ifndef CORACLE_STORE_IMPORTINT_H
#define CORACLE_STORE_IMPORTINT_H

#include "runtime/store/child.h"
#include "runtime/store/plan.h"
#include "runtime/store/storeint.h"

enum job_state { JOB_WAITING, JOB_RUNNING, JOB_DONE };

struct job {			/* one layer */
	const struct plan_image *image;
	size_t index;		/* in the image's layers */
	const char *diff_id;	/* the configuration's */
	int unpack;		/* 0: the layer is there, only its blob is wanted */
	int keep;		/* keep the blob */
	int layer_moved, blob_moved;	/* by the commit: to be taken back when it fails */
	enum job_state state;
	struct child child;
	uint64_t progress;
	/* what coracle-fetch said */
	char digest[IMAGE_DIGEST_SIZE];
	uint64_t bytes, unpacked;
	enum image_compression how;
	struct buf marks;	/* lines "i PATH" and "o PATH", NUL-separated */
};

struct import {
	struct store *s;
	const struct store_import_options *opt;
	struct image_platform platform;
	const char *label;
	struct source src;
	struct plan plan;
	char stage_name[64];	/* below the root */
	int stage;
	struct job *job;
	size_t jobs, done;
	uint64_t total;		/* bytes of all jobs' blobs */
};

/* jobs.c */
int import_jobs_make(struct import *im, struct err *err);
int import_jobs_run(struct import *im, struct err *err);
void import_jobs_free(struct import *im);
void import_progress(struct import *im, const char *step);
void import_warn(struct import *im, const char *text);

/* marks.c: gives the layers what coracle-fetch could not: opaque marks, and the attributes of directories that
 * a layer does not describe. */
int import_marks_apply(struct import *im, struct err *err);

/* space.c: -ENOSPC when what is needed surely does not fit. Both name the figures. */
int import_space_check(struct import *im, struct err *err);
int import_space_explain(struct import *im, int r, struct err *err);

/* commit.c: makes everything visible, or nothing. */
int import_commit(struct import *im, struct err *err);

/* imported.c */
int imported_find(struct store *s, const char *file, uint64_t size, int64_t mtime_ns, const struct image_platform *platform,
	struct store_import_result *result);
int imported_add(struct store *s, const char *file, uint64_t size, int64_t mtime_ns, const struct image_platform *platform,
	const struct store_import_result *result, struct err *err);

#endif
