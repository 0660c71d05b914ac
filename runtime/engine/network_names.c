/* network_names.c - which container has which name in the eyes of another (coracle-engine). Looks only: sockets are network_dns.c's. */
#include <string.h>
#include <strings.h>

#include "engine.h"
#include "network_dns.h"

#define TTL 600
#define RECORDS_MAX 256

/* Docker's DNSNames: name, aliases, short id, host name. */
static bool has_name(const struct container *c, const struct endpoint *e, const char *name, size_t n)
{
	const char *own[] = { c->svc.container_name, c->svc.hostname };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (own[i] && strlen(own[i]) == n && strncasecmp(own[i], name, n) == 0)
			return true;
	if (n == CONTAINER_SHORT_LEN && strncmp(c->id, name, n) == 0)
		return true;
	for (char **a = e->aliases; a && *a; a++)
		if (strlen(*a) == n && strncasecmp(*a, name, n) == 0)
			return true;
	return false;
}

static bool is_called(const struct container *c, const struct endpoint *e, const char *name)
{
	size_t n = strlen(name), tail = strlen(e->net->name);

	if (strncmp(name, "tasks.", 6) == 0 && has_name(c, e, name + 6, n - 6))
		return true;
	if (has_name(c, e, name, n))
		return true;
	return n > tail + 1 && name[n - tail - 1] == '.' && strcasecmp(name + n - tail, e->net->name) == 0 && has_name(c, e, name, n - tail - 1);
}

/* Calls each for every endpoint that c sees: of running containers in networks that users made and c is in. */
static void each_seen(const struct container *c, void (*each)(const struct container *o, const struct endpoint *e, void *arg), void *arg)
{
	for (const struct container *o = engine.containers; o; o = o->next) {
		if (!o->net || !o->net->live)
			continue;
		for (size_t i = 0; i < o->net->count; i++) {
			const struct endpoint *e = &o->net->endpoints[i];

			if (e->net && !e->net->predefined && network_endpoint_of(c, e->net))
				each(o, e, arg);
		}
	}
}

struct search {
	const struct dns_query *q;
	struct net_addr addr;		/* of a reverse query */
	struct dns_record found[RECORDS_MAX];
	size_t count;
	bool known;			/* the name is somebody's, whatever addresses it has */
	char text[DNS_NAME_MAX];
};

static void match_name(const struct container *o, const struct endpoint *e, void *arg)
{
	struct search *s = arg;
	const struct net_addr *a = s->q->type == DNS_AAAA ? &e->v6 : &e->v4;

	if (!is_called(o, e, s->q->name))
		return;
	s->known = true;
	if ((s->q->type == DNS_A || s->q->type == DNS_AAAA) && a->family && s->count < RECORDS_MAX)
		s->found[s->count++] = (struct dns_record){ .addr = *a };
}

static void match_address(const struct container *o, const struct endpoint *e, void *arg)
{
	struct search *s = arg;

	if (s->known || !(net_addr_equal(&e->v4, &s->addr) || net_addr_equal(&e->v6, &s->addr)))
		return;
	if (strlen(o->svc.container_name) + strlen(e->net->name) + 2 > sizeof(s->text))
		return;
	strcpy(s->text, o->svc.container_name);
	strcat(s->text, ".");
	strcat(s->text, e->net->name);
	s->known = true;
	s->found[s->count++] = (struct dns_record){ .name = s->text };
}

/* Everyone first in turn. */
static void rotate(struct dns_record *v, size_t n)
{
	static unsigned turn;
	struct dns_record first;

	for (size_t k = n > 1 ? turn++ % n : 0; k > 0; k--) {
		first = v[0];
		memmove(v, v + 1, (n - 1) * sizeof(*v));
		v[n - 1] = first;
	}
}

size_t dns_answer_local(const struct container *c, const uint8_t *query, const struct dns_query *q, uint8_t *out, size_t size)
{
	static struct search s;

	s = (struct search){ .q = q };
	if (q->class != 1)
		return 0;
	if (q->type == DNS_PTR) {
		if (!dns_reverse_parse(q->name, &s.addr))
			return 0;
		each_seen(c, match_address, &s);
	} else {
		each_seen(c, match_name, &s);
	}
	/* a name of ours without an address of that kind is there all the same: musl takes NXDOMAIN for all kinds */
	if (!s.known || (q->type != DNS_A && q->type != DNS_AAAA && q->type != DNS_PTR && q->type != DNS_MX))
		return 0;
	rotate(s.found, s.count);
	return dns_write_answer(query, q, DNS_NOERROR, s.found, s.count, TTL, out, size);
}
