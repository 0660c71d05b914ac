/* ec2.c - Amazon EC2's metadata service, by version 2 of its protocol only: without a token nothing is read.
 *
 * (AWS, "Use the Instance Metadata Service to access instance metadata"; cloud-init, sources/DataSourceEc2.py.) Its IPv4 address is tried
 * first, then its IPv6 one, by turns. Credentials of roles are not read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../text.h"
#include "imds.h"

#define TRY_MS 3000
#define ROUNDS 15		/* of both addresses, one second apart at least */
#define TOTAL_MS 60000		/* of everything behind the token */
#define DEPTH_MAX 8
#define REQUESTS_MAX 400
#define TREE_MAX ((size_t)512 << 10)
#define TOKEN_MAX 4096

static const char *const versions[] = { "2021-03-23", "2018-09-24", "2016-09-02", "2009-04-04" };

struct crawl {
	struct imds *m;
	const char *prefix;	/* "/2021-03-23/meta-data/" */
	struct buf out;
	unsigned requests;
	struct err err;		/* the first failure; nothing more is asked then */
};

/* Returns the token's header, NULL when there is none. *denied: the service is there and says no. */
static const char *ask_token(struct machine_facts *f, const char *base, bool *denied, struct err *err)
{
	static const char *const headers[] = { "X-aws-ec2-metadata-token-ttl-seconds: 21600", NULL };
	struct http_request q = {
		.method = "PUT", .url = arena_printf(f->ctx->arena, "%s/latest/api/token", base), .headers = headers, .max = TOKEN_MAX, .timeout_ms = TRY_MS,
		.total_ms = TRY_MS,
	};
	struct http_answer a;
	int r = http_fetch(f->ctx, &q, &a, err);

	if (r < 0)
		return NULL;
	if (a.status == 200 && a.len > 0 && text_single_line(a.body, a.len))
		return arena_printf(f->ctx->arena, "X-aws-ec2-metadata-token: %s", a.body);
	*denied = a.status < 500;
	err_set(err, 0, "%s/latest/api/token: the server answers %d", base, a.status);
	return NULL;
}

static const char *find_service(struct machine_facts *f, const char **base)
{
	static const char *const addresses[] = { IMDS_ADDRESS, "http://[fd00:ec2::254]" };
	struct err first = ERR_INIT;
	bool denied = false;

	for (unsigned round = 0; round < ROUNDS && !denied; round++) {
		struct timespec pause = { .tv_sec = 1 };

		if (round > 0)
			nanosleep(&pause, NULL);
		for (size_t i = 0; i < ARRAY_SIZE(addresses) && !denied; i++) {
			struct err err = ERR_INIT;
			const char *header = ask_token(f, addresses[i], &denied, &err);

			if (header) {
				*base = addresses[i];
				return header;
			}
			if (i == 0 || denied)
				first = err;
		}
	}
	diag_add(f->ctx->diags, DIAG_ERROR, NULL, 0, 0, denied ? "the instance must have IMDSv2 enabled, with a hop limit of at least 1" : NULL,
		 "EC2 metadata service: no token: %s", first.text);
	return NULL;
}

static void crawl_list(struct crawl *c, const char *path, unsigned depth);

static void add_key(struct crawl *c, const char *name, size_t n, bool *first)
{
	buf_puts(&c->out, *first ? "" : ", ");
	buf_json_string(&c->out, name, n);
	buf_puts(&c->out, ": ");
	*first = false;
}

static bool crawl_get(struct crawl *c, const char *path, const char **text, size_t *len)
{
	struct err err = ERR_INIT;
	int r;

	if (c->err.text[0])
		return false;
	if (c->requests++ >= REQUESTS_MAX) {
		err_set(&c->err, 0, "the meta-data has more than %u entries", REQUESTS_MAX);
		return false;
	}
	r = imds_get(c->m, arena_printf(c->m->ctx->arena, "%s%s", c->prefix, path), text, len, &err);
	if (r < 0)
		c->err = err;
	return r > 0;
}

static void crawl_leaf(struct crawl *c, const char *path)
{
	const char *text;
	size_t len;

	if (crawl_get(c, path, &text, &len))
		buf_json_string(&c->out, text, len);
	else
		buf_puts(&c->out, "null");
}

/* One line of a listing: "name", "name/" or, for public keys, "0=name". */
static void crawl_entry(struct crawl *c, const char *path, const char *line, size_t n, unsigned depth, bool *first)
{
	struct arena *a = c->m->ctx->arena;
	const char *name = arena_strndup(a, line, n);
	const char *equals = strchr(name, '=');

	/* what changes all the time, and is secret */
	if (!strcmp(name, "security-credentials/") || !strcmp(name, "identity-credentials/"))
		return;
	if (!strcmp(path, "public-keys/") && equals) {
		add_key(c, equals + 1, strlen(equals + 1), first);
		crawl_leaf(c, arena_printf(a, "%s%.*s/openssh-key", path, (int)(equals - name), name));
	} else if (name[n - 1] == '/') {
		add_key(c, name, n - 1, first);
		crawl_list(c, arena_printf(a, "%s%s", path, name), depth + 1);
	} else if (*path || strcmp(name, "public-keys")) {
		add_key(c, name, n, first);
		crawl_leaf(c, arena_printf(a, "%s%s", path, name));
	} else {
		add_key(c, name, n, first);
		crawl_list(c, "public-keys/", depth + 1);
	}
}

static void crawl_list(struct crawl *c, const char *path, unsigned depth)
{
	const char *text = "";
	bool first = true;
	size_t len;

	buf_putc(&c->out, '{');
	if (depth < DEPTH_MAX && crawl_get(c, path, &text, &len))
		for (; *text; text += strspn(text, "\r\n")) {
			size_t n = strcspn(text, "\r\n");

			if (n > 0 && n < 256)
				crawl_entry(c, path, text, n, depth, &first);
			text += n;
		}
	buf_putc(&c->out, '}');
}

static const char *find_version(struct imds *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct err err = ERR_INIT;
		const char *text;
		size_t len;
		int r = imds_get(m, arena_printf(m->ctx->arena, "/%s/meta-data/instance-id", versions[i]), &text, &len, &err);

		if (r > 0)
			return versions[i];
		if (r < 0 || i + 1 == ARRAY_SIZE(versions)) {
			diag_add(m->ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "EC2 metadata service: %s", err.text);
			return NULL;
		}
	}
	return NULL;
}

static void read_identity(struct imds *m, const char *version, struct seed *seed)
{
	struct err err = ERR_INIT;
	const struct node *root;
	const char *text;
	size_t len;

	if (imds_get(m, arena_printf(m->ctx->arena, "/%s/dynamic/instance-identity/document", version), &text, &len, &err) <= 0 ||
	    !(root = imds_parse(m->ctx, "instance-identity/document", text, len)))
		return;
	meta_set_instance_id(m->ctx, "instance-identity/document", imds_text(root, "instanceId"), &seed->meta);
	seed->region = imds_text(root, "region");
	seed->availability_zone = imds_text(root, "availabilityZone");
}

static void read_tree(struct imds *m, const char *version, struct seed *seed)
{
	struct crawl c = { .m = m, .prefix = arena_printf(m->ctx->arena, "/%s/meta-data/", version), .err = ERR_INIT };
	const struct node *placement;

	buf_init(&c.out, TREE_MAX);
	crawl_list(&c, "", 0);
	if (c.err.text[0])
		diag_add(m->ctx->diags, DIAG_ERROR, NULL, 0, 0, "what came before it is used", "EC2 metadata service: %s", c.err.text);
	if (buf_error(&c.out))
		diag_add(m->ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "EC2 metadata service: the meta-data is larger than 512 KiB");
	else
		meta_read(m->ctx, "meta-data", arena_strndup(m->ctx->arena, c.out.data, c.out.len), c.out.len, &seed->meta);
	buf_free(&c.out);
	placement = seed->meta.tree ? imds_at(seed->meta.tree, "placement") : NULL;
	if (!seed->availability_zone)
		seed->availability_zone = imds_text(placement, "availability-zone");
	if (!seed->region)
		seed->region = imds_text(placement, "region");
	/* us-east-1a is in us-east-1 */
	if (!seed->region && seed->availability_zone && *seed->availability_zone)
		seed->region = arena_strndup(m->ctx->arena, seed->availability_zone, strlen(seed->availability_zone) - 1);
}

int ec2_read(struct machine_facts *f, struct seed *seed)
{
	struct arena *a = f->ctx->arena;
	const char *headers[] = { NULL, NULL };
	struct imds m = { .ctx = f->ctx, .headers = headers, .timeout_ms = 5000, .tries = 5, .total_ms = 30000 };
	const char *version;

	headers[0] = find_service(f, &m.base);
	m.end_ms = imds_in(TOTAL_MS);
	if (!headers[0] || !(version = find_version(&m)))
		return 0;
	read_identity(&m, version, seed);
	read_tree(&m, version, seed);
	if (imds_want(&m, arena_printf(a, "/%s/user-data", version), false, &seed->user_data, &seed->user_data_len) > 0)
		imds_decode(f->ctx, &seed->user_data, &seed->user_data_len);
	seed->name = "DataSourceEc2Local";
	seed->cloud_name = "aws";
	seed->platform = "ec2";
	seed->subplatform = arena_printf(a, "metadata (%s)", m.base);
	return 1;
}
