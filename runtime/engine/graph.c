/* graph.c - dependency order of services. Pure: no clock, no calls. */
#include "graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t find(const struct service *v, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(v[i].name, name) != 0)
		i++;
	return i;
}

/* All dependencies of v[i] have a level: gives the level of v[i], or -1. */
static int level_of(const struct service *v, size_t n, size_t i, const int *level)
{
	int best = 0;

	for (size_t d = 0; d < v[i].depend_count; d++) {
		size_t k = find(v, n, v[i].depends[d].name);

		if (k == n)
			continue;
		if (level[k] < 0)
			return -1;
		best = MAX(best, level[k] + 1);
	}
	return best;
}

static int check_exist(const struct service *v, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		for (size_t d = 0; d < v[i].depend_count; d++)
			if (v[i].depends[d].required && find(v, n, v[i].depends[d].name) == n)
				return err_set(err, ENOENT, "line %d: service %s depends on %s", v[i].line, v[i].name,
					       v[i].depends[d].name);
	return 0;
}

static int name_circle(const struct service *v, size_t n, const int *level, struct err *err)
{
	char names[400] = "";

	for (size_t i = 0; i < n; i++) {
		if (level[i] >= 0)
			continue;
		if (strlen(names) + strlen(v[i].name) + 3 < sizeof(names)) {
			strcat(names, names[0] ? ", " : "");
			strcat(names, v[i].name);
		}
	}
	return err_set(err, 0, "these services depend on each other in a circle, or on one that does: %s", names);
}

int graph_order(const struct service *v, size_t n, size_t *order, int *level, struct err *err)
{
	CLEANUP_FREE int *own = NULL;
	size_t done = 0;
	int r = check_exist(v, n, err);

	if (r < 0)
		return r;
	own = calloc(n + 1, sizeof(*own));
	if (!own)
		return err_set(err, ENOMEM, "order of services");
	for (size_t i = 0; i < n; i++)
		own[i] = -1;
	for (size_t before = n + 1; done < n && before != done;) {
		before = done;
		for (size_t i = 0; i < n; i++) {
			if (own[i] >= 0)
				continue;
			own[i] = level_of(v, n, i, own);
			if (own[i] >= 0)
				order[done++] = i;
		}
	}
	if (done < n)
		return name_circle(v, n, own, err);
	for (size_t i = 0; level && i < n; i++)
		level[i] = own[i];
	return 0;
}

enum graph_verdict graph_verdict(const struct service_depend *d, enum graph_state state)
{
	enum graph_verdict failed = d->required ? GRAPH_NEVER : GRAPH_GO;

	if (state == GRAPH_NOT_STARTED)
		return failed;
	if (d->condition != DEPEND_COMPLETED)
		return state == GRAPH_PENDING ? GRAPH_WAIT : GRAPH_GO;
	if (state == GRAPH_ENDED_BADLY)
		return failed;
	return state == GRAPH_DONE ? GRAPH_GO : GRAPH_WAIT;
}
