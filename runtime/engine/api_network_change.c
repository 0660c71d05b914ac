/* api_network_change.c - /networks: create, remove, connect, disconnect, prune (coracle-engine). */
#include "apiint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "api_shared.h"
#include "engine.h"
#include "events.h"
#include "filters.h"
#include "jw.h"
#include "network_int.h"
#include "text.h"

static void tell(const char *action, const struct network *n, const struct container *c)
{
	char name[256], type[64], container[128];
	const char *attributes[] = { name, type, c ? container : NULL, NULL };

	text_set(name, sizeof(name), "name=%s", n->name);
	text_set(type, sizeof(type), "type=%s", network_driver_name(n->driver));
	if (c)
		text_set(container, sizeof(container), "container=%s", c->id);
	event_add("network", action, n->id, attributes);
}

static int take_create(struct request *r, yyjson_val *o, struct network_wish *w, struct err *err)
{
	yyjson_val *ipam = yyjson_obj_get(o, "IPAM"), *pool;
	size_t i, max;

	*w = (struct network_wish){ .name = yyjson_get_str(yyjson_obj_get(o, "Name")), .driver = yyjson_get_str(yyjson_obj_get(o, "Driver")) };
	w->ipv6 = yyjson_get_bool(yyjson_obj_get(o, "EnableIPv6"));
	w->internal = yyjson_get_bool(yyjson_obj_get(o, "Internal"));
	w->attachable = yyjson_get_bool(yyjson_obj_get(o, "Attachable"));
	w->options = network_take_map(&r->mem, yyjson_obj_get(o, "Options"));
	w->labels = network_take_map(&r->mem, yyjson_obj_get(o, "Labels"));
	if (!w->name)
		return err_set(err, 0, "invalid JSON: Name is missing");
	yyjson_arr_foreach(yyjson_obj_get(ipam, "Config"), i, max, pool)
		if (network_take_pool(pool, "Subnet", "IPRange", "Gateway", w, err) < 0)
			return -EINVAL;
	return w->options && w->labels ? 0 : err_set(err, ENOMEM, "network");
}

static unsigned code_of(int r)
{
	switch (-r) {
	case EEXIST:
		return 409;
	case EPERM:
	case EBUSY:
	case EADDRINUSE:
		return 403;
	case ENOENT:
		return 404;
	default:
		return r == -EINVAL ? 400 : 500;
	}
}

void api_network_create(struct request *r)
{
	yyjson_doc *doc = yyjson_read(r->body.data, r->body.len, 0);
	struct err err = ERR_INIT;
	struct network_wish w;
	struct network *n;
	struct buf b;
	int result = take_create(r, yyjson_doc_get_root(doc), &w, &err);

	result = result < 0 ? result : network_create(&w, &n, &err);
	yyjson_doc_free(doc);
	if (result < 0) {
		/* the reason of the system behind Docker's sentence is not part of it */
		if (err.code && strrchr(err.text, ':') && code_of(result) != 500)
			*strrchr(err.text, ':') = '\0';
		api_error(r, code_of(result), "%s", err.text);
		return;
	}
	tell("create", n, NULL);
	buf_init(&b, 1024);
	jw_open(&b, '{');
	jw_kstr(&b, "Id", n->id);
	jw_kstr(&b, "Warning", "");
	jw_close(&b, '}');
	api_json(r, 201, &b);
}

void api_network_remove(struct request *r)
{
	struct network *n = api_network_named(r, r->arg);
	struct err err = ERR_INIT;

	if (!n)
		return;
	if (n->predefined || network_in_use(n)) {
		int result = network_remove(n, &err);

		if (err.code && strrchr(err.text, ':'))
			*strrchr(err.text, ':') = '\0';
		api_error(r, code_of(result), "%s", err.text);
		return;
	}
	tell("destroy", n, NULL);
	if (network_remove(n, &err) < 0)
		api_error(r, 500, "%s", err.text);
	else
		api_empty(r, 204);
}

/* The container named in the body; answered when NULL. */
static struct container *take_container(struct request *r, yyjson_val *o)
{
	const char *what = yyjson_get_str(yyjson_obj_get(o, "Container"));
	bool ambiguous;
	struct container *c = what ? container_find(what, &ambiguous) : NULL;

	if (!c)
		api_error(r, what ? 404 : 400, what ? "No such container: %s" : "invalid JSON: Container is missing%s", what ? what : "");
	else if (!network_is_own(c)) {
		api_error(r, 403, "container sharing network namespace with another container or host cannot be connected to any other network");
		return NULL;
	}
	return c;
}

static int connect_live(struct container *c, struct endpoint *e, struct err *err)
{
	int r = network_prepare(c, err);

	if (r == 0 && c->phase == PHASE_UP)
		r = network_attach_one(c, e, err);
	if (r == 0 && c->phase == PHASE_UP)
		r = network_rules_apply(err);
	if (r == 0 && c->phase == PHASE_UP)
		network_refresh_etc(c);
	return r;
}

void api_network_connect(struct request *r)
{
	struct network *n = api_network_named(r, r->arg);
	yyjson_doc *doc = n ? yyjson_read(r->body.data, r->body.len, 0) : NULL;
	yyjson_val *root = yyjson_doc_get_root(doc);
	struct container *c = n ? take_container(r, root) : NULL;
	struct err err = ERR_INIT;
	struct endpoint *e;
	CLEANUP_FREE char *wishes = c ? network_docker_wishes(yyjson_obj_get(root, "EndpointConfig")) : NULL;
	int result = 0;

	yyjson_doc_free(doc);
	if (!c)
		return;
	if (!c->net || !c->net->count)
		result = network_prepare(c, &err);	/* its first networks come first */
	result = result < 0 ? result : network_add_endpoint(c, n, wishes, &e, &err);
	if (result == 0) {
		result = connect_live(c, e, &err);
		if (result < 0) {
			network_detach_one(c, e);
			network_drop_endpoint(c, e);
		}
	}
	if (c->phase == PHASE_DOWN)
		network_release_ports(c);
	result = result < 0 ? result : network_save_container(c, &err);
	if (result < 0) {
		api_error(r, result == -EEXIST ? 403 : code_of(result), "%s", err.text);
		return;
	}
	tell("connect", n, c);
	api_empty(r, 200);
}

void api_network_disconnect(struct request *r)
{
	struct network *n = api_network_named(r, r->arg);
	yyjson_doc *doc = n ? yyjson_read(r->body.data, r->body.len, 0) : NULL;
	struct container *c = n ? take_container(r, yyjson_doc_get_root(doc)) : NULL;
	struct endpoint *e = c ? network_endpoint_of(c, n) : NULL;
	struct err err = ERR_INIT;

	yyjson_doc_free(doc);
	if (!c)
		return;
	if (!e) {
		api_error(r, 403, "container %s is not connected to network %s", c->id, n->name);
		return;
	}
	network_detach_one(c, e);
	network_drop_endpoint(c, e);
	if (c->phase == PHASE_UP)
		network_refresh_etc(c);
	network_rules_later();
	if (network_save_container(c, &err) < 0) {
		api_error(r, 500, "%s", err.text);
		return;
	}
	tell("disconnect", n, c);
	api_empty(r, 200);
}

static bool match_label(const char *want, const void *arg)
{
	return filters_label(want, ((const struct network *)arg)->labels);
}

/* Referenced by a container that is only stopped: it stays too. */
static bool is_wanted(const struct network *n)
{
	for (const struct container *c = engine.containers; c; c = c->next)
		if (network_endpoint_of(c, n))
			return true;
	return n->predefined || n->from_boot;
}

void api_network_prune(struct request *r)
{
	static const char *const known[] = { "label", "until", NULL };
	struct err err = ERR_INIT;
	struct filters f;
	struct buf b;

	if (filters_parse(&r->mem, api_query(r, "filters"), known, &f, &err) < 0) {
		api_error(r, 400, "%s", err.text);
		return;
	}
	buf_init(&b, API_REPLY_MAX);
	jw_open(&b, '{');
	jw_karr(&b, "NetworksDeleted");
	for (struct network *n = networks, *next; n; n = next) {
		next = n->next;
		if (is_wanted(n) || !filters_all(&f, "label", match_label, n))
			continue;
		jw_str(&b, n->name);
		tell("destroy", n, NULL);
		network_remove(n, &err);
	}
	jw_close(&b, ']');
	jw_close(&b, '}');
	api_json(r, 200, &b);
}
