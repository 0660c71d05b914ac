/* yaml_write.h - a tree as YAML in block style, that means the same to every reader: what was written without quotes stays without. */
#ifndef CORACLE_CONFIG_YAML_WRITE_H
#define CORACLE_CONFIG_YAML_WRITE_H

#include "../node.h"
#include "buf.h"

void yaml_write(const struct node *n, struct buf *out);

#endif
