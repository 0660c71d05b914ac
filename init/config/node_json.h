/* node_json.h - writes a tree as JSON, which is YAML too: what is read back means the same to every reader. */
#ifndef CORACLE_CONFIG_NODE_JSON_H
#define CORACLE_CONFIG_NODE_JSON_H

#include "buf.h"
#include "node.h"

/* Scalars become strings (a null stays null), !!binary keeps its tag, which only YAML has. */
void node_write_json(const struct node *n, struct buf *out);

#endif
