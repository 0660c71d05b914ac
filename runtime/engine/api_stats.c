/* api_stats.c - GET /containers/ID/stats in the form of control groups version 2 (coracle-engine). coracle-runtime reads the groups, in a child. */
#include "apiint.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>
#include <yyjson.h>

#include "api.h"
#include "capture.h"
#include "engine.h"
#include "fd.h"
#include "gotime.h"
#include "jw.h"
#include "text.h"

struct sample {
	int64_t read_ns, system;
	char *cpu;			/* the cpu_stats object; NULL: none yet */
};

struct stats {
	struct request *r;		/* NULL: the client has gone */
	char id[CONTAINER_ID_LEN + 1];
	bool stream, over, busy, want_two;
	struct sample before;
	struct loop_timer timer;
	struct buf out;
};

static void take_sample(void *arg);

static void free_stats(struct stats *s)
{
	loop_timer_cancel(&s->timer);
	free(s->before.cpu);
	buf_free(&s->out);
	free(s);
}

static void on_request_over(struct request *r)
{
	struct stats *s = r->state;

	s->r = NULL;
	if (!s->busy)
		free_stats(s);
}

/* Nanoseconds of all processors, the idle time too (moby: /proc/stat, first line). */
static int64_t system_time(void)
{
	char text[4096] = "";
	CLEANUP_FD int fd = open("/proc/stat", O_RDONLY | O_CLOEXEC);
	int64_t sum = 0;
	char *p = text + 4, *end;

	if (fd < 0 || fd_read_full(fd, text, sizeof(text) - 1) < 5)
		return 0;
	for (int i = 0; i < 8; i++, p = end) {
		sum += strtoll(p, &end, 10);
		if (end == p)
			break;
	}
	return sum * 10000000;
}

static int64_t number(yyjson_val *o, const char *key)
{
	return (int64_t)yyjson_get_uint(yyjson_obj_get(o, key));
}

static char *cpu_stats(yyjson_val *data, int64_t *system)
{
	yyjson_val *usage = yyjson_obj_get(yyjson_obj_get(data, "cpu"), "usage"), *throttling = yyjson_obj_get(yyjson_obj_get(data, "cpu"), "throttling");
	struct buf b;

	*system = system_time();
	buf_init(&b, 4096);
	jw_open(&b, '{');
	jw_kobj(&b, "cpu_usage");
	jw_kint(&b, "total_usage", number(usage, "total"));
	jw_kint(&b, "usage_in_kernelmode", number(usage, "kernel"));
	jw_kint(&b, "usage_in_usermode", number(usage, "user"));
	jw_close(&b, '}');
	jw_kint(&b, "system_cpu_usage", *system);
	jw_kint(&b, "online_cpus", sysconf(_SC_NPROCESSORS_ONLN));
	jw_kobj(&b, "throttling_data");
	jw_kint(&b, "periods", number(throttling, "periods"));
	jw_kint(&b, "throttled_periods", number(throttling, "throttledPeriods"));
	jw_kint(&b, "throttled_time", number(throttling, "throttledTime"));
	jw_close(&b, '}');
	jw_close(&b, '}');
	return buf_take(&b);
}

static void add_memory(struct buf *b, yyjson_val *data)
{
	yyjson_val *memory = yyjson_obj_get(data, "memory"), *usage = yyjson_obj_get(memory, "usage"), *raw = yyjson_obj_get(memory, "raw"), *key, *val;
	int64_t limit = number(usage, "limit"), all = 0;
	struct sysinfo info;
	size_t i, max;

	if (sysinfo(&info) == 0)
		all = (int64_t)info.totalram * info.mem_unit;
	jw_kobj(b, "memory_stats");
	jw_kint(b, "usage", number(usage, "usage"));
	jw_kint(b, "limit", limit <= 0 || limit > all ? all : limit);
	jw_kint(b, "failcnt", number(usage, "failcnt"));
	jw_kobj(b, "stats");
	yyjson_obj_foreach(raw, i, max, key, val)
		if (yyjson_is_uint(val) && yyjson_get_uint(val) <= INT64_MAX)
			jw_kint(b, yyjson_get_str(key), yyjson_get_sint(val));
	jw_close(b, '}');
	jw_close(b, '}');
}

static void add_blkio(struct buf *b, yyjson_val *data)
{
	yyjson_val *list = yyjson_obj_get(yyjson_obj_get(data, "blkio"), "ioServiceBytesRecursive"), *v;
	size_t i, max;

	jw_kobj(b, "blkio_stats");
	jw_karr(b, "io_service_bytes_recursive");
	yyjson_arr_foreach(list, i, max, v) {
		jw_open(b, '{');
		jw_kint(b, "major", number(v, "major"));
		jw_kint(b, "minor", number(v, "minor"));
		jw_kstr(b, "op", yyjson_get_str(yyjson_obj_get(v, "op")));
		jw_kint(b, "value", number(v, "value"));
		jw_close(b, '}');
	}
	jw_close(b, ']');
	jw_close(b, '}');
}

/* /proc/PID/net/dev: the interfaces of its network, but for lo. */
static void add_networks(struct buf *b, const struct container *c)
{
	static const char *const keys[] = { "rx_bytes", "rx_packets", "rx_errors", "rx_dropped", "tx_bytes", "tx_packets", "tx_errors", "tx_dropped" };
	char path[64], text[8192], *save;

	text_set(path, sizeof(path), "/proc/%d/net/dev", (int)c->pid);
	if (strcmp(c->svc.network_mode, "host") == 0 || c->pid <= 0 || fd_read_small(AT_FDCWD, path, text, sizeof(text)) < 0)
		return;
	jw_kobj(b, "networks");
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		long long v[12];
		char name[32];

		if (sscanf(line, " %31[^: ]: %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld", name, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5],
			   &v[6], &v[7], &v[8], &v[9], &v[10], &v[11]) != 13 || strcmp(name, "lo") == 0)
			continue;
		jw_kobj(b, name);
		for (int i = 0; i < 4; i++)
			jw_kint(b, keys[i], v[i]);
		for (int i = 0; i < 4; i++)
			jw_kint(b, keys[4 + i], v[8 + i]);
		jw_close(b, '}');
	}
	jw_close(b, '}');
}

static void add_head(struct buf *b, const struct container *c, int64_t now, int64_t before)
{
	char time[GOTIME_MAX], name[300];

	jw_open(b, '{');
	jw_kstr(b, "read", gotime_format(now, time));
	jw_kstr(b, "preread", gotime_format(before, time));
	jw_kint(b, "num_procs", 0);
	text_set(name, sizeof(name), "/%s", c->svc.container_name);
	jw_kstr(b, "name", name);
	jw_kstr(b, "id", c->id);
}

static void write_sample(struct stats *s, const struct container *c, yyjson_val *data)
{
	static const char none[] = "{\"cpu_usage\":{\"total_usage\":0,\"usage_in_kernelmode\":0,\"usage_in_usermode\":0},\"throttling_data\":{\"periods\":0,"
				   "\"throttled_periods\":0,\"throttled_time\":0}}";
	CLEANUP_BUF struct buf b = { 0 };
	struct sample now = { .read_ns = wall_now() };

	now.cpu = cpu_stats(data, &now.system);
	if (!now.cpu)
		return;
	buf_init(&b, 262144);
	add_head(&b, c, now.read_ns, s->before.read_ns);
	jw_kobj(&b, "pids_stats");
	jw_kint(&b, "current", number(yyjson_obj_get(data, "pids"), "current"));
	if (number(yyjson_obj_get(data, "pids"), "limit"))
		jw_kint(&b, "limit", number(yyjson_obj_get(data, "pids"), "limit"));
	jw_close(&b, '}');
	add_blkio(&b, data);
	jw_kraw(&b, "storage_stats", "{}");
	jw_kraw(&b, "cpu_stats", now.cpu);
	jw_kraw(&b, "precpu_stats", s->before.cpu ? s->before.cpu : none);
	add_memory(&b, data);
	add_networks(&b, c);
	jw_close(&b, '}');
	buf_putc(&b, '\n');
	free(s->before.cpu);
	s->before = now;
	if (s->want_two) {
		s->want_two = false;	/* this one was for comparing with */
		return;
	}
	if (!buf_error(&b))
		buf_add(&s->out, b.data, b.len);
	s->over = !s->stream;
}

static void write_nothing(struct stats *s, const struct container *c)
{
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 4096);
	add_head(&b, c, 0, 0);
	jw_kraw(&b, "pids_stats", "{}");
	jw_kraw(&b, "cpu_stats", "{\"cpu_usage\":{\"total_usage\":0}}");
	jw_kraw(&b, "precpu_stats", "{\"cpu_usage\":{\"total_usage\":0}}");
	jw_kraw(&b, "memory_stats", "{}");
	jw_close(&b, '}');
	buf_putc(&b, '\n');
	buf_add(&s->out, b.data, b.len);
	s->over = !s->stream;
}

static void next_sample(struct stats *s)
{
	if (s->over)
		return;
	s->timer = (struct loop_timer){ .fire = take_sample, .arg = s };
	loop_timer_set(&s->timer, 1000);
}

static void on_stats(struct capture *cap, int status, const char *out, const char *errors)
{
	struct stats *s = cap->arg;
	bool ambiguous;
	const struct container *c = container_find(s->id, &ambiguous);
	yyjson_doc *doc = yyjson_read(out, strlen(out), 0);

	(void)errors;
	s->busy = false;
	if (!s->r) {
		free_stats(s);
	} else {
		if (!c)
			s->over = true;
		else if (status == 0 && doc)
			write_sample(s, c, yyjson_obj_get(yyjson_doc_get_root(doc), "data"));
		else
			write_nothing(s, c);
		next_sample(s);
		api_resume(s->r);
	}
	yyjson_doc_free(doc);
}

static void take_sample(void *arg)
{
	struct stats *s = arg;
	bool ambiguous;
	const struct container *c = container_find(s->id, &ambiguous);
	char *args[] = { (char *)(uintptr_t)"events", (char *)(uintptr_t)"--stats", s->id, NULL };
	struct err err = ERR_INIT;

	if (!c) {
		s->over = true;
	} else if (s->out.len > 0) {
		next_sample(s);		/* who does not read gets fewer */
		return;
	} else if (c->phase == PHASE_UP && capture_runtime(args, on_stats, s, &err) == 0) {
		s->busy = true;
		return;
	} else {
		write_nothing(s, c);
		next_sample(s);
	}
	api_resume(s->r);
}

static ssize_t read_stats(void *cls, uint64_t pos, char *out, size_t max)
{
	struct request *r = cls;
	struct stats *s = r->state;
	size_t n = MIN(s->out.len, max);

	(void)pos;
	if (r->gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (n > 0) {
		memcpy(out, s->out.data, n);
		buf_consume(&s->out, n);
		return (ssize_t)n;
	}
	if (s->over)
		return MHD_CONTENT_READER_END_OF_STREAM;
	api_suspend(r);
	return 0;
}

void api_stats(struct request *r)
{
	struct container *c = api_container(r);
	struct stats *s;

	if (!c)
		return;
	s = calloc(1, sizeof(*s));
	if (!s)
		return;
	s->r = r;
	text_set(s->id, sizeof(s->id), "%s", c->id);
	s->stream = !api_query(r, "stream") || api_flag(r, "stream");
	s->want_two = !s->stream && !api_flag(r, "one-shot");
	buf_init(&s->out, 524288);
	r->state = s;
	r->state_free = on_request_over;
	api_stream(r, "application/json", read_stats);
	take_sample(s);
}
