/* Writes a small shard directory into the folder given, and says what is in it: for the reader
 * that is written from FORMAT.md alone. usage: write_dir FOLDER */
#include <stdio.h>

#include "tests/unit/log/log_matrix.h"

static bool put(const char *folder, const struct world_file *file)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", folder, file->name);
	FILE *out = fopen(path, "wb");
	if (out == NULL)
		return false;
	bool ok = fwrite(file->bytes, 1, file->size_bytes, out) == file->size_bytes;
	return fclose(out) == 0 && ok;
}

int main(int argc, char **argv)
{
	struct world world;
	struct life life;
	uint64_t digest = 4711;
	if (argc != 2)
		return 2;
	world_init(&world);
	world_lay_out(&world, MATRIX_SEGMENT_SIZE);
	bool is_begun = life_begin(&life, &world);
	kr_assert(is_begun);
	for (uint32_t i = 0; i < 40; i++)
		life_append(&life, 1 + i * 37 % 500);
	uint64_t acked = log_writer_acked_lsn(&life.writer);
	world_snap(&world, 600, 640, 20);
	life_stop(&life, &digest);
	for (uint32_t i = 0; i < world.file_count; i++) {
		if (!put(argv[1], &world.files[i]))
			return 1;
	}
	printf("%llu\n", (unsigned long long)acked);
	world_fini(&world);
	return 0;
}
