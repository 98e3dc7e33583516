#include "base/tz_load.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SIZE_MAX (64u * 1024u)

/* Copies of the same zones under other rules of naming and leap seconds. */
static bool is_passed_over(const char *name)
{
	return strncmp(name, "posix", 5) == 0 || strncmp(name, "right", 5) == 0;
}

static int file_add(struct tz_db *db, const char *path, const char *name)
{
	static const size_t capacity = FILE_SIZE_MAX;
	FILE *file = fopen(path, "rbe");
	if (file == NULL)
		return kr_error_from_errno(errno);
	char *bytes = malloc(capacity);
	if (bytes == NULL) {
		fclose(file);
		return -KR_E_NOMEM;
	}
	const size_t size = fread(bytes, 1, capacity, file);
	int r = ferror(file) ? kr_error_from_errno(errno) : 0;
	fclose(file);
	if (r == 0 && size > 4 && size < capacity && memcmp(bytes, "TZif", 4) == 0)
		r = tz_db_add(db, name, bytes, size);
	free(bytes);
	return r == TZ_FULL ? -KR_E_LIMIT : KR_MIN(r, 0);
}

/* A zone that is missing from a list that looks whole would be found out years later. */
static int entry_error(const FTSENT *entry)
{
	const int kind = entry->fts_info;
	const bool is_bad = kind == FTS_DNR || kind == FTS_ERR || kind == FTS_NS;
	kr_assert(!is_bad || entry->fts_errno != 0);
	return is_bad ? kr_error_from_errno(entry->fts_errno) : 0;
}

static int folder_read(const char *folder, struct tz_db *db)
{
	char root[4096];
	const int length = snprintf(root, sizeof(root), "%s", folder);
	if (length <= 0 || (size_t)length >= sizeof(root))
		return -KR_E_INVALID;
	char *const roots[] = {root, NULL};
	FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
	if (tree == NULL)
		return kr_error_from_errno(errno);
	int r = 0;
	while (r == 0) {
		errno = 0;
		FTSENT *entry = fts_read(tree);
		if (entry == NULL) {
			r = errno != 0 ? kr_error_from_errno(errno) : 0;
			break;
		}
		const char *name = entry->fts_path + length;
		while (*name == '/')
			name++;
		if (entry->fts_info == FTS_D && is_passed_over(name))
			(void)fts_set(tree, entry, FTS_SKIP);
		else if (entry->fts_info == FTS_F)
			r = file_add(db, entry->fts_path, name);
		else
			r = entry_error(entry);
	}
	fts_close(tree);
	return r;
}

int tz_load(const char *folder, struct tz_db *ret_db)
{
	struct tz_db db = {
		.zone_capacity = TZ_ZONES_MAX,
		.transition_capacity = TZ_TRANSITIONS_MAX,
	};
	/* Reserved, not touched: only what is filled costs memory. */
	db.zones = calloc(db.zone_capacity, sizeof(*db.zones));
	db.transitions = calloc(db.transition_capacity, sizeof(*db.transitions));
	kr_assert(folder != NULL);
	int r = db.zones == NULL || db.transitions == NULL ? -KR_E_NOMEM : folder_read(folder, &db);
	if (r == 0 && db.zone_count == 0)
		r = -KR_E_NOENT;
	if (r != 0) {
		tz_free(&db);
		return r;
	}
	tz_db_sort(&db);
	*ret_db = db;
	return 0;
}

void tz_free(struct tz_db *db)
{
	kr_assert(db->zone_count <= TZ_ZONES_MAX);
	free(db->zones);
	free(db->transitions);
	memset(db, 0, sizeof(*db));
}
