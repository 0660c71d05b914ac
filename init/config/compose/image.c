/* image.c - names of images as Docker normalises them (distribution/reference). */
#include <string.h>

#include "compose.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* A host: has a dot or a port, or is localhost. */
static bool is_domain(const char *s, size_t n)
{
	return memchr(s, '.', n) || memchr(s, ':', n) || (n == 9 && !memcmp(s, "localhost", 9));
}

/* [a-z0-9]+ ((. | _ | __ | -+) [a-z0-9]+)* */
static bool path_component(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n) {
		size_t word = strspn(s + i, LOWER DIGITS);
		size_t separator;

		if (word == 0 || word > n - i)
			return false;
		i += word;
		if (i == n)
			return true;
		if (s[i] == '-')
			separator = strspn(s + i, "-");
		else
			separator = s[i] == '_' && s[i + 1] == '_' ? 2 : s[i] == '_' || s[i] == '.';
		if (separator == 0)
			return false;
		i += separator;
	}
	return false;
}

static bool valid_path(const char *path)
{
	while (true) {
		size_t n = strcspn(path, "/");

		if (!path_component(path, n))
			return false;
		if (!path[n])
			return true;
		path += n + 1;
	}
}

/* Labels of a host name: letters and digits at both ends. */
static bool valid_host(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool edge = i == 0 || i + 1 == n || s[i - 1] == '.' || s[i + 1] == '.';

		/* a dot between two labels stands at no edge of the name and next to no other dot */
		if (!strchr(LOWER UPPER DIGITS ".-", s[i]) || ((s[i] == '-' || s[i] == '.') && edge))
			return false;
	}
	return n > 0;
}

static bool valid_domain(const char *s, size_t n)
{
	size_t host = strcspn(s, ":/");
	size_t port;

	if (host > n || !valid_host(s, host))
		return false;
	if (host == n)
		return true;
	port = strspn(s + host + 1, DIGITS);
	return s[host] == ':' && port > 0 && host + 1 + port == n;
}

static bool valid_tag(const char *tag)
{
	size_t n = strlen(tag);

	return n > 0 && n <= 128 && tag[0] != '.' && tag[0] != '-' && strspn(tag, LOWER UPPER DIGITS "_.-") == n;
}

static bool valid_digest(const char *digest)
{
	return !strncmp(digest, "sha256:", 7) && strlen(digest) == 7 + 64 && strspn(digest + 7, "0123456789abcdef") == 64;
}

const char *compose_image_name(struct arena *a, const char *name, const char **why)
{
	const char *at = strchr(name, '@');
	size_t n = at ? (size_t)(at - name) : strlen(name);
	char *path = arena_strndup(a, name, n);
	const char *domain = "docker.io";
	const char *tag = "";
	char *slash = strchr(path, '/');
	char *colon;

	*why = NULL;
	if (n == 0 || n > 255)
		*why = "it is empty or too long";
	if (slash && is_domain(path, (size_t)(slash - path))) {
		if (!valid_domain(path, (size_t)(slash - path)))
			*why = "its registry is not a host name";
		domain = arena_strndup(a, path, (size_t)(slash - path));
		path = slash + 1;
	}
	colon = strrchr(path, ':');
	if (colon && !strchr(colon, '/')) {
		*colon = '\0';
		tag = colon + 1;
		if (!valid_tag(tag))
			*why = "its tag is not valid";
	}
	if (!*why && !valid_path(path))
		*why = strpbrk(path, UPPER) ? "names of images are lower-case" : "only a-z, 0-9, and . _ - / between them make an image name";
	if (at && !valid_digest(at + 1))
		*why = "its digest is not sha256: and 64 hexadecimal digits";
	if (*why)
		return NULL;
	if (!strcmp(domain, "index.docker.io"))
		domain = "docker.io";
	if (!at && !tag[0])
		tag = "latest";
	return arena_printf(a, "%s/%s%s%s%s%s", domain, !strcmp(domain, "docker.io") && !strchr(path, '/') ? "library/" : "", path,
			    tag[0] ? ":" : "", tag, at ? at : "");
}
