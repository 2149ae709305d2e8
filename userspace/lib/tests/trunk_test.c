// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../trunk.h"

#define NOW	1000000

static struct laya_address v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	struct laya_address address = {
		.family = AF_INET,
		.port = 5292,
		.addr = { a, b, c, d },
	};

	return address;
}

static struct laya_address numbered(uint32_t i)
{
	return v4(20 + (i >> 16), i >> 8, i, 1);
}

/* Dials that come to an end at once */
static bool dial(struct laya_trunk_budget *budget, struct laya_trunk_host *host,
		 const struct laya_address *address, uint64_t now)
{
	struct source *towards = laya_trunk_dial(budget, host, address, now);

	if (!towards)
		return false;
	laya_trunk_dialled(budget, towards);
	laya_trunk_end(budget);
	return true;
}

static void parse__names(void **state)
{
	enum laya_trunk_to to = LAYA_TRUNK_TO_ANY;

	(void)state;
	assert_int_equal(laya_trunk_to_parse(&to, "public"), 0);
	assert_int_equal(to, LAYA_TRUNK_TO_PUBLIC);
	assert_int_equal(laya_trunk_to_parse(&to, "any"), 0);
	assert_int_equal(to, LAYA_TRUNK_TO_ANY);
	assert_int_equal(laya_trunk_to_parse(&to, "no"), 0);
	assert_int_equal(to, LAYA_TRUNK_TO_NONE);
	assert_int_equal(laya_trunk_to_parse(&to, "yes"), -EINVAL);
	assert_int_equal(to, LAYA_TRUNK_TO_NONE);
}

static void leads__not_into_our_networks(void **state)
{
	struct laya_address public = v4(198, 51, 100, 1);
	struct laya_address private = v4(10, 0, 0, 1);
	struct laya_address here = v4(127, 0, 0, 1);
	struct laya_address link = { .family = AF_INET6, .port = 5292,
				     .addr = { 0xfe, 0x80, [15] = 1 } };

	(void)state;
	assert_true(laya_trunk_leads(LAYA_TRUNK_TO_PUBLIC, &public));
	assert_true(laya_trunk_leads(LAYA_TRUNK_TO_ANY, &public));
	assert_false(laya_trunk_leads(LAYA_TRUNK_TO_NONE, &public));
	assert_false(laya_trunk_leads(LAYA_TRUNK_TO_PUBLIC, &private));
	assert_true(laya_trunk_leads(LAYA_TRUNK_TO_ANY, &private));
	assert_false(laya_trunk_leads(LAYA_TRUNK_TO_ANY, &here));
	assert_false(laya_trunk_leads(LAYA_TRUNK_TO_ANY, &link));
	public.port = 0;
	assert_false(laya_trunk_leads(LAYA_TRUNK_TO_ANY, &public));
}

static void use__so_many_of_a_host(void **state)
{
	struct laya_trunk_host host = { 0 };
	unsigned int i;

	(void)state;
	for (i = 0; i < LAYA_TRUNK_MAX_HOST; i++)
		assert_true(laya_trunk_use(&host));
	assert_false(laya_trunk_use(&host));
	laya_trunk_unuse(&host);
	assert_true(laya_trunk_use(&host));
}

/* Ten thousand forwarders in as many seconds */
static void dial__a_host_that_names_many(void **state)
{
	struct laya_trunk_host host = { 0 }, other = { 0 };
	struct laya_trunk_budget budget;
	struct laya_address address;
	unsigned int dialled = 0;
	unsigned int i;

	(void)state;
	assert_int_equal(laya_trunk_budget_init(&budget), 0);
	for (i = 0; i < 10000; i++) {
		address = numbered(i);
		dialled += dial(&budget, &host, &address, NOW);
	}
	assert_int_equal(dialled, 4);
	/* That is nobody else's loss. */
	assert_true(dial(&budget, &other, &address, NOW));
	for (i = 0; i < 10000; i++) {
		address = numbered(i);
		dialled += dial(&budget, &host, &address, NOW + i * 1000);
	}
	assert_in_range(dialled, 4 + 1990, 4 + 2000);
	laya_trunk_budget_free(&budget);
}

/* All of a thousand hosts name the same victim, once each second. */
static void dial__many_hosts_that_name_one(void **state)
{
	struct laya_address victim = v4(203, 0, 113, 9);
	struct laya_address elsewhere = v4(203, 0, 113, 10);
	struct laya_trunk_host hosts[1000];
	struct laya_trunk_budget budget;
	unsigned int dialled = 0;
	unsigned int i, j;

	(void)state;
	memset(hosts, 0, sizeof(hosts));
	assert_int_equal(laya_trunk_budget_init(&budget), 0);
	for (i = 0; i < 100; i++) {
		for (j = 0; j < 1000; j++) {
			victim.port = 1 + i + j;
			dialled += dial(&budget, &hosts[j], &victim,
					NOW + i * 1000);
		}
	}
	assert_in_range(dialled, 3, 3 + 10);
	memset(hosts, 0, sizeof(hosts[0]));
	assert_true(dial(&budget, &hosts[0], &elsewhere, NOW + 200000));
	laya_trunk_budget_free(&budget);
}

static void dial__so_many_at_once(void **state)
{
	struct source *towards[LAYA_TRUNK_MAX_DIALLING];
	struct laya_trunk_host hosts[LAYA_TRUNK_MAX_DIALLING + 1];
	struct laya_trunk_budget budget;
	struct laya_address address;
	unsigned int i;

	(void)state;
	memset(hosts, 0, sizeof(hosts));
	assert_int_equal(laya_trunk_budget_init(&budget), 0);
	for (i = 0; i < LAYA_TRUNK_MAX_DIALLING; i++) {
		address = numbered(i);
		towards[i] = laya_trunk_dial(&budget, &hosts[i], &address, NOW);
		assert_non_null(towards[i]);
	}
	address = numbered(i);
	assert_null(laya_trunk_dial(&budget, &hosts[i], &address, NOW));
	/* Whether that one is there now, or not */
	laya_trunk_dialled(&budget, towards[0]);
	towards[0] = laya_trunk_dial(&budget, &hosts[i], &address, NOW);
	assert_non_null(towards[0]);
	for (i = 0; i < LAYA_TRUNK_MAX_DIALLING; i++)
		laya_trunk_dialled(&budget, towards[i]);
	assert_int_equal(budget.n, LAYA_TRUNK_MAX_DIALLING + 1);
	laya_trunk_budget_free(&budget);
}

static void dial__so_many_in_all(void **state)
{
	struct laya_trunk_budget budget;
	struct laya_trunk_host host;
	struct laya_address address;
	struct source *towards;
	unsigned int i;

	(void)state;
	assert_int_equal(laya_trunk_budget_init(&budget), 0);
	for (i = 0; i < LAYA_TRUNK_MAX; i++) {
		memset(&host, 0, sizeof(host));
		address = numbered(i);
		towards = laya_trunk_dial(&budget, &host, &address,
					  NOW + i * 1000);
		assert_non_null(towards);
		laya_trunk_dialled(&budget, towards);
	}
	memset(&host, 0, sizeof(host));
	address = numbered(i);
	assert_null(laya_trunk_dial(&budget, &host, &address, NOW + i * 1000));
	laya_trunk_end(&budget);
	assert_non_null(laya_trunk_dial(&budget, &host, &address,
					NOW + i * 1000));
	laya_trunk_budget_free(&budget);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse__names),
		cmocka_unit_test(leads__not_into_our_networks),
		cmocka_unit_test(use__so_many_of_a_host),
		cmocka_unit_test(dial__a_host_that_names_many),
		cmocka_unit_test(dial__many_hosts_that_name_one),
		cmocka_unit_test(dial__so_many_at_once),
		cmocka_unit_test(dial__so_many_in_all),
	};

	return cmocka_run_group_tests_name("trunk", tests, NULL, NULL);
}
