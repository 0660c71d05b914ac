/* device_rules.c - reduces device rules and writes them to v1's devices
 * hierarchy. Runs in coracle-runtime, outside the container. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/cgroup.h"
#include "runtime/oci/device_rules.h"

/* null zero full random urandom tty console ptmx pts/N, and mknod of all: the
 * node is made, opening it is another matter. */
static const struct spec_device_rule DEFAULTS[] = {
	{ true, 'c', -1, -1, 4 }, { true, 'b', -1, -1, 4 },
	{ true, 'c', 1, 3, 7 }, { true, 'c', 1, 5, 7 }, { true, 'c', 1, 7, 7 }, { true, 'c', 1, 8, 7 }, { true, 'c', 1, 9, 7 },
	{ true, 'c', 5, 0, 7 }, { true, 'c', 5, 1, 7 }, { true, 'c', 5, 2, 7 }, { true, 'c', 136, -1, 7 },
};

static int add_exception(struct device_rules *d, char type, const struct spec_device_rule *rule, struct err *err)
{
	for (int i = 0; i < d->n; i++) {
		struct spec_device_rule *e = &d->exception[i];

		if (e->type != type || e->major != rule->major || e->minor != rule->minor)
			continue;
		if (rule->allow != d->allow) {
			e->access |= rule->access;
		} else {
			e->access &= ~rule->access;
			if (!e->access)
				*e = d->exception[--d->n];
		}
		return 0;
	}
	if (rule->allow == d->allow)
		return 0;
	if (d->n == DEVICE_RULES_MAX)
		return err_set(err, 0, "linux.resources.devices: more than %d rules", DEVICE_RULES_MAX);
	d->exception[d->n] = *rule;
	d->exception[d->n++].type = type;
	return 0;
}

static int add_rule(struct device_rules *d, const struct spec_device_rule *rule, struct err *err)
{
	int r;

	if (rule->type != 'a')
		return add_exception(d, rule->type, rule, err);
	if (rule->major < 0 && rule->minor < 0 && rule->access == 7) {
		d->allow = rule->allow;
		d->n = 0;
		return 0;
	}
	if ((r = add_exception(d, 'c', rule, err)) < 0)
		return r;
	return add_exception(d, 'b', rule, err);
}

int device_rules_reduce(struct device_rules *d, const struct spec_device_rule *rules, size_t n, struct err *err)
{
	d->allow = false;
	d->n = 0;
	for (size_t i = 0; i < n; i++) {
		int r = add_rule(d, &rules[i], err);

		if (r < 0)
			return r;
	}
	if (d->allow && !d->n)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(DEFAULTS); i++) {
		int r = add_rule(d, &DEFAULTS[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

static void number(char out[16], int64_t n)
{
	if (n < 0)
		strcpy(out, "*");
	else
		snprintf(out, 16, "%u", (unsigned)n);
}

/* "c 1:3 rwm" */
static void rule_text(const struct spec_device_rule *e, char out[64])
{
	char major[16], minor[16];

	number(major, e->major);
	number(minor, e->minor);
	snprintf(out, 64, "%c %s:%s %s%s%s", e->type, major, minor,
		 e->access & 1 ? "r" : "", e->access & 2 ? "w" : "", e->access & 4 ? "m" : "");
}

int device_rules_write_v1(int dir, const struct spec_device_rule *rules, size_t n, struct err *err)
{
	static struct device_rules d;
	const char *file;
	CLEANUP_FD int fd = -1;
	int r = device_rules_reduce(&d, rules, n, err);

	if (r < 0)
		return r;
	r = fd_write_small(dir, d.allow ? "devices.allow" : "devices.deny", "a");
	/* inside a user namespace the kernel lets nobody change them: what the host's rules allow stays allowed */
	if (r == -EPERM && cgroup_in_userns())
		return 0;
	if (r < 0)
		return err_set(err, -r, "write \"a\" to %s", d.allow ? "devices.allow" : "devices.deny");
	file = d.allow ? "devices.deny" : "devices.allow";
	if (d.n && (fd = sys_openat(dir, file, O_WRONLY, 0)) < 0)
		return err_set(err, -fd, "open %s", file);
	for (int i = 0; i < d.n; i++) {
		char text[64];
		ssize_t w;

		rule_text(&d.exception[i], text);
		w = sys_write(fd, text, strlen(text));
		if (w < 0)
			return err_set(err, (int)-w, "write \"%s\" to %s", text, file);
	}
	return 0;
}
