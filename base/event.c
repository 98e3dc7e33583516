#include "base/event.h"

static const struct {
	const char *name;
	enum kr_priority priority;
	const char *id;
} table[] = {
#define X(name, priority, id, of, meaning) {#name, KR_PRIORITY_##priority, id},
	KR_EVENT_TABLE(X)
#undef X
};

#define X(name, priority, id, of, meaning)                                                         \
	kr_static_assert(sizeof(id) == KR_EVENT_ID_LENGTH + 1, "a MESSAGE_ID is 128 bits");
KR_EVENT_TABLE(X)
#undef X

const char *kr_event_name(enum kr_event event)
{
	kr_assert((unsigned)event < KR_EVENT_COUNT);
	return table[event].name;
}

enum kr_priority kr_event_priority(enum kr_event event)
{
	kr_assert((unsigned)event < KR_EVENT_COUNT);
	return table[event].priority;
}

const char *kr_event_id(enum kr_event event)
{
	kr_assert((unsigned)event < KR_EVENT_COUNT);
	return table[event].id;
}
