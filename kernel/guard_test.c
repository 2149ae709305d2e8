// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>

#include "guard.h"

#define O LAYA_GUARD_ORDINARY
#define M LAYA_GUARD_OWN
#define F LAYA_GUARD_FOREIGN

/* Every combination there is. */
static void laya_guard_passes__all(struct kunit *test)
{
	static const struct {
		enum laya_guard_address source, dest;
		bool laya, loopback, elsewhere;
	} rows[] = {
		{ O, O, true, true,  true  },
		{ O, M, true, true,  false },	/* ping -I ::1 ORCHID */
		{ O, F, true, false, false },	/* in clear to the router */
		{ M, O, true, true,  false },
		{ M, M, true, true,  false },	/* to itself */
		{ M, F, true, false, false },
		{ F, O, true, false, false },
		{ F, M, true, false, false },	/* forged on the LAN */
		{ F, F, true, false, false },	/* to be forwarded in clear */
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		KUNIT_EXPECT_EQ(test, rows[i].laya,
				laya_guard_passes(LAYA_GUARD_LAYA,
						  rows[i].source, rows[i].dest));
		KUNIT_EXPECT_EQ(test, rows[i].loopback,
				laya_guard_passes(LAYA_GUARD_LOOPBACK,
						  rows[i].source, rows[i].dest));
		KUNIT_EXPECT_EQ(test, rows[i].elsewhere,
				laya_guard_passes(LAYA_GUARD_ELSEWHERE,
						  rows[i].source, rows[i].dest));
	}
}

static struct kunit_case laya_guard_cases[] = {
	KUNIT_CASE(laya_guard_passes__all),
	{}
};

static struct kunit_suite laya_guard_suite = {
	.name		= "laya_guard",
	.test_cases	= laya_guard_cases,
};

kunit_test_suite(laya_guard_suite);
