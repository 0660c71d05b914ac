/* storeint.h - what the files of runtime/store share; nobody else includes it. */
#ifndef CORACLE_STOREINT_H
#define CORACLE_STOREINT_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "lib/buf.h"
#include "lib/cdefs.h"
#include "lib/err.h"
#include "runtime/store/store.h"

#define BLOBS "images/blobs/sha256"
#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define HEX_SIZE 65

struct store_entry {		/* a line of index.json */
	char name[IMAGE_REF_SIZE];	/* full name, "" for none */
	char digest[IMAGE_DIGEST_SIZE];
	char media_type[128];
	uint64_t size;
	char id[IMAGE_DIGEST_SIZE];	/* digest of the configuration, "" until asked for: store_entry_id() */
};

struct store {
	char root[PATH_MAX];
	char fetch[PATH_MAX];
	int rootfd, lockfd;
	int keep_blobs;		/* decided */
	int jobs;
	unsigned serial;	/* staging directories of this process */
	struct store_entry *entry;
	size_t entries;
};

/* -- index.json (names.c) -- */
int store_index_load(struct store *s, struct err *err);
/* Writes entries as index.json and makes them the store's. Takes entry over when it succeeds. */
int store_index_save(struct store *s, struct store_entry *entry, size_t n, struct err *err);

/* -- blobs (blob.c) -- */
int store_blob_present(struct store *s, const char *digest);
/* "images/blobs/sha256/HEX" */
void store_blob_path(const char *digest, char out[128]);
int store_layer_present(struct store *s, const char *chain_id);
/* Manifest and configuration of an index entry, parsed and verified; image_config_free(config). config may be NULL. */
int store_manifest_read(struct store *s, const char *digest, struct image_manifest *m, struct image_config *config,
	struct err *err);

/* The image id of an entry; NULL when its manifest is missing or damaged. */
const char *store_entry_id(struct store *s, struct store_entry *entry);

#endif
