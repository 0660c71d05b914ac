/* apiroute.h - which handler answers a request. */
#ifndef CORACLE_ENGINE_APIROUTE_H
#define CORACLE_ENGINE_APIROUTE_H

struct request;

/* Takes the version from the path, finds the handler and calls it; answers 400, 404, 501 or 503 itself. */
void api_route(struct request *r);

#endif
