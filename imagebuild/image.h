/* image.h - the verbs of coracle-image, the host tool that assembles what a machine boots.
 *
 * Runs on the build machine as any user. Every output depends on the inputs'
 * bytes alone: no times, user names, paths or random numbers. Each verb gets its
 * arguments without the verb's name, returns 0 or -errno with the text in err. */
#ifndef CORACLE_IMAGE_H
#define CORACLE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* cpio OUT NAME=FILE[,MODE]...: an initramfs (newc) holding each FILE as NAME,
 * owned by root, time 0, in the order given; directories on the way are made. */
int image_cpio(int argc, char **argv, struct err *err);

/* uki OUT --stub F --linux F --initrd F --cmdline F --osrel F: a Unified Kernel Image, by adding PE
 * sections to an EFI stub (UAPI Group Specification "Unified Kernel Image"; PE/COFF specification, sections 3 and 4). */
int image_uki(int argc, char **argv, struct err *err);

/* gpt OUT [--spare SIZE] TYPE:LABEL:FILE...: a disk with one partition per file, 1 MiB aligned (UEFI 2.10, 5.3).
 * TYPE: esp or data. --spare: unused space at the end. */
int image_gpt(int argc, char **argv, struct err *err);

/* Reads a whole file (at most max bytes); the caller frees *out. */
int image_read(const char *path, size_t max, unsigned char **out, size_t *len, struct err *err);

/* Writes OUT as OUT.new, then renames it. */
int image_write(const char *path, const void *data, size_t len, struct err *err);

static inline uint32_t image_le32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void image_put32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

static inline void image_put64(unsigned char *p, uint64_t v)
{
	image_put32(p, (uint32_t)v);
	image_put32(p + 4, (uint32_t)(v >> 32));
}

#endif
