#include "engine/inventory/class.h"

static uint64_t inv_class_hash(struct los_class los)
{
	uint64_t word = (uint64_t)los.min_arrival | (uint64_t)los.max_arrival << 16 |
			(uint64_t)los.min_through << 32 | (uint64_t)los.max_through << 48;
	kr_assert(word != 0);
	return hash_mix(word);
}

uint32_t inv_class_find(const struct inv *inv, struct los_class los)
{
	if (inv_los_is_none(los))
		return 0;
	uint32_t tag = inv_index_tag(inv_class_hash(los));
	uint32_t slot = inv_index_home(&inv->class_index, tag);
	for (;;) {
		uint32_t i = inv_index_next(&inv->class_index, inv_class_slots(inv), tag, &slot);
		if (i == INV_INDEX_END)
			return INV_NONE;
		kr_assert(i > 0 && i < inv->class_fresh);
		if (inv_los_equal(inv_classes(inv)[i], los))
			return i;
	}
}

uint32_t inv_classes_left(const struct inv *inv)
{
	kr_assert(inv->class_count <= INV_CLASSES_MAX);
	kr_assert(inv->class_count < inv->class_fresh);
	return INV_CLASSES_MAX - inv->class_count;
}

static uint16_t inv_class_take(struct inv *inv)
{
	kr_assert(inv_classes_left(inv) > 0);
	uint32_t index = inv->class_free;
	if (index != 0)
		inv->class_free = (uint32_t)inv_class_uses(inv)[index];
	else
		index = inv->class_fresh++;
	kr_assert(index > 0 && index <= INV_CLASSES_MAX);
	inv_class_uses(inv)[index] = 0;
	inv->class_count++;
	return (uint16_t)index;
}

uint16_t inv_class_intern(struct inv *inv, struct los_class los)
{
	uint32_t found = inv_class_find(inv, los);
	if (found != INV_NONE)
		return (uint16_t)found;
	uint16_t index = inv_class_take(inv);
	inv_classes(inv)[index] = los;
	inv_index_insert(
		&inv->class_index, inv_class_slots(inv), inv_index_tag(inv_class_hash(los)), index);
	kr_assert(inv_class_find(inv, los) == index);
	return index;
}

static void inv_class_give(struct inv *inv, uint16_t index)
{
	kr_assert(index > 0 && index < inv->class_fresh);
	kr_assert(inv_class_uses(inv)[index] == 0);
	struct los_class los = inv_classes(inv)[index];
	inv_index_remove(
		&inv->class_index, inv_class_slots(inv), inv_index_tag(inv_class_hash(los)), index);
	inv_classes(inv)[index] = (struct los_class){.min_arrival = 0};
	inv_class_uses(inv)[index] = inv->class_free;
	inv->class_free = index;
	inv->class_count--;
}

void inv_class_move(struct inv *inv, uint16_t old_index, uint16_t new_index)
{
	uint64_t *uses = inv_class_uses(inv);
	kr_assert(old_index != new_index);
	kr_assert(old_index < inv->class_fresh && new_index < inv->class_fresh);
	if (new_index != 0)
		uses[new_index]++;
	if (old_index == 0)
		return;
	kr_assert(uses[old_index] > 0);
	if (--uses[old_index] == 0)
		inv_class_give(inv, old_index);
}

struct los_class inv_los_class(const struct inv *inv, uint16_t class_index)
{
	kr_assert(class_index < inv->class_fresh);
	struct los_class los = inv_classes(inv)[class_index];
	kr_assert(class_index != 0 || inv_los_is_none(los));
	return los;
}
