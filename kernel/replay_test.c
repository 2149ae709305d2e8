// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>

#include "replay.h"

static struct laya_replay *window(struct kunit *test)
{
	struct laya_replay *replay;

	replay = kunit_kzalloc(test, sizeof(*replay), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, replay);
	laya_replay_init(replay);
	return replay;
}

#define NEW(replay, counter) \
	KUNIT_EXPECT_TRUE(test, laya_replay_check(replay, counter))
#define OLD(replay, counter) \
	KUNIT_EXPECT_FALSE(test, laya_replay_check(replay, counter))

static void check__zero_is_never_new(struct kunit *test)
{
	struct laya_replay *replay = window(test);

	OLD(replay, 0);
	NEW(replay, 1);
	OLD(replay, 0);
	KUNIT_EXPECT_FALSE(test, laya_replay_plausible(replay, 0));
}

static void check__in_order(struct kunit *test)
{
	struct laya_replay *replay = window(test);
	u64 counter;

	/* Around the ring several times. */
	for (counter = 1; counter < 5 * LAYA_REPLAY_BITS; counter++) {
		NEW(replay, counter);
		OLD(replay, counter);
		if (counter > 1)
			OLD(replay, counter - 1);
	}
}

static void check__backwards(struct kunit *test)
{
	struct laya_replay *replay = window(test);
	u64 top = 7 * LAYA_REPLAY_BITS + 5, counter;

	NEW(replay, top);
	for (counter = top - 1; counter > top - LAYA_REPLAY_WINDOW; counter--)
		NEW(replay, counter);
	OLD(replay, top - LAYA_REPLAY_WINDOW);
	for (counter = top; counter > top - LAYA_REPLAY_WINDOW; counter--)
		OLD(replay, counter);
}

/* The window's lower end, for every place that its upper end has in a word. */
static void check__boundaries(struct kunit *test)
{
	struct laya_replay *replay = window(test);
	u64 base, top;

	for (base = 0; base < 2 * BITS_PER_LONG; base++) {
		laya_replay_init(replay);
		top = 10 * LAYA_REPLAY_BITS + base;
		NEW(replay, top);
		OLD(replay, top - LAYA_REPLAY_BITS);
		OLD(replay, top - LAYA_REPLAY_WINDOW - 1);
		OLD(replay, top - LAYA_REPLAY_WINDOW);
		NEW(replay, top - LAYA_REPLAY_WINDOW + 1);
		OLD(replay, top - LAYA_REPLAY_WINDOW + 1);
		/* One more on top pushes it out. */
		NEW(replay, top + 1);
		OLD(replay, top - LAYA_REPLAY_WINDOW + 1);
		NEW(replay, top - LAYA_REPLAY_WINDOW + 2);
	}
}

static void check__small_counters(struct kunit *test)
{
	struct laya_replay *replay = window(test);

	/* Nothing was seen: a late start does not refuse what is in the window. */
	NEW(replay, LAYA_REPLAY_WINDOW);
	NEW(replay, 1);
	OLD(replay, 1);
	NEW(replay, LAYA_REPLAY_WINDOW + 1);
	OLD(replay, 1);
	NEW(replay, 2);
}

/* Jumps forward by about a ring leave no stale bit, whatever their length. */
static void check__jumps(struct kunit *test)
{
	struct laya_replay *replay = window(test);
	u64 start = 3 * LAYA_REPLAY_BITS + 1, jump, counter, top;

	for (jump = LAYA_REPLAY_BITS - 2 * BITS_PER_LONG;
	     jump <= LAYA_REPLAY_BITS + 2 * BITS_PER_LONG; jump++) {
		laya_replay_init(replay);
		for (counter = start; counter < start + LAYA_REPLAY_BITS; counter++)
			NEW(replay, counter);
		top = counter - 1 + jump;
		NEW(replay, top);
		for (counter = top - LAYA_REPLAY_WINDOW + 1; counter < top;
		     counter++)
			KUNIT_EXPECT_EQ(test, counter >= start + LAYA_REPLAY_BITS,
					laya_replay_check(replay, counter));
	}
}

static void check__far_jump(struct kunit *test)
{
	struct laya_replay *replay = window(test);
	u64 far = 1ULL << 33;

	NEW(replay, 1);
	NEW(replay, far);
	OLD(replay, 1);
	OLD(replay, far);
	NEW(replay, far - 1);
	NEW(replay, U64_MAX);
	OLD(replay, U64_MAX);
	OLD(replay, far);
	NEW(replay, U64_MAX - 1);
	OLD(replay, 1);
}

static void plausible__marks_nothing(struct kunit *test)
{
	struct laya_replay *replay = window(test);

	KUNIT_EXPECT_TRUE(test, laya_replay_plausible(replay, 100));
	KUNIT_EXPECT_TRUE(test, laya_replay_plausible(replay, 100));
	KUNIT_EXPECT_EQ(test, 0ULL, replay->highest);
	NEW(replay, 5000);
	KUNIT_EXPECT_FALSE(test, laya_replay_plausible(replay, 5000));
	KUNIT_EXPECT_FALSE(test, laya_replay_plausible(replay, 100));
	KUNIT_EXPECT_TRUE(test, laya_replay_plausible(replay, 4999));
	NEW(replay, 4999);
}

static void path_ids__each_once(struct kunit *test)
{
	struct laya_path_ids ids = {};

	KUNIT_EXPECT_FALSE(test, laya_path_ids_accept(&ids, 0));
	KUNIT_EXPECT_TRUE(test, laya_path_ids_accept(&ids, 100));
	KUNIT_EXPECT_FALSE(test, laya_path_ids_accept(&ids, 100));
	KUNIT_EXPECT_TRUE(test, laya_path_ids_accept(&ids, 101));
	KUNIT_EXPECT_TRUE(test, laya_path_ids_accept(&ids, 99));
	KUNIT_EXPECT_FALSE(test, laya_path_ids_accept(&ids, 99));
	KUNIT_EXPECT_FALSE(test, laya_path_ids_accept(&ids, 100));
	KUNIT_EXPECT_FALSE(test, laya_path_ids_accept(&ids, 101));
}

static void path_ids__top_bit_is_no_part(struct kunit *test)
{
	struct laya_path_ids ids = {};

	KUNIT_EXPECT_FALSE(test, laya_path_ids_accept(&ids, 0x8000));
	KUNIT_EXPECT_TRUE(test, laya_path_ids_accept(&ids, 0x8001));
	KUNIT_EXPECT_FALSE(test, laya_path_ids_accept(&ids, 0x0001));
}

static void path_ids__window(struct kunit *test)
{
	struct laya_path_ids ids = {};

	KUNIT_EXPECT_TRUE(test, laya_path_ids_accept(&ids, 1000));
	KUNIT_EXPECT_TRUE(test, laya_path_ids_accept(&ids, 1000 - 63));
	KUNIT_EXPECT_FALSE(test, laya_path_ids_accept(&ids, 1000 - 64));
	KUNIT_EXPECT_TRUE(test, laya_path_ids_accept(&ids, 1000 + 63));
	KUNIT_EXPECT_FALSE(test, laya_path_ids_accept(&ids, 1000));
	KUNIT_EXPECT_TRUE(test, laya_path_ids_accept(&ids, 1001));
	KUNIT_EXPECT_TRUE(test, laya_path_ids_accept(&ids, 1000 + 63 + 64));
	KUNIT_EXPECT_FALSE(test, laya_path_ids_accept(&ids, 1000 + 63));
	/* Shifted out altogether. */
	KUNIT_EXPECT_TRUE(test, laya_path_ids_accept(&ids, 9000));
	KUNIT_EXPECT_FALSE(test, laya_path_ids_accept(&ids, 1000 + 63 + 64));
}

static void path_ids__wrap(struct kunit *test)
{
	struct laya_path_ids ids = {};
	unsigned int i;
	u16 id = 0x7ff0;

	/* Twice around; 0 is skipped, as it never is an id. */
	for (i = 0; i < 0x10000; i++) {
		if (id) {
			KUNIT_EXPECT_TRUE(test, laya_path_ids_accept(&ids, id));
			KUNIT_EXPECT_FALSE(test, laya_path_ids_accept(&ids, id));
		}
		id = (id + 1) & 0x7fff;
	}
	/* Just behind, over the wrap. */
	memset(&ids, 0, sizeof(ids));
	KUNIT_EXPECT_TRUE(test, laya_path_ids_accept(&ids, 5));
	KUNIT_EXPECT_TRUE(test, laya_path_ids_accept(&ids, 0x7fff));
	KUNIT_EXPECT_FALSE(test, laya_path_ids_accept(&ids, 0x7fff));
	KUNIT_EXPECT_EQ(test, 5, ids.highest);
}

static void path_ids__half_way_is_older(struct kunit *test)
{
	struct laya_path_ids ids = {};

	/* RFC 1982 leaves it undefined; refused, so never ahead of both. */
	KUNIT_EXPECT_TRUE(test, laya_path_ids_accept(&ids, 1));
	KUNIT_EXPECT_FALSE(test, laya_path_ids_accept(&ids, 0x4001));
	KUNIT_EXPECT_TRUE(test, laya_path_ids_accept(&ids, 0x4000));
	KUNIT_EXPECT_EQ(test, 0x4000, ids.highest);
}

static struct kunit_case replay_cases[] = {
	KUNIT_CASE(plausible__marks_nothing),
	KUNIT_CASE(check__zero_is_never_new),
	KUNIT_CASE(check__in_order),
	KUNIT_CASE(check__backwards),
	KUNIT_CASE(check__boundaries),
	KUNIT_CASE(check__small_counters),
	KUNIT_CASE(check__jumps),
	KUNIT_CASE(check__far_jump),
	KUNIT_CASE(path_ids__each_once),
	KUNIT_CASE(path_ids__top_bit_is_no_part),
	KUNIT_CASE(path_ids__window),
	KUNIT_CASE(path_ids__wrap),
	KUNIT_CASE(path_ids__half_way_is_older),
	{}
};

static struct kunit_suite replay_suite = {
	.name = "laya_replay",
	.test_cases = replay_cases,
};

kunit_test_suite(replay_suite);
