/* parts.h - user-data and vendor-data as they are delivered, taken apart into what they are made of.
 *
 * A blob is gzip or base64 (one layer each), then a MIME message (RFC 822, 2045, 2046) or one piece alone. Each piece is named by its
 * content type, or by its first line; archives and #include lines become the pieces that they hold. What comes out is a flat list in the
 * order of the blob, as cloud-init numbers it (part-001, part-002, ...). Used by coracle-config only; nothing here is carried out. */
#ifndef CORACLE_CONFIG_PARTS_H
#define CORACLE_CONFIG_PARTS_H

#include "../schema.h"

#define PARTS_MAX 100			/* pieces of one blob, containers counted too */
#define PARTS_NESTED_MAX 5		/* MIME messages within messages */
#define PARTS_HEADER_MAX ((size_t)8192)	/* bytes of the headers of one piece */
#define PARTS_BLOB_MAX ((size_t)1 << 20)	/* bytes of one blob, as delivered and again after decompression */
#define PARTS_TOTAL_MAX ((size_t)8 << 20)	/* bytes of all pieces, with what #include brought */
#define PARTS_INCLUDE_DEPTH 3		/* #include within what was included */

enum part_kind {
	PART_UNKNOWN,
	PART_CLOUD_CONFIG,
	PART_CLOUD_CONFIG_PATCH,	/* #cloud-config-jsonp */
	PART_CLOUD_CONFIG_ARCHIVE,
	PART_JINJA,
	PART_BOOTHOOK,
	PART_INCLUDE,
	PART_INCLUDE_ONCE,
	PART_HANDLER,			/* #part-handler: Python, an error */
	PART_SCRIPT,
	PART_SCRIPT_PER_BOOT,
	PART_SCRIPT_PER_INSTANCE,
	PART_SCRIPT_PER_ONCE,
	PART_IGNITION,
	PART_POD,			/* a Kubernetes Pod manifest */
};

struct part {
	enum part_kind kind;
	const char *name;	/* file name as given, or part-001 */
	const char *type;	/* content type, lower case */
	const struct source *source;	/* its text; problems in it are told at their place in the blob */
	const char *merge;	/* value of Merge-Type or X-Merge-Type, NULL: none */
	const char *launch_index;	/* value of Launch-Index, NULL: none */
	struct part *next;
};

/* Brings what a URL names. once: #include-once, an earlier copy will do. Fills text and len of *out (memory of the arena).
 * Returns 0, or -errno with a text, in which the URL may only be without its secrets. */
typedef int part_fetcher(struct ctx *ctx, void *arg, const char *url, bool once, struct source *out, struct err *err);

struct parts {
	struct part *first;
	struct part **tail;
	unsigned attached;	/* pieces so far, which number those without a name */
	unsigned seen;		/* with their containers */
	size_t bytes;		/* of all of them */
	unsigned includes;	/* #include lines so far */
	part_fetcher *fetch;	/* NULL: #include lines are checked and not followed (`schema`) */
	void *fetch_arg;
};

void parts_init(struct parts *p, part_fetcher *fetch, void *arg);

/* Takes a blob apart and adds its pieces; what is wrong is reported and left out. The text has a NUL behind it and lives
 * as long as the problems. */
void parts_read(struct ctx *ctx, struct parts *p, const char *name, const char *text, size_t len);

/* The kind that the first line tells (blanks before it are skipped), or PART_UNKNOWN. */
enum part_kind part_kind_of_text(const char *text, size_t len);
/* The kind that a content type tells, or PART_UNKNOWN. */
enum part_kind part_kind_of_type(const char *type);
/* The content type of a kind, or "text/plain". */
const char *part_type_of_kind(enum part_kind kind);

/* The message for a text whose first line tells nothing: the usual reasons have their own words. */
void part_report_unknown(struct ctx *ctx, const struct source *source);

/* A file name that is safe as one component, as cloud-init's clean_filename makes it: '/' becomes '_', what is not of [A-Za-z0-9_.()-] is dropped. */
const char *part_file_name(struct ctx *ctx, const char *name);

/* --- between the files of this folder --- */

/* One piece with what its headers say. */
struct piece {
	const char *type;	/* lower case; NULL: by the first line */
	const char *name;	/* or NULL */
	const char *merge;
	const char *launch_index;
	const struct source *source;
	unsigned depth;		/* of #include */
	const char *base;	/* the blob's name, for sources that are made */
};

/* Adds a piece, or what it holds (archive, #include, gzip). */
void parts_add(struct ctx *ctx, struct parts *p, const struct piece *piece);
/* A blob that may be gzip, base64, MIME or one piece. */
void parts_add_blob(struct ctx *ctx, struct parts *p, const struct source *source, unsigned depth);
/* Counts one piece or container. False (reported) when there are too many. */
bool parts_count(struct ctx *ctx, struct parts *p, const struct source *source, unsigned line);

void archive_read(struct ctx *ctx, struct parts *p, const struct piece *piece);	/* archive.c */
void include_read(struct ctx *ctx, struct parts *p, const struct piece *piece);	/* include.c */

#endif
