/* scalar_type.h - what YAML 1.1 (as PyYAML, so cloud-init, reads it) takes a scalar for. Needed where cloud-init decides by the type of a
 * value and not by the key: merging, templates, JSON output. */
#ifndef CORACLE_CONFIG_SCALAR_TYPE_H
#define CORACLE_CONFIG_SCALAR_TYPE_H

#include "../node.h"

enum scalar_type { SCALAR_TEXT, SCALAR_NULL, SCALAR_BOOL, SCALAR_INT, SCALAR_FLOAT, SCALAR_DATE };

/* n: a scalar. */
enum scalar_type scalar_type(const struct node *n);
/* The value of a scalar that is a SCALAR_BOOL. */
bool scalar_is_true(const struct node *n);
/* True when the text is a number as JSON writes it. */
bool scalar_is_json_number(const char *s);

#endif
