// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../backoff.h"
#include "../timer.h"

static void backoff_next__doubles(void **state)
{
	static const uint32_t expected[] = { 500, 1000, 2000, 4000, 5000, 5000 };
	struct backoff backoff;
	uint32_t wait;
	size_t i;

	(void)state;
	backoff_init(&backoff, 500, 5000);
	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		wait = backoff_next(&backoff);
		assert_in_range(wait, expected[i] / 2, expected[i]);
	}
}

static void backoff_next__jitter(void **state)
{
	struct backoff backoff;

	(void)state;
	backoff_init(&backoff, 1000, 1000);
	assert_int_equal(backoff_next_of(&backoff, 0), 500);
	assert_int_equal(backoff_next_of(&backoff, 500), 1000);
	assert_int_equal(backoff_next_of(&backoff, 250), 750);
	assert_int_equal(backoff_next_of(&backoff, UINT32_MAX),
			 500 + UINT32_MAX % 501);
}

static void backoff_next__for_ever(void **state)
{
	struct backoff backoff;
	unsigned int i;

	(void)state;
	backoff_init(&backoff, 1, UINT32_MAX);
	for (i = 0; i < 1000; i++)
		backoff_next(&backoff);
	assert_in_range(backoff_next(&backoff), UINT32_MAX / 2, UINT32_MAX);
}

static void backoff_reset__first_again(void **state)
{
	struct backoff backoff;

	(void)state;
	backoff_init(&backoff, 100, 10000);
	backoff_next(&backoff);
	backoff_next(&backoff);
	backoff_reset(&backoff);
	assert_in_range(backoff_next(&backoff), 50, 100);
}

struct counted {
	struct timer *timer;
	unsigned int calls;
};

static void count(void *data)
{
	((struct counted *)data)->calls++;
}

static void count_and_free(void *data)
{
	struct counted *counted = data;

	counted->calls++;
	timer_free(counted->timer);
}

static void timer__once(void **state)
{
	struct counted counted = {};
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	counted.timer = timer_new(&loop, count, &counted);
	assert_false(timer_pending(counted.timer));
	timer_start(counted.timer, 50);
	timer_start(counted.timer, 1);
	assert_true(timer_pending(counted.timer));
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(counted.calls, 1);
	assert_false(timer_pending(counted.timer));
	timer_free(counted.timer);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void timer_free__in_callback(void **state)
{
	struct counted counted = {};
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	counted.timer = timer_new(&loop, count_and_free, &counted);
	timer_start(counted.timer, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(counted.calls, 1);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void timer_free__pending(void **state)
{
	struct counted counted = {};
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	counted.timer = timer_new(&loop, count, &counted);
	timer_start(counted.timer, 0);
	timer_free(counted.timer);
	timer_free(NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(counted.calls, 0);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backoff_next__doubles),
		cmocka_unit_test(backoff_next__jitter),
		cmocka_unit_test(backoff_next__for_ever),
		cmocka_unit_test(backoff_reset__first_again),
		cmocka_unit_test(timer__once),
		cmocka_unit_test(timer_free__in_callback),
		cmocka_unit_test(timer_free__pending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
