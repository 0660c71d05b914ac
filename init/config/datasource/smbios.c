/* smbios.c - walks the firmware's table: each structure has a formatted part and behind it its strings (DSP0134, 6.1). */
#include "smbios.h"

#include <string.h>

#define HEADER_LEN 4
#define END_OF_TABLE 127

int smbios_strings(const char *table, size_t n, unsigned type, int (*found)(const char *s, size_t n, void *arg), void *arg)
{
	size_t at = 0;

	while (n - at >= HEADER_LEN) {
		unsigned this_type = (unsigned char)table[at];
		size_t len = (unsigned char)table[at + 1];

		if (len < HEADER_LEN || n - at < len || this_type == END_OF_TABLE)
			return 0;
		at += len;
		/* strings, each with its NUL; one more NUL ends them; without any there are two */
		if (n - at >= 2 && !table[at] && !table[at + 1]) {
			at += 2;
			continue;
		}
		while (at < n && table[at]) {
			size_t text = strnlen(table + at, n - at);
			int r = 0;

			if (text == n - at)
				return 0;
			if (this_type == type && (r = found(table + at, text, arg)) != 0)
				return r;
			at += text + 1;
		}
		if (at == n)
			return 0;
		at++;
	}
	return 0;
}
