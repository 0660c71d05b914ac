/* dbus.h - as much of D-Bus as it takes to ask systemd for a unit.
 *
 * Little-endian messages over a socket of the file system, with or without a bus
 * daemon at the other end. Every wait has an end: DBUS_ANSWER_MS for an answer. */
#ifndef CORACLE_OCI_DBUS_H
#define CORACLE_OCI_DBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"

#define DBUS_ANSWER_MS 5000
#define DBUS_MESSAGE_MAX 65536

/* What is being written, or read (at). Positions count from the start of a message's body, which is aligned. */
struct dbus_body {
	uint8_t data[DBUS_MESSAGE_MAX / 2];
	size_t n, at;
	bool bad;		/* did not fit, or is not what was expected */
};

struct dbus {
	int fd;
	bool bus;		/* a daemon is between: messages need a destination */
	uint32_t serial;
	/* signals seen while something else was awaited; NULL: none are looked for */
	void (*signal)(void *arg, const char *member, struct dbus_body *body);
	void *arg;
};

/* Connects and authenticates as uid; on a bus says Hello. */
int dbus_open(struct dbus *d, const char *path, bool bus, unsigned uid, struct err *err);
void dbus_close(struct dbus *d);
/* Calls a method and waits. signature "" and body NULL: no arguments. The answer's body is in *answer (may be NULL).
 * An error answer is -EREMOTEIO, its name and text in err. */
int dbus_call(struct dbus *d, const char *destination, const char *path, const char *interface, const char *member,
	      const char *signature, const struct dbus_body *body, struct dbus_body *answer, struct err *err);
/* Handles what comes until *done or the time is over (-ETIMEDOUT). */
int dbus_wait(struct dbus *d, const bool *done, int ms, struct err *err);

/* Empties it; cheaper than an assignment, which would touch all of the memory. */
void dbus_clear(struct dbus_body *b);
void dbus_put_byte(struct dbus_body *b, uint8_t v);
void dbus_put_u32(struct dbus_body *b, uint32_t v);
void dbus_put_u64(struct dbus_body *b, uint64_t v);
void dbus_put_string(struct dbus_body *b, const char *s);	/* 's' and 'o' */
void dbus_put_signature(struct dbus_body *b, const char *s);
void dbus_align(struct dbus_body *b, size_t to);
/* An array: begin returns what end takes; to: alignment of its elements. */
size_t dbus_begin(struct dbus_body *b, size_t to);
void dbus_end(struct dbus_body *b, size_t begun, size_t to);
uint32_t dbus_get_u32(struct dbus_body *b);
const char *dbus_get_string(struct dbus_body *b);		/* "" and bad when there is none */

#endif
