/* api_image.h - what the API's files about images share. */
#ifndef CORACLE_ENGINE_API_IMAGE_H
#define CORACLE_ENGINE_API_IMAGE_H

#include "api.h"
#include "apiint.h"
#include "runtime/store/store.h"

/* The image that name means, or NULL after answering 404 or 400. */
struct store_image *api_image(struct request *r, const char *name);
/* A new name out of repo and tag, full; false after answering 400. */
bool api_image_name(struct request *r, const char *repo, const char *tag, char full[IMAGE_REF_SIZE]);

/* All values of a parameter that may come several times, at most max. */
char **api_queries(struct request *r, const char *key, size_t max, size_t *n);

/* "RepoDigests":[...] */
void api_image_digests(struct buf *b, const struct store_image *img);
/* An image as /images/json lists it; shared and containers: -1 unknown. */
void api_image_summary(struct buf *b, const struct store_image *img, int64_t shared, int64_t containers);

/* Containers (of any state) whose image it is: how many, and one of them (one that runs, when there is one). */
size_t image_users(const struct store_image *img, const struct container **one, bool *runs);

/* Takes images out of the index that are not in use; adds {"Untagged":..} and {"Deleted":..} to b. What they leave behind goes with a
 * sweep. Returns 0 or -errno. */
int image_drop(struct buf *b, const struct store_image *img, struct err *err);

/* api_list.c */
void api_container_summary(struct request *r, struct buf *b, const struct container *c, bool size);

#endif
