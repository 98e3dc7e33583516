#include <criterion/criterion.h>

#include <signal.h>

#include "base/check.h"

Test(check, a_false_assertion_aborts, .signal = SIGABRT)
{
	int one = 1;
	kr_assert(one == 2);
}

Test(check, a_true_assertion_does_nothing)
{
	int one = 1;
	kr_assert(one == 1);
	int array[7];
	cr_assert_eq(KR_ARRAY_COUNT(array), 7);
}
