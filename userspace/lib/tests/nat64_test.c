// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../nat64.h"

/* RFC 6052, 2.4: 192.0.2.33 in prefixes of each length */
static const struct {
	unsigned int len;
	const char *prefix;
	const char *address;
	const char *well_known;		/* 192.0.0.170 there */
} examples[] = {
	{ 32, "2001:db8::", "2001:db8:c000:221::", "2001:db8:c000:aa::" },
	{ 40, "2001:db8:100::", "2001:db8:1c0:2:21::",
	  "2001:db8:1c0:0:aa::" },
	{ 48, "2001:db8:122::", "2001:db8:122:c000:2:2100::",
	  "2001:db8:122:c000:0:aa00::" },
	{ 56, "2001:db8:122:300::", "2001:db8:122:3c0:0:221::",
	  "2001:db8:122:3c0:0:aa::" },
	{ 64, "2001:db8:122:344::", "2001:db8:122:344:c0:2:2100::",
	  "2001:db8:122:344:c0:0:aa00:0" },
	{ 96, "2001:db8:122:344::", "2001:db8:122:344::192.0.2.33",
	  "2001:db8:122:344::192.0.0.170" },
	{ 96, "64:ff9b::", "64:ff9b::192.0.2.33", "64:ff9b::192.0.0.170" },
};

#define N_EXAMPLES	(sizeof(examples) / sizeof(examples[0]))

static struct in6_addr in6(const char *text)
{
	struct in6_addr addr;

	assert_int_equal(inet_pton(AF_INET6, text, &addr), 1);
	return addr;
}

static void synthesise__examples(void **state)
{
	struct laya_nat64_prefix prefix;
	struct in6_addr expected;
	struct in6_addr made;
	struct in_addr in4;
	size_t i;

	(void)state;
	inet_pton(AF_INET, "192.0.2.33", &in4);
	for (i = 0; i < N_EXAMPLES; i++) {
		prefix.addr = in6(examples[i].prefix);
		prefix.len = examples[i].len;
		expected = in6(examples[i].address);
		assert_int_equal(laya_nat64_synthesise(&prefix, &in4, &made),
				 0);
		assert_memory_equal(&made, &expected, 16);
	}
	prefix.len = 95;
	assert_int_equal(laya_nat64_synthesise(&prefix, &in4, &made), -EINVAL);
	prefix.len = 0;
	assert_int_equal(laya_nat64_synthesise(&prefix, &in4, &made), -EINVAL);
}

static void find__each_length(void **state)
{
	struct laya_nat64_prefix prefix;
	struct in6_addr expected;
	struct in6_addr answer;
	size_t i;

	(void)state;
	for (i = 0; i < N_EXAMPLES; i++) {
		answer = in6(examples[i].well_known);
		assert_int_equal(laya_nat64_find(&answer, &prefix), 0);
		expected = in6(examples[i].prefix);
		assert_int_equal(prefix.len, examples[i].len);
		assert_memory_equal(&prefix.addr, &expected, 16);
	}
	answer = in6("64:ff9b::192.0.0.171");
	assert_int_equal(laya_nat64_find(&answer, &prefix), 0);
}

static void find__nothing(void **state)
{
	static const char *const others[] = {
		"::", "::1", "2001:db8::1", "64:ff9b::192.0.0.172",
		"64:ff9b::192.0.2.33",
		/* not a NAT64: the kernel's own form */
		"::ffff:192.0.0.170",
		/* the reserved byte is not zero, or what follows is not */
		"2001:db8:122:344:1c0:0:aa00:0",
		"2001:db8:c000:aa::1",
	};
	struct laya_nat64_prefix prefix;
	struct in6_addr answer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		answer = in6(others[i]);
		if (laya_nat64_find(&answer, &prefix) != -ENOENT)
			fail_msg("found a prefix in %s", others[i]);
	}
}

static void on_done(struct laya_nat64_query *query, int error,
		    const struct laya_nat64_prefix *prefix, void *data)
{
	int *result = data;

	assert_non_null(query);
	assert_non_null(prefix);
	*result = error;
}

static void wait_here(uv_work_t *work)
{
	uv_sem_wait(work->data);
}

static void waited(uv_work_t *work, int status)
{
	(void)work;
	(void)status;
}

/* Nothing is asked: the one thread of the pool is busy until it is cancelled. */
static void discover__cancelled(void **state)
{
	struct laya_nat64_query query = { .done = on_done };
	int result = 1;
	uv_work_t work;
	uv_loop_t loop;
	uv_sem_t sem;

	(void)state;
	setenv("UV_THREADPOOL_SIZE", "1", 1);
	uv_loop_init(&loop);
	uv_sem_init(&sem, 0);
	work.data = &sem;
	uv_queue_work(&loop, &work, wait_here, waited);
	query.data = &result;
	assert_int_equal(laya_nat64_discover(&query, &loop), 0);
	laya_nat64_cancel(&query);
	uv_sem_post(&sem);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(result, -ECANCELED);
	assert_int_equal(uv_loop_close(&loop), 0);
	uv_sem_destroy(&sem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(synthesise__examples),
		cmocka_unit_test(find__each_length),
		cmocka_unit_test(find__nothing),
		cmocka_unit_test(discover__cancelled),
	};

	return cmocka_run_group_tests_name("nat64", tests, NULL, NULL);
}
