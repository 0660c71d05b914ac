/* config_helper.h - what the unit tests of init/config share: one run's memory, reading text, the problems as text. */
#ifndef CORACLE_CONFIG_HELPER_H
#define CORACLE_CONFIG_HELPER_H

#include "init/config/config.h"
#include "init/config/node.h"
#include "init/config/run.h"
#include "init/config/userdata.h"

/* A fresh run. The one before is ended. */
struct run *helper_run(void);
/* The one that is. */
struct run *helper_last_run(void);
/* The one that there is, or a fresh one. */
struct run *helper_current(void);
void helper_end(void);
/* Parses text as the source "t". */
const struct node *helper_yaml(const char *text);
/* Reads text as user-data named "t" and finishes the configuration. */
struct config *helper_config(const char *text);
/* Reads "services: {s: {" + keys + "}}" as block YAML: keys is indented by four blanks already. Returns the service. */
const struct compose_service *helper_service(const char *keys);
/* All problems, one line each, with error or warning. Lives until the next call. */
const char *helper_problems(void);

/* Exactly these problems, one line each with a newline. */
#define assert_problems(expected) assert_string_equal(helper_problems(), expected)
/* One of the problems has this in it. */
void helper_assert_mentions(const char *part);

#endif
