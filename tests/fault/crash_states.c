#include "tests/fault/crash_states.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "tests/unit/log/log_world.h"

#define CHOICES_MAX 32u
#define SEEN_MAX 65536u
#define RESUME_EVERY 192u /* of the states of one cut */
#define THREE_FATES_MAX 5u

/* A sector that was on its way. */
struct torn {
	char path[8];
	char name[LOG_DIR_NAME_SIZE];
	uint64_t offset;
	uint32_t size_bytes; /* less at the end of a short file */
	uint8_t kept[SIM_SECTOR_SIZE];
	uint8_t dropped[SIM_SECTOR_SIZE];
	uint8_t garbage[SIM_SECTOR_SIZE];
	bool is_same;       /* kept and dropped are */
	bool is_unfinished; /* of a file that no recovery reads: they share a fate */
};

struct states {
	const struct tz_db *tz;
	bool is_long;
	/* what is chosen of names and sizes, as digits that count up */
	uint32_t digits[CHOICES_MAX], radix[CHOICES_MAX];
	uint32_t choice_count;
	enum sim_fate fate; /* of every sector, in the present run */
	char path[8];
	struct torn *sectors;
	uint32_t sector_count;
	uint64_t *seen;
	uint32_t seen_count;
	/* where states are judged */
	struct sim_world *world;
	struct sim_disk *disk;
	struct io_loop *loop;
	struct log_store store;
	struct rebuild rebuild;
	struct kr_error_text text;
	const struct rig *rig;
	struct states_tally *tally;
	uint64_t cut_states;
	bool is_coarse; /* neither all names are kept nor all lost: sectors share a fate */
};

static const struct rig_life again[] = {{7, RIG_STOP}, {1, RIG_KILL}, {0, RIG_STOP}};

/* ---- choices ---- */

static uint32_t choose(struct states *s, uint32_t radix)
{
	kr_assert(s->choice_count < CHOICES_MAX);
	s->radix[s->choice_count] = radix;
	return s->digits[s->choice_count++];
}

static uint32_t choose_names(void *context, const char *path, uint32_t change_count)
{
	struct states *s = context;
	snprintf(s->path, sizeof(s->path), "%s", path);
	return change_count == 0 ? 0 : choose(s, change_count + 1);
}

static bool choose_size(void *context, const char *name)
{
	return choose(context, 2) == 1;
}

static enum sim_fate choose_sector(void *context, const char *name, uint64_t offset)
{
	struct states *s = context;
	kr_assert(s->sector_count < STATES_SECTORS_MAX);
	struct torn *torn = &s->sectors[s->sector_count++];
	memset(torn, 0, sizeof(*torn));
	memcpy(torn->path, s->path, sizeof(torn->path));
	snprintf(torn->name, sizeof(torn->name), "%s", name);
	torn->offset = offset;
	return s->fate;
}

/* The next combination of digits; false: that was the last. */
static bool choices_next(struct states *s)
{
	for (uint32_t i = s->choice_count; i-- > 0;) {
		if (++s->digits[i] < s->radix[i])
			return true;
		s->digits[i] = 0;
	}
	return false;
}

/* ---- judging ---- */

static void judge_open(struct states *s, const struct rig_image *image)
{
	struct sim_config config;
	struct io_config io;
	sim_config_default(&config);
	s->world = sim_world_new(&config);
	s->disk = sim_disk_new(s->world, 0);
	rig_image_put(image, s->disk);
	struct sim_node *node = sim_node_new(s->world, s->disk, "judge");
	io_config_default(&io);
	io.environment = node;
	int r = io_loop_new(&io, &s->loop, &s->text);
	if (r == 0)
		r = log_store_open(
			s->loop, &s->store, RIG_PATH, IO_DIRECTORY_CREATE, false, &s->text);
	if (r == 0)
		r = log_store_lock(&s->store, &s->text);
	if (r != 0)
		rig_failed("opening: %s", s->text.bytes);
}

static void judge_close(struct states *s)
{
	kr_memory_release(&s->store.memory);
	s->world = sim_world_free(s->world);
}

/* Served from for a while, ended in two ways and recovered after each. */
static void resume(struct states *s)
{
	struct rig_image image;
	struct rig rig;
	rig_image_take(&image, s->disk);
	rig_init(&rig, s->tz, again, KR_ARRAY_COUNT(again), &image);
	rig.promise = s->rig->promise;
	rig.life_base = s->rig->life_base + s->rig->life;
	rig_run(&rig);
	kr_assert(rig.start_count == KR_ARRAY_COUNT(again));
	rig_fini(&rig);
	rig_image_free(&image);
	s->tally->resumed++;
}

static void judge(struct states *s, bool is_resumed)
{
	struct log_meta meta = world_meta(RIG_SEGMENT_SIZE);
	struct log_applier applier;
	rebuild_applier(&s->rebuild, &applier);
	int r = rebuild_reset(&s->rebuild);
	if (r == 0)
		r = log_store_recover(&s->store, &meta, false, &applier, &s->text);
	if (r != 0)
		rig_failed("a recovery: %s", s->text.bytes);
	const struct log_recover_report *report = &s->store.recover->report;
	rig_state_check(&s->rig->promise, report, &s->rebuild);
	rig_archive_check(s->disk, s->store.recover);
	s->tally->states++;
	s->cut_states++;
	s->tally->verdicts[report->verdict]++;
	if ((is_resumed && !s->is_coarse) || s->cut_states % RESUME_EVERY == 0)
		resume(s);
}

static void put(struct states *s, uint32_t index, enum sim_fate fate)
{
	const struct torn *t = &s->sectors[index];
	const uint8_t *bytes = fate == SIM_FATE_KEPT      ? t->kept
			       : fate == SIM_FATE_DROPPED ? t->dropped
							  : t->garbage;
	sim_media_write(s->disk, t->path, t->name, t->offset, bytes, t->size_bytes);
}

/* Every combination of `fates` over some sectors. */
static void combinations(struct states *s, const uint32_t *sectors, uint32_t count,
	const enum sim_fate *fates, uint32_t fate_count)
{
	uint32_t digits[STATES_TORN] = {0};
	for (uint32_t i = 0; i < count; i++)
		put(s, sectors[i], fates[0]);
	for (uint64_t n = 0;; n++) {
		snprintf(rig_context, sizeof(rig_context),
			"crash point %llu, sectors from %u on in combination %llu of fates %d, %d",
			(unsigned long long)s->rig->crash_point, count == 0 ? 0 : sectors[0],
			(unsigned long long)n, fates[0], fates[1]);
		judge(s, s->cut_states == 0);
		uint32_t i = 0;
		for (; i < count; i++) {
			digits[i] = (digits[i] + 1) % fate_count;
			put(s, sectors[i], fates[digits[i]]);
			if (digits[i] != 0)
				break;
		}
		if (i == count)
			return;
	}
}

static void all_sectors(struct states *s, uint32_t first, uint32_t count, enum sim_fate fate)
{
	for (uint32_t i = first; i < first + count; i++)
		put(s, i, fate);
}

static void one_fate(struct states *s, uint32_t first, uint32_t count)
{
	static const enum sim_fate fates[] = {SIM_FATE_KEPT, SIM_FATE_DROPPED, SIM_FATE_GARBAGE};
	snprintf(rig_context, sizeof(rig_context), "crash point %llu, sectors %u..%u alike",
		(unsigned long long)s->rig->crash_point, first, first + count - 1);
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(fates); i++) {
		all_sectors(s, first, count, fates[i]);
		judge(s, s->cut_states == 0);
	}
}

/* Up to eight sectors that lie together, the others all there or all not. */
static void window(struct states *s, uint32_t first, uint32_t count, enum sim_fate others)
{
	static const enum sim_fate three[] = {SIM_FATE_KEPT, SIM_FATE_DROPPED, SIM_FATE_GARBAGE};
	static const enum sim_fate dropped[] = {SIM_FATE_KEPT, SIM_FATE_DROPPED};
	static const enum sim_fate garbage[] = {SIM_FATE_KEPT, SIM_FATE_GARBAGE};
	uint32_t all[STATES_TORN], other[STATES_TORN], other_count = 0;
	bool is_unfinished = true;
	for (uint32_t i = 0; i < count; i++) {
		all[i] = first + i;
		/* Dropping what was there already is keeping it. */
		if (!s->sectors[first + i].is_same)
			other[other_count++] = first + i;
		is_unfinished = is_unfinished && s->sectors[first + i].is_unfinished;
	}
	all_sectors(s, 0, s->sector_count, others);
	if (is_unfinished || s->is_coarse) {
		one_fate(s, first, count);
	} else if (s->is_long || count <= THREE_FATES_MAX) {
		combinations(s, all, count, three, 3);
	} else {
		if (other_count > 0)
			combinations(s, other, other_count, dropped, 2);
		all_sectors(s, first, count, SIM_FATE_KEPT);
		combinations(s, all, count, garbage, 2);
	}
}

/* ---- cuts ---- */

static struct rig *run(struct states *s, const struct rig_life *lives, uint32_t life_count,
	uint64_t crash_point, enum sim_fate fate)
{
	struct rig *rig = malloc(sizeof(*rig));
	kr_assert(rig != NULL);
	rig_init(rig, s->tz, lives, life_count, NULL);
	rig->crash_point = crash_point;
	rig->crash_how = SIM_POWER;
	rig->cutter = (struct rig_cutter){choose_names, choose_size, choose_sector, s};
	s->choice_count = s->sector_count = 0;
	s->fate = fate;
	rig_run(rig);
	return rig;
}

static struct rig *run_free(struct rig *rig)
{
	rig_fini(rig);
	free(rig);
	return NULL;
}

static uint64_t image_hash(const struct rig_image *image, uint64_t hash)
{
	for (uint32_t i = 0; i < image->count; i++) {
		const struct rig_file *f = &image->files[i];
		const uint64_t parts[] = {hash, hash_64(f->name, strlen(f->name)),
			hash_64(f->path, strlen(f->path)),
			f->size_bytes == 0 ? 0 : hash_64(f->bytes, f->size_bytes)};
		hash = hash_64(parts, sizeof(parts));
	}
	return hash;
}

/* Whether another cut left the same, with the same promises. */
static bool is_seen(struct states *s, const struct rig *rig, const struct rig_image *kept,
	const struct rig_image *dropped)
{
	const uint64_t promise[] = {
		rig->promise.acked_lsn, rig->promise.submitted_lsn, s->sector_count};
	uint64_t hash = hash_64(promise, sizeof(promise));
	hash = image_hash(dropped, image_hash(kept, hash));
	for (uint32_t i = 0; i < s->seen_count; i++)
		if (s->seen[i] == hash)
			return true;
	kr_assert(s->seen_count < SEEN_MAX);
	s->seen[s->seen_count++] = hash;
	return false;
}

static void sectors_fill(struct states *s, struct sim_disk *kept, struct sim_disk *dropped)
{
	struct rng rng;
	rng_init(&rng, s->rig->crash_point);
	for (uint32_t i = 0; i < s->sector_count; i++) {
		struct torn *t = &s->sectors[i];
		const uint64_t size = (uint64_t)sim_media_size(kept, t->path, t->name);
		t->size_bytes = (uint32_t)KR_MIN(SIM_SECTOR_SIZE, size - t->offset);
		sim_media_read(kept, t->path, t->name, t->offset, t->kept, t->size_bytes);
		sim_media_read(dropped, t->path, t->name, t->offset, t->dropped, t->size_bytes);
		rng_fill(&rng, t->garbage, SIM_SECTOR_SIZE);
		t->is_unfinished = strcmp(t->path, RIG_ARCHIVE_PATH) == 0 ||
				   strstr(t->name, LOG_DIR_NEW_SUFFIX) != NULL;
		t->is_same = memcmp(t->kept, t->dropped, SIM_SECTOR_SIZE) == 0;
	}
}

static void cut(struct states *s, const struct rig_image *image)
{
	judge_open(s, image);
	s->cut_states = 0;
	if (s->sector_count == 0)
		judge(s, true);
	for (uint32_t first = 0; first < s->sector_count; first += STATES_TORN) {
		const uint32_t count = KR_MIN(STATES_TORN, s->sector_count - first);
		const bool is_many = s->sector_count > 2 * STATES_TORN && !s->is_long;
		if (!is_many || first / STATES_TORN % 2 == 0)
			window(s, first, count, SIM_FATE_KEPT);
		if (count < s->sector_count && (!is_many || first / STATES_TORN % 2 == 1))
			window(s, first, count, SIM_FATE_DROPPED);
	}
	judge_close(s);
}

static bool is_between(const struct states *s)
{
	bool has_all = true, has_none = true;
	for (uint32_t i = 0; i < s->choice_count; i++) {
		has_all = has_all && s->digits[i] + 1 == s->radix[i];
		has_none = has_none && s->digits[i] == 0;
	}
	return !has_all && !has_none;
}

/* One choice of names and sizes. False: the script ends before the point. */
static bool leaf(
	struct states *s, const struct rig_life *lives, uint32_t life_count, uint64_t crash_point)
{
	struct rig_image image, other;
	struct rig *rig = run(s, lives, life_count, crash_point, SIM_FATE_DROPPED);
	const bool is_crashed = rig->is_crashed;
	if (is_crashed) {
		struct rig *kept = run(s, lives, life_count, crash_point, SIM_FATE_KEPT);
		rig_image_take(&other, rig->disk);
		rig_image_take(&image, kept->disk);
		s->rig = rig;
		s->tally->cuts++;
		s->tally->sectors_max = KR_MAX(s->tally->sectors_max, s->sector_count);
		if (is_seen(s, rig, &image, &other)) {
			s->tally->same_cuts++;
		} else {
			s->is_coarse = is_between(s) && !s->is_long;
			sectors_fill(s, kept->disk, rig->disk);
			cut(s, &image);
		}
		rig_image_free(&image);
		rig_image_free(&other);
		kept = run_free(kept);
	}
	rig = run_free(rig);
	return is_crashed;
}

bool states_at(struct states *s, const struct rig_life *lives, uint32_t life_count,
	uint64_t crash_point, struct states_tally *tally)
{
	s->tally = tally;
	memset(s->digits, 0, sizeof(s->digits));
	do {
		snprintf(rig_context, sizeof(rig_context), "crash point %llu",
			(unsigned long long)crash_point);
		if (!leaf(s, lives, life_count, crash_point))
			return false;
	} while (choices_next(s));
	return true;
}

struct states *states_new(const struct tz_db *tz, bool is_long)
{
	struct states *s = calloc(1, sizeof(*s));
	kr_assert(s != NULL);
	s->tz = tz;
	s->is_long = is_long;
	s->sectors = calloc(STATES_SECTORS_MAX, sizeof(*s->sectors));
	s->seen = calloc(SEEN_MAX, sizeof(*s->seen));
	kr_assert(s->sectors != NULL && s->seen != NULL);
	rig_rebuild_init(&s->rebuild, tz, &s->text);
	return s;
}

struct states *states_free(struct states *s)
{
	rebuild_fini(&s->rebuild);
	free(s->sectors);
	free(s->seen);
	free(s);
	return NULL;
}
