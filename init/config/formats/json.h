/* json.h - a tree as JSON for people and tools: indented by one, keys sorted, values of the types that they have in YAML 1.1, as
 * cloud-init writes instance-data.json. (node_json.h is for what we read again ourselves.) */
#ifndef CORACLE_CONFIG_JSON_H
#define CORACLE_CONFIG_JSON_H

#include <stdbool.h>
#include "../node.h"
#include "buf.h"

#define JSON_REDACTED "redacted for non-root user"

/* redact: members that hold secrets (security-credentials, user-data, vendor-data, passwords) are written as JSON_REDACTED. */
void json_write(const struct node *n, bool redact, struct buf *out);

#endif
