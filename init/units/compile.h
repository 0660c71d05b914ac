/* compile.h - what the files of the unit compiler share: one unit while it is being read.
 *
 * Nothing of a unit is in the table before its whole file was right; texts, sockets, timers and names of dependencies are added at the
 * ends of their tables, which are cut back when the file turns out to be wrong. */
#ifndef CORACLE_INIT_COMPILE_H
#define CORACLE_INIT_COMPILE_H

#include "init/units/unit.h"

#define UNIT_LINE_MAX 2048	/* a value after its specifiers are put in */
#define UNIT_DEPENDENCIES_MAX 512

enum section { SECTION_NONE, SECTION_UNIT, SECTION_SERVICE, SECTION_SOCKET, SECTION_TIMER };
enum dependency { DEP_AFTER, DEP_BEFORE, DEP_NEEDS, DEP_FINISHED, DEP_HEALTHY };

struct draft {
	const char *name;
	const char *instance;	/* behind the @, "": none */
	int line;
	enum section section;
	struct service service;
	struct sup_unit sup;
	struct unit_socket socket;	/* what all of its sockets share */
	int oneshot_limited;	/* TimeoutStartSec= was given */
	int backoff_limited;	/* RestartMaxDelaySec= was given */
	int failure_action, failure_burst;
	int reloads;		/* Type=notify-reload */
	int kill_mode, input;	/* as in their lists of names */
	int first_socket, first_timer, first_limit, first_dependency;
};

/* A name in a list of dependencies, until all files have been read. */
struct dependency_name {
	unit_text name;
	uint16_t line;
	uint8_t unit;
	uint8_t kind;		/* enum dependency */
};

extern struct dependency_name unit_dependencies[UNIT_DEPENDENCIES_MAX];
extern int unit_dependencies_n;

/* keys.c: value may be changed. Returns 0; -errno with err, which does not name file and line. */
COLD int unit_key(struct draft *d, const char *key, char *value, struct err *err);

/* table.c: a copy of text behind the last of the words. */
COLD int unit_word_add(struct unit_words *words, const char *text);

/* parse.c: letters, digits and _ . @ : - , at most 63 */
COLD int unit_name_ok(const char *name);

#endif
