/* credentials.c - reads credentials in the forms they come in. Pure. Must never put a secret into a message. */
#include "runtime/registry/client/credentials.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "runtime/image/say.h"
#include "runtime/registry/client/config.h"

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

long config_base64(const char *text, size_t n, char *out)
{
	unsigned bits = 0, have = 0;
	long len = 0;

	while (n && (text[n - 1] == '=' || text[n - 1] == '\n' || text[n - 1] == '\r' || text[n - 1] == ' '))
		n--;
	for (size_t i = 0; i < n; i++) {
		int v = value_of(text[i]);

		if (v < 0)
			return -EINVAL;
		bits = bits << 6 | (unsigned)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[len++] = (char)(unsigned char)(bits >> have);
			bits &= (1u << have) - 1;
		}
	}
	return have == 6 ? -EINVAL : len;
}

/* Copies text without control characters. */
static int take(yyjson_val *object, const char *key, char *out, size_t size)
{
	const char *s = yyjson_get_str(yyjson_obj_get(object, key));
	size_t n = yyjson_get_len(yyjson_obj_get(object, key));

	out[0] = '\0';
	if (!s || n == 0)
		return 0;
	if (n >= size)
		return -E2BIG;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return -EINVAL;
	memcpy(out, s, n + 1);
	return 0;
}

/* "auth": base64 of USER:PASSWORD */
static int take_joined(yyjson_val *object, struct credentials *c)
{
	const char *s = yyjson_get_str(yyjson_obj_get(object, "auth")), *colon;
	char both[sizeof(c->username) + sizeof(c->password)];
	size_t n = s ? strlen(s) : 0;
	long len;

	if (n == 0)
		return 0;
	if (n >= sizeof(both) || (len = config_base64(s, n, both)) < 0)
		return -EINVAL;
	both[len] = '\0';
	colon = strchr(both, ':');
	if (!colon || strlen(both) != (size_t)len || (size_t)(colon - both) >= sizeof(c->username) || strlen(colon + 1) >= sizeof(c->password))
		return -EINVAL;
	for (long i = 0; i < len; i++)
		if ((unsigned char)both[i] < 0x20 || both[i] == 0x7f)
			return -EINVAL;
	snprintf(c->username, sizeof(c->username), "%.*s", (int)(colon - both), both);
	snprintf(c->password, sizeof(c->password), "%s", colon + 1);
	explicit_bzero(both, sizeof(both));
	return 0;
}

/* Returns 1 when it says something, 0 when not, or -errno. */
static int take_object(yyjson_val *object, const char *identity, struct credentials *c)
{
	int r;

	if (!object)
		return 0;
	if ((r = take(object, "username", c->username, sizeof(c->username))) < 0 ||
	    (r = take(object, "password", c->password, sizeof(c->password))) < 0 ||
	    (r = take(object, identity, c->identity, sizeof(c->identity))) < 0 ||
	    (!c->username[0] && (r = take_joined(object, c)) < 0))
		return r;
	return c->username[0] || c->identity[0];
}

/* A key of "auths" is a host, or a URL of it as Docker Hub's is. */
static int is_for(const char *key, const char *host)
{
	const char *s = strstr(key, "://");
	size_t n;

	s = s ? s + 3 : key;
	n = strcspn(s, "/");
	if (!strcmp(host, "docker.io"))
		return (n == 15 && !strncmp(s, "index.docker.io", n)) || (n == 9 && !strncmp(s, "docker.io", n)) ||
			(n == 20 && !strncmp(s, "registry-1.docker.io", n));
	return strlen(host) == n && !strncmp(s, host, n);
}

static int take_auths(const char *host, yyjson_val *auths, struct credentials *c)
{
	yyjson_val *key, *v;
	size_t i, max;
	int r;

	yyjson_obj_foreach(auths, i, max, key, v) {
		if (is_for(yyjson_get_str(key), host) && (r = take_object(v, "identitytoken", c)) != 0)
			return r;
	}
	return 0;
}

int credentials_find(const char *host, yyjson_val *auth, yyjson_val *entry, yyjson_val *auths, struct credentials *out, struct err *err)
{
	int r;

	memset(out, 0, sizeof(*out));
	r = take_object(auth, "identitytoken", out);
	if (r < 0)
		return image_say(err, EINVAL, "X-Registry-Auth: the credentials for %s cannot be read", host);
	r = r ? r : take_object(entry, "identity_token", out);
	if (r < 0)
		return image_say(err, EINVAL, "registries.json: the credentials for %s cannot be read", host);
	r = r ? r : take_auths(host, auths, out);
	if (r < 0)
		return image_say(err, EINVAL, "config.json: the credentials for %s cannot be read", host);
	return 0;
}

void credentials_clear(struct credentials *c)
{
	explicit_bzero(c, sizeof(*c));
}
