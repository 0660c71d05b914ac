/* config_helper.h - what the unit tests of init/config share: one run's memory, reading text, the problems as text, and a temporary folder
 * to read from and apply to.
 *
 * There is one run and one folder at a time. Whatever cannot be done for a test fails it. It brings cmocka and what that needs before it. */
#ifndef CORACLE_CONFIG_HELPER_H
#define CORACLE_CONFIG_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <cmocka.h>

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
/* The first line of user-data. */
#define HEAD "#cloud-config\n"
/* Reads text as user-data named "t" and finishes the configuration. */
struct config *helper_config(const char *text);
/* Reads "services: {s: {" + keys + "}}" as block YAML: keys is indented by four blanks already. Returns the service. */
const struct compose_service *helper_service(const char *keys);
/* The same, and it is left out, and one of the problems has `part` in it. */
void helper_assert_left_out(const char *keys, const char *part);
/* A key of a service, as helper_service() wants it. */
#define K(key) "    " key "\n"
/* All problems, one line each, with error or warning. Lives until the next call. */
const char *helper_problems(void);

/* Exactly these problems, one line each with a newline. */
#define assert_problems(expected) assert_string_equal(helper_problems(), expected)
/* One of the problems has this in it. */
void helper_assert_mentions(const char *part);

/* The group teardown of tests that use a run: ends it. */
int helper_end_group(void **state);
#define helper_run_tests(tests) cmocka_run_group_tests(tests, NULL, helper_end_group)

/* A case of its own temporary folder: the functions below work in it, with names that are relative to it. */
#define folder_test(f) cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)
int folder_setup(void **state);
/* Ends the run, too. */
int folder_teardown(void **state);
/* Empties it. */
void folder_fresh(void);
/* Its own path: absolute, without a slash at its end. */
const char *folder_path(void);
/* The path of a name in it. Lives until the next call. */
const char *folder_at(const char *name);
/* Writes a file, and makes the folders on the way. */
void folder_put(const char *name, const char *text);
void folder_put_bytes(const char *name, const void *bytes, size_t n);
/* The content of a file with a NUL behind it, 64 KiB of it at most, or "(none)". Lives until the next call. */
const char *folder_content(const char *name);
/* st_mode; of a link, its own. */
mode_t folder_mode(const char *name);

/* Opens it as the target, not as the machine. The caller closes. */
void folder_target(struct target *t);
/* In a fresh run, reads user-data for the instance i-1 and applies it to the folder. Returns whether there is something for the last stage to do. */
bool folder_apply(const char *user_data);
/* Where the sources look when the machine is the folder. Memory is the run's. */
struct places *folder_places(struct run *r);
/* In a fresh run, asks all sources there, which is to return `expected`. Returns the run. */
struct run *folder_find(int expected);

#endif
