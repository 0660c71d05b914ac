/* fuzz_oci.h - any bytes as what coracle-runtime parses: each is libFuzzer's entry when built by `make fuzz`, which renames it. */
#ifndef CORACLE_FUZZ_OCI_H
#define CORACLE_FUZZ_OCI_H

#include <stddef.h>
#include <stdint.h>

/* config.json of a bundle, and what is made of it: the seccomp filter, mount options, device rules, cgroup values. */
int fuzz_spec(const uint8_t *data, size_t n);
/* The file of exec --process. */
int fuzz_process(const uint8_t *data, size_t n);
/* The file of update --resources, and an annotation for systemd. */
int fuzz_resources(const uint8_t *data, size_t n);
/* state.json. */
int fuzz_state(const uint8_t *data, size_t n);

/* A directory of our own where nothing else is: files that a target writes appear there, and nowhere else. */
int fuzz_oci_fence(void);
/* Removes it. */
void fuzz_oci_end(void);
/* A file without a name that holds the bytes; path is how to open it. */
int fuzz_oci_file(const uint8_t *data, size_t n, char path[32]);

#endif
