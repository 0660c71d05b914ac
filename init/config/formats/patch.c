/* patch.c - JSON Patch. */
#include "patch.h"

const struct node *patch_apply(struct ctx *ctx, const struct source *text, const struct node *root)
{
	diag_add(ctx->diags, DIAG_ERROR, text, 1, 1, NULL, "not supported yet: a JSON patch (#cloud-config-jsonp)");
	return root;
}
