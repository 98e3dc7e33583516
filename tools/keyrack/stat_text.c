#include "tools/keyrack/stat_text.h"

#include "tools/keyrack/js.h"

json_t *stat_text_json(const struct keyrack_stat *stats, uint32_t count)
{
	json_t *object = js_object();
	for (uint32_t i = 0; i < count; i++)
		if (json_object_get(object, stats[i].name) == NULL)
			js_int(object, stats[i].name, stats[i].value);
	return object;
}
