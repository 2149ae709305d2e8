// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "frame.h"

static const unsigned int lengths[] = { 1, 2, 60, 1436, LAYA_FRAME_MAX, 3 };

#define STREAM_MAX	8192

/* All of @lengths, one behind the other; packet n is full of n + 1. */
static unsigned int write_stream(u8 *to)
{
	unsigned int i, at = 0;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		put_unaligned_be16(lengths[i], to + at);
		memset(to + at + LAYA_FRAME_HEADER, i + 1, lengths[i]);
		at += LAYA_FRAME_HEADER + lengths[i];
	}
	return at;
}

/* The packets of @data are those of write_stream() from *@n on. */
static void read_packets(struct kunit *test, struct laya_frame *frame,
			 const u8 *data, unsigned int len, unsigned int *n)
{
	const u8 *packet;
	int length;

	while ((length = laya_frame_next(frame, &data, &len, &packet))) {
		KUNIT_ASSERT_LT(test, *n, ARRAY_SIZE(lengths));
		KUNIT_ASSERT_EQ(test, length, lengths[*n]);
		++*n;
		KUNIT_EXPECT_NULL(test, memchr_inv(packet, *n, length));
	}
	KUNIT_EXPECT_EQ(test, len, 0);
}

static void laya_frame_next__in_pieces(struct kunit *test)
{
	/* Byte by byte, around the sizes of header and packets, and all at once */
	static const unsigned int pieces[] = {
		1, 2, 3, 7, 61, 1437, 1438, 1439, STREAM_MAX
	};
	struct laya_frame *frame = kunit_kzalloc(test, sizeof(*frame), GFP_KERNEL);
	u8 *stream = kunit_kzalloc(test, STREAM_MAX, GFP_KERNEL);
	unsigned int total, i, at, n;

	KUNIT_ASSERT_NOT_NULL(test, frame);
	KUNIT_ASSERT_NOT_NULL(test, stream);
	total = write_stream(stream);
	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		n = 0;
		for (at = 0; at < total; at += pieces[i])
			read_packets(test, frame, stream + at,
				     min(pieces[i], total - at), &n);
		KUNIT_EXPECT_EQ(test, n, ARRAY_SIZE(lengths));
		KUNIT_EXPECT_EQ(test, frame->have, 0);
	}
}

static void laya_frame_next__whole_one_is_not_copied(struct kunit *test)
{
	struct laya_frame *frame = kunit_kzalloc(test, sizeof(*frame), GFP_KERNEL);
	const u8 stream[] = { 0, 3, 'a', 'b', 'c' };
	const u8 *data = stream, *packet;
	unsigned int len = sizeof(stream);

	KUNIT_ASSERT_NOT_NULL(test, frame);
	KUNIT_EXPECT_EQ(test, laya_frame_next(frame, &data, &len, &packet), 3);
	KUNIT_EXPECT_PTR_EQ(test, packet, stream + 2);
	KUNIT_EXPECT_EQ(test, len, 0);
}

static void laya_frame_next__bad_length(struct kunit *test)
{
	static const u16 bad[] = { 0, LAYA_FRAME_MAX + 1, 0x1603, 0x8100, 0xffff };
	struct laya_frame *frame = kunit_kzalloc(test, sizeof(*frame), GFP_KERNEL);
	const u8 *data, *packet;
	unsigned int i, len;
	u8 header[2];

	KUNIT_ASSERT_NOT_NULL(test, frame);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		put_unaligned_be16(bad[i], header);
		data = header;
		len = 2;
		KUNIT_EXPECT_EQ(test, -EBADMSG,
				laya_frame_next(frame, &data, &len, &packet));

		/* In two pieces */
		data = header;
		len = 1;
		KUNIT_EXPECT_EQ(test, 0,
				laya_frame_next(frame, &data, &len, &packet));
		len = 1;
		KUNIT_EXPECT_EQ(test, -EBADMSG,
				laya_frame_next(frame, &data, &len, &packet));
		frame->have = 0;
	}
}

static struct kunit_case laya_frame_cases[] = {
	KUNIT_CASE(laya_frame_next__in_pieces),
	KUNIT_CASE(laya_frame_next__whole_one_is_not_copied),
	KUNIT_CASE(laya_frame_next__bad_length),
	{}
};

static struct kunit_suite laya_frame_suite = {
	.name = "laya_frame",
	.test_cases = laya_frame_cases,
};

kunit_test_suite(laya_frame_suite);
