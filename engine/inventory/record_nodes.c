#include "engine/inventory/product.h"
#include "engine/inventory/records.h"

#define INV_NODE_WORDS_MAX KR_ARRAY_COUNT(((struct inv_node *)0)->u.runs)
#define INV_NODE_TEXT_MAX ((uint32_t)sizeof(((struct inv_node *)0)->u.bytes))

/*
 * Price runs in a word: a run with its price in bits 0..39 and its nights in 40..55; or two small
 * ones, prices in bits 0..21 and 22..43, nights in 44..52 and 53..61, and bit 63. Most stays meet
 * one price or two, below 41,943.04 of a currency with two digits: their record is enough.
 */
#define INV_RUN_NIGHTS_SHIFT 40u
#define INV_SMALL_PRICE_BITS 22u
#define INV_SMALL_NIGHTS_BITS 9u
#define INV_SMALL_NIGHTS_SHIFT (2 * INV_SMALL_PRICE_BITS)
kr_static_assert(INV_SMALL_NIGHTS_SHIFT + 2 * INV_SMALL_NIGHTS_BITS < INV_WORD_OF_TWO_BIT,
	"two runs and their mark are a word");

kr_static_assert(2 * sizeof(((struct inv_node *)0)->u.bytes) >= INV_TEXT_SIZE_MAX,
	"a reference takes two nodes at most");

static inline bool inv_run_is_small(struct inv_price_run run)
{
	return run.price_minor >> INV_SMALL_PRICE_BITS == 0 &&
	       run.nights >> INV_SMALL_NIGHTS_BITS == 0;
}

/* The first of the runs, or the first two; returns how many. */
static inline uint32_t inv_runs_pack(
	const struct inv_price_run *runs, uint32_t run_count, uint64_t *ret_word)
{
	kr_assert(run_count > 0 && runs[0].nights > 0);
	kr_assert(runs[0].price_minor <= RATE_PRICE_MAX);
	if (run_count == 1 || !inv_run_is_small(runs[0]) || !inv_run_is_small(runs[1])) {
		*ret_word = runs[0].price_minor | (uint64_t)runs[0].nights << INV_RUN_NIGHTS_SHIFT;
		return 1;
	}
	kr_assert(runs[1].nights > 0);
	*ret_word = runs[0].price_minor | runs[1].price_minor << INV_SMALL_PRICE_BITS |
		    (uint64_t)runs[0].nights << INV_SMALL_NIGHTS_SHIFT |
		    (uint64_t)runs[1].nights << (INV_SMALL_NIGHTS_SHIFT + INV_SMALL_NIGHTS_BITS) |
		    UINT64_C(1) << INV_WORD_OF_TWO_BIT;
	return 2;
}

static inline uint64_t inv_word_bits(uint64_t word, uint32_t shift, uint32_t count)
{
	return word >> shift & ((UINT64_C(1) << count) - 1);
}

static inline struct inv_price_run inv_small_run(uint64_t word, uint32_t which)
{
	return (struct inv_price_run){
		.nights = (uint16_t)inv_word_bits(word,
			INV_SMALL_NIGHTS_SHIFT + which * INV_SMALL_NIGHTS_BITS,
			INV_SMALL_NIGHTS_BITS),
		.price_minor =
			inv_word_bits(word, which * INV_SMALL_PRICE_BITS, INV_SMALL_PRICE_BITS),
	};
}

/* Returns how many there are. */
static inline uint32_t inv_runs_unpack(uint64_t word, struct inv_price_run ret_runs[static 2])
{
	const uint32_t count = inv_word_run_count(word);
	kr_assert(count == 1 || count == 2);
	if (count == 1) {
		kr_assert(word >> (INV_RUN_NIGHTS_SHIFT + 16) == 0);
		ret_runs[0].nights = (uint16_t)(word >> INV_RUN_NIGHTS_SHIFT);
		ret_runs[0].price_minor = word & RATE_PRICE_MAX;
		return 1;
	}
	ret_runs[0] = inv_small_run(word, 0);
	ret_runs[1] = inv_small_run(word, 1);
	return 2;
}

static uint32_t inv_runs_word_count(const struct inv_price_run *runs, uint32_t run_count)
{
	uint32_t words = 0;
	uint64_t word;
	kr_assert(run_count <= INV_STAY_NIGHTS_MAX);
	for (uint32_t i = 0; i < run_count; words++)
		i += inv_runs_pack(&runs[i], run_count - i, &word);
	kr_assert(words <= run_count);
	return words;
}

uint32_t inv_lines_node_count(const struct inv_line *lines, uint32_t line_count)
{
	kr_assert(line_count >= 1 && line_count <= INV_LINES_MAX);
	uint32_t count = line_count - 1;
	for (uint32_t i = 0; i < line_count; i++) {
		uint32_t words = inv_runs_word_count(lines[i].runs, lines[i].run_count);
		/* the first line's first word stands in the record */
		words -= i == 0 && words > 0;
		count += (words + INV_NODE_WORDS_MAX - 1) / INV_NODE_WORDS_MAX;
		count += lines[i].tier_count > 0;
	}
	kr_assert(count < INV_LINES_NODES_MAX);
	return count;
}

bool inv_line_sum(const struct inv_line *line, uint64_t *total_minor)
{
	kr_assert(*total_minor <= INV_TOTAL_MAX);
	for (uint32_t r = 0; r < line->run_count; r++) {
		uint64_t times = (uint64_t)line->runs[r].nights * line->rooms;
		uint64_t product_minor, sum_minor;
		kr_assert(line->runs[r].price_minor <= RATE_PRICE_MAX);
		if (__builtin_mul_overflow(line->runs[r].price_minor, times, &product_minor) ||
			__builtin_add_overflow(*total_minor, product_minor, &sum_minor) ||
			sum_minor > INV_TOTAL_MAX)
			return false;
		*total_minor = sum_minor;
	}
	return true;
}

uint32_t inv_text_node_count(struct inv_text text)
{
	kr_assert(text.size_bytes <= INV_TEXT_SIZE_MAX);
	kr_assert(text.size_bytes == 0 || text.bytes != NULL);
	return (text.size_bytes + INV_NODE_TEXT_MAX - 1) / INV_NODE_TEXT_MAX;
}

/* ---- writing ---- */

/* Appends a zeroed node where `*link` ends the chain; returns its own link. */
static struct inv_node *inv_node_append(struct inv *inv, uint32_t *link, enum inv_node_kind kind)
{
	kr_assert(*link == INV_NONE);
	uint32_t n = inv_pool_take(&inv->node_pool, &inv_nodes(inv)->next, sizeof(struct inv_node));
	kr_assert(n != INV_POOL_EMPTY);
	struct inv_node *node = &inv_nodes(inv)[n];
	memset(node, 0, sizeof(*node));
	node->kind = (uint8_t)kind;
	node->next = INV_NONE;
	*link = n;
	return node;
}

static uint32_t *inv_runs_append(
	struct inv *inv, uint32_t *link, const struct inv_price_run *runs, uint32_t run_count)
{
	kr_assert(run_count <= INV_STAY_NIGHTS_MAX);
	kr_assert(run_count == 0 || runs != NULL);
	while (run_count > 0) {
		struct inv_node *node = inv_node_append(inv, link, INV_NODE_RUNS);
		while (run_count > 0 && node->size < INV_NODE_WORDS_MAX) {
			uint32_t part = inv_runs_pack(runs, run_count, &node->u.runs[node->size++]);
			runs += part;
			run_count -= part;
		}
		link = &node->next;
	}
	return link;
}

static uint32_t *inv_terms_append(struct inv *inv, uint32_t *link, const struct inv_line *line)
{
	kr_assert(line->tier_count <= INV_TIERS_MAX);
	kr_assert((line->tier_count == 0) == (line->arrival_us == 0));
	if (line->tier_count == 0)
		return link;
	struct inv_node *node = inv_node_append(inv, link, INV_NODE_TERMS);
	node->size = line->tier_count;
	node->u.terms.arrival_us = line->arrival_us;
	memcpy(node->u.terms.tiers, line->tiers, line->tier_count * sizeof(*line->tiers));
	return &node->next;
}

static uint32_t *inv_line_append(struct inv *inv, uint32_t *link, const struct inv_line *line,
	uint32_t product, bool counted)
{
	struct inv_node *node = inv_node_append(inv, link, INV_NODE_LINE);
	kr_assert(line->check_out > line->check_in);
	uint16_t nights = (uint16_t)(line->check_out - line->check_in);
	node->pricing = line->pricing;
	node->u.line.product = product;
	node->u.line.check_in = line->check_in;
	node->u.line.nights = nights;
	node->u.line.rooms = line->rooms;
	node->u.line.guests = line->guests;
	node->u.line.counted_nights = counted ? (int16_t)nights : 0;
	kr_assert(inv_row_at(inv, inv_product_row(inv, product))->type == line->type);
	link = inv_runs_append(inv, &node->next, line->runs, line->run_count);
	return inv_terms_append(inv, link, line);
}

void inv_record_put_lines(struct inv *inv, struct inv_record *record, const struct inv_line *lines,
	const uint32_t *products, uint32_t line_count, bool counted)
{
	kr_assert(line_count >= 1 && line_count <= INV_LINES_MAX);
	kr_assert(record->more == INV_NONE);
	const struct inv_line *first = &lines[0];
	record->product = products[0];
	record->check_in = first->check_in;
	record->nights = (uint16_t)(first->check_out - first->check_in);
	record->rooms = first->rooms;
	record->guests = first->guests;
	record->pricing = first->pricing;
	record->counted_nights = counted ? (int16_t)record->nights : 0;
	record->line_count = (uint8_t)line_count;
	kr_assert(inv_product_number(inv, products[0]) == first->plan);
	uint32_t *link = &record->more;
	if (first->run_count > 0) {
		uint32_t part = inv_runs_pack(first->runs, first->run_count, &record->first_runs);
		link = inv_runs_append(inv, link, first->runs + part, first->run_count - part);
	}
	link = inv_terms_append(inv, link, first);
	for (uint32_t i = 1; i < line_count; i++)
		link = inv_line_append(inv, link, &lines[i], products[i], counted);
}

void inv_record_put_text(
	struct inv *inv, struct inv_record *record, enum inv_node_kind kind, struct inv_text text)
{
	kr_assert(kind == INV_NODE_EXTERNAL_REF || kind == INV_NODE_PAYMENT_REF);
	kr_assert(text.size_bytes <= INV_TEXT_SIZE_MAX);
	uint32_t *link = &record->more;
	while (*link != INV_NONE)
		link = &inv_nodes(inv)[*link].next;
	for (uint32_t at = 0; at < text.size_bytes;) {
		struct inv_node *node = inv_node_append(inv, link, kind);
		uint32_t part = KR_MIN(text.size_bytes - at, INV_NODE_TEXT_MAX);
		memcpy(node->u.bytes, text.bytes + at, part);
		node->size = (uint8_t)part;
		at += part;
		link = &node->next;
	}
}

/* The first node of a chain goes back to the pool. */
static void inv_node_give(struct inv *inv, uint32_t *link)
{
	uint32_t n = *link;
	struct inv_node *node = &inv_nodes(inv)[n];
	kr_assert(node->kind != 0);
	*link = node->next;
	node->kind = 0;
	inv_pool_give(&inv->node_pool, &inv_nodes(inv)->next, sizeof(*node), n);
}

void inv_record_give_nodes(struct inv *inv, struct inv_record *record)
{
	kr_assert((record->flags & INV_RECORD_FREE) == 0);
	while (record->more != INV_NONE)
		inv_node_give(inv, &record->more);
}

static bool inv_node_is_lines(const struct inv_node *node)
{
	kr_assert(node->kind != 0);
	return node->kind == INV_NODE_LINE || node->kind == INV_NODE_RUNS ||
	       node->kind == INV_NODE_TERMS;
}

uint32_t inv_record_lines_node_count(const struct inv *inv, const struct inv_record *record)
{
	uint32_t count = 0;
	for (uint32_t n = record->more; n != INV_NONE; n = inv_nodes(inv)[n].next)
		count += inv_node_is_lines(&inv_nodes(inv)[n]);
	kr_assert(count < INV_LINES_NODES_MAX);
	return count;
}

void inv_record_replace_lines(struct inv *inv, struct inv_record *record,
	const struct inv_line *lines, const uint32_t *products, uint32_t line_count)
{
	kr_assert(inv_record_is_captured(inv, record));
	/* lines stand before everything else (inv_record_put_lines) */
	while (record->more != INV_NONE && inv_node_is_lines(&inv_nodes(inv)[record->more]))
		inv_node_give(inv, &record->more);
	uint32_t others = record->more;
	record->more = INV_NONE;
	record->first_runs = 0;
	inv_record_put_lines(inv, record, lines, products, line_count, true);
	uint32_t *link = &record->more;
	while (*link != INV_NONE)
		link = &inv_nodes(inv)[*link].next;
	*link = others;
	kr_assert(record->line_count == line_count);
}

static int16_t inv_counted_until(int32_t check_in, int16_t counted_nights, int32_t day)
{
	kr_assert(counted_nights >= 0);
	if (day <= check_in)
		return 0;
	return (int16_t)KR_MIN((int32_t)counted_nights, day - check_in);
}

void inv_record_count_until(struct inv *inv, struct inv_record *record, int32_t day)
{
	kr_assert(record->line_count <= INV_LINES_MAX);
	kr_assert(day >= INV_DAY_MIN);
	record->counted_nights = inv_counted_until(record->check_in, record->counted_nights, day);
	if (record->line_count <= 1)
		return;
	for (uint32_t n = record->more; n != INV_NONE;) {
		struct inv_node *node = &inv_nodes(inv)[n];
		kr_assert(node->kind != 0);
		if (node->kind == INV_NODE_LINE)
			node->u.line.counted_nights = inv_counted_until(
				node->u.line.check_in, node->u.line.counted_nights, day);
		n = node->next;
	}
}

/* The node of a change, or where one would hang. */
static uint32_t *inv_change_link(struct inv *inv, struct inv_record *record)
{
	uint32_t *link = &record->more;
	while (*link != INV_NONE && inv_nodes(inv)[*link].kind != INV_NODE_CHANGE)
		link = &inv_nodes(inv)[*link].next;
	kr_assert((*link != INV_NONE) == ((record->flags & INV_RECORD_CHANGED) != 0));
	return link;
}

void inv_record_put_change(struct inv *inv, struct inv_record *record, uint64_t change_id)
{
	uint32_t *link = inv_change_link(inv, record);
	kr_assert(change_id != 0);
	kr_assert(record->heap_pos == INV_NONE || inv_record_is_captured(inv, record));
	if (*link == INV_NONE)
		(void)inv_node_append(inv, link, INV_NODE_CHANGE);
	inv_nodes(inv)[*link].u.change_id = change_id;
	record->flags |= INV_RECORD_CHANGED;
	kr_assert(inv_record_change_id(inv, record) == change_id);
}

/* ---- reading ---- */

uint64_t inv_record_change_id(const struct inv *inv, const struct inv_record *record)
{
	if ((record->flags & INV_RECORD_CHANGED) == 0)
		return 0;
	uint32_t n = record->more;
	while (n != INV_NONE && inv_nodes(inv)[n].kind != INV_NODE_CHANGE)
		n = inv_nodes(inv)[n].next;
	kr_assert(n != INV_NONE);
	kr_assert(inv_nodes(inv)[n].u.change_id != 0);
	return inv_nodes(inv)[n].u.change_id;
}

struct inv_text inv_record_text(const struct inv *inv, const struct inv_record *record,
	enum inv_node_kind kind, char bytes[static INV_TEXT_SIZE_MAX])
{
	kr_assert(kind == INV_NODE_EXTERNAL_REF || kind == INV_NODE_PAYMENT_REF);
	struct inv_text text = {.bytes = bytes};
	for (uint32_t n = record->more; n != INV_NONE;) {
		const struct inv_node *node = &inv_nodes(inv)[n];
		n = node->next;
		if (node->kind != (uint8_t)kind)
			continue;
		kr_assert(text.size_bytes + node->size <= INV_TEXT_SIZE_MAX);
		memcpy(bytes + text.size_bytes, node->u.bytes, node->size);
		text.size_bytes += node->size;
	}
	return text;
}

static struct inv_line inv_line_of(const struct inv *inv, const struct inv_record_line *kept)
{
	kr_assert(kept->nights > 0);
	return (struct inv_line){
		.type = inv_row_at(inv, kept->row)->type,
		.plan = inv_product_number(inv, kept->product),
		.check_in = kept->check_in,
		.check_out = kept->check_in + kept->nights,
		.rooms = kept->rooms,
		.guests = kept->guests,
		.pricing = kept->pricing,
	};
}

/* Runs belong to the line met last: nodes follow their line. */
static void inv_runs_add(
	struct inv_line *line, struct inv_price_run *runs, uint32_t *run_count, uint64_t word)
{
	struct inv_price_run part[2];
	const uint32_t count = inv_runs_unpack(word, part);
	kr_assert(*run_count + count <= INV_STAY_NIGHTS_MAX);
	if (line->run_count == 0)
		line->runs = &runs[*run_count];
	for (uint32_t i = 0; i < count; i++)
		runs[(*run_count)++] = part[i];
	line->run_count = (uint16_t)(line->run_count + count);
	kr_assert(line->runs + line->run_count == runs + *run_count);
}

/* A line has one node of terms at most. */
static void inv_terms_add(struct inv_line *line, const struct inv_node *node)
{
	kr_assert(node->kind == INV_NODE_TERMS);
	kr_assert(node->size >= 1 && node->size <= INV_TIERS_MAX);
	kr_assert(line->tier_count == 0);
	line->tier_count = node->size;
	line->tiers = node->u.terms.tiers;
	line->arrival_us = node->u.terms.arrival_us;
}

uint32_t inv_record_unpack(const struct inv *inv, const struct inv_record *record,
	struct inv_line lines[static INV_LINES_MAX],
	struct inv_price_run runs[static INV_STAY_NIGHTS_MAX])
{
	struct inv_record_line kept[INV_LINES_MAX];
	uint32_t line_count = inv_record_lines(inv, record, kept);
	kr_assert(line_count <= INV_LINES_MAX);
	for (uint32_t i = 0; i < line_count; i++)
		lines[i] = inv_line_of(inv, &kept[i]);
	uint32_t run_count = 0, line = 0;
	if (record->first_runs != 0)
		inv_runs_add(&lines[0], runs, &run_count, record->first_runs);
	for (uint32_t n = record->more; n != INV_NONE;) {
		const struct inv_node *node = &inv_nodes(inv)[n];
		kr_assert(line < line_count || node->kind > INV_NODE_RUNS);
		line += node->kind == INV_NODE_LINE;
		for (uint32_t i = 0; node->kind == INV_NODE_RUNS && i < node->size; i++)
			inv_runs_add(&lines[line], runs, &run_count, node->u.runs[i]);
		if (node->kind == INV_NODE_TERMS)
			inv_terms_add(&lines[line], node);
		n = node->next;
	}
	return line_count;
}

/* Cannot overflow: admission bounds the sum (INV_TOTAL_MAX), and loading checks it again. */
static inline uint64_t inv_runs_sum(uint64_t word, uint16_t rooms)
{
	struct inv_price_run runs[2];
	uint64_t sum_minor = 0;
	for (uint32_t i = inv_runs_unpack(word, runs); i-- > 0;)
		sum_minor += runs[i].price_minor * runs[i].nights * rooms;
	return sum_minor;
}

bool inv_record_total(
	const struct inv *inv, const struct inv_record *record, uint64_t *ret_total_minor)
{
	if (record->line_count == 0 || record->pricing == INV_PRICE_NONE)
		return false;
	uint16_t rooms = record->rooms;
	uint64_t total_minor = inv_runs_sum(record->first_runs, rooms);
	for (uint32_t n = record->more; n != INV_NONE;) {
		const struct inv_node *node = &inv_nodes(inv)[n];
		kr_assert(node->kind != 0);
		if (node->kind == INV_NODE_LINE && node->pricing == INV_PRICE_NONE)
			return false;
		if (node->kind == INV_NODE_LINE)
			rooms = node->u.line.rooms;
		for (uint32_t i = 0; node->kind == INV_NODE_RUNS && i < node->size; i++)
			total_minor += inv_runs_sum(node->u.runs[i], rooms);
		n = node->next;
	}
	kr_assert(total_minor <= INT64_MAX);
	*ret_total_minor = total_minor;
	return true;
}
