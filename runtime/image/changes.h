/* changes.h - Dockerfile lines applied to an image's configuration (`docker commit --change`, `docker import --change`). Pure. */
#ifndef CORACLE_IMAGE_CHANGES_H
#define CORACLE_IMAGE_CHANGES_H

#include <yyjson.h>
#include "lib/err.h"

#define CHANGES_MAX 256			/* lines */
#define CHANGE_LINE_MAX 65536		/* bytes of one */

/* CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME and WORKDIR in the object config
 * ("config" of an image configuration). Variables are not replaced. Returns 0 or -EINVAL; the text is what dockerd says, where clients
 * know it. */
int image_change(yyjson_mut_doc *doc, yyjson_mut_val *config, const char *line, struct err *err);

#endif
