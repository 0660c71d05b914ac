/* registry.h - between coracle-registry and who starts it (client/client.c): descriptors, requests, answers.
 *
 * coracle-registry is written to be taken over by what a registry sends: it opens nothing, starts nothing, and knows the
 * credentials of the endpoints of one pull. It is handed
 *
 *	0		the settings: one JSON object, to the end of the stream
 *	3+2N, 4+2N	of slot N: a SOCK_SEQPACKET to who started it; a stream to a coracle-http of its own (lib/httpframe.h)
 *
 * Command line: coracle-registry SLOTS. Settings:
 *	{"repository": "library/nginx", "tries": 6, "stall_ms": 30000, "endpoints": [{"url": "https://host:port", "plain": false,
 *	 "username": "", "password": "", "identity": "", "ca": "PEM"}]}		mirrors first, the registry itself last
 *
 * A request is one packet, and the next one comes after its answer's end:
 *	manifest REFERENCE	a tag or a digest: an index or a manifest
 *	document DIGEST		a small blob
 *	blob DIGEST SIZE	with the descriptor of a pipe, which gets exactly SIZE bytes, or fewer and then an error
 * Answers:
 *	type TEXT		media type (manifest)
 *	data BYTES		a piece of the document; not for blobs
 *	done
 *	error ERRNO TEXT	EINTR: a program was killed, it is worth another try
 * Bytes of documents are at most IMAGE_JSON_MAX. Digests are not computed here: who started it does that. */
#ifndef CORACLE_REGISTRY_H
#define CORACLE_REGISTRY_H

#include "runtime/image/image.h"

#define REGISTRY_SLOTS_MAX 4
#define REGISTRY_SETTINGS_MAX (2u << 20)	/* bytes of the settings */
#define REGISTRY_ENDPOINTS_MAX 8
#define REGISTRY_PACKET_MAX (32u << 10)		/* bytes of a packet */
#define REGISTRY_UID 65533
#define REGISTRY_CONTROL_FD(slot) (3 + 2 * (slot))
#define REGISTRY_HTTP_FD(slot) (4 + 2 * (slot))

#endif
