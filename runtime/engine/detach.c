/* detach.c - detach keys: reading them, finding them in what is typed (coracle-engine). Pure. Source: moby term.ToBytes. */
#include "detach.h"

#include <string.h>

static bool key_of(const char *word, size_t n, unsigned char *out)
{
	if (n == 1) {
		*out = (unsigned char)word[0];
		return true;
	}
	if (n != 6 || strncmp(word, "ctrl-", 5) != 0)
		return false;
	if (word[5] >= 'a' && word[5] <= 'z')
		*out = (unsigned char)(word[5] - 'a' + 1);
	else if (word[5] == '@')
		*out = 0;
	else if (word[5] >= '[' && word[5] <= '_')
		*out = (unsigned char)(word[5] - '[' + 27);
	else
		return false;
	return true;
}

bool detach_parse(struct detach *d, const char *text)
{
	*d = (struct detach){ 0 };
	if (!text || !text[0])
		text = "ctrl-p,ctrl-q";
	for (;;) {
		size_t n = strcspn(text, ",");

		if (d->count == DETACH_KEYS_MAX || !key_of(text, n, &d->keys[d->count]))
			return false;
		d->count++;
		if (!text[n])
			return true;
		text += n + 1;
	}
}

bool detach_scan(struct detach *d, const char *data, size_t n, size_t *use)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char b = (unsigned char)data[i];

		if (b != d->keys[d->seen])
			d->seen = 0;
		if (b != d->keys[d->seen])
			continue;
		if (++d->seen < d->count)
			continue;
		d->seen = 0;
		*use = i;
		return true;
	}
	*use = n;
	return false;
}
