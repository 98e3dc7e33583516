/*
 * What puts of the catalogue did: settings are whole, as they are after the change.
 */
#ifndef ENGINE_INVENTORY_EFFECT_CATALOGUE_H
#define ENGINE_INVENTORY_EFFECT_CATALOGUE_H

#include "engine/inventory/catalogue_op.h"

struct inv_effect_hotel {
	bool created;
	struct inv_hotel_settings settings; /* whole, after the change */
	int32_t business_day;               /* the window's first night after the change */
	uint64_t ari_version;               /* after */
};

struct inv_effect_type {
	bool created;
	uint16_t type;
	uint32_t set_mask; /* which clearable fields are set, after */
	struct inv_type_settings settings;
	uint64_t ari_version;
};

struct inv_effect_plan {
	bool created;
	uint16_t type;
	uint16_t plan;
	struct inv_plan_settings settings; /* whole, after the change */
	uint64_t ari_version;
};

#endif
