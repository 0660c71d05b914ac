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
/* In a child that works for long: closes every descriptor above 2 but the store's and those of keep. */
void store_keep_only(struct store *s, const int *keep, size_t n);

/* -- import ------------------------------------------------------------- */

struct store_progress {
	const char *image;	/* full name, or the archive's base name while it is being read */
	const char *step;	/* "read", "unpack", "commit" */
	size_t layer, layers;	/* layers finished, layers of this image */
	uint64_t bytes, total;	/* of the compressed layers; total 0 while unknown */
};

enum store_layer_state { STORE_LAYER_EXISTS, STORE_LAYER_WAITING, STORE_LAYER_READING, STORE_LAYER_DONE };

struct store_layer_progress {
	const char *digest;	/* of the blob; a docker-archive's layer: of its content */
	enum store_layer_state state;
	uint64_t bytes, total;	/* of the compressed layer */
};

struct store_import_options {
	const struct image_platform *platform;	/* NULL: this machine's */
	const char *name;	/* name to give instead of the archive's own (one image only); NULL: none */
	int nameless;		/* images that the archive does not name get none, instead of the file's */
	int force;		/* import again although imported.json knows the archive */
	void (*progress)(const struct store_progress *p, void *arg);	/* NULL: none */
	void (*warning)(const char *text, void *arg);	/* e.g. an extended attribute left away; NULL: none */
	void (*layer)(const struct store_layer_progress *p, void *arg);	/* of each layer by itself; NULL: none */
	void *arg;
};

struct store_imported {
	char name[IMAGE_REF_SIZE];	/* full name; "": none */
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

/* Where the bytes come from that lie in no file here: a registry. Nothing of it is believed: digests and lengths are verified as an archive's are. */
struct store_remote {
	/* An OCI index (index.json) that names what is wanted. *out is the caller's to free, here and below. */
	int (*index)(void *arg, char **out, size_t *n, struct err *err);
	/* An index or a manifest, or else a configuration, of at most IMAGE_JSON_MAX bytes. */
	int (*document)(void *arg, const char *digest, int is_manifest, char **out, size_t *n, struct err *err);
	/* Begins to send a blob of size bytes into a pipe, which it closes at the end. Returns a number for blob_end(), or -errno. */
	int (*blob)(void *arg, const char *digest, uint64_t size, int pipe_fd, struct err *err);
	/* How it ended; waits a moment at most when the pipe's reader is gone. Returns 0 or -errno; -EINTR: a program was killed. */
	int (*blob_end)(void *arg, int number, struct err *err);
	int parallel;		/* blobs at once */
	void *arg;
};

/* Imports the one image that the remote's index names, under the name it has there. opt->force has no meaning. */
int store_import_remote(struct store *s, const struct store_remote *remote, const char *label, const struct store_import_options *opt,
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

/* Bytes of a layer unpacked; 0: it is not there. */
uint64_t store_layer_size(struct store *s, const char *chain_id);
/* The configuration as its document, verified; the caller frees *out. */
int store_config_read(struct store *s, const struct store_image *image, char **out, size_t *n, struct err *err);
/* When it came in (seconds since 1970; the newest of its manifests), 0: unknown. */
int64_t store_image_arrived(struct store *s, const struct store_image *image);

/* -- changes ------------------------------------------------------------ */

/* All of them are whole before or whole after, wherever they are interrupted. They may be called by the engine and by its
 * children at the same time: index.json is read anew under a lock. Each takes one fsync. */

/* name (tagged when it has no tag; without digest) means the image that what names (as store_image_lookup()). An image that loses
 * its last name so stays, without one. Returns 0, -ENOENT, -ENOTUNIQ, -EINVAL or -errno. */
int store_tag(struct store *s, const char *what, const char *name, struct err *err);
/* Takes one full name away; the image stays, without a name if it was its last. Returns 0, -ENOENT or -errno. */
int store_untag(struct store *s, const char *name, struct err *err);
/* Takes an image out with all its names. Its blobs and layers go with the next store_sweep(). id: as in struct store_image. */
int store_image_remove(struct store *s, const char *id, struct err *err);

struct store_swept {
	size_t layers, blobs;
	uint64_t bytes;		/* of both */
};

/* Removes the blobs and layers that no image needs. Blocks as long as the disk takes. Returns 0, -EBUSY while an import or
 * a save is under way (nothing is done: the next sweep will), or -errno. out may be NULL. */
int store_sweep(struct store *s, struct store_swept *out, struct err *err);
/* 1: an import or a save is under way, so that a sweep would do nothing now. */
int store_is_busy(struct store *s);
/* Bytes on the disk of all layers (unpacked) and all blobs. */
int store_usage(struct store *s, uint64_t *layers, uint64_t *blobs, struct err *err);

/* -- export ------------------------------------------------------------- */

struct store_save_item {
	const struct store_image *image;
	const char *name;	/* full; NULL: without a name */
};

/* Writes an archive of the images to fd: OCI layout and docker-archive in one (as Docker 25), each blob once and bit by bit
 * as it came. Blocks until done. Returns 0, -ENODATA when a layer's blob is not kept (a store in memory), or -errno. */
/* The half of it that can be known before: all there is. */
int store_save_check(struct store *s, const struct store_save_item *item, size_t n, struct err *err);
int store_save(struct store *s, const struct store_save_item *item, size_t n, int fd, struct err *err);

/* Writes the tree of a container's root to fd as a tar, as it is seen inside (what is mounted below is left away). One that is not
 * mounted is for that, seen by nobody else. Changes the working directory: call it in a child. Returns 0 or -errno. */
int store_export(struct store *s, const struct store_image *image, const char *id, int fd, struct err *err);

struct store_commit {
	const struct store_image *base;
	const char *id;			/* the container's */
	const char *config;		/* the new image's configuration, without the layer: rootfs.diff_ids and history are added to */
	const char *author, *comment;	/* NULL: none */
	const char *created_by;		/* NULL: none */
	const char *name;		/* full; NULL: none */
};

/* Makes an image of a container: what it changed becomes a layer on top of its image's, packed by coracle-fetch, and comes
 * in by store_import_fd() as any stranger's. Blocks until done. Returns 0 or -errno. */
int store_commit(struct store *s, const struct store_commit *c, struct store_imported *out, struct err *err);
/* An image of one layer out of a tar of a root directory (plain, gzip, zstd), `docker import`. fd may be a pipe. config as above. */
int store_import_root(struct store *s, int fd, const char *config, const char *comment, const char *name,
	struct store_imported *out, struct err *err);

/* Copies a pipe to a file, as an archive is read better from a file. */
int store_spool(int in, int out, struct err *err);
/* An unnamed file on the store's file system, or -errno. */
int store_scratch(struct store *s, struct err *err);

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
