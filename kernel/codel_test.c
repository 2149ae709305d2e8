// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/time64.h>

#include "codel.h"

#define MS	((u64)NSEC_PER_MSEC)
#define PACKET	1440

static const struct laya_codel_params params = {
	.target_ns	= 5 * MS,
	.interval_ns	= 100 * MS,
};

/* Drops among packets that leave one a millisecond from @from to @to. */
static unsigned int drops(struct laya_codel *codel, u64 from, u64 to, u64 waited,
			  unsigned int behind)
{
	unsigned int n = 0;
	u64 now;

	for (now = from; now < to; now += MS)
		while (laya_codel_drops(codel, &params, now, waited, behind))
			n++;
	return n;
}

static void drops__none_below_the_target(struct kunit *test)
{
	struct laya_codel codel = {};

	KUNIT_EXPECT_EQ(test, 0, drops(&codel, MS, 5000 * MS, 4 * MS, 100 * PACKET));
	KUNIT_EXPECT_FALSE(test, codel.dropping);
}

static void drops__none_of_the_last_packet(struct kunit *test)
{
	struct laya_codel codel = {};

	/* A line so slow that one packet takes longer than the target */
	KUNIT_EXPECT_EQ(test, 0, drops(&codel, MS, 5000 * MS, 900 * MS, PACKET));
}

static void drops__none_of_a_burst(struct kunit *test)
{
	struct laya_codel codel = {};
	u64 now;

	/* Long, but gone each time before an interval is over */
	for (now = MS; now < 5000 * MS; now += 100 * MS) {
		KUNIT_EXPECT_EQ(test, 0, drops(&codel, now, now + 99 * MS, 80 * MS,
					       50 * PACKET));
		KUNIT_EXPECT_EQ(test, 0, drops(&codel, now + 99 * MS, now + 100 * MS,
					       MS, 0));
	}
}

static void drops__after_an_interval(struct kunit *test)
{
	struct laya_codel codel = {};

	KUNIT_EXPECT_EQ(test, 0, drops(&codel, MS, 101 * MS, 6 * MS, 50 * PACKET));
	KUNIT_EXPECT_EQ(test, 1, drops(&codel, 101 * MS, 102 * MS, 6 * MS,
				       50 * PACKET));
	/* The second one after another interval, then sooner and sooner */
	KUNIT_EXPECT_EQ(test, 0, drops(&codel, 102 * MS, 201 * MS, 6 * MS,
				       50 * PACKET));
	KUNIT_EXPECT_EQ(test, 1, drops(&codel, 201 * MS, 202 * MS, 6 * MS,
				       50 * PACKET));
	KUNIT_EXPECT_EQ(test, 1, drops(&codel, 202 * MS, 273 * MS, 6 * MS,
				       50 * PACKET));
	KUNIT_EXPECT_EQ(test, 1, drops(&codel, 273 * MS, 331 * MS, 6 * MS,
				       50 * PACKET));
	KUNIT_EXPECT_GT(test, drops(&codel, 1000 * MS, 2000 * MS, 6 * MS,
				    50 * PACKET),
			drops(&codel, 331 * MS, 1000 * MS, 6 * MS, 50 * PACKET));
}

static void drops__end_with_the_queue(struct kunit *test)
{
	struct laya_codel codel = {};

	drops(&codel, MS, 2000 * MS, 50 * MS, 50 * PACKET);
	KUNIT_EXPECT_TRUE(test, codel.dropping);
	KUNIT_EXPECT_EQ(test, 0, drops(&codel, 2000 * MS, 2001 * MS, 4 * MS,
				       50 * PACKET));
	KUNIT_EXPECT_FALSE(test, codel.dropping);
	/* And need an interval to begin again */
	KUNIT_EXPECT_EQ(test, 0, drops(&codel, 2001 * MS, 2101 * MS, 50 * MS,
				       50 * PACKET));
	KUNIT_EXPECT_EQ(test, 1, drops(&codel, 2101 * MS, 2102 * MS, 50 * MS,
				       50 * PACKET));
}

static void drops__go_on_where_they_ended(struct kunit *test)
{
	struct laya_codel soon = {}, late = {};

	drops(&soon, MS, 3000 * MS, 50 * MS, 50 * PACKET);
	late = soon;
	drops(&soon, 3000 * MS, 3001 * MS, MS, 50 * PACKET);
	drops(&late, 3000 * MS, 3001 * MS, MS, 50 * PACKET);
	/* Half a second of it, now or much later */
	KUNIT_EXPECT_GT(test, drops(&soon, 3001 * MS, 3501 * MS, 50 * MS,
				    50 * PACKET),
			drops(&late, 30001 * MS, 30501 * MS, 50 * MS,
			      50 * PACKET));
}

static void drops__of_a_long_time(struct kunit *test)
{
	struct laya_codel codel = { .count = U32_MAX, .dropping = true };
	u64 now = 1000 * MS;

	/* Neither the root nor the sum goes wrong */
	codel.above = 1;
	codel.next = now;
	KUNIT_EXPECT_TRUE(test, laya_codel_drops(&codel, &params, now, 50 * MS,
						 50 * PACKET));
	KUNIT_EXPECT_GT(test, codel.next, now);
}

static struct kunit_case codel_cases[] = {
	KUNIT_CASE(drops__none_below_the_target),
	KUNIT_CASE(drops__none_of_the_last_packet),
	KUNIT_CASE(drops__none_of_a_burst),
	KUNIT_CASE(drops__after_an_interval),
	KUNIT_CASE(drops__end_with_the_queue),
	KUNIT_CASE(drops__go_on_where_they_ended),
	KUNIT_CASE(drops__of_a_long_time),
	{}
};

static struct kunit_suite codel_suite = {
	.name = "laya_codel",
	.test_cases = codel_cases,
};

kunit_test_suite(codel_suite);
