// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>

#include "carrier.h"

#define REST	(LAYA_OVERHEAD + LAYA_INNER_SIZE)

static const u8 labels[LAYA_MAX_LABELS][LAYA_LABEL_SIZE] = {
	{ 1, 2, 3, 4, 5, 6 }, { 7, 8, 9, 10, 11, 12 },
};

static const u8 returns[LAYA_MAX_LABELS][LAYA_LABEL_SIZE] = {
	{ 21, 22, 23, 24, 25, 26 }, { 27, 28, 29, 30, 31, 32 },
};

static const u8 empty[LAYA_LABEL_SIZE];

/* A packet with so many shims; the rest is a data header and zeros. */
static unsigned int packet(u8 *to, unsigned int n_labels,
			   unsigned int n_returns, unsigned int n_slots)
{
	unsigned int len;

	len = laya_shims_write(to, labels, n_labels, returns, n_returns,
			       n_slots);
	memset(to + len, 0, REST);
	to[len] = LAYA_PACKET_DATA;
	return len + REST;
}

static void laya_shims_parse__what_was_written(struct kunit *test)
{
	unsigned int n_labels, n_slots, n_returns, len;
	struct laya_shims shims;
	u8 data[128];

	for (n_labels = 0; n_labels <= LAYA_MAX_LABELS; n_labels++)
		for (n_slots = 0; n_slots <= n_labels; n_slots++)
			for (n_returns = 0; n_returns <= n_slots; n_returns++) {
				len = packet(data, n_labels, n_returns, n_slots);
				KUNIT_ASSERT_EQ(test, 0,
						laya_shims_parse(&shims, data, len));
				KUNIT_EXPECT_EQ(test, n_labels, shims.n_labels);
				KUNIT_EXPECT_EQ(test, n_slots, shims.n_returns);
				KUNIT_EXPECT_EQ(test, len - REST, shims.len);
				KUNIT_EXPECT_EQ(test, 0,
						memcmp(shims.labels, labels,
						       n_labels * LAYA_LABEL_SIZE));
				KUNIT_EXPECT_EQ(test, 0,
						memcmp(shims.returns, returns,
						       n_returns * LAYA_LABEL_SIZE));
				if (n_returns < n_slots)
					KUNIT_EXPECT_EQ(test, 0,
							memcmp(shims.returns[n_slots - 1],
							       empty, LAYA_LABEL_SIZE));
			}
}

static void laya_shims_parse__every_length(struct kunit *test)
{
	unsigned int n_labels, len, cut;
	struct laya_shims shims;
	u8 data[128];

	for (n_labels = 0; n_labels <= LAYA_MAX_LABELS; n_labels++) {
		len = packet(data, n_labels, n_labels, n_labels);
		for (cut = 0; cut < len; cut++) {
			/* Of its own size, so that KASAN sees a byte too far */
			u8 *copy = kunit_kmalloc(test, max(cut, 1U), GFP_KERNEL);

			KUNIT_ASSERT_NOT_NULL(test, copy);
			memcpy(copy, data, cut);
			KUNIT_EXPECT_EQ(test, -EBADMSG,
					laya_shims_parse(&shims, copy, cut));
		}
	}
}

static void laya_shims_parse__flags(struct kunit *test)
{
	struct laya_shims shims;
	unsigned int len, at;
	u8 data[128];

	for (at = 1; at <= 17; at += 8) {
		len = packet(data, 1, 1, 1);
		data[at] = 1;
		KUNIT_EXPECT_EQ(test, -EBADMSG,
				laya_shims_parse(&shims, data, len));
	}
}

static void laya_shims_parse__too_many(struct kunit *test)
{
	struct laya_shims shims;
	unsigned int len;
	u8 data[128];

	/* Three labels: the second of two, moved on, is the third */
	len = packet(data, 2, 0, 0);
	memmove(data + 8, data, len);
	KUNIT_EXPECT_EQ(test, -EBADMSG,
			laya_shims_parse(&shims, data, len + 8));

	/* Three return slots */
	len = packet(data, 2, 2, 2);
	memmove(data + 24, data + 16, len - 16);
	KUNIT_EXPECT_EQ(test, -EBADMSG,
			laya_shims_parse(&shims, data, len + 8));
}

static void laya_shims_parse__order(struct kunit *test)
{
	struct laya_shims shims;
	unsigned int len;
	u8 data[128];

	/* A return slot before the second label */
	len = packet(data, 2, 1, 1);
	data[8] = LAYA_PACKET_RETURN;
	data[16] = LAYA_PACKET_LABEL;
	KUNIT_EXPECT_EQ(test, -EBADMSG, laya_shims_parse(&shims, data, len));

	/* A return slot alone */
	len = packet(data, 0, 1, 1);
	KUNIT_EXPECT_EQ(test, -EBADMSG, laya_shims_parse(&shims, data, len));
}

static void laya_shims_parse__unknown_type(struct kunit *test)
{
	struct laya_shims shims;
	unsigned int len, type;
	u8 data[128];

	for (type = 0; type < 256; type++) {
		len = packet(data, 1, 0, 0);
		data[8] = type;
		if (type == LAYA_PACKET_DATA)
			KUNIT_EXPECT_EQ(test, 0, laya_shims_parse(&shims, data, len));
		else if (type != LAYA_PACKET_LABEL && type != LAYA_PACKET_RETURN)
			KUNIT_EXPECT_EQ(test, -EBADMSG,
					laya_shims_parse(&shims, data, len));
	}
}

static struct kunit_case laya_shim_cases[] = {
	KUNIT_CASE(laya_shims_parse__what_was_written),
	KUNIT_CASE(laya_shims_parse__every_length),
	KUNIT_CASE(laya_shims_parse__flags),
	KUNIT_CASE(laya_shims_parse__too_many),
	KUNIT_CASE(laya_shims_parse__order),
	KUNIT_CASE(laya_shims_parse__unknown_type),
	{}
};

static struct kunit_suite laya_shim_suite = {
	.name = "laya_shim",
	.test_cases = laya_shim_cases,
};

kunit_test_suite(laya_shim_suite);
