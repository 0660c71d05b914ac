/* packint.h - what pack.c, make.c and aci.c share: coracle-fetch run for one answer. */
#ifndef CORACLE_STORE_PACKINT_H
#define CORACLE_STORE_PACKINT_H

#include "runtime/store/storeint.h"

struct packed {			/* a tar that was packed, or read through */
	char diff_id[IMAGE_DIGEST_SIZE], digest[IMAGE_DIGEST_SIZE];
	uint64_t unpacked, bytes;
	int gzip, zstd;
};

/* Runs coracle-fetch to its end; only its last line counts. */
int store_fetch_run(char *const argv[], int in, int dir, int copy, struct packed *out, struct err *err);
/* The tree of dir as a tar to fd. as: NULL, "--layer" or "--upper". */
int store_pack(struct store *s, int dir, const char *as, int fd, struct packed *out, struct err *err);

struct make {			/* a layout under way that is imported at once; staging as an import's */
	struct store *s;
	char stage_name[64];
	int stage, blobs;	/* directories */
	struct packed layer;
};

/* make.c: begin, put the layer's blob at make_layer_file(), and finish. make_end() in any case. */
int make_begin(struct make *m, struct store *s, struct err *err);
int make_layer_file(struct make *m, struct err *err);
/* config: the configuration without the layer; base: the image below it or NULL. */
int make_finish(struct make *m, const struct store_image *base, const char *config, const char *author, const char *comment,
	const char *created_by, const char *name, struct store_imported *out, struct err *err);
void make_end(struct make *m);

#endif
