/* ref.c - image names, by the grammar of distribution's reference package. Pure functions. */
#include "runtime/image/image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/cdefs.h"

#define HUB "docker.io"
#define HUB_OLD "index.docker.io"
#define HUB_LIBRARY "library/"

static int alnum_low(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static int alnum(char c)
{
	return alnum_low(c) || (c >= 'A' && c <= 'Z');
}

/* path-component: alphanumerics, separated by one '.', one or two '_', or any number of '-' */
static int path_ok(const char *s)
{
	for (;;) {
		size_t sep;

		if (!alnum_low(*s))
			return 0;
		while (alnum_low(*s))
			s++;
		if (*s == '\0')
			return 1;
		if (*s == '/') {
			s++;
			continue;
		}
		if (*s == '.')
			sep = 1;
		else if (*s == '_')
			sep = s[1] == '_' ? 2 : 1;
		else
			sep = strspn(s, "-");
		if (sep == 0)
			return 0;
		s += sep;
	}
}

/* host names, addresses, [IPv6], each with an optional :port */
static int domain_ok(const char *s, size_t n)
{
	size_t i = 0;

	if (n && s[0] == '[') {
		for (i = 1; i < n && s[i] != ']'; i++)
			if (!strchr("0123456789abcdefABCDEF:.", s[i]))
				return 0;
		if (i == n || i == 1)
			return 0;
		i++;
	} else {
		while (i < n && s[i] != ':') {
			int edge = i == 0 || s[i - 1] == '.' || i + 1 == n || s[i + 1] == '.' || s[i + 1] == ':';

			if (!(alnum(s[i]) || (s[i] == '-' && !edge) || (s[i] == '.' && i > 0 && !edge)))
				return 0;
			i++;
		}
		if (i == 0)
			return 0;
	}
	if (i == n)
		return 1;
	if (s[i] != ':' || ++i == n)
		return 0;
	for (; i < n; i++)
		if (s[i] < '0' || s[i] > '9')
			return 0;
	return 1;
}

static int tag_ok(const char *s)
{
	size_t n = 0;

	if (!alnum(s[0]) && s[0] != '_')
		return 0;
	for (; s[n]; n++)
		if (!alnum(s[n]) && s[n] != '_' && s[n] != '.' && s[n] != '-')
			return 0;
	return n <= IMAGE_TAG_MAX;
}

/* Is the part before the first '/' a registry? Docker's rule: it has a dot or a colon, is localhost,
 * or has a capital letter, which a path cannot. */
static int is_domain(const char *s, size_t n)
{
	if (n == 9 && !memcmp(s, "localhost", 9))
		return 1;
	for (size_t i = 0; i < n; i++)
		if (s[i] == '.' || s[i] == ':' || (s[i] >= 'A' && s[i] <= 'Z'))
			return 1;
	return 0;
}

static int split_repository(char *text, struct image_ref *out, const char *whole, struct err *err)
{
	const char *slash = strchr(text, '/'), *domain = HUB, *path = text, *library = "";
	int domain_len = (int)strlen(HUB), n;

	if (slash && is_domain(text, (size_t)(slash - text))) {
		domain = text;
		domain_len = (int)(slash - text);
		path = slash + 1;
		if (!domain_ok(domain, (size_t)domain_len))
			return err_set(err, 0, "image name '%s': '%.*s' is not a registry's name", whole, domain_len, domain);
		if (domain_len == (int)strlen(HUB_OLD) && !memcmp(domain, HUB_OLD, strlen(HUB_OLD))) {
			domain = HUB;
			domain_len = (int)strlen(HUB);
		}
	}
	if (!path_ok(path))
		return err_set(err, 0, "image name '%s': '%s' is not a repository (lower-case letters, digits, single . _ - between)",
			whole, path);
	if (domain_len == (int)strlen(HUB) && !memcmp(domain, HUB, strlen(HUB)) && !strchr(path, '/'))
		library = HUB_LIBRARY;
	n = snprintf(out->repository, sizeof(out->repository), "%.*s/%s%s", domain_len, domain, library, path);
	if (n >= (int)sizeof(out->repository))
		return err_set(err, 0, "image name '%s' is longer than %d bytes", whole, IMAGE_REPOSITORY_MAX);
	return 0;
}

int image_ref_parse(const char *text, struct image_ref *out, struct err *err)
{
	char copy[IMAGE_REF_SIZE];
	char *at, *colon, *slash;
	size_t n = strlen(text);

	memset(out, 0, sizeof(*out));
	if (n == 0 || n >= sizeof(copy))
		return err_set(err, 0, n ? "image name is too long: '%.60s...'" : "image name is empty%s", n ? text : "");
	memcpy(copy, text, n + 1);
	if ((at = strchr(copy, '@'))) {
		*at = '\0';
		if (!image_digest_ok(at + 1))
			return err_set(err, 0, "image name '%s': '%s' is not a sha256 digest", text, at + 1);
		memcpy(out->digest, at + 1, IMAGE_DIGEST_SIZE);
	}
	colon = strrchr(copy, ':');
	slash = strrchr(copy, '/');
	if (colon && (!slash || colon > slash)) {
		*colon = '\0';
		if (!tag_ok(colon + 1))
			return err_set(err, 0, "image name '%s': '%s' is not a tag", text, colon + 1);
		memcpy(out->tag, colon + 1, strlen(colon + 1) + 1);
	} else if (!at) {
		memcpy(out->tag, "latest", 7);
	}
	if (strlen(copy) == 64 && !strchr(copy, '/') && strspn(copy, "0123456789abcdef") == 64)
		return err_set(err, 0, "image name '%s' is an id, not a name", text);
	return split_repository(copy, out, text, err);
}

char *image_ref_full(const struct image_ref *ref, char out[IMAGE_REF_SIZE])
{
	snprintf(out, IMAGE_REF_SIZE, "%s%s%s%s%s", ref->repository, ref->tag[0] ? ":" : "", ref->tag,
		ref->digest[0] ? "@" : "", ref->digest);
	return out;
}

char *image_ref_familiar(const struct image_ref *ref, char out[IMAGE_REF_SIZE])
{
	struct image_ref familiar = *ref;
	const char *short_name = ref->repository;

	if (!strncmp(short_name, HUB "/", strlen(HUB) + 1)) {
		short_name += strlen(HUB) + 1;
		if (!strncmp(short_name, HUB_LIBRARY, strlen(HUB_LIBRARY)))
			short_name += strlen(HUB_LIBRARY);
	}
	memcpy(familiar.repository, short_name, strlen(short_name) + 1);
	return image_ref_full(&familiar, out);
}
