/* import_main.c - coracle-import: the store's import alone, for tests and measurements. */
#include "runtime/store/store.h"

int main(int argc, char **argv)
{
	return store_import_main(argc, argv);
}
