/* serve.c - manifests, documents and blobs for who asks on the control socket. Runs in coracle-registry, a thread for each slot. */
#include "runtime/registry/serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/fd.h"
#include "runtime/image/say.h"
#include "runtime/registry/document.h"

#define DOCUMENT_TOTAL_MS 300000u
#define BLOB_TOTAL_MS 0x7fffffffu

static const char accept_manifests[] = "Accept: application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
	"application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

static int answer(const struct slot *s, const char *word, const char *data, size_t n)
{
	struct iovec v[2] = { { (void *)(uintptr_t)word, strlen(word) }, { (void *)(uintptr_t)data, n } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };

	return sendmsg(s->control, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void answer_error(const struct slot *s, int r, const struct err *err)
{
	char text[ERR_TEXT_MAX + 32];

	snprintf(text, sizeof(text), "%d %s", -r, err->text);
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	answer(s, "error ", text, strlen(text));
}

/* -- documents ------------------------------------------------------------ */

struct document {
	struct buf b;
	char type[128];
};

static int document_body(const struct http_head *head, const char *data, size_t n, void *arg, struct err *err)
{
	struct document *d = arg;

	(void)head;
	buf_add(&d->b, data, n);
	return buf_error(&d->b) ? image_say(err, EFBIG, "is larger than %u bytes", IMAGE_JSON_MAX) : 0;
}

static int document_whole(const struct http_head *head, void *arg, struct err *err)
{
	struct document *d = arg;

	if (head->has_length && head->length != d->b.len)
		return image_say(err, EAGAIN, "was cut after %zu of %llu bytes", d->b.len, (unsigned long long)head->length);
	memcpy(d->type, head->type, sizeof(d->type));
	return 0;
}

static void document_again(void *arg)
{
	struct document *d = arg;

	buf_reset(&d->b);
}

/* The registry's own idea of the digest must be right: one that is not serves something else to others. */
static int manifest_whole(const struct http_head *head, void *arg, struct err *err)
{
	struct document *d = arg;
	char actual[IMAGE_DIGEST_SIZE];
	int r = document_whole(head, arg, err);

	if (r < 0)
		return r;
	image_digest_of(d->b.data, d->b.len, actual);
	if (head->digest[0] && strcmp(head->digest, actual) != 0)
		return image_bad(err, "manifest: the content's digest is %s, the registry says %s: damaged or altered", actual, head->digest);
	if ((r = document_type(d->b.data, d->b.len, head->type, d->type, err)) < 0)
		return err_wrap(err, r, "what the registry has as manifest");
	return 0;
}

static int serve_document(struct slot *s, const char *reference, bool manifest)
{
	struct document d = { .type = "" };
	struct get g = {
		.settings = s->settings, .http = &s->http, .what = manifest ? "manifest" : "configuration", .kind = manifest ? "manifests" : "blobs",
		.reference = reference, .accept = manifest ? accept_manifests : NULL, .max = IMAGE_JSON_MAX, .total_ms = DOCUMENT_TOTAL_MS,
		.body = document_body, .whole = manifest ? manifest_whole : document_whole, .again = document_again, .arg = &d,
	};
	struct err err = ERR_INIT;
	int r;

	buf_init(&d.b, IMAGE_JSON_MAX);
	r = get_thing(&g, &err);
	if (r < 0) {
		answer_error(s, r, &err);
		buf_free(&d.b);
		return 0;
	}
	r = manifest ? answer(s, "type ", d.type, strlen(d.type)) : 0;
	for (size_t at = 0; r == 0 && at < d.b.len;) {
		size_t n = MIN(d.b.len - at, (size_t)REGISTRY_PACKET_MAX - 16);

		r = answer(s, "data ", d.b.data + at, n);
		at += n;
	}
	buf_free(&d.b);
	return r < 0 ? r : answer(s, "done", "", 0);
}

/* -- blobs ---------------------------------------------------------------- */

struct blob {
	int out;
	uint64_t at, size;
	uint64_t skip;		/* bytes of this body that are known already */
	bool begun;		/* the head of this try has been looked at */
};

static uint64_t blob_from(void *arg)
{
	return ((struct blob *)arg)->at;
}

static void blob_again(void *arg)
{
	((struct blob *)arg)->begun = false;
}

static int blob_begin(struct blob *b, const struct http_head *head, struct err *err)
{
	uint64_t rest = b->size - b->at;

	b->begun = true;
	b->skip = head->status == 200 ? b->at : 0;
	if (head->status == 206 && (!head->has_range || head->range_from != b->at))
		return image_bad(err, "asked for the rest from byte %llu, the registry sends another part", (unsigned long long)b->at);
	if ((head->has_length && head->length != rest + b->skip) || (head->status == 206 && head->range_total != UINT64_MAX &&
	    head->range_total != b->size))
		return image_bad(err, "the registry has %llu bytes, the manifest says %llu: truncated or altered", (unsigned long long)
			(head->status == 206 ? head->range_total : head->length), (unsigned long long)b->size);
	return 0;
}

static int blob_body(const struct http_head *head, const char *data, size_t n, void *arg, struct err *err)
{
	struct blob *b = arg;
	size_t known;
	int r;

	if (!b->begun && (r = blob_begin(b, head, err)) < 0)
		return r;
	known = (size_t)MIN(b->skip, (uint64_t)n);
	b->skip -= known;
	data += known;
	n -= known;
	if (n > b->size - b->at)
		return image_bad(err, "the registry sends more than the %llu bytes that the manifest says", (unsigned long long)b->size);
	r = fd_write_full(b->out, data, n);
	if (r < 0)
		return image_say(err, EPIPE, "coracle-fetch takes no more");
	b->at += n;
	return 0;
}

static int blob_whole(const struct http_head *head, void *arg, struct err *err)
{
	struct blob *b = arg;

	(void)head;
	return b->at == b->size ? 0 : image_say(err, EAGAIN, "the registry's answer ends after %llu of %llu bytes", (unsigned long long)b->at,
		(unsigned long long)b->size);
}

static int serve_blob(struct slot *s, const char *digest, uint64_t size, int out)
{
	struct blob b = { .out = out, .size = size };
	struct get g = {
		.settings = s->settings, .http = &s->http, .what = "layer", .kind = "blobs", .reference = digest, .max = size,
		.total_ms = BLOB_TOTAL_MS, .from = blob_from, .body = blob_body, .whole = blob_whole, .again = blob_again, .arg = &b,
	};
	struct err err = ERR_INIT;
	int r = get_thing(&g, &err);

	close(out);
	if (r < 0) {
		answer_error(s, r, &err);
		return 0;
	}
	return answer(s, "done", "", 0);
}

/* -- requests ------------------------------------------------------------- */

/* One packet; *fd is the descriptor that came with it, or -1. Returns its length, 0 at the end, or -errno. */
static ssize_t receive(int from, char *text, size_t size, int *fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec v = { text, size - 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c;
	ssize_t n;

	*fd = -1;
	do
		n = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(c), sizeof(int));
	return n;
}

void slot_run(struct slot *s)
{
	char text[512], digest[IMAGE_DIGEST_SIZE];
	unsigned long long size;
	int fd, r = 0;

	while (r == 0 && receive(s->control, text, sizeof(text), &fd) > 0) {
		if (fd >= 0 && sscanf(text, "blob %71s %llu", digest, &size) == 2 && size <= INT64_MAX) {
			r = serve_blob(s, digest, size, fd);
			continue;
		}
		if (fd >= 0)
			close(fd);
		if (!strncmp(text, "manifest ", 9))
			r = serve_document(s, text + 9, true);
		else if (!strncmp(text, "document ", 9))
			r = serve_document(s, text + 9, false);
		else
			r = -EPROTO;
	}
}
