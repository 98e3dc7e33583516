#include <stdio.h>

#include "tests/property/world.h"

/* The story of a run that was made small: one line for each operation. */

static const char *const op_names[W_OPS] = {"hotel", "type", "update", "sale", "replacing hold",
	"stay check", "transition", "change", "plan", "import"};
static const char *const move_names[M_TRANSITION_END] = {"", "confirm", "release", "cancel",
	"resolve", "extend", "attach payment", "check in", "complete", "no-show", "modify"};

static void tell_lines(const struct m_line *lines, int line_count)
{
	for (int i = 0; i < line_count; i++)
		printf(", %d of type %d plan %d for %d..%d", lines[i].rooms, lines[i].type,
			lines[i].plan, lines[i].check_in, lines[i].check_out);
}

void world_tell_reserve(const struct world *w, const struct m_reserve *r)
{
	if (!w->is_told)
		return;
	printf("  step %llu: %s%s of hotel %llu, id ..%04llx", (unsigned long long)w->step - 1,
		r->force ? "forced " : "", r->book ? "booking" : "hold",
		(unsigned long long)r->hotel, (unsigned long long)r->id.lo & 0xffff);
	tell_lines(r->lines, r->line_count);
	printf("\n");
}

void world_tell_transition(const struct world *w, const struct m_transition *t)
{
	if (!w->is_told)
		return;
	printf("  step %llu: %s of id ..%04llx", (unsigned long long)w->step - 1,
		move_names[t->what], (unsigned long long)t->id.lo & 0xffff);
	tell_lines(t->lines, t->line_count);
	printf("\n");
}

void world_tell_update(const struct world *w, const struct m_update *u)
{
	if (!w->is_told)
		return;
	printf("  step %llu: update of hotel %llu, plan %d, nights %d..%d, set %x, adjust %x, "
	       "clear %x\n",
		(unsigned long long)w->step - 1, (unsigned long long)u->hotel, u->plan,
		u->first_day, u->last_day, u->set, u->adjust, u->clear);
}

void world_tell_answer(const struct world *w, enum world_op op, const struct inv_answer *e)
{
	if (w->is_told)
		printf("  step %llu: %s: %s\n", (unsigned long long)w->step - 1, op_names[op],
			code_name(e->code));
}
