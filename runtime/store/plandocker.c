/* plandocker.c - docker-archives, and the names that archives give to images. Runs in the engine. */
#include "runtime/store/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cdefs.h"
#include "runtime/image/say.h"
#include "runtime/store/storeint.h"

/* The file's name as a repository: "/media/My Nginx-1.2.tar.gz" -> "my-nginx-1.2" */
static void repository_of(const char *label, char out[129])
{
	static const char *const endings[] = { ".gz", ".zst", ".tgz", ".tar", ".oci", ".docker" };
	const char *base = strrchr(label, '/') && strrchr(label, '/')[1] ? strrchr(label, '/') + 1 : label;
	size_t n = 0, len = strlen(base);

	for (int again = 1; again;) {
		again = 0;
		for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
			size_t k = strlen(endings[i]);

			if (len > k && !memcmp(base + len - k, endings[i], k)) {
				len -= k;
				again = 1;
			}
		}
	}
	for (size_t i = 0; i < len && n < 128; i++) {
		char c = base[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			out[n++] = c;
		else if (n && out[n - 1] != '-' && out[n - 1] != '.' && out[n - 1] != '_')
			out[n++] = c == '.' || c == '_' ? c : '-';
	}
	while (n && (out[n - 1] == '-' || out[n - 1] == '.' || out[n - 1] == '_'))
		n--;
	if (n == 0)
		memcpy(out, "image", 6);
	else
		out[n] = '\0';
}

int plan_add_name(struct plan_image *image, const char *given, const char *label, struct err *err)
{
	char joined[512], full[IMAGE_REF_SIZE], repository[129], **more;
	struct image_ref ref;
	int r;

	if (strpbrk(given, "/:@")) {
		if ((r = image_ref_parse(given, &ref, err)) < 0)
			return r;
	} else {
		repository_of(label, repository);
		snprintf(joined, sizeof(joined), "%s%s%s", repository, given[0] ? ":" : "", given);
		if ((r = image_ref_parse(joined, &ref, err)) < 0)
			return r;
	}
	/* the name is the store's; a digest is a property of the content */
	ref.digest[0] = '\0';
	if (!ref.tag[0])
		memcpy(ref.tag, "latest", 7);
	image_ref_full(&ref, full);
	for (size_t i = 0; i < image->names; i++)
		if (!strcmp(image->name[i], full))
			return 0;
	more = realloc(image->name, (image->names + 1) * sizeof(*more));
	if (more)
		image->name = more;
	if (!more || !(more[image->names] = strdup(full)))
		return err_set(err, ENOMEM, "plan the import");
	image->names++;
	return 0;
}

static int take_entry(struct plan_image *image, struct source *src, const struct image_docker_entry *e,
	const struct plan_options *opt, struct err *err)
{
	char *json = NULL;
	size_t n = 0;
	int r;

	if ((r = source_read(src, e->config, IMAGE_JSON_MAX, NULL, &json, &n, err)) < 0 ||
	    (r = plan_take_config(image, json, n, opt->platform, err)) < 0)
		return r;
	if (e->layer_count != image->config.layer_count)
		return image_bad(err, "%s has %zu layers, manifest.json %zu", e->config, image->config.layer_count,
			e->layer_count);
	for (size_t i = 0; i < e->layer_count; i++) {
		const struct source_member *m = source_find(src, e->layers[i]);

		if (!m)
			return image_bad(err, "the layer %s is missing", e->layers[i]);
		image->layer[i].docker_member = e->layers[i];
		image->layer[i].size = m->size;
		memcpy(image->layer[i].digest, "-", 2);
	}
	for (size_t i = 0; e->tags[i]; i++)
		if ((r = plan_add_name(image, e->tags[i], opt->label, err)) < 0)
			return r;
	/* saved by id: the file's name is all there is */
	return image->names ? 0 : plan_add_name(image, "", opt->label, err);
}

int plan_docker(struct plan *p, struct source *src, const struct plan_options *opt, struct err *err)
{
	size_t n;
	int r = source_read(src, "manifest.json", IMAGE_JSON_MAX, NULL, &p->docker_json, &n, err);

	if (r < 0)
		return r;
	if ((r = image_docker_parse(p->docker_json, n, &p->docker, err)) < 0)
		return err_wrap(err, r, "manifest.json");
	for (size_t i = 0; i < p->docker.count; i++) {
		struct plan_image *image = plan_add_image(p, err);

		if (!image)
			return err ? -err->code : -ENOMEM;
		if ((r = take_entry(image, src, &p->docker.entry[i], opt, err)) < 0)
			return r;
	}
	return 0;
}
