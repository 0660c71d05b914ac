/* main.c - coracle-fetch: decompresses and unpacks what strangers made.
 *
 * Started by the store with the descriptors and arguments of fetch.h. Confines
 * itself before it reads a byte; must never open a path outside descriptor 3,
 * start a program or keep anything between two runs. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cdefs.h"
#include "runtime/image/fetch/answer.h"
#include "runtime/image/fetch/confine.h"
#include "runtime/image/fetch/fetch.h"
#include "runtime/image/fetch/index.h"
#include "runtime/image/fetch/layer.h"
#include "runtime/image/image.h"
#include "runtime/image/say.h"

#define DIR_FD 3
#define COPY_FD 4
#define MAX_SIZE_DEFAULT (256ull << 30)

struct request {
	const char *mode;
	const char *digest, *diff_id;
	int64_t offset;
	uint64_t size, max_size;
	int copy, extract;
};

static int parse_number(const char *s, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(s, &end, 10);
	return *s >= '0' && *s <= '9' && *end == '\0' && errno == 0 && *out <= INT64_MAX ? 0 : -EINVAL;
}

static int parse_arguments(int argc, char **argv, struct request *q)
{
	uint64_t n;

	*q = (struct request){ .mode = argc > 1 ? argv[1] : "", .digest = "-", .diff_id = "-", .offset = -1,
		.size = UINT64_MAX, .max_size = MAX_SIZE_DEFAULT };
	for (int i = 2; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(argv[i], "--copy")) {
			q->copy = 1;
			continue;
		}
		if (!strcmp(argv[i], "--extract")) {
			q->extract = 1;
			continue;
		}
		i++;
		if (!strcmp(argv[i - 1], "--digest") && (image_digest_ok(value) || !strcmp(value, "-")))
			q->digest = value;
		else if (!strcmp(argv[i - 1], "--diff-id") && (image_digest_ok(value) || !strcmp(value, "-")))
			q->diff_id = value;
		else if (!strcmp(argv[i - 1], "--offset") && parse_number(value, &n) == 0)
			q->offset = (int64_t)n;
		else if (!strcmp(argv[i - 1], "--size") && parse_number(value, &n) == 0)
			q->size = n;
		else if (!strcmp(argv[i - 1], "--max-size") && parse_number(value, &n) == 0)
			q->max_size = n;
		else
			return -EINVAL;
	}
	return strcmp(q->mode, "index") && strcmp(q->mode, "unpack") && strcmp(q->mode, "verify") ? -EINVAL : 0;
}

static void tell_mark(enum tree_mark mark, const char *path)
{
	char name[FETCH_LINE_MAX - 64];

	answer("%s %s", mark == TREE_OPAQUE ? "opaque" : "implicit", fetch_escape(path, name, sizeof(name)));
}

static int check_digests(const struct request *q, const char *in, const char *out, struct err *err)
{
	if (strcmp(q->digest, "-") && strcmp(q->digest, in))
		return image_bad(err, "the content's digest is %s, not %s: damaged or altered", in, q->digest);
	if (out && strcmp(q->diff_id, "-") && strcmp(q->diff_id, out))
		return image_bad(err, "unpacks to %s, but the configuration says %s: damaged or altered", out, q->diff_id);
	return 0;
}

static int run_unpack(const struct request *q, struct stream *in, int owners, struct err *err)
{
	static const char *const how[] = { "plain", "gzip", "zstd" };
	char in_digest[IMAGE_DIGEST_SIZE], out_digest[IMAGE_DIGEST_SIZE];
	uint64_t in_bytes, out_bytes;
	struct err wrong = ERR_INIT;
	int r = 0;

	if (!strcmp(q->mode, "unpack")) {
		struct tree t;

		tree_init(&t, DIR_FD, owners, tell_mark);
		r = layer_unpack(in, &t, err);
		tree_free(&t);
	}
	if (r == 0 && (r = stream_drain(in)) < 0)
		*err = *stream_error(in);
	else if (r < 0)
		stream_abandon(in);
	stream_digests(in, in_digest, &in_bytes, out_digest, &out_bytes);
	/* of a blob that is cut short the digest is no news */
	if (r < 0 && (q->size == UINT64_MAX || in_bytes != q->size || check_digests(q, in_digest, NULL, &wrong) == 0))
		return r;
	if (r < 0) {
		*err = wrong;
		return -EBADMSG;
	}
	if ((r = check_digests(q, in_digest, out_digest, err)) < 0)
		return r;
	answer("done %s %llu %s %llu %s", out_digest, (unsigned long long)out_bytes, in_digest, (unsigned long long)in_bytes,
		how[stream_compression(in)]);
	return 0;
}

static int run_index(struct stream *in, struct err *err)
{
	int r = index_extract(in, DIR_FD, err);

	if (r == 0 && (r = stream_drain(in)) < 0)
		*err = *stream_error(in);
	if (r == 0)
		answer("done");
	return r;
}

static int run(const struct request *q, struct err *err)
{
	struct stream_options opt = { .fd = 0, .offset = q->offset, .size = q->size, .max_out = q->max_size, .copy_fd = -1 };
	struct stream *in = NULL;
	int unpack = strcmp(q->mode, "index") != 0, owners, r;

	if ((r = confine_enter(DIR_FD, q->max_size, &owners, err)) < 0)
		return err_wrap(err, r, "confine");
	if (unpack) {
		opt.copy_fd = q->copy ? COPY_FD : -1;
		opt.hash_in = opt.hash_out = 1;
	}
	if ((r = stream_new(&in, &opt, err)) < 0)
		return r;
	if ((r = confine_filter(err)) < 0)
		return err_wrap(err, r, "confine");
	if (!unpack && !q->extract) {
		r = index_list(0, err);
		if (r == 0)
			answer("done");
		if (r <= 0)
			return r;
	}
	stream_start(in);
	return unpack ? run_unpack(q, in, owners, err) : run_index(in, err);
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct request q;
	int r;

	/* A full pipe ends us by its error, a file over its limit by EFBIG */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	umask(0);
	/* names are UTF-8; musl and glibc both know this locale */
	setlocale(LC_CTYPE, "C.UTF-8");
	answer_init(1);
	if (parse_arguments(argc, argv, &q) < 0)
		r = err_set(&err, EINVAL, "coracle-fetch: wrong arguments");
	else
		r = run(&q, &err);
	if (r < 0)
		answer("error %d %s", -r, err.text);
	answer_flush();
	_Exit(r < 0 ? 1 : 0);
}
