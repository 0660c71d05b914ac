/* merge.h - merging configurations as cloud-init does it (cloudinit/mergers), on trees of nodes.
 *
 * Pure functions: the trees that come in are not changed, what comes out shares their nodes, so that every value keeps its own source,
 * line and column. Two rules, which people mix up:
 *   - the parts of one blob: each part says how it is merged into those before it (merge_how), by default a key of the later part
 *     replaces the earlier one, whole: dict(replace)+list()+str();
 *   - layers (user-data, vendor-data): the more important one wins key by key, mappings are merged, lists and texts never. */
#ifndef CORACLE_CONFIG_MERGE_H
#define CORACLE_CONFIG_MERGE_H

#include "../schema.h"

#define MERGERS_MAX 16

enum merger_kind { MERGER_DICT, MERGER_LIST, MERGER_STR };

enum merger_option {
	MERGE_REPLACE = 1,		/* dict: the later value; list: index by index */
	MERGE_NO_REPLACE = 2,
	MERGE_APPEND = 4,
	MERGE_PREPEND = 8,
	MERGE_RECURSE_STR = 16,
	MERGE_RECURSE_LIST = 32,
	MERGE_RECURSE_DICT = 64,	/* always on in a dict merger */
	MERGE_ALLOW_DELETE = 128,
};

struct mergers {
	struct merger {
		enum merger_kind kind;
		unsigned options;
	} v[MERGERS_MAX];
	size_t n;
};

/* Reads how a part wants to be merged: its own merge_how or merge_type, then those of the header (may be NULL), else the default of parts.
 * The root without these keys is left in *body. Returns 0, or -EINVAL (reported). */
int mergers_of_part(struct ctx *ctx, const struct node *root, const char *header, struct mergers *m, const struct node **body);

/* Merges the later tree into the earlier one (NULL: there is none yet). A value that a merger cannot take is reported, the earlier one stays. */
const struct node *merge_part(struct ctx *ctx, const struct mergers *m, const struct node *earlier, const struct node *later);

/* Merges what `low` has and `high` has not. Either may be NULL. */
const struct node *merge_layers(struct ctx *ctx, const struct node *high, const struct node *low);

#endif
