/* dbus.c - D-Bus messages over a socket. Runs in coracle-runtime, outside the
 * container; what the other side sends is bounded and checked. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/dbus.h"

enum { CALL = 1, RETURN = 2, ERROR = 3, SIGNAL = 4 };
enum { F_PATH = 1, F_INTERFACE = 2, F_MEMBER = 3, F_ERROR = 4, F_REPLY = 5, F_DESTINATION = 6, F_SIGNATURE = 8 };

static void put(struct dbus_body *b, const void *p, size_t n)
{
	if (b->bad || n > sizeof b->data - b->n) {
		b->bad = true;
		return;
	}
	memcpy(b->data + b->n, p, n);
	b->n += n;
}

void dbus_clear(struct dbus_body *b)
{
	b->n = b->at = 0;
	b->bad = false;
}

void dbus_align(struct dbus_body *b, size_t to)
{
	static const uint8_t zero[8];

	put(b, zero, (to - b->n % to) % to);
}

void dbus_put_byte(struct dbus_body *b, uint8_t v)
{
	put(b, &v, 1);
}

void dbus_put_u32(struct dbus_body *b, uint32_t v)
{
	dbus_align(b, 4);
	put(b, &v, 4);
}

void dbus_put_u64(struct dbus_body *b, uint64_t v)
{
	dbus_align(b, 8);
	put(b, &v, 8);
}

void dbus_put_string(struct dbus_body *b, const char *s)
{
	dbus_put_u32(b, (uint32_t)strlen(s));
	put(b, s, strlen(s) + 1);
}

void dbus_put_signature(struct dbus_body *b, const char *s)
{
	dbus_put_byte(b, (uint8_t)strlen(s));
	put(b, s, strlen(s) + 1);
}

size_t dbus_begin(struct dbus_body *b, size_t to)
{
	size_t at;

	dbus_put_u32(b, 0);
	at = b->n - 4;
	dbus_align(b, to);
	return at;
}

void dbus_end(struct dbus_body *b, size_t begun, size_t to)
{
	size_t start = begun + 4;
	uint32_t n;

	if (b->bad)
		return;
	start += (to - start % to) % to;
	n = (uint32_t)(b->n - start);
	memcpy(b->data + begun, &n, 4);
}

static bool have(struct dbus_body *b, size_t align, size_t n)
{
	b->at += (align - b->at % align) % align;
	if (b->at > b->n || n > b->n - b->at)
		b->bad = true;
	return !b->bad;
}

uint32_t dbus_get_u32(struct dbus_body *b)
{
	uint32_t v = 0;

	if (!have(b, 4, 4))
		return 0;
	memcpy(&v, b->data + b->at, 4);
	b->at += 4;
	return v;
}

const char *dbus_get_string(struct dbus_body *b)
{
	uint32_t n = dbus_get_u32(b);
	const char *s;

	if (b->bad || !have(b, 1, (size_t)n + 1) || b->data[b->at + n])
		return b->bad = true, "";
	s = (const char *)b->data + b->at;
	b->at += n + 1;
	return s;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int read_until(int fd, void *data, size_t n, long end)
{
	for (uint8_t *p = data; n; ) {
		struct pollfd w = { fd, POLLIN, 0 };
		long left = end - now_ms();
		ssize_t got;

		if (left <= 0 || poll(&w, 1, (int)left) == 0)
			return -ETIMEDOUT;
		got = sys_read(fd, p, n);
		if (got <= 0)
			return got < 0 ? (int)got : -ECONNRESET;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int send_all(int fd, const void *data, size_t n)
{
	ssize_t r = send(fd, data, n, MSG_NOSIGNAL);

	return r < 0 ? -errno : (size_t)r == n ? 0 : -EPIPE;
}

/* All of it at once, as systemd's own clients do: what it reads behind BEGIN in one go it would leave lying until more comes, so
 * the first message may be sent only after the answer. */
static int authenticate(int fd, unsigned uid, long end)
{
	char number[16], text[64] = "", line[128];
	size_t n, at = 0;
	int r;

	snprintf(number, sizeof number, "%u", uid);
	for (n = 0; number[n]; n++)
		snprintf(text + 2 * n, 3, "%02x", (unsigned char)number[n]);
	line[0] = '\0';
	n = 1 + (size_t)snprintf(line + 1, sizeof line - 1, "AUTH EXTERNAL %s\r\nBEGIN\r\n", text);
	if ((r = send_all(fd, line, n)) < 0)
		return r;
	do {
		if ((r = read_until(fd, line + at, 1, end)) < 0)
			return r;
	} while (line[at++] != '\n' && at < sizeof line);
	return strncmp(line, "OK ", 3) ? -EACCES : 0;
}

static void field(struct dbus_body *h, uint8_t code, const char *signature, const char *value)
{
	if (!value)
		return;
	dbus_align(h, 8);
	dbus_put_byte(h, code);
	dbus_put_signature(h, signature);
	if (*signature == 'g')
		dbus_put_signature(h, value);
	else
		dbus_put_string(h, value);
}

struct message {
	int type;
	uint32_t reply;
	const char *member, *error;
	struct dbus_body head, body;
};

static void read_fields(struct message *m)
{
	struct dbus_body *h = &m->head;

	m->member = m->error = "";
	m->reply = 0;
	while (!h->bad && h->at < h->n) {
		const char *value = "";
		uint32_t number = 0;
		uint8_t code;
		char kind;

		if (!have(h, 8, 4))
			break;
		code = h->data[h->at];
		/* every field of the protocol has a signature of one letter */
		if (h->data[h->at + 1] != 1)
			break;
		kind = (char)h->data[h->at + 2];
		h->at += 4;
		if (kind == 'u')
			number = dbus_get_u32(h);
		else if (kind == 'g' && have(h, 1, 2) && have(h, 1, 2U + h->data[h->at]))
			h->at += 2U + h->data[h->at];
		else if (kind == 's' || kind == 'o')
			value = dbus_get_string(h);
		else
			break;
		m->reply = code == F_REPLY ? number : m->reply;
		m->member = code == F_MEMBER ? value : m->member;
		m->error = code == F_ERROR ? value : m->error;
	}
}

/* Messages that are larger than what we ask about are read and forgotten. */
static int receive_part(int fd, struct dbus_body *b, size_t n, long end)
{
	b->at = 0;
	b->bad = n > sizeof b->data;
	b->n = b->bad ? 0 : n;
	if (!b->bad)
		return read_until(fd, b->data, n, end);
	while (n) {
		size_t part = n < sizeof b->data ? n : sizeof b->data;
		int r = read_until(fd, b->data, part, end);

		if (r < 0)
			return r;
		n -= part;
	}
	return 0;
}

static int receive(struct dbus *d, struct message *m, long end)
{
	uint32_t head[4];
	uint8_t start[16];
	int r;

	if ((r = read_until(d->fd, start, sizeof start, end)) < 0)
		return r;
	memcpy(head, start, sizeof head);
	if (start[0] != 'l' || start[3] != 1 || head[1] > 128U << 20 || head[3] > 1U << 20)
		return -EPROTO;
	m->type = start[1];
	if ((r = receive_part(d->fd, &m->head, (head[3] + 7U) & ~7U, end)) < 0 ||
	    (r = receive_part(d->fd, &m->body, head[1], end)) < 0)
		return r;
	if (!m->head.bad)
		m->head.n = head[3];
	read_fields(m);
	if (m->type == SIGNAL && d->signal && !m->body.bad)
		d->signal(d->arg, m->member, &m->body);
	return 0;
}

static int send_call(struct dbus *d, const char *destination, const char *path, const char *interface, const char *member,
		     const char *signature, const struct dbus_body *body)
{
	static struct dbus_body h;
	size_t fields;
	int r;

	dbus_clear(&h);
	dbus_put_byte(&h, 'l');
	dbus_put_byte(&h, CALL);
	dbus_put_byte(&h, 0);
	dbus_put_byte(&h, 1);
	dbus_put_u32(&h, body ? (uint32_t)body->n : 0);
	dbus_put_u32(&h, ++d->serial);
	fields = dbus_begin(&h, 8);
	field(&h, F_PATH, "o", path);
	field(&h, F_INTERFACE, "s", interface);
	field(&h, F_MEMBER, "s", member);
	field(&h, F_DESTINATION, "s", d->bus ? destination : NULL);
	field(&h, F_SIGNATURE, "g", *signature ? signature : NULL);
	dbus_end(&h, fields, 8);
	dbus_align(&h, 8);
	if (h.bad || (body && body->bad))
		return -EMSGSIZE;
	r = send_all(d->fd, h.data, h.n);
	return r < 0 || !body ? r : send_all(d->fd, body->data, body->n);
}

int dbus_call(struct dbus *d, const char *destination, const char *path, const char *interface, const char *member,
	      const char *signature, const struct dbus_body *body, struct dbus_body *answer, struct err *err)
{
	static struct message m;
	long end = now_ms() + DBUS_ANSWER_MS;
	int r = send_call(d, destination, path, interface, member, signature, body);

	while (r >= 0) {
		r = receive(d, &m, end);
		if (r < 0 || m.reply != d->serial || (m.type != RETURN && m.type != ERROR))
			continue;
		if (m.type == ERROR)
			return err_set(err, EREMOTEIO, "%s: %s (%s)", member, dbus_get_string(&m.body), m.error);
		if (answer)
			*answer = m.body;
		return 0;
	}
	return err_set(err, -r, "%s: no answer", member);
}

int dbus_wait(struct dbus *d, const bool *done, int ms, struct err *err)
{
	static struct message m;
	long end = now_ms() + ms;

	while (!*done) {
		int r = receive(d, &m, end);

		if (r < 0)
			return err_set(err, -r, "wait for systemd");
	}
	return 0;
}

int dbus_open(struct dbus *d, const char *path, bool bus, unsigned uid, struct err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	*d = (struct dbus){ .fd = -1, .bus = bus };
	if (strlen(path) >= sizeof a.sun_path)
		return err_set(err, ENAMETOOLONG, "connect to %s", path);
	strcpy(a.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
		return err_set(err, errno, "connect to %s", path);
	if ((r = authenticate(fd, uid, now_ms() + DBUS_ANSWER_MS)) < 0)
		return err_set(err, -r, "authenticate at %s", path);
	d->fd = fd_take(&fd);
	if (!bus)
		return 0;
	r = dbus_call(d, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", "", NULL, NULL, err);
	if (r < 0)
		dbus_close(d);
	return r < 0 ? err_wrap(err, r, "%s", path) : 0;
}

void dbus_close(struct dbus *d)
{
	fd_close(&d->fd);
}
