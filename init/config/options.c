/* options.c - options of the commands. */
#include "options.h"

#include <stddef.h>
#include <string.h>

bool option_value(struct options *o, const char *shorter, const char *longer, const char **value)
{
	const char *word = o->argv[o->i];
	size_t n = strlen(longer);

	if (!strncmp(word, longer, n) && word[n] == '=') {
		*value = word + n + 1;
		return true;
	}
	if (shorter && word[0] == '-' && word[1] == shorter[1] && word[2] != '\0') {
		*value = word + 2;
		return true;
	}
	if (strcmp(word, longer) != 0 && (!shorter || strcmp(word, shorter) != 0))
		return false;
	*value = o->i + 1 < o->argc ? o->argv[++o->i] : NULL;
	return true;
}

bool option_flag(const struct options *o, const char *shorter, const char *longer)
{
	return !strcmp(o->argv[o->i], longer) || (shorter && !strcmp(o->argv[o->i], shorter));
}
