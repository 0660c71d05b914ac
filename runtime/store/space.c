/* space.c - does it fit? Runs in the engine. */
#include "runtime/store/importint.h"

#include <errno.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/fd.h"
#include "runtime/image/say.h"

#define MB 1000000ull

/* The trailer of a gzip member says how much comes out (modulo 4 GiB); anything else is at least its own size. */
static uint64_t unpacked_estimate(struct import *im, const struct job *j)
{
	const struct plan_layer *layer = &j->image->layer[j->index];
	const struct source_member *m = source_find(&im->src, layer->docker_member ? layer->docker_member : layer->member);
	unsigned char head[2], tail[4];
	CLEANUP_FD int fd = -1;
	int64_t at;
	uint64_t says;

	if (!m || m->size < 18 || (fd = source_member_fd(&im->src, m, &at, NULL)) < 0)
		return layer->size;
	if (pread(fd, head, 2, at) != 2 || head[0] != 0x1f || head[1] != 0x8b ||
	    pread(fd, tail, 4, at + (int64_t)m->size - 4) != 4)
		return layer->size;
	says = tail[0] | (uint64_t)tail[1] << 8 | (uint64_t)tail[2] << 16 | (uint64_t)tail[3] << 24;
	return MAX(says, layer->size);
}

static int figures(struct import *im, uint64_t *need, uint64_t *avail)
{
	struct statvfs fs;

	*need = 0;
	for (size_t i = 0; i < im->jobs; i++) {
		const struct job *j = &im->job[i];

		*need += (j->keep ? j->image->layer[j->index].size : 0) + (j->unpack ? unpacked_estimate(im, j) : 0);
	}
	if (fstatvfs(im->s->rootfd, &fs) < 0)
		return -errno;
	*avail = (uint64_t)fs.f_bavail * fs.f_frsize;
	return 0;
}

static int say(struct import *im, uint64_t need, uint64_t avail, struct err *err)
{
	return image_say(err, ENOSPC, "%s is too small: about %llu MB are needed, %llu MB are free", im->s->root,
		(unsigned long long)((need + MB - 1) / MB), (unsigned long long)(avail / MB));
}

int import_space_check(struct import *im, struct err *err)
{
	uint64_t need, avail;

	if (im->jobs == 0 || figures(im, &need, &avail) < 0 || need <= avail)
		return 0;
	return say(im, need, avail, err);
}

int import_space_explain(struct import *im, int r, struct err *err)
{
	struct err figure = ERR_INIT;
	uint64_t need, avail;

	/* staging is gone by now, so that what is free is what there was */
	if ((r != -ENOSPC && r != -EDQUOT) || figures(im, &need, &avail) < 0)
		return r;
	say(im, MAX(need, avail + 1), avail, &figure);
	return err_wrap(err, r, "%s", figure.text);
}
