// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../suspend.h"

#define S	1000000000ULL

static void suspend_slept_ms__counts_what_is_new(void **state)
{
	uint64_t asleep = 0;

	(void)state;
	/* Before we began */
	assert_int_equal(suspend_slept_ms(&asleep, 5000 * S, 2000 * S), 3000000);
	assert_int_equal(suspend_slept_ms(&asleep, 5100 * S, 2100 * S), 0);
	assert_int_equal(suspend_slept_ms(&asleep, 5137 * S, 2101 * S), 36000);
	assert_int_equal(suspend_slept_ms(&asleep, 5138 * S, 2102 * S), 0);
}

static void suspend_slept_ms__not_the_time_between_two_looks(void **state)
{
	uint64_t asleep = 3000 * S;

	(void)state;
	assert_int_equal(suspend_slept_ms(&asleep, 5000 * S + 900000000,
					  2000 * S), 0);
	/* Nor does that add up */
	assert_int_equal(suspend_slept_ms(&asleep, 5001 * S + 10000,
					  2001 * S), 0);
	assert_int_equal(asleep, 3000 * S + 10000);
}

static void suspend_slept_ms__clocks_of_a_time_namespace(void **state)
{
	uint64_t asleep = 0;

	(void)state;
	/* The offset of one is not that of the other */
	assert_int_equal(suspend_slept_ms(&asleep, 100 * S, 2000 * S), 0);
	assert_int_equal(suspend_slept_ms(&asleep, 200 * S, 2100 * S), 0);
	assert_int_equal(suspend_slept_ms(&asleep, 310 * S, 2200 * S), 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suspend_slept_ms__counts_what_is_new),
		cmocka_unit_test(suspend_slept_ms__not_the_time_between_two_looks),
		cmocka_unit_test(suspend_slept_ms__clocks_of_a_time_namespace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
