#include <criterion/criterion.h>

#include <stdint.h>

#include "base/list.h"

struct item {
	uint32_t number;
	struct kr_list link;
};

Test(list, keeps_order_under_every_operation)
{
	struct kr_list list, other;
	struct item items[6];
	kr_list_init(&list);
	kr_list_init(&other);
	cr_assert(kr_list_is_empty(&list));
	cr_assert_null(kr_list_pop_front(&list));
	for (uint32_t i = 0; i < 6; i++) {
		items[i].number = i;
		kr_list_init(&items[i].link);
	}
	kr_list_push_back(&list, &items[1].link);
	kr_list_push_back(&list, &items[2].link);
	kr_list_push_front(&list, &items[0].link);
	kr_list_push_back(&other, &items[3].link);
	kr_list_push_back(&other, &items[4].link);
	kr_list_splice_back(&list, &other);
	cr_assert(kr_list_is_empty(&other));
	kr_list_splice_back(&list, &other);
	kr_list_remove(&items[2].link);
	kr_list_remove(&items[2].link);
	cr_assert(kr_list_is_empty(&items[2].link));
	kr_list_insert_before(&items[3].link, &items[2].link);
	uint32_t expected = 0;
	kr_list_foreach(link, &list)
	{
		struct item *item = kr_container_of(link, struct item, link);
		cr_assert_eq(item->number, expected++);
		kr_list_remove(link);
	}
	cr_assert_eq(expected, 5);
	cr_assert(kr_list_is_empty(&list));
	kr_list_push_back(&list, &items[5].link);
	cr_assert_eq(kr_list_first(&list, struct item, link), &items[5]);
}
