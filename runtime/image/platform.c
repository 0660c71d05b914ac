/* platform.c - operating system, processor and variant, as OCI images name them. Pure functions. */
#include "runtime/image/image.h"

#include <string.h>

#include "lib/cdefs.h"

/* Go's GOARCH names; others' names for the same */
static const struct {
	const char *other, *name, *variant;
} aliases[] = {
	{ "x86_64", "amd64", "" }, { "x86-64", "amd64", "" }, { "i386", "386", "" }, { "i686", "386", "" },
	{ "aarch64", "arm64", "" }, { "armhf", "arm", "v7" }, { "armel", "arm", "v6" }, { "ppc64el", "ppc64le", "" },
};

/* What an absent variant means (containerd's platforms.Normalize). */
static const char *default_variant(const char *architecture, const char *variant)
{
	if (!strcmp(architecture, "arm64") && (!*variant || !strcmp(variant, "8")))
		return "v8";
	if (!strcmp(architecture, "arm") && !*variant)
		return "v7";
	if (!strcmp(architecture, "amd64") && !*variant)
		return "v1";
	return variant;
}

static int take(char *out, size_t size, const char *s, size_t n)
{
	if (n == 0 || n >= size)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '_' || s[i] == '-'))
			return 0;
	memcpy(out, s, n);
	out[n] = '\0';
	return 1;
}

static void use_alias(struct image_platform *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
		if (strcmp(p->architecture, aliases[i].other) != 0)
			continue;
		memcpy(p->architecture, aliases[i].name, strlen(aliases[i].name) + 1);
		if (!p->variant[0])
			memcpy(p->variant, aliases[i].variant, strlen(aliases[i].variant) + 1);
		return;
	}
}

int image_platform_parse(const char *text, struct image_platform *out, struct err *err)
{
	const char *part[3] = { text };
	size_t len[3] = { 0 }, n = 1;

	memset(out, 0, sizeof(*out));
	for (const char *s = text; ; s++) {
		if (*s && *s != '/') {
			len[n - 1]++;
			continue;
		}
		if (*s == '\0')
			break;
		if (n == 3)
			goto bad;
		part[n++] = s + 1;
	}
	if (n == 1) {
		memcpy(out->os, "linux", 6);
		if (!take(out->architecture, sizeof(out->architecture), part[0], len[0]))
			goto bad;
	} else if (!take(out->os, sizeof(out->os), part[0], len[0]) ||
		   !take(out->architecture, sizeof(out->architecture), part[1], len[1]) ||
		   (n == 3 && !take(out->variant, sizeof(out->variant), part[2], len[2]))) {
		goto bad;
	}
	use_alias(out);
	return 0;
bad:
	return err_set(err, 0, "platform '%s' is not os/architecture[/variant]", text);
}

struct image_platform image_platform_host(void)
{
#if defined(__x86_64__)
	return (struct image_platform){ "linux", "amd64", "" };
#elif defined(__aarch64__)
	return (struct image_platform){ "linux", "arm64", "" };
#else
#error "name this machine as OCI images do"
#endif
}

/* "v7" is 7, anything else 0 */
static int variant_number(const char *v)
{
	return v[0] == 'v' && v[1] >= '1' && v[1] <= '9' && v[2] == '\0' ? v[1] - '0' : 0;
}

int image_platform_match(const struct image_platform *want, const struct image_platform *have)
{
	struct image_platform norm = *have;
	const char *w, *h;

	use_alias(&norm);
	if (strcmp(want->os, norm.os) != 0 || strcmp(want->architecture, norm.architecture) != 0)
		return 0;
	w = default_variant(want->architecture, want->variant);
	h = default_variant(norm.architecture, norm.variant);
	if (!strcmp(w, h))
		return 2;
	/* a newer processor runs what was made for an older one */
	return variant_number(h) && variant_number(h) < variant_number(w) ? 1 : 0;
}
