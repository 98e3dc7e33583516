/* IMPORT in the model's words. */
#ifndef TESTS_PROPERTY_MODEL_IMPORT_H
#define TESTS_PROPERTY_MODEL_IMPORT_H

#include "tests/property/model/model_op.h"

/* A reservation that was made elsewhere, as it is told. */
struct m_import {
	struct m_reserve what; /* hotel, id, lines, guest, references, source, force */
	int state;
	bool was_held, graced;
	uint32_t revision;
	uint64_t created_us, changed_us, expires_us, change_id;
	bool has_counted_until;
	int counted_until;
};

#endif
