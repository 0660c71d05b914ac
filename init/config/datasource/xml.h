/* xml.h - the little of XML that Azure's documents are written in: elements, text, comments, CDATA.
 *
 * Attributes are passed over, prefixes of names are cut. A document type is refused, so there are no entities but the five of XML and
 * characters by number. Pure; memory from the arena, limited by the text. Used by the Azure datasource only. */
#ifndef CORACLE_CONFIG_XML_H
#define CORACLE_CONFIG_XML_H

#include <stddef.h>
#include "../arena.h"

#define XML_DEPTH_MAX 32
#define XML_NODES_MAX 4000
#define XML_TEXT_MAX ((size_t)2 << 20)

struct xml {
	const char *name;	/* without its prefix */
	const char *text;	/* of the element itself, blanks at both ends cut; never NULL */
	size_t len;
	struct xml *first;	/* child */
	struct xml *next;	/* sibling */
};

/* Reads a document. Returns its root element, or NULL and *why. */
struct xml *xml_read(struct arena *a, const char *text, size_t len, const char **why);

/* The first child of that name, NULL when there is none (x may be NULL). */
const struct xml *xml_child(const struct xml *x, const char *name);
/* "A/B/C" below x. */
const struct xml *xml_at(const struct xml *x, const char *path);
/* The text there, NULL when the element is missing or empty. */
const char *xml_text(const struct xml *x, const char *path);

#endif
