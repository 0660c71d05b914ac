/* mount_options.c - the table of mount options. Pure: no system calls. */
#include <string.h>
#include <linux/mount.h>
#include "lib/cdefs.h"
#include "runtime/oci/mount_options.h"

enum kind { SET, CLEAR, PROPAGATE, REC_SET, REC_CLEAR, SPECIAL };
enum special { SP_BIND, SP_RBIND, SP_COPY_UP, SP_IDMAP, SP_RIDMAP, SP_NOTHING };

static const struct option {
	const char *name;
	enum kind kind;
	unsigned long value;
} TABLE[] = {
	{ "async", CLEAR, MS_SYNCHRONOUS }, { "atime", CLEAR, MS_NOATIME }, { "bind", SPECIAL, SP_BIND },
	{ "defaults", SPECIAL, SP_NOTHING }, { "dev", CLEAR, MS_NODEV }, { "diratime", CLEAR, MS_NODIRATIME },
	{ "dirsync", SET, MS_DIRSYNC }, { "exec", CLEAR, MS_NOEXEC }, { "iversion", SET, MS_I_VERSION },
	{ "lazytime", SET, MS_LAZYTIME }, { "loud", CLEAR, MS_SILENT }, { "mand", SET, MS_MANDLOCK },
	{ "noatime", SET, MS_NOATIME }, { "nodev", SET, MS_NODEV }, { "nodiratime", SET, MS_NODIRATIME },
	{ "noexec", SET, MS_NOEXEC }, { "noiversion", CLEAR, MS_I_VERSION }, { "nolazytime", CLEAR, MS_LAZYTIME },
	{ "nomand", CLEAR, MS_MANDLOCK }, { "norelatime", CLEAR, MS_RELATIME }, { "nostrictatime", CLEAR, MS_STRICTATIME },
	{ "nosuid", SET, MS_NOSUID }, { "nosymfollow", SET, MS_NOSYMFOLLOW },
	{ "private", PROPAGATE, MS_PRIVATE }, { "rprivate", PROPAGATE, MS_PRIVATE | MS_REC },
	{ "rbind", SPECIAL, SP_RBIND }, { "relatime", SET, MS_RELATIME }, { "remount", SET, MS_REMOUNT },
	{ "ro", SET, MS_RDONLY }, { "rw", CLEAR, MS_RDONLY },
	{ "rshared", PROPAGATE, MS_SHARED | MS_REC }, { "rslave", PROPAGATE, MS_SLAVE | MS_REC },
	{ "runbindable", PROPAGATE, MS_UNBINDABLE | MS_REC }, { "shared", PROPAGATE, MS_SHARED },
	{ "silent", SET, MS_SILENT }, { "slave", PROPAGATE, MS_SLAVE }, { "strictatime", SET, MS_STRICTATIME },
	{ "suid", CLEAR, MS_NOSUID }, { "symfollow", CLEAR, MS_NOSYMFOLLOW }, { "sync", SET, MS_SYNCHRONOUS },
	{ "tmpcopyup", SPECIAL, SP_COPY_UP }, { "unbindable", PROPAGATE, MS_UNBINDABLE },
	{ "idmap", SPECIAL, SP_IDMAP }, { "ridmap", SPECIAL, SP_RIDMAP },
	{ "rro", REC_SET, MOUNT_ATTR_RDONLY }, { "rrw", REC_CLEAR, MOUNT_ATTR_RDONLY },
	{ "rnosuid", REC_SET, MOUNT_ATTR_NOSUID }, { "rsuid", REC_CLEAR, MOUNT_ATTR_NOSUID },
	{ "rnodev", REC_SET, MOUNT_ATTR_NODEV }, { "rdev", REC_CLEAR, MOUNT_ATTR_NODEV },
	{ "rnoexec", REC_SET, MOUNT_ATTR_NOEXEC }, { "rexec", REC_CLEAR, MOUNT_ATTR_NOEXEC },
	{ "rnodiratime", REC_SET, MOUNT_ATTR_NODIRATIME }, { "rdiratime", REC_CLEAR, MOUNT_ATTR_NODIRATIME },
	{ "rnosymfollow", REC_SET, MOUNT_ATTR_NOSYMFOLLOW }, { "rsymfollow", REC_CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
	/* the kinds of atime exclude one another: MOUNT_ATTR__ATIME is cleared whenever one is set */
	{ "rrelatime", REC_CLEAR, MOUNT_ATTR__ATIME }, { "rnorelatime", REC_CLEAR, MOUNT_ATTR__ATIME },
	{ "rnoatime", REC_SET, MOUNT_ATTR_NOATIME }, { "ratime", REC_CLEAR, MOUNT_ATTR__ATIME },
	{ "rstrictatime", REC_SET, MOUNT_ATTR_STRICTATIME }, { "rnostrictatime", REC_CLEAR, MOUNT_ATTR__ATIME },
};

const char *mount_options_name(size_t n)
{
	return n < ARRAY_SIZE(TABLE) ? TABLE[n].name : NULL;
}

static const struct option *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(TABLE); i++)
		if (!strcmp(TABLE[i].name, name))
			return &TABLE[i];
	return NULL;
}

static int add_data(struct mount_options *out, const char *s, struct err *err)
{
	size_t used = strlen(out->data), n = strlen(s);

	if (used + n + 2 > sizeof out->data)
		return err_set(err, 0, "the options are longer than %d bytes", MOUNT_DATA_MAX);
	if (used)
		out->data[used++] = ',';
	memcpy(out->data + used, s, n + 1);
	return 0;
}

static void apply_special(struct mount_options *out, enum special what)
{
	switch (what) {
	case SP_BIND: out->bind = true; break;
	case SP_RBIND: out->bind = out->recursive = true; break;
	case SP_COPY_UP: out->copy_up = true; break;
	case SP_IDMAP: out->idmap = true; break;
	case SP_RIDMAP: out->idmap = out->idmap_recursive = true; break;
	case SP_NOTHING: break;
	}
}

static void apply(struct mount_options *out, const struct option *o)
{
	switch (o->kind) {
	case SET: out->flags |= o->value; out->cleared &= ~o->value; break;
	case CLEAR: out->flags &= ~o->value; out->cleared |= o->value; break;
	case PROPAGATE: out->propagation = o->value; break;
	case REC_SET:
		if (o->value & MOUNT_ATTR__ATIME) {
			out->rec_set &= ~(uint64_t)MOUNT_ATTR__ATIME;
			out->rec_clear |= MOUNT_ATTR__ATIME;
		}
		out->rec_set |= o->value;
		break;
	case REC_CLEAR:
		out->rec_set &= ~(uint64_t)o->value;
		out->rec_clear |= o->value;
		break;
	case SPECIAL: apply_special(out, (enum special)o->value); break;
	}
}

int mount_options_parse(char *const *options, struct mount_options *out, struct err *err)
{
	memset(out, 0, offsetof(struct mount_options, data) + 1);
	for (; *options; options++) {
		const struct option *o = find(*options);
		int r;

		if (o)
			apply(out, o);
		else if (**options && (r = add_data(out, *options, err)) < 0)
			return r;
	}
	return 0;
}

void mount_options_attr(const struct mount_options *o, struct mount_attr *out)
{
	static const struct { unsigned long flag; uint64_t attr; } MAP[] = {
		{ MS_RDONLY, MOUNT_ATTR_RDONLY }, { MS_NOSUID, MOUNT_ATTR_NOSUID }, { MS_NODEV, MOUNT_ATTR_NODEV },
		{ MS_NOEXEC, MOUNT_ATTR_NOEXEC }, { MS_NODIRATIME, MOUNT_ATTR_NODIRATIME }, { MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW },
	};

	out->attr_set = out->attr_clr = 0;
	for (size_t i = 0; i < ARRAY_SIZE(MAP); i++) {
		if (o->flags & MAP[i].flag)
			out->attr_set |= MAP[i].attr;
		if (o->cleared & MAP[i].flag)
			out->attr_clr |= MAP[i].attr;
	}
	if (o->flags & (MS_NOATIME | MS_STRICTATIME | MS_RELATIME)) {
		out->attr_clr |= MOUNT_ATTR__ATIME;
		out->attr_set |= o->flags & MS_NOATIME ? MOUNT_ATTR_NOATIME : o->flags & MS_STRICTATIME ? MOUNT_ATTR_STRICTATIME : 0;
	} else if (o->cleared & (MS_NOATIME | MS_STRICTATIME | MS_RELATIME))
		out->attr_clr |= MOUNT_ATTR__ATIME;
}
