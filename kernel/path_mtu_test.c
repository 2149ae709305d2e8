// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/jiffies.h>

#include "path.h"

/* A path by itself: what is tested here looks at nothing else. */
static struct laya_path *path(struct kunit *test)
{
	struct laya_path *path = kunit_kzalloc(test, sizeof(*path), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, path);
	laya_path_mtu_restart(path);
	return path;
}

/* Probe until all is quiet, over a path that carries @limit. Probes sent. */
static unsigned int search(struct laya_path *path, unsigned long *now,
			   u16 limit)
{
	unsigned int n = 0, idle = 0;
	unsigned long next;
	u16 size;

	for (; idle < 100; *now += msecs_to_jiffies(10)) {
		next = MAX_JIFFY_OFFSET;
		size = laya_path_mtu_due(path, *now, &next);
		path->last_rx = *now;
		idle++;
		if (!size)
			continue;
		idle = 0;
		n++;
		if (size <= limit)
			laya_path_mtu_answered(path, path->search.seq,
					       laya_path_mtu_token(path, path->search.seq));
	}
	return n;
}

static void below__ends(struct kunit *test)
{
	unsigned int n = 0;
	u16 size;

	for (size = LAYA_PATH_MAX_MTU; size; size = laya_path_mtu_below(size)) {
		KUNIT_EXPECT_GE(test, size, LAYA_PATH_MIN_MTU);
		n++;
	}
	KUNIT_EXPECT_LE(test, n, 10);
	KUNIT_EXPECT_EQ(test, 0, laya_path_mtu_below(LAYA_PATH_MIN_MTU));
	KUNIT_EXPECT_EQ(test, 0, laya_path_mtu_below(0));
}

static void due__most_paths_at_once(struct kunit *test)
{
	struct laya_path *p = path(test);
	unsigned long now = jiffies;

	KUNIT_EXPECT_EQ(test, LAYA_PATH_BASE_MTU, p->mtu);
	KUNIT_EXPECT_EQ(test, 1, search(p, &now, 1500));
	KUNIT_EXPECT_EQ(test, LAYA_PATH_MAX_MTU, p->mtu);
	KUNIT_EXPECT_EQ(test, 0ULL, p->search.lost);
}

static void due__narrow_path(struct kunit *test)
{
	struct laya_path *p = path(test);
	unsigned long now = jiffies;

	search(p, &now, 1300);
	KUNIT_EXPECT_LE(test, p->mtu, 1300);
	KUNIT_EXPECT_GT(test, p->mtu, 1260);
	KUNIT_EXPECT_NE(test, 0ULL, p->search.lost);
	/* Idle, it is left at that, until it is time to try more. */
	KUNIT_EXPECT_EQ(test, 0, search(p, &now, 1500));
	now += msecs_to_jiffies(600000);
	KUNIT_EXPECT_EQ(test, 1, search(p, &now, 1500));
	KUNIT_EXPECT_EQ(test, LAYA_PATH_MAX_MTU, p->mtu);
}

static void due__base_only(struct kunit *test)
{
	struct laya_path *p = path(test);
	unsigned long now = jiffies, next = MAX_JIFFY_OFFSET;

	search(p, &now, 1200);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_BASE_MTU, p->mtu);
	/* Busy, that is asked for again. */
	now += 2 * HZ;
	p->last_tx_data = now;
	KUNIT_EXPECT_EQ(test, LAYA_PATH_BASE_MTU,
			laya_path_mtu_due(p, now, &next));
}

/* A path that carries less than almost all others. */
static void due__below_base(struct kunit *test)
{
	struct laya_path *p = path(test);
	unsigned long now = jiffies;

	search(p, &now, 1200);
	p->search.shrunk = false;
	now += 2 * HZ;
	p->last_tx_data = now;
	search(p, &now, 1072);
	KUNIT_EXPECT_LE(test, p->mtu, 1072);
	KUNIT_EXPECT_GT(test, p->mtu, LAYA_PATH_MIN_MTU);
	KUNIT_EXPECT_TRUE(test, p->search.shrunk);
	now += 2 * HZ;
	p->last_tx_data = now;
	search(p, &now, LAYA_PATH_MIN_MTU);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_MIN_MTU, p->mtu);
	now += msecs_to_jiffies(600000);
	search(p, &now, 1500);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_MAX_MTU, p->mtu);
}

/* Where nothing arrives at all, it is not the size. */
static void due__outage(struct kunit *test)
{
	struct laya_path *p = path(test);
	unsigned long now = jiffies, next, end;

	search(p, &now, 1500);
	for (end = now + 60 * HZ; time_before(now, end);
	     now += msecs_to_jiffies(10)) {
		p->last_tx_data = now;
		next = MAX_JIFFY_OFFSET;
		laya_path_mtu_due(p, now, &next);
	}
	KUNIT_EXPECT_EQ(test, LAYA_PATH_BASE_MTU, p->mtu);
}

/* A path that got narrower without a word: RFC 8899, 4.3. */
static void due__black_hole(struct kunit *test)
{
	struct laya_path *p = path(test);
	unsigned long now = jiffies, start;
	unsigned long next;
	u16 size;

	search(p, &now, 1500);
	start = now;
	while (p->mtu == LAYA_PATH_MAX_MTU && time_before(now, start + 60 * HZ)) {
		p->last_tx_data = now;
		next = MAX_JIFFY_OFFSET;
		size = laya_path_mtu_due(p, now, &next);
		if (p->mtu == LAYA_PATH_MAX_MTU && size)
			KUNIT_EXPECT_EQ(test, size, LAYA_PATH_MAX_MTU);
		now += msecs_to_jiffies(10);
	}
	KUNIT_EXPECT_EQ(test, LAYA_PATH_BASE_MTU, p->mtu);
	KUNIT_EXPECT_LE(test, now - start, 4 * HZ);
	search(p, &now, 1400);
	KUNIT_EXPECT_GT(test, p->mtu, 1360);
	KUNIT_EXPECT_LE(test, p->mtu, 1400);
}

static void due__confirms_while_busy(struct kunit *test)
{
	struct laya_path *p = path(test);
	unsigned long now = jiffies, next, start;
	unsigned int n = 0;

	search(p, &now, 1500);
	for (start = now; time_before(now, start + 20 * HZ);
	     now += msecs_to_jiffies(10)) {
		p->last_tx_data = now;
		next = MAX_JIFFY_OFFSET;
		if (!laya_path_mtu_due(p, now, &next)) {
			KUNIT_EXPECT_LE(test, next, 2 * HZ);
			continue;
		}
		n++;
		p->search.next = now + 2 * HZ;
		p->search.size = 0;
		p->search.tries = 0;
	}
	KUNIT_EXPECT_GE(test, n, 9);
	KUNIT_EXPECT_LE(test, n, 11);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_MAX_MTU, p->mtu);
}

/* A sender was told that a packet is too large for the route. */
static void due__narrowed_by_sender(struct kunit *test)
{
	struct laya_path *p = path(test);
	unsigned long now = jiffies;

	search(p, &now, 1500);
	p->mtu = LAYA_PATH_BASE_MTU;
	search(p, &now, 1400);
	KUNIT_EXPECT_GT(test, p->mtu, 1360);
	KUNIT_EXPECT_LE(test, p->mtu, 1400);
}

static void refused__goes_on_below(struct kunit *test)
{
	struct laya_path *p = path(test);
	unsigned long now = jiffies, next = MAX_JIFFY_OFFSET;
	u16 size, last = U16_MAX;

	while ((size = laya_path_mtu_due(p, now, &next))) {
		KUNIT_ASSERT_LT(test, size, last);
		last = size;
		laya_path_mtu_refused(p, size);
		/* One that is not being tried changes nothing. */
		laya_path_mtu_refused(p, 1);
	}
	KUNIT_EXPECT_EQ(test, LAYA_PATH_MIN_MTU, p->mtu);
}

static void answered__others_are_none(struct kunit *test)
{
	struct laya_path *p = path(test);
	unsigned long now = jiffies, next = MAX_JIFFY_OFFSET;
	u32 first;

	KUNIT_EXPECT_EQ(test, LAYA_PATH_MAX_MTU, laya_path_mtu_due(p, now, &next));
	first = p->search.seq;
	KUNIT_EXPECT_FALSE(test, laya_path_mtu_answered(p, first,
							laya_path_mtu_token(p, first + 1)));
	KUNIT_EXPECT_FALSE(test, laya_path_mtu_answered(p, first + 1,
							laya_path_mtu_token(p, first + 1)));
	KUNIT_EXPECT_FALSE(test, laya_path_mtu_answered(p, first - 1,
							laya_path_mtu_token(p, first - 1)));
	/* Too late: a smaller size is being tried. */
	laya_path_mtu_refused(p, LAYA_PATH_MAX_MTU);
	laya_path_mtu_due(p, now, &next);
	KUNIT_EXPECT_FALSE(test, laya_path_mtu_answered(p, first,
							laya_path_mtu_token(p, first)));
	KUNIT_EXPECT_EQ(test, LAYA_PATH_BASE_MTU, p->mtu);
	KUNIT_EXPECT_TRUE(test, laya_path_mtu_answered(p, first + 1,
						       laya_path_mtu_token(p, first + 1)));
	KUNIT_EXPECT_EQ(test, laya_path_mtu_below(LAYA_PATH_MAX_MTU), p->mtu);
	/* And nothing twice. */
	KUNIT_EXPECT_FALSE(test, laya_path_mtu_answered(p, first + 1,
							laya_path_mtu_token(p, first + 1)));
}

static struct kunit_case path_mtu_cases[] = {
	KUNIT_CASE(below__ends),
	KUNIT_CASE(due__most_paths_at_once),
	KUNIT_CASE(due__narrow_path),
	KUNIT_CASE(due__base_only),
	KUNIT_CASE(due__below_base),
	KUNIT_CASE(due__outage),
	KUNIT_CASE(due__black_hole),
	KUNIT_CASE(due__confirms_while_busy),
	KUNIT_CASE(due__narrowed_by_sender),
	KUNIT_CASE(refused__goes_on_below),
	KUNIT_CASE(answered__others_are_none),
	{}
};

static struct kunit_suite path_mtu_suite = {
	.name = "laya_path_mtu",
	.test_cases = path_mtu_cases,
};

kunit_test_suite(path_mtu_suite);
