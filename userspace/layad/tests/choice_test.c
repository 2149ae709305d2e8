// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "../choice.h"

static const uint8_t low[LAYA_KEY_SIZE] = { 1 };
static const uint8_t high[LAYA_KEY_SIZE] = { 2 };

static void fill(struct choice *list, size_t n)
{
	size_t i;

	memset(list, 0, n * sizeof(*list));
	for (i = 0; i < n; i++)
		list[i].key[0] = 10 + i;
}

static void choice_forwarder__two(void **state)
{
	struct choice list[5];
	int first;
	int second;

	(void)state;
	fill(list, 5);
	first = choice_forwarder(list, 5, low);
	assert_in_range(first, 0, 4);
	list[first].active = true;
	second = choice_forwarder(list, 5, low);
	assert_in_range(second, 0, 4);
	assert_int_not_equal(first, second);
	list[second].active = true;
	assert_int_equal(choice_forwarder(list, 5, low), -1);
}

static void choice_forwarder__few(void **state)
{
	struct choice list[1];

	(void)state;
	fill(list, 1);
	assert_int_equal(choice_forwarder(list, 0, low), -1);
	assert_int_equal(choice_forwarder(list, 1, low), 0);
	list[0].waiting = true;
	assert_int_equal(choice_forwarder(list, 1, low), -1);
}

static void choice_forwarder__stable(void **state)
{
	struct choice list[8];
	struct choice fewer[8];
	int first;

	(void)state;
	fill(list, 8);
	first = choice_forwarder(list, 8, low);
	assert_int_equal(choice_forwarder(list, 8, low), first);
	/* The order of the list does not matter, nor who else is in it. */
	memcpy(fewer, &list[first], sizeof(fewer[0]));
	memcpy(&fewer[1], list, 2 * sizeof(fewer[0]));
	assert_memory_equal(fewer[choice_forwarder(fewer, 3, low)].key,
			    list[first].key, LAYA_KEY_SIZE);
}

static void choice_forwarder__spread(void **state)
{
	uint8_t own[LAYA_KEY_SIZE] = {};
	unsigned int counts[4] = {};
	struct choice list[4];
	unsigned int i;

	(void)state;
	fill(list, 4);
	for (i = 0; i < 400; i++) {
		own[0] = i;
		own[1] = i >> 8;
		counts[choice_forwarder(list, 4, own)]++;
	}
	for (i = 0; i < 4; i++)
		assert_in_range(counts[i], 50, 200);
}

static void choice_forwarder__preferred(void **state)
{
	struct choice list[6];
	unsigned int i;

	(void)state;
	for (i = 0; i < 6; i++) {
		fill(list, 6);
		list[i].preferred = true;
		assert_int_equal(choice_forwarder(list, 6, low), i);
		list[i].waiting = true;
		assert_int_not_equal(choice_forwarder(list, 6, low), i);
	}
}

static void choice_forwarder__loaded(void **state)
{
	struct choice list[4];
	int first;
	int second;

	(void)state;
	fill(list, 4);
	first = choice_forwarder(list, 4, low);
	list[first].loaded = true;
	second = choice_forwarder(list, 4, low);
	assert_int_not_equal(second, first);
	/* But better a loaded one than none, */
	list[0].waiting = true;
	list[1].waiting = true;
	list[2].waiting = true;
	list[3].waiting = true;
	list[first].waiting = false;
	assert_int_equal(choice_forwarder(list, 4, low), first);
	/* and the one that was asked for. */
	fill(list, 4);
	list[first].loaded = true;
	list[first].preferred = true;
	assert_int_equal(choice_forwarder(list, 4, low), first);
}

static void choice_leaves__for_one_that_may_do(void **state)
{
	struct choice list[4];

	(void)state;
	fill(list, 4);
	list[0].active = true;
	list[0].loaded = true;
	list[1].active = true;
	assert_true(choice_leaves(list, 4, 0));
	list[2].waiting = true;
	assert_true(choice_leaves(list, 4, 0));
	list[3].loaded = true;
	assert_false(choice_leaves(list, 4, 0));
	list[3].loaded = false;
	list[3].gateway = true;
	assert_false(choice_leaves(list, 4, 0));
	list[3].gateway = false;
	list[0].preferred = true;
	assert_false(choice_leaves(list, 4, 0));
	/* Two that are known, both are held. */
	list[0].preferred = false;
	assert_false(choice_leaves(list, 2, 0));
}

static void choice_forwarder__gateways(void **state)
{
	struct choice list[5];
	int relay;

	(void)state;
	fill(list, 5);
	/* Wherever there may be one it is tried, whatever there is already. */
	list[1].gateway = true;
	list[3].gateway = true;
	list[0].active = true;
	list[2].active = true;
	assert_int_equal(choice_forwarder(list, 5, low), 1);
	list[1].active = true;
	assert_int_equal(choice_forwarder(list, 5, low), 3);
	list[3].waiting = true;
	assert_int_equal(choice_forwarder(list, 5, low), -1);

	/* One that is only tried takes nobody's place, */
	list[2].active = false;
	relay = choice_forwarder(list, 5, low);
	assert_true(relay == 2 || relay == 4);
	/* one that we are attached to does. */
	list[1].attached = true;
	assert_int_equal(choice_forwarder(list, 5, low), -1);
	/* But there is always another to fall back to. */
	list[0].active = false;
	relay = choice_forwarder(list, 5, low);
	assert_true(relay == 0 || relay == 2 || relay == 4);
}

static void choice_forwarder__replaces(void **state)
{
	struct choice list[3];
	int next;

	(void)state;
	fill(list, 3);
	list[0].active = true;
	list[1].waiting = true;
	next = choice_forwarder(list, 3, low);
	assert_int_equal(next, 2);
}

static void choice_ours_wins__lower_key(void **state)
{
	(void)state;
	assert_true(choice_ours_wins(low, high, VIA_COURIER,
				     VIA_COURIER));
	assert_false(choice_ours_wins(high, low, VIA_COURIER,
				      VIA_COURIER));
	assert_true(choice_ours_wins(low, high, VIA_SESSION, VIA_SESSION));
	assert_false(choice_ours_wins(high, low, VIA_SESSION, VIA_SESSION));
}

/* Whatever the keys and the ways: exactly one of the two sides goes on. */
static void choice_ours_wins__agree(void **state)
{
	enum via ours;
	enum via theirs;

	(void)state;
	for (ours = VIA_COURIER; ours <= VIA_SESSION; ours++) {
		for (theirs = VIA_COURIER; theirs <= VIA_SESSION; theirs++)
			assert_int_not_equal(choice_ours_wins(low, high, ours,
							      theirs),
					     choice_ours_wins(high, low,
							      theirs, ours));
	}
}

static void choice_ours_wins__rendezvous(void **state)
{
	(void)state;
	assert_true(choice_ours_wins(high, low, VIA_COURIER, VIA_SESSION));
	assert_false(choice_ours_wins(low, high, VIA_SESSION, VIA_COURIER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(choice_forwarder__two),
		cmocka_unit_test(choice_forwarder__few),
		cmocka_unit_test(choice_forwarder__stable),
		cmocka_unit_test(choice_forwarder__spread),
		cmocka_unit_test(choice_forwarder__preferred),
		cmocka_unit_test(choice_forwarder__loaded),
		cmocka_unit_test(choice_leaves__for_one_that_may_do),
		cmocka_unit_test(choice_forwarder__gateways),
		cmocka_unit_test(choice_forwarder__replaces),
		cmocka_unit_test(choice_ours_wins__lower_key),
		cmocka_unit_test(choice_ours_wins__agree),
		cmocka_unit_test(choice_ours_wins__rendezvous),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
