/* store.h - images, layers, container roots and volumes on disk.
 *
 * The store is one directory (the machine's: /var/lib/coracle):
 *
 *	images/oci-layout, index.json, blobs/sha256/HEX	an OCI image layout
 *	images/imported.json			archives already imported
 *	layers/CHAINID-HEX/{diff/,size}		unpacked layers
 *	containers/ID/{upper,work,rootfs}	what store_rootfs_mount() makes
 *	volumes/NAME/_data
 *	tmp/					staging, emptied by store_open()
 *	lock					held (flock) as long as the store is open
 *
 * Runs in the engine (or coracle-import). It never decompresses and never
 * reads a tar header: coracle-fetch does that, confined (runtime/image/fetch/).
 * Everything becomes visible by sync + rename: after a crash at any instant
 * a name, layer or blob is there whole or not at all.
 *
 * On a file system in memory (tmpfs, ramfs) layer blobs are not kept, as every
 * byte would be held twice; images run all the same, but the layout cannot be exported.
 *
 * Not thread safe; one process owns a store at a time. A child that imports
 * for its parent (fork, store_import, exit) is allowed: the parent calls
 * store_reload() afterwards and changes no images meanwhile. Such a child should
 * die with its parent (PR_SET_PDEATHSIG), as it shares the lock.
 *
 * A user links runtime/store/?*.c, runtime/image/?*.c, the library and -lyyjson
 * (in a module.mk: $(sort $(wildcard runtime/store/?*.c runtime/image/?*.c))).
 */
#ifndef CORACLE_STORE_H
#define CORACLE_STORE_H

#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"
#include "runtime/image/image.h"

struct store;

struct store_options {
	const char *fetch;	/* path of coracle-fetch; NULL: beside this program, in ../bin beside it,
				   else /usr/lib/coracle/coracle-fetch */
	int keep_blobs;		/* layer blobs: 0 by file system (see above), 1 always, -1 never */
	int jobs;		/* layers unpacked at once; 0: 2 */
};

/* Opens the store at root, making what is missing, and empties tmp/. opt may be NULL.
 * Returns 0, -EBUSY when another process owns it, or -errno. */
int store_open(struct store **out, const char *root, const struct store_options *opt, struct err *err);
void store_close(struct store *s);
/* Reads index.json again (after a child imported). Returns 0 or -errno. */
int store_reload(struct store *s, struct err *err);
const char *store_root(const struct store *s);

/* -- import ------------------------------------------------------------- */

struct store_progress {
	const char *image;	/* full name, or the archive's base name while it is being read */
	const char *step;	/* "read", "unpack", "commit" */
	size_t layer, layers;	/* layers finished, layers of this image */
	uint64_t bytes, total;	/* of the compressed layers; total 0 while unknown */
};

struct store_import_options {
	const struct image_platform *platform;	/* NULL: this machine's */
	const char *name;	/* name to give instead of the archive's own (one image only); NULL: none */
	int force;		/* import again although imported.json knows the archive */
	void (*progress)(const struct store_progress *p, void *arg);	/* NULL: none */
	void (*warning)(const char *text, void *arg);	/* e.g. an extended attribute left away; NULL: none */
	void *arg;
};

struct store_imported {
	char name[IMAGE_REF_SIZE];	/* full name */
	char id[IMAGE_DIGEST_SIZE];	/* of the configuration, Docker's image id */
	int known;			/* 1: the image was there already (a name may be new) */
};

struct store_import_result {
	size_t count;
	struct store_imported *image;	/* free() it */
};

/* Imports an OCI archive, a docker-archive (both also gzip- or zstd-compressed)
 * or an OCI layout directory: all its images for the platform. Every digest is
 * verified. All or nothing: after a failure the store is as before and staging
 * is empty. opt and result may be NULL. Blocks until done. Names: the archive's
 * (io.containerd.image.name or a full org.opencontainers.image.ref.name, a bare tag
 * joined to the file's base name without extension; RepoTags), else the base name.
 * Returns 0 or -errno; -ENOSPC says what is needed and what is free, -EBADMSG: wrong
 * digest, truncated or hostile content, -ENOENT: no image for the platform. */
int store_import(struct store *s, const char *path, const struct store_import_options *opt,
	struct store_import_result *result, struct err *err);
/* The same from a descriptor, a pipe or socket too (`docker load`); label stands for the file's name. */
int store_import_fd(struct store *s, int fd, const char *label, const struct store_import_options *opt,
	struct store_import_result *result, struct err *err);

/* `coracle-engine import` and coracle-import: argv[0] is the command's name. Prints; returns an exit code. */
int store_import_main(int argc, char **argv);

/* -- images ------------------------------------------------------------- */

struct store_image {
	char id[IMAGE_DIGEST_SIZE];		/* digest of the configuration */
	char manifest_digest[IMAGE_DIGEST_SIZE];
	size_t name_count;
	char **name;				/* full names ("docker.io/library/nginx:1.27"); none: untagged */
	uint64_t size;				/* bytes of all layers unpacked */
	char chain_id[IMAGE_LAYERS_MAX][IMAGE_DIGEST_SIZE];	/* config.layer_count of them, lowest first */
	struct image_config config;
};

/* By name (normalised), name@digest, digest of manifest or configuration, or at least 4 digits of the id, in this
 * order. *out is freed with store_image_free(). Returns 0, -ENOENT, -ENOTUNIQ (id prefix of several), -EINVAL or -errno. */
int store_image_lookup(struct store *s, const char *name, struct store_image **out, struct err *err);
/* All images, each once with all its names, NULL at the end; frees with store_images_free(). Returns the count or -errno. */
int store_images(struct store *s, struct store_image ***out, struct err *err);
void store_image_free(struct store_image *image);
void store_images_free(struct store_image **images);
/* The bytes of a kept blob of at most max bytes, verified again; the caller frees *out. */
int store_blob_read(struct store *s, const char *digest, size_t max, char **out, size_t *n, struct err *err);

/* -- container roots and volumes ---------------------------------------- */

/* Mounts the overlay of the image's layers for a container: makes containers/ID/{upper,work,rootfs}
 * and mounts on rootfs, in the calling process' mount namespace. upper is kept when it is there (restart).
 * Returns 0, -EBUSY when mounted already, or -errno. id: [A-Za-z0-9_.-]. */
int store_rootfs_mount(struct store *s, const struct store_image *image, const char *id, struct err *err);
/* Unmounts it; 0 also when nothing is mounted. upper stays. */
int store_rootfs_unmount(struct store *s, const char *id, struct err *err);
/* ROOT/containers/ID/rootfs as text, size bytes; returns out. */
char *store_rootfs_path(const struct store *s, const char *id, char *out, size_t size);

/* Removes name below dirfd, however deep a stranger nested it, in bounded memory and with few descriptors.
 * Does not cross mounts (unmount first). 0 also when there is nothing. Returns 0 or -errno. */
int store_tree_remove(int dirfd, const char *name);

/* Makes volumes/NAME/_data (0755) when missing and gives its path. Returns 1 when made now, 0 when it was there, or -errno. */
int store_volume(struct store *s, const char *name, char *path, size_t size, struct err *err);

#endif
