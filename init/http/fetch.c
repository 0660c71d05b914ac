/* fetch.c - one request by libcurl: tries, redirects, limits.
 *
 * Redirects are followed here and not by libcurl, because a request's headers hold tokens: they are not for another host.
 * An answer that will be tried again, or that is a redirect, is not passed on. */
#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "http.h"

#define CA_FILE "/etc/ssl/certs/ca-certificates.crt"
#define ANSWER_HEADERS_MAX ((size_t)64 << 10)
#define WASTE_MAX 65536	/* bytes of a body nobody wants, until the connection is given up */

static CURL *curl;
static char curl_text[CURL_ERROR_SIZE];

/* One try: one request and one answer of a server. */
struct try {
	const struct request *q;
	const char *url;
	unsigned left;		/* tries after this one */
	bool any;		/* something of an answer was passed on in an earlier try */
	bool location;
	bool told;		/* status and headers are passed on */
	bool unwanted;		/* given up because nobody wants the rest */
	int failed;		/* errno of writing to who asked */
	int too_large;
	uint64_t got;
	struct buf headers;	/* each with a newline */
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static long status_of(void)
{
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static bool is_redirect(const struct try *t, long status)
{
	return t->location && (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

static bool is_temporary(long status)
{
	return status >= 500 || status == 408 || status == 429;
}

static bool is_unwanted(const struct try *t)
{
	long status = status_of();

	return is_redirect(t, status) || (t->left > 0 && is_temporary(status));
}

/* Status, place and headers, once. */
static int tell_head(struct try *t)
{
	char status[16];
	int r = 0;

	if (t->told)
		return 0;
	t->told = true;
	if (t->any && (r = say(HTTP_AGAIN, NULL, 0)) < 0)
		return r;
	snprintf(status, sizeof(status), "%ld", status_of());
	if ((r = say(HTTP_STATUS, status, strlen(status))) < 0 || (r = say(HTTP_WHERE, t->url, strlen(t->url))) < 0)
		return r;
	for (const char *h = t->headers.data; *h && r == 0;) {
		size_t n = strcspn(h, "\n");

		r = say(HTTP_HEADER, h, n);
		h += n + (h[n] == '\n');
	}
	return r;
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	struct try *t = arg;

	n *= size;
	if (n >= 5 && !memcmp(data, "HTTP/", 5)) {
		buf_reset(&t->headers); /* an interim answer came before */
		t->location = false;
		return n;
	}
	if (n >= 9 && !strncasecmp(data, "location:", 9))
		t->location = true;
	for (size_t i = 0; i < n; i++)
		if (data[i] != '\r' && data[i] != '\n' && data[i] != '\0')
			buf_putc(&t->headers, data[i]);
	if (t->headers.len && t->headers.data[t->headers.len - 1] != '\n')
		buf_putc(&t->headers, '\n');
	return buf_error(&t->headers) ? 0 : n;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct try *t = arg;
	int r;

	n *= size;
	t->got += n;
	if (is_unwanted(t)) {
		t->unwanted = t->got > WASTE_MAX;
		return t->unwanted ? 0 : n;
	}
	if (t->got > t->q->limits.max) {
		t->too_large = 1;
		return 0;
	}
	if ((r = tell_head(t)) < 0 || (r = say(HTTP_BODY, data, n)) < 0) {
		t->failed = -r;
		return 0;
	}
	return n;
}

static bool is_http(const char *url)
{
	return !strncasecmp(url, "http://", 7) || !strncasecmp(url, "https://", 8);
}

static int code_of(CURLcode c, const char *url)
{
	long os = 0;

	curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os);
	switch (c) {
	case CURLE_UNSUPPORTED_PROTOCOL: return is_http(url) ? EBADMSG : EPROTONOSUPPORT; /* the former: an answer without a head */
	case CURLE_URL_MALFORMAT: return EINVAL;
	case CURLE_COULDNT_RESOLVE_HOST: return EHOSTUNREACH;
	case CURLE_COULDNT_CONNECT: return os > 0 && os < 4096 ? (int)os : ECONNREFUSED;
	case CURLE_OPERATION_TIMEDOUT: return ETIMEDOUT;
	case CURLE_FILESIZE_EXCEEDED: return EFBIG;
	case CURLE_OUT_OF_MEMORY: return ENOMEM;
	case CURLE_PEER_FAILED_VERIFICATION: return EKEYREJECTED;
	case CURLE_SSL_CACERT_BADFILE: return ENOKEY;
	case CURLE_SSL_CONNECT_ERROR: return EPROTO;
	default: return EBADMSG;
	}
}

static bool worth_another(int code)
{
	return code != EPROTONOSUPPORT && code != EINVAL && code != EFBIG && code != ENOMEM && code != EKEYREJECTED && code != ENOKEY && code != ELOOP;
}

/* The rest of the URL's authority is the same: scheme, host and port. */
static bool same_origin(const char *a, const char *b)
{
	size_t n = strcspn(a, ":");
	size_t end = n + 3 + strcspn(a + MIN(n + 3, strlen(a)), "/?#");

	return !strncasecmp(a, b, end) && (b[end] == '\0' || strchr("/?#", b[end]));
}

/* Headers of the request. sent_on: to another host, which gets none of them. */
static struct curl_slist *headers_of(const struct request *q, bool sent_on)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	bool type = false;

	for (char *h = q->headers.data; !sent_on && *h;) {
		char *end = strchr(h, '\n');

		*end = '\0';
		type = type || !strncasecmp(h, "content-type:", 13);
		list = curl_slist_append(list, h);
		*end = '\n';
		h = end + 1;
	}
	return type ? list : curl_slist_append(list, "Content-Type:");
}

static void set_method(const struct request *q, const char *method)
{
	bool body = q->body.len > 0 && strcmp(method, "GET") != 0;

	if (!strcmp(method, "HEAD")) {
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	} else if (!strcmp(method, "GET")) {
		curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
	} else {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(body ? q->body.len : 0));
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body ? q->body.data : "");
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	}
}

static CURLcode perform(struct try *t, const char *method, bool sent_on, uint64_t left_ms)
{
	struct curl_slist *headers = headers_of(t->q, sent_on);
	long stall = (long)(t->q->limits.timeout_ms + 999) / 1000;
	CURLcode c;

	curl_easy_reset(curl); /* connections stay */
	curl_text[0] = '\0';
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, curl_text);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_URL, t->url);
	curl_easy_setopt(curl, CURLOPT_CAINFO, CA_FILE);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "Coracle/" CORACLE_VERSION);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)t->q->limits.timeout_ms);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, stall);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)MIN(left_ms, (uint64_t)INT32_MAX));
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->q->limits.max);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
	set_method(t->q, method);
	c = curl_easy_perform(curl);
	curl_slist_free_all(headers);
	return c;
}

/* Where a redirect leads. Returns 0 or the errno of why it is not followed. */
static int follow(char **url, const char *first, bool *sent_on)
{
	char *next = NULL;

	curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &next);
	if (!next || !is_http(next))
		return EPROTONOSUPPORT;
	if (!strncasecmp(*url, "https://", 8) && strncasecmp(next, "https://", 8))
		return EPROTONOSUPPORT;
	next = strdup(next);
	if (!next)
		return ENOMEM;
	free(*url);
	*url = next;
	*sent_on = *sent_on || !same_origin(first, next);
	return 0;
}

/* One try with its redirects. Returns 0 when an answer was passed on, else an errno; curl_text or *why say more. */
static int one_try(const struct request *q, unsigned left, uint64_t end, bool *any, const char **why)
{
	char *url = strdup(q->url.data);
	const char *method = q->method.len ? q->method.data : q->body.len ? "POST" : "GET";
	bool sent_on = false;
	int code = url ? -1 : ENOMEM;

	for (unsigned hops = 0; code < 0; hops++) {
		struct try t = { .q = q, .url = url, .left = left, .any = *any };
		uint64_t now = now_ms();
		CURLcode c;
		long status;

		*why = NULL;
		buf_init(&t.headers, ANSWER_HEADERS_MAX);
		c = now < end ? perform(&t, method, sent_on, end - now) : CURLE_OPERATION_TIMEDOUT;
		status = status_of();
		*any = *any || t.told;
		if (t.failed) {
			code = EPIPE;
		} else if (t.too_large || c == CURLE_FILESIZE_EXCEEDED) {
			code = EFBIG;
			*why = "the answer is larger than allowed";
		} else if (c != CURLE_OK && !t.unwanted) {
			code = code_of(c, url);
			*why = *curl_text ? curl_text : curl_easy_strerror(c);
		} else if (is_redirect(&t, status)) {
			if (hops >= q->limits.redirects) {
				code = ELOOP;
				*why = "too many redirects";
			} else if ((code = follow(&url, q->url.data, &sent_on)) > 0) {
				*why = "redirected to something that is not http or https, or from https to http";
			} else {
				code = -1;
				if (strcmp(method, "HEAD") != 0 && (status == 303 || (status <= 302 && !strcmp(method, "POST"))))
					method = "GET";
			}
		} else if (left > 0 && is_temporary(status)) {
			code = EREMOTEIO;
		} else {
			code = tell_head(&t) < 0 ? EPIPE : 0;
		}
		buf_free(&t.headers);
	}
	free(url);
	return code;
}

void fetch_begin(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == 0)
		curl = curl_easy_init();
}

int fetch(const struct request *q)
{
	uint64_t end = now_ms() + q->limits.total_ms;
	unsigned tries = MAX(q->limits.tries, 1u);
	const char *why = NULL;
	bool any = false;
	int code = ENOMEM;

	for (unsigned i = 0; curl && i < tries; i++) {
		struct timespec pause = { .tv_sec = 1 };

		if (i > 0 && now_ms() + 1000 >= end)
			break;
		if (i > 0)
			nanosleep(&pause, NULL);
		code = one_try(q, tries - 1 - i, end, &any, &why);
		if (code == 0)
			return say(HTTP_DONE, NULL, 0);
		if (code == EPIPE)
			return -EPIPE;
		if (!worth_another(code))
			break;
	}
	return say_failed(code, "%s", why ? why : code == EREMOTEIO ? "the server has an error, and there is no time for another try" : "no memory");
}
