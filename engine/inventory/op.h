/*
 * Operations and answers, decoded: what the engine is asked and what it says, as plain values.
 *
 * The shard step fills these from frames, the simulator and the tests fill them by hand. Texts and
 * arrays are borrowed for the length of the call. Presence is by masks, never by magic values.
 * Units: days since 1970-01-01 in the hotel's calendar; instants in microseconds of unix time;
 * prices in minor units for one room and one night.
 */
#ifndef ENGINE_INVENTORY_OP_H
#define ENGINE_INVENTORY_OP_H

#include "engine/inventory/actor.h"
#include "engine/inventory/answer.h"
#include "engine/inventory/catalogue_op.h"
#include "engine/inventory/import_op.h"
#include "engine/inventory/stay_op.h"
#include "engine/inventory/update_op.h"

#endif
