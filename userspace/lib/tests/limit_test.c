// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../limit.h"

static void bucket__take(void **state)
{
	const struct rate rate = { .per_second = 10, .burst = 3 };
	struct bucket bucket = { 0 };

	(void)state;
	assert_true(bucket_take(&bucket, &rate, 1000, 1));
	assert_true(bucket_take(&bucket, &rate, 1000, 2));
	assert_false(bucket_take(&bucket, &rate, 1000, 1));
	/* one comes back each 100 ms, whoever looks in between */
	assert_false(bucket_take(&bucket, &rate, 1050, 1));
	assert_false(bucket_take(&bucket, &rate, 1099, 1));
	assert_true(bucket_take(&bucket, &rate, 1100, 1));
	assert_false(bucket_take(&bucket, &rate, 1100, 1));
	/* never more than the burst, however long it was */
	assert_true(bucket_take(&bucket, &rate, UINT64_MAX / 2, 3));
	assert_false(bucket_take(&bucket, &rate, UINT64_MAX / 2, 1));
	assert_false(bucket_take(&bucket, &rate, UINT64_MAX / 2 + 9999, 4));
}

static void bucket__large_rates_do_not_overflow(void **state)
{
	const struct rate rate = { .per_second = UINT32_MAX,
				   .burst = UINT32_MAX };
	struct bucket bucket = { 0 };

	(void)state;
	assert_true(bucket_take(&bucket, &rate, 0, UINT32_MAX));
	assert_false(bucket_take(&bucket, &rate, 0, 1));
	assert_true(bucket_take(&bucket, &rate, UINT64_MAX, UINT32_MAX));
}

static void bucket__no_rate(void **state)
{
	const struct rate rate = { .per_second = 0, .burst = 1 };
	struct bucket bucket = { 0 };

	(void)state;
	assert_true(bucket_take(&bucket, &rate, 5, 1));
	assert_false(bucket_take(&bucket, &rate, 1000000, 1));
}

static struct laya_address v6(uint8_t subnet, uint8_t host)
{
	struct laya_address address = {
		.family = AF_INET6,
		.addr = { 0x20, 0x01, 0x0d, 0xb8, [7] = subnet, [15] = host },
	};

	return address;
}

static void sources__by_64(void **state)
{
	const struct rate rate = { .per_second = 1, .burst = 100 };
	struct laya_address a = v6(1, 1);
	struct laya_address b = v6(1, 2);
	struct laya_address c = v6(2, 1);
	struct source *list[3];
	struct sources sources;

	(void)state;
	assert_int_equal(sources_init(&sources, 10), 0);
	list[0] = sources_connect(&sources, &a, &rate, 2, 0);
	list[1] = sources_connect(&sources, &b, &rate, 2, 0);
	assert_non_null(list[0]);
	assert_ptr_equal(list[0], list[1]);
	assert_null(sources_connect(&sources, &a, &rate, 2, 0));
	list[2] = sources_connect(&sources, &c, &rate, 2, 0);
	assert_non_null(list[2]);
	assert_ptr_not_equal(list[2], list[0]);
	sources_disconnect(&sources, list[0]);
	assert_ptr_equal(sources_connect(&sources, &a, &rate, 2, 0), list[0]);
	sources_disconnect(&sources, list[0]);
	sources_disconnect(&sources, list[0]);
	sources_disconnect(&sources, list[2]);
	assert_int_equal(sources.n, 2);
	sources_free(&sources);
}

static void sources__reconnecting_is_limited(void **state)
{
	const struct rate rate = { .per_second = 1, .burst = 3 };
	struct laya_address address = { .family = AF_INET, .addr = { 10 } };
	struct source *source;
	struct sources sources;
	int i;

	(void)state;
	assert_int_equal(sources_init(&sources, 10), 0);
	for (i = 0; i < 3; i++) {
		source = sources_connect(&sources, &address, &rate, 1, 50);
		assert_non_null(source);
		sources_disconnect(&sources, source);
	}
	assert_null(sources_connect(&sources, &address, &rate, 1, 50));
	source = sources_connect(&sources, &address, &rate, 1, 1050);
	assert_non_null(source);
	sources_disconnect(&sources, source);
	sources_free(&sources);
}

static void sources__are_bounded(void **state)
{
	const struct rate rate = { .per_second = 1, .burst = 3 };
	struct laya_address address;
	struct sources sources;
	struct source *list[4];
	struct source *source;
	int i;

	(void)state;
	assert_int_equal(sources_init(&sources, 4), 0);
	for (i = 0; i < 200; i++) {
		address = v6(i, 1);
		source = sources_connect(&sources, &address, &rate, 1, 0);
		assert_non_null(source);
		sources_disconnect(&sources, source);
		assert_true(sources.n <= 4);
	}
	for (i = 0; i < 4; i++) {
		address = v6(i, 1);
		list[i] = sources_connect(&sources, &address, &rate, 1, 0);
		assert_non_null(list[i]);
	}
	/* all have connections: none can go */
	address = v6(4, 1);
	assert_null(sources_connect(&sources, &address, &rate, 1, 0));
	for (i = 0; i < 4; i++)
		sources_disconnect(&sources, list[i]);
	sources_free(&sources);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bucket__take),
		cmocka_unit_test(bucket__large_rates_do_not_overflow),
		cmocka_unit_test(bucket__no_rate),
		cmocka_unit_test(sources__by_64),
		cmocka_unit_test(sources__reconnecting_is_limited),
		cmocka_unit_test(sources__are_bounded),
	};

	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
