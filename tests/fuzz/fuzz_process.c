/* fuzz_process.c - any bytes as the file of exec --process. */
#include <stdlib.h>
#include <unistd.h>

#include "runtime/oci/spec.h"
#include "tests/fuzz/fuzz_oci.h"

int fuzz_process(const uint8_t *data, size_t n)
{
	struct spec s = { 0 };
	struct err err = ERR_INIT;
	char path[32];
	int fd = fuzz_oci_file(data, n, path);

	if (spec_load_process(&s, path, &err) < 0 ? !err.text[0] : !s.process.cwd || s.process.cwd[0] != '/' || !s.process.env)
		abort();
	spec_free(&s);
	close(fd);
	return 0;
}
