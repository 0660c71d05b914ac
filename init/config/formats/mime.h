/* mime.h - MIME messages (RFC 822, 2045, 2046, 2231), as much of them as user-data uses. Between the files of this folder. */
#ifndef CORACLE_CONFIG_MIME_H
#define CORACLE_CONFIG_MIME_H

#include "parts.h"

/* The headers of one entity, and where its body begins. */
struct mime_head {
	const char *type;	/* lower case, "text/plain" when there is none */
	const char *boundary;	/* NULL: none */
	const char *name;	/* file name; NULL: none */
	const char *encoding;	/* Content-Transfer-Encoding, lower case; NULL: none */
	const char *merge;	/* Merge-Type, else X-Merge-Type; NULL: none */
	const char *launch_index;
	bool mime_version;
	const char *body;	/* first byte behind the empty line */
	unsigned body_line;	/* its line, counted from the line given to mime_head_read */
};

/* True when the first 4 KiB have "mime-version:" in them, any case: cloud-init's test. */
bool is_mime(const char *text, size_t len);

/* Reads the headers that begin at text, which is line `line` of source. Returns 0, or -EINVAL when they are too large (reported). */
int mime_head_read(struct ctx *ctx, const struct source *source, const char *text, const char *end, unsigned line, struct mime_head *head);

/* Undoes a transfer encoding (quoted-printable, base64). Returns the bytes, or NULL with *why. */
char *mime_decode(struct ctx *ctx, const char *encoding, const char *text, size_t len, size_t *out_len, const char **why);
/* True for an encoding that leaves the bytes as they are (none, 7bit, 8bit, binary). */
bool mime_is_identity(const char *encoding);

/* Takes a message apart and adds what it holds. */
void mime_read(struct ctx *ctx, struct parts *p, const struct source *source, unsigned include_depth);

#endif
