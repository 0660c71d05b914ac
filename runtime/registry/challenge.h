/* challenge.h - the header WWW-Authenticate (RFC 9110, 11.6.1), as registries use it. Pure. */
#ifndef CORACLE_REGISTRY_CHALLENGE_H
#define CORACLE_REGISTRY_CHALLENGE_H

#define CHALLENGE_TEXT_MAX 1024

enum challenge_scheme { CHALLENGE_OTHER, CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge {
	enum challenge_scheme scheme;
	/* "" when absent; control characters never are in them */
	char realm[CHALLENGE_TEXT_MAX], service[CHALLENGE_TEXT_MAX], scope[CHALLENGE_TEXT_MAX];
};

/* Reads the header's value, which may hold several challenges, and keeps the best: Bearer before Basic before others. best
 * starts zeroed and may be given again for a further header. Returns 0, or -EBADMSG when the text breaks the grammar or a
 * value is too long (what was read before it counts). */
int challenge_parse(const char *value, struct challenge *best);

#endif
