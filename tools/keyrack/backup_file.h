/*
 * manifest.json of a backup: what is in it, by which it is known to be whole.
 *
 *   BACKUP/manifest.json  the shards: what each covers, its digest, its files with size and sum
 *   BACKUP/cluster.json   the cluster's own, for a restore
 *   BACKUP/shard-N/       a directory as keyrack-recover reads it
 */
#ifndef TOOLS_KEYRACK_BACKUP_FILE_H
#define TOOLS_KEYRACK_BACKUP_FILE_H

#include <jansson.h>

#include "tools/keyrack/cluster.h"

#define BACKUP_FORMAT 1
#define BACKUP_MANIFEST "manifest.json"

/* Takes `parts` over, one object a shard in their order. 0 or a negative error. */
KR_MUST_CHECK int backup_file_write(const char *directory, const struct cluster_config *config,
	json_t *parts, struct kr_error_text *error);
/* Reads both files; *ret_parts is the caller's. 0 or a negative error. */
KR_MUST_CHECK int backup_file_read(const char *directory, struct cluster *ret_cluster,
	json_t **ret_parts, struct kr_error_text *error);
/* Every file of the manifest is there, with its size and sum. 0 or a negative error. */
KR_MUST_CHECK int backup_file_check(
	const char *directory, const json_t *parts, struct kr_error_text *error);

#endif
