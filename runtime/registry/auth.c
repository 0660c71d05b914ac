/* auth.c - tokens and passwords (distribution's token authentication specification, RFC 7617, RFC 6750). Runs in coracle-registry.
 * Must never put a secret into a message. */
#include "runtime/registry/auth.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "lib/buf.h"
#include "runtime/image/say.h"

#define TOKEN_ANSWER_MAX (64u << 10)
#define URL_MAX 8000u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	unsigned number;	/* counts what was offered */
	int refused;		/* basic credentials were sent */
	char header[AUTH_HEADER_MAX];
} state[REGISTRY_ENDPOINTS_MAX];

unsigned auth_header(size_t n, char *out)
{
	unsigned number;

	pthread_mutex_lock(&lock);
	memcpy(out, state[n].header, strlen(state[n].header) + 1);
	number = state[n].number;
	pthread_mutex_unlock(&lock);
	return number;
}

int auth_token(const char *json, size_t n, char *out, size_t size)
{
	yyjson_doc *doc = yyjson_read(json, n, 0);
	yyjson_val *root = yyjson_doc_get_root(doc), *v = yyjson_obj_get(root, "token");
	const char *s;
	size_t len;

	if (!yyjson_is_str(v) || yyjson_get_len(v) == 0)
		v = yyjson_obj_get(root, "access_token");
	s = yyjson_get_str(v);
	len = yyjson_get_len(v);
	if (s)
		for (size_t i = 0; i < len; i++)
			if ((unsigned char)s[i] <= 0x20 || (unsigned char)s[i] >= 0x7f)
				s = NULL, len = 0;
	if (s && len && len < size) {
		memcpy(out, s, len);
		out[len] = '\0';
	} else {
		s = NULL;
	}
	yyjson_doc_free(doc);
	return s ? 0 : -EBADMSG;
}

static void add_escaped(struct buf *b, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-_.~", c))
			buf_putc(b, (char)c);
		else
			buf_printf(b, "%%%02X", c);
	}
}

static int basic(const struct endpoint *e, char *out, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char both[2048];
	int n = snprintf(both, sizeof(both), "%s:%s", e->username, e->password);
	size_t len = (size_t)snprintf(out, size, "Authorization: Basic ");

	if (n < 0 || (size_t)n >= sizeof(both) || len + 4 * ((size_t)n + 2) / 3 + 4 > size)
		return -E2BIG;
	for (int i = 0; i < n; i += 3) {
		unsigned v = (unsigned)(unsigned char)both[i] << 16 | (i + 1 < n ? (unsigned)(unsigned char)both[i + 1] << 8 : 0) |
			(i + 2 < n ? (unsigned)(unsigned char)both[i + 2] : 0);

		out[len++] = digits[v >> 18];
		out[len++] = digits[v >> 12 & 63];
		out[len++] = i + 1 < n ? digits[v >> 6 & 63] : '=';
		out[len++] = i + 2 < n ? digits[v & 63] : '=';
	}
	out[len] = '\0';
	return 0;
}

static int collect(const struct http_head *head, const char *data, size_t n, void *arg, struct err *err)
{
	struct buf *b = arg;

	(void)head;
	buf_add(b, data, n);
	return buf_error(b) ? image_say(err, EFBIG, "the answer is too large") : 0;
}

/* service=..&scope=.. */
static void add_query(struct buf *b, const struct settings *s, const struct challenge *c)
{
	if (c->service[0]) {
		buf_puts(b, "service=");
		add_escaped(b, c->service);
		buf_putc(b, '&');
	}
	buf_puts(b, "scope=");
	if (c->scope[0]) {
		add_escaped(b, c->scope);
	} else {
		buf_puts(b, "repository%3A");
		add_escaped(b, s->repository);
		buf_puts(b, "%3Apull");
	}
}

/* The host of the realm, to be named in messages. */
static const char *host_of(const char *url, char out[256])
{
	const char *s = strstr(url, "://");
	size_t n = s ? strcspn(s + 3, "/?#") : 0;

	snprintf(out, 256, "%.*s", (int)MIN(n, (size_t)200), s ? s + 3 : "");
	return out;
}

static int ask_token_server(const struct endpoint *e, const struct challenge *c, struct http_conn *conn, struct http_call *call, char *token,
	size_t size, struct err *err)
{
	CLEANUP_BUF struct buf answer = { 0 };
	struct http_head head;
	char host[256];
	int r;

	buf_init(&answer, TOKEN_ANSWER_MAX);
	r = http_do(conn, call, &head, collect, &answer, err);
	if (r < 0)
		return err_wrap(err, r, "token server %s", host_of(c->realm, host));
	if (head.status == 401 || head.status == 403 || (head.status == 400 && call->form))
		return image_say(err, EACCES, "unauthorized: token server %s refuses %s (status %d)", host_of(c->realm, host),
			e->identity[0] ? "the identity token" : e->username[0] ? "user name and password" : "anonymous pulls", head.status);
	if (head.status != 200)
		return image_say(err, head.status >= 500 || head.status == 429 ? EAGAIN : EACCES, "token server %s answers with status %d",
			host_of(c->realm, host), head.status);
	if (auth_token(answer.data, answer.len, token, size) < 0)
		return image_say(err, EBADMSG, "token server %s sends no token", host_of(c->realm, host));
	return 0;
}

static int get_token(const struct settings *s, const struct endpoint *e, const struct challenge *c, struct http_conn *conn, char *token,
	size_t size, struct err *err)
{
	struct http_call call = { .ca = e->ca, .max = TOKEN_ANSWER_MAX, .stall_ms = s->stall_ms, .total_ms = 60000 };
	CLEANUP_BUF struct buf url = { 0 }, form = { 0 };
	char authorization[4096], host[256];

	buf_init(&url, URL_MAX);
	buf_init(&form, URL_MAX);
	if (strncmp(c->realm, "https://", 8) && (strncmp(c->realm, "http://", 7) || !e->plain || !strncmp(e->url, "https://", 8)))
		return image_say(err, EACCES, "the registry names the token server %s, which is not https", host_of(c->realm, host));
	buf_puts(&url, c->realm);
	if (e->identity[0]) {
		buf_puts(&form, "grant_type=refresh_token&client_id=coracle&refresh_token=");
		add_escaped(&form, e->identity);
		buf_putc(&form, '&');
		add_query(&form, s, c);
		call.form = form.data;
		call.header[0] = "Content-Type: application/x-www-form-urlencoded";
	} else {
		buf_putc(&url, strchr(c->realm, '?') ? '&' : '?');
		if (e->username[0]) {
			buf_puts(&url, "account=");
			add_escaped(&url, e->username);
			buf_putc(&url, '&');
			if (basic(e, authorization, sizeof(authorization)) < 0)
				return image_say(err, E2BIG, "user name and password are too long");
			call.header[0] = authorization;
		}
		add_query(&url, s, c);
	}
	call.url = url.data;
	if (buf_error(&url) || buf_error(&form))
		return image_say(err, E2BIG, "the token server's address is too long");
	return ask_token_server(e, c, conn, &call, token, size, err);
}

int auth_answer(const struct settings *s, size_t n, unsigned number, const struct challenge *c, struct http_conn *conn, struct err *err)
{
	static const char bearer[] = "Authorization: Bearer ";
	const struct endpoint *e = &s->endpoint[n];
	CLEANUP_FREE char *token = malloc(AUTH_HEADER_MAX);
	int r = 0;

	if (!token)
		return err_set(err, ENOMEM, "authenticate");
	pthread_mutex_lock(&lock);
	if (state[n].number != number) {
		pthread_mutex_unlock(&lock);
		return 0;	/* another slot has been faster */
	}
	if (c->scheme == CHALLENGE_BEARER && c->realm[0]) {
		r = get_token(s, e, c, conn, token, AUTH_HEADER_MAX - sizeof(bearer), err);
		if (r == 0) {
			memcpy(state[n].header, bearer, sizeof(bearer) - 1);
			memcpy(state[n].header + sizeof(bearer) - 1, token, strlen(token) + 1);
		}
	} else if (c->scheme == CHALLENGE_BASIC && e->username[0] && !state[n].refused) {
		state[n].refused = 1;
		r = basic(e, state[n].header, AUTH_HEADER_MAX) < 0 ? image_say(err, E2BIG, "user name and password are too long") : 0;
	} else {
		r = image_say(err, EACCES, e->username[0] ? "unauthorized: the registry refuses user name and password" :
			"unauthorized: authentication required");
	}
	if (r == 0)
		state[n].number++;
	pthread_mutex_unlock(&lock);
	return r;
}
