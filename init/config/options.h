/* options.h - options of the commands, as people write them: -c FILE, -cFILE, --config-file FILE, --config-file=FILE. */
#ifndef CORACLE_CONFIG_OPTIONS_H
#define CORACLE_CONFIG_OPTIONS_H

#include <stdbool.h>

/* Where a command is in its words; i is the word that is looked at, argc its end. */
struct options {
	int argc;
	char **argv;
	int i;
};

/* True when the word is this option with a value: *value is it, NULL when nothing follows. names: "-c" (or NULL) and "--config-file". */
bool option_value(struct options *o, const char *shorter, const char *longer, const char **value);
/* True when the word is this option without a value. */
bool option_flag(const struct options *o, const char *shorter, const char *longer);

#endif
