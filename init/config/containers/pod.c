/* pod.c - a Kubernetes Pod manifest, or GCE's container declaration, as services: the document and its spec. */
#include "pod.h"

#include <errno.h>
#include <string.h>

#include "../config.h"
#include "../scalar.h"
#include "../text.h"
#include "build.h"
#include "containers.h"

#define CONTAINERS_MAX 64

static const char *known_name(size_t i, const void *arg)
{
	return ((const char *const *)arg)[i];
}

int pod_unknown(struct pod *p, const struct node *key, const char *where, const char *const *known, bool error)
{
	const char *near = known ? text_nearest(key->text, key->len, known_name, known) : NULL;

	diag_at(p->ctx->diags, error ? DIAG_ERROR : DIAG_WARNING, key, near ? arena_printf(p->ctx->arena, "did you mean \"%s\"?", near) : NULL,
		"%s in %s is not supported by Coracle%s", diag_quote(p->ctx->arena, key->text, key->len), where, error ? "" : "; it is not used");
	return error ? -EINVAL : 0;
}

static bool is_one_of(const char *s, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(s, *list))
			return true;
	return false;
}

static int wrong_type(struct pod *p, const struct item *i, const char *want)
{
	return diag_at(p->ctx->diags, DIAG_ERROR, i->value, NULL, "%s must be %s, not %s", i->key->text, want, node_describe(i->value));
}

static int read_restart(struct pod *p, const struct node *value)
{
	static const char *const map[][2] = { { "Always", "always" }, { "OnFailure", "on-failure" }, { "Never", "no" } };

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (!strcmp(value->text, map[i][0])) {
			p->restart = map[i][1];
			return 0;
		}
	return diag_at(p->ctx->diags, DIAG_ERROR, value, "Always, OnFailure or Never", "%s is not a restartPolicy",
		       diag_quote(p->ctx->arena, value->text, value->len));
}

/* [{ip, hostnames: [...]}] */
static int read_aliases(struct pod *p, const struct node *value)
{
	for (const struct item *i = value->items; i; i = i->next) {
		const struct node *ip = node_get(i->value, "ip");
		const struct node *names = node_get(i->value, "hostnames");

		if (!ip || ip->type != NODE_SCALAR || !names || names->type != NODE_LIST)
			return diag_at(p->ctx->diags, DIAG_ERROR, i->value, "{ip: 10.0.0.5, hostnames: [db]}", "this is no entry of hostAliases");
		for (const struct item *n = names->items; n; n = n->next)
			if (n->value->type == NODE_SCALAR)
				build_add(p->ctx, build_list_in(p->ctx, p->common, "extra_hosts", value),
					  build_text(p->ctx, n->value, "%s=%s", n->value->text, ip->text));
	}
	return 0;
}

static int read_dns(struct pod *p, const struct node *value)
{
	static const char *const keys[][2] = { { "nameservers", "dns" }, { "searches", "dns_search" } };
	int r = 0;

	for (const struct item *i = value->items; i; i = i->next) {
		size_t k = 0;

		while (k < ARRAY_SIZE(keys) && strcmp(i->key->text, keys[k][0]) != 0)
			k++;
		if (k == ARRAY_SIZE(keys))
			r = pod_unknown(p, i->key, "dnsConfig", NULL, true);
		else if (i->value->type != NODE_LIST)
			r = wrong_type(p, i, "a list");
		else
			build_put(p->ctx, p->common, keys[k][1], build_copy(p->ctx, i->value));
	}
	return r;
}

static int read_flag(struct pod *p, const struct item *i, const char *to)
{
	bool on = false;

	if (value_bool(p->ctx, i->value, &on) < 0)
		return -EINVAL;
	if (on && to)
		build_put(p->ctx, p->common, to, build_text(p->ctx, i->value, "host"));
	return 0;
}

static int read_spec_key(struct pod *p, const struct item *i)
{
	static const char *const known[] = { "containers", "initContainers", "volumes", "restartPolicy", "hostNetwork", "hostPID", "hostIPC", "hostname",
					     "hostAliases", "dnsConfig", "securityContext", "terminationGracePeriodSeconds", NULL };
	static const char *const ignored[] = { "dnsPolicy", "enableServiceLinks", "nodeName", "nodeSelector", "tolerations", "priority", "priorityClassName",
					       "schedulerName", "serviceAccountName", "serviceAccount", "automountServiceAccountToken", "imagePullSecrets",
					       "affinity", "preemptionPolicy", "subdomain", "setHostnameAsFQDN", "os", NULL };
	const char *key = i->key->text;
	uint64_t seconds;

	if (!strcmp(key, "containers") || !strcmp(key, "initContainers") || node_is_null(i->value) || is_one_of(key, ignored))
		return 0;
	if (!strcmp(key, "volumes")) {
		p->volumes = i->value;
		return i->value->type == NODE_LIST ? 0 : wrong_type(p, i, "a list");
	}
	if (!strcmp(key, "hostAliases"))
		return i->value->type == NODE_LIST ? read_aliases(p, i->value) : wrong_type(p, i, "a list");
	if (!strcmp(key, "dnsConfig"))
		return i->value->type == NODE_MAP ? read_dns(p, i->value) : wrong_type(p, i, "a mapping");
	if (!strcmp(key, "securityContext"))
		return i->value->type == NODE_MAP ? pod_security(p, i->value, p->common, true) : wrong_type(p, i, "a mapping");
	if (!is_one_of(key, known))
		return pod_unknown(p, i->key, "the spec of a pod", known, true);
	if (i->value->type != NODE_SCALAR)
		return wrong_type(p, i, "text");
	if (!strcmp(key, "restartPolicy"))
		return read_restart(p, i->value);
	if (!strcmp(key, "hostname")) {
		build_put(p->ctx, p->common, "hostname", build_copy(p->ctx, i->value));
		return 0;
	}
	if (!strcmp(key, "terminationGracePeriodSeconds")) {
		if (scalar_uint(i->value->text, 86400, &seconds) < 0)
			return diag_at(p->ctx->diags, DIAG_ERROR, i->value, NULL, "%s is not a number of seconds", diag_quote(p->ctx->arena, i->value->text, i->value->len));
		p->grace = arena_printf(p->ctx->arena, "%ss", i->value->text);
		return 0;
	}
	return read_flag(p, i, !strcmp(key, "hostPID") ? "pid" : !strcmp(key, "hostIPC") ? "ipc" : NULL);
}

static int read_containers(struct pod *p, const struct node *list, const char *key, bool first)
{
	int r = 0;

	if (!list || node_is_null(list))
		return 0;
	if (list->type != NODE_LIST)
		return diag_at(p->ctx->diags, DIAG_ERROR, list, NULL, "%s must be a list, not %s", key, node_describe(list));
	for (const struct item *i = list->items; i; i = i->next) {
		if (++p->count > CONTAINERS_MAX)
			return diag_at(p->ctx->diags, DIAG_ERROR, i->value, NULL, "more than %d containers in a pod", CONTAINERS_MAX);
		if (pod_container(p, i->value, first) < 0)
			r = -EINVAL;
	}
	return r;
}

static int read_spec(struct pod *p, const struct node *spec)
{
	const struct node *containers;
	int r = 0;

	if (!spec || spec->type != NODE_MAP)
		return diag_at(p->ctx->diags, DIAG_ERROR, spec ? spec : p->at, "spec: {containers: [{name: web, image: nginx}]}", "a pod needs a mapping spec");
	for (const struct item *i = spec->items; i; i = i->next)
		if (read_spec_key(p, i) < 0)
			r = -EINVAL;
	containers = node_get(spec, "containers");
	if (!containers || containers->type != NODE_LIST || !containers->items)
		return diag_at(p->ctx->diags, DIAG_ERROR, spec, NULL, "a pod needs containers");
	if (p->gce && containers->count != 1)
		return diag_at(p->ctx->diags, DIAG_ERROR, containers, NULL, "a declaration has exactly one container, not %zu", containers->count);
	if (read_containers(p, node_get(spec, "initContainers"), "initContainers", true) < 0)
		r = -EINVAL;
	if (read_containers(p, containers, "containers", false) < 0)
		r = -EINVAL;
	if (r < 0)
		diag_at(p->ctx->diags, DIAG_ERROR, p->at, NULL, "the pod %s is left out, because of the errors in it", p->name);
	return r;
}

static int read_root(struct pod *p, const struct node *root)
{
	static const char *const known[] = { "apiVersion", "kind", "metadata", "spec", NULL };
	static const char *const ignored[] = { "status", "creationTimestamp", NULL };
	const struct node *metadata = node_get(root, "metadata");
	const struct node *version = node_get(root, "apiVersion");
	const struct node *kind = node_get(root, "kind");
	const struct node *name = node_get(metadata ? metadata : root, "name");
	int r = 0;

	for (const struct item *i = root->items; i; i = i->next)
		if (!is_one_of(i->key->text, known) && !is_one_of(i->key->text, ignored))
			r = pod_unknown(p, i->key, p->gce ? "a container declaration" : "a pod", known, true);
	if (!p->gce && (!kind || strcmp(kind->type == NODE_SCALAR ? kind->text : "", "Pod") != 0))
		r = diag_at(p->ctx->diags, DIAG_ERROR, kind ? kind : root, NULL, "of Kubernetes' kinds, Coracle runs a Pod only");
	if (!p->gce && (!version || strcmp(version->type == NODE_SCALAR ? version->text : "", "v1") != 0))
		r = diag_at(p->ctx->diags, DIAG_ERROR, version ? version : root, NULL, "the apiVersion of a Pod is v1");
	if (name && name->type == NODE_SCALAR && name->len && compose_name_ok(name->text))
		p->name = name->text;
	else if (!p->gce)
		r = diag_at(p->ctx->diags, DIAG_ERROR, name ? name : root, "letters, digits and -", "a pod needs metadata: {name: ...}");
	if (metadata && metadata->type == NODE_MAP && node_get(metadata, "labels"))
		build_put(p->ctx, p->common, "labels", build_copy(p->ctx, node_get(metadata, "labels")));
	if (metadata && metadata->type == NODE_MAP && node_get(metadata, "annotations"))
		build_put(p->ctx, p->common, "annotations", build_copy(p->ctx, node_get(metadata, "annotations")));
	return read_spec(p, node_get(root, "spec")) < 0 ? -EINVAL : r;
}

static int read(struct ctx *ctx, const struct source *source, struct config *c, bool gce)
{
	struct pod p = { .ctx = ctx, .name = gce ? "gce" : "pod", .gce = gce, .restart = "always", .out = { .ctx = ctx } };
	bool empty;
	const struct node *root = yaml_read(ctx->arena, ctx->diags, source, &empty);

	if (!root)
		return empty ? 0 : -EINVAL;
	if (root->type != NODE_MAP)
		return diag_at(ctx->diags, DIAG_ERROR, root, NULL, "%s is a mapping, not %s", gce ? "a container declaration" : "a pod", node_describe(root));
	p.at = root;
	p.common = build_map(ctx, root);
	if (read_root(&p, root) < 0)
		return -EINVAL;
	if (p.out.document)
		compose_read_document(ctx, p.out.document, &c->compose);
	return 0;
}

int pod_read(struct ctx *ctx, const struct source *source, struct config *c)
{
	return read(ctx, source, c, false);
}

int gce_declaration_read(struct ctx *ctx, const struct source *source, struct config *c)
{
	return read(ctx, source, c, true);
}
