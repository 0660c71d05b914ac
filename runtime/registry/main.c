/* main.c - coracle-registry: the registry's protocol between who pulls (registry.h) and coracle-http.
 *
 * One-shot: it ends with the control sockets. Must never open a name, start a program, or say a secret. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/fd.h"
#include "runtime/registry/confine.h"
#include "runtime/registry/serve.h"

#define STACK_SIZE (192u << 10)

static struct slot *slots[REGISTRY_SLOTS_MAX];
static struct settings settings;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int begun;

/* Threads come before the filter, which lets none be made; they wait until the settings are read. */
static void *run(void *arg)
{
	pthread_mutex_lock(&lock);
	while (!begun)
		pthread_cond_wait(&cond, &lock);
	pthread_mutex_unlock(&lock);
	slot_run(arg);
	return NULL;
}

static int start_threads(unsigned n, pthread_t *thread)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	for (unsigned i = 0; i < n; i++) {
		slots[i] = malloc(sizeof(*slots[i]));
		if (!slots[i])
			return -1;
		slots[i]->settings = &settings;
		slots[i]->control = REGISTRY_CONTROL_FD((int)i);
		slots[i]->http.fd = REGISTRY_HTTP_FD((int)i);
		slots[i]->http.broken = false;
		slots[i]->http.at = slots[i]->http.len = 0;
		if (i > 0 && pthread_create(&thread[i], &attr, run, slots[i]))
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned n = argc == 2 ? (unsigned)atoi(argv[1]) : 0;
	pthread_t thread[REGISTRY_SLOTS_MAX];
	struct err err = ERR_INIT;
	static char text[REGISTRY_SETTINGS_MAX];
	ssize_t len;

	if (n < 1 || n > REGISTRY_SLOTS_MAX)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	if (confine_enter(n) < 0 || start_threads(n, thread) < 0 || confine_filter() < 0)
		_Exit(3);
	len = fd_read_full(0, text, sizeof(text));
	if (len < 0 || settings_parse(text, (size_t)len, &settings, &err) < 0)
		_Exit(4);
	pthread_mutex_lock(&lock);
	begun = 1;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&lock);
	slot_run(slots[0]);
	/* who started it is gone, or has what it wanted */
	_Exit(0);
}
