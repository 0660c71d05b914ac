/* seedfrom.c - NoCloud's `seedfrom`: user-data, meta-data, vendor-data and network-config at an address.
 *
 * As cloud-init's util.read_seeded(): the first two are required, the others not; 5 s, ten tries more, one second apart. All or nothing: a
 * seed of which a part is missing changes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../http/http.h"
#include "../network/network.h"
#include "fd.h"
#include "seedfrom.h"
#include "sys.h"

#define TIMEOUT_MS 5000
#define TRIES 11
#define TOTAL_MS 70000

/* cloud-init's names (dmi.py), and where the kernel has them. */
static const struct { const char *name; enum fact fact; } dmi_names[] = {
	{ "baseboard-asset-tag", FACT_BOARD_ASSET_TAG }, { "baseboard-manufacturer", FACT_BOARD_VENDOR }, { "baseboard-product-name", FACT_BOARD_NAME },
	{ "baseboard-serial-number", FACT_BOARD_SERIAL }, { "chassis-asset-tag", FACT_CHASSIS_ASSET_TAG }, { "chassis-manufacturer", FACT_CHASSIS_VENDOR },
	{ "chassis-serial-number", FACT_CHASSIS_SERIAL }, { "system-manufacturer", FACT_SYS_VENDOR }, { "system-product-name", FACT_PRODUCT_NAME },
	{ "system-serial-number", FACT_PRODUCT_SERIAL }, { "system-uuid", FACT_PRODUCT_UUID }, { "system-version", FACT_PRODUCT_VERSION },
};

const char *seedfrom_expand(struct machine_facts *f, const char *from, const char **unknown)
{
	struct arena *a = f->ctx->arena;
	const char *out = from;
	const char *at;
	size_t skip = 0;

	while ((at = strstr(out + skip, "__dmi."))) {
		const char *end = strstr(at + 6, "__");
		const char *value = NULL;

		if (!end)
			break;
		for (size_t i = 0; i < ARRAY_SIZE(dmi_names); i++)
			if (strlen(dmi_names[i].name) == (size_t)(end - at - 6) && !memcmp(dmi_names[i].name, at + 6, (size_t)(end - at - 6)))
				value = facts_get(f, dmi_names[i].fact);
		if (!value) {
			*unknown = arena_strndup(a, at + 6, (size_t)(end - at - 6));
			return NULL;
		}
		skip = (size_t)(at - out) + strlen(value); /* what the machine says is not expanded once more */
		out = arena_printf(a, "%.*s%s%s", (int)(at - out), out, value, end + 2);
	}
	return out;
}

const char *seedfrom_address(struct arena *a, const char *from, const char *file)
{
	const char *place = strstr(from, "%s");
	size_t n = strlen(from);

	if (place)
		return arena_printf(a, "%.*s%s%s", (int)(place - from), from, file, place + 2);
	return arena_printf(a, "%s%s%s", from, n > 0 && from[n - 1] != '/' && !strchr(from, '?') ? "/" : "", file);
}

/* Returns 1, 0 when it is not there, -errno. */
static int fetch(struct machine_facts *f, const char *from, const char *file, bool required, const char **out, size_t *len, struct err *err)
{
	struct http_request q = {
		.url = seedfrom_address(f->ctx->arena, from, file), .max = USERDATA_MAX, .timeout_ms = TIMEOUT_MS, .tries = required ? TRIES : 1,
		.total_ms = TOTAL_MS,
	};
	struct http_answer a;
	int r = http_get(f->ctx, &q, &a, err);

	/* stores of objects answer 403 for what is not there */
	if (r == -ENOENT || (r == -EACCES && !required))
		return 0;
	if (r < 0)
		return r;
	*out = a.body;
	*len = a.len;
	return 1;
}

static int fetch_all(struct machine_facts *f, const char *from, struct seed *seed)
{
	static const char *const files[] = { "meta-data", "user-data", "vendor-data", "network-config" };
	struct { const char *text; size_t len; } got[4] = { { NULL, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct err err = ERR_INIT;
		bool required = i < 2;
		int r = fetch(f, from, files[i], required, &got[i].text, &got[i].len, &err);

		if (r > 0 || (r == 0 && !required))
			continue;
		diag_add(f->ctx->diags, required ? DIAG_ERROR : DIAG_WARNING, NULL, 0, 0, required ? "user-data and meta-data must both be there, they may be empty" : NULL,
			 "seedfrom: %s", err.text);
		if (required)
			return 0;
	}
	meta_read(f->ctx, "meta-data", got[0].text, got[0].len, &seed->meta);
	seed->user_data = got[1].text;
	seed->user_data_len = got[1].len;
	seed->vendor_data = got[2].text;
	seed->vendor_data_len = got[2].len;
	seed->network_config = got[3].text;
	seed->network_config_len = got[3].len;
	return 1;
}

static int read_directory(struct machine_facts *f, const char *path, struct seed *seed)
{
	CLEANUP_FD int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);

	if (fd >= 0 && seed_read_dir(f->ctx, fd, path, true, seed))
		return 1;
	diag_add(f->ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "seedfrom: there is no seed in %s", diag_quote(f->ctx->arena, path, strlen(path)));
	return 0;
}

const char *seedfrom_read(struct machine_facts *f, const char *from, struct seed *seed)
{
	struct diags *d = f->ctx->diags;
	const char *quoted = diag_quote(f->ctx->arena, from, strlen(from));
	const char *unknown = NULL;

	from = seedfrom_expand(f, from, &unknown);
	if (!from) {
		diag_add(d, DIAG_ERROR, NULL, 0, 0, "such as system-serial-number or system-uuid", "seedfrom: there is nothing named dmi.%s", unknown);
		return NULL;
	}
	if (!strncmp(from, "file://", 7))
		from += 7;
	if (from[0] == '/')
		return read_directory(f, from, seed) ? from : NULL;
	/* what a local seed says of the network is how the address is reached */
	if (f->ctx->need_network && seed->network_config)
		network_known(f->ctx, "network-config", seed->network_config, seed->network_config_len);
	if (!strncmp(from, "http://", 7) || !strncmp(from, "https://", 8))
		return fetch_all(f, from, seed) ? http_url_shown(f->ctx->arena, from) : NULL;
	if (!strncmp(from, "ftp://", 6) || !strncmp(from, "ftps://", 7))
		diag_add(d, DIAG_ERROR, NULL, 0, 0, "serve it by http or https", "seedfrom: a seed is not fetched by ftp");
	else
		diag_add(d, DIAG_ERROR, NULL, 0, 0, "a path that begins with /, http:// or https://", "seedfrom: %s cannot be read", quoted);
	return NULL;
}
