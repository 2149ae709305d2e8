// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>

#include "addr.h"

struct laya_addr_vector {
	u8		key[LAYA_KEY_SIZE];
	struct in6_addr	orchid;
};

/* Made with hashlib of Python; the second is in userspace/lib's tests too. */
static const struct laya_addr_vector laya_addr_vectors[] = {
	{
		.key = {
			0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
			0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
			0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
			0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		},
		.orchid = { .s6_addr = {
			0x20, 0x01, 0x00, 0x25, 0xdc, 0x3c, 0x70, 0x6e,
			0xff, 0x07, 0x1a, 0x61, 0xf0, 0x7c, 0x27, 0x11,
		} },
	},
	{
		.key = {
			0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
			0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
			0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
			0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
		},
		.orchid = { .s6_addr = {
			0x20, 0x01, 0x00, 0x25, 0x14, 0xb4, 0x02, 0x74,
			0xf0, 0x9e, 0x89, 0xc7, 0xe2, 0x1d, 0x14, 0xe3,
		} },
	},
	{
		.key = {
			0x7a, 0xb7, 0xb4, 0xd3, 0xc0, 0xe9, 0xd7, 0x89,
			0xad, 0x35, 0xe3, 0x57, 0xb0, 0xe8, 0x5e, 0x96,
			0x6e, 0xb8, 0xd1, 0xba, 0xa1, 0x3d, 0xf7, 0x90,
			0x85, 0x22, 0x27, 0xc0, 0x4b, 0x0a, 0x11, 0x40,
		},
		.orchid = { .s6_addr = {
			0x20, 0x01, 0x00, 0x25, 0xcd, 0xbb, 0x48, 0x99,
			0x25, 0xfa, 0x5a, 0x77, 0xdc, 0x47, 0x0a, 0xa7,
		} },
	},
};

static void laya_addr_is_orchid__prefix(struct kunit *test)
{
	static const struct in6_addr in[] = {
		{ .s6_addr = { 0x20, 0x01, 0x00, 0x20 } },
		{ .s6_addr = { 0x20, 0x01, 0x00, 0x25, 0xff } },
		{ .s6_addr = { 0x20, 0x01, 0x00, 0x2f, [15] = 0xff } },
	};
	static const struct in6_addr out[] = {
		{ .s6_addr = { 0x20, 0x01, 0x00, 0x1f } },
		{ .s6_addr = { 0x20, 0x01, 0x00, 0x30 } },
		{ .s6_addr = { 0x20, 0x01, 0x0d, 0xb8 } },
		{ .s6_addr = { 0 } },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(in); i++)
		KUNIT_EXPECT_TRUE(test, laya_addr_is_orchid(&in[i]));
	for (i = 0; i < ARRAY_SIZE(out); i++)
		KUNIT_EXPECT_FALSE(test, laya_addr_is_orchid(&out[i]));
}

static void laya_addr_orchid__vectors(struct kunit *test)
{
	struct in6_addr orchid;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(laya_addr_vectors); i++) {
		laya_addr_orchid(&orchid, laya_addr_vectors[i].key);
		KUNIT_EXPECT_EQ(test, 0,
				memcmp(&orchid, &laya_addr_vectors[i].orchid,
				       sizeof(orchid)));
		KUNIT_EXPECT_TRUE(test, laya_addr_is_orchid(&orchid));
	}
}

static void laya_addr_key_zero__one_bit(struct kunit *test)
{
	u8 key[LAYA_KEY_SIZE] = {};

	KUNIT_EXPECT_TRUE(test, laya_addr_key_zero(key));
	key[LAYA_KEY_SIZE - 1] = 1;
	KUNIT_EXPECT_FALSE(test, laya_addr_key_zero(key));
}

static void laya_addr_key_valid__ordinary(struct kunit *test)
{
	u8 key[LAYA_KEY_SIZE] = { 9 };	/* the base point */
	unsigned int i;

	KUNIT_EXPECT_TRUE(test, laya_addr_key_valid(key));
	for (i = 0; i < ARRAY_SIZE(laya_addr_vectors); i++)
		KUNIT_EXPECT_TRUE(test,
				  laya_addr_key_valid(laya_addr_vectors[i].key));
}

static void laya_addr_key_valid__around_p(struct kunit *test)
{
	u8 key[LAYA_KEY_SIZE];
	unsigned int low;

	memset(key, 0xff, sizeof(key));
	key[31] = 0x7f;
	/* p is 0xed at its low end: p - 2 is the last good one */
	for (low = 0; low <= 0xff; low++) {
		key[0] = low;
		KUNIT_EXPECT_EQ(test, low <= 0xeb, laya_addr_key_valid(key));
	}
	key[0] = 0xff;
	key[15] = 0xfe;
	KUNIT_EXPECT_TRUE(test, laya_addr_key_valid(key));
	key[31] = 0xff;
	KUNIT_EXPECT_FALSE(test, laya_addr_key_valid(key));
}

static void laya_addr_key_valid__low_order(struct kunit *test)
{
	static const u8 low[][LAYA_KEY_SIZE] = {
		{ 0 },
		{ 1 },
		{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae,
		  0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
		  0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd,
		  0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
		{ 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24,
		  0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
		  0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86,
		  0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57 },
	};
	u8 key[LAYA_KEY_SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(low); i++) {
		KUNIT_EXPECT_FALSE(test, laya_addr_key_valid(low[i]));
		/* what stands beside it is good, but for 0 and 1 */
		memcpy(key, low[i], sizeof(key));
		key[7] ^= 4;
		KUNIT_EXPECT_TRUE(test, laya_addr_key_valid(key));
	}
}

static void laya_addr_check__forms(struct kunit *test)
{
	struct sockaddr_laya name = { .slaya_family = AF_LAYA };

	KUNIT_EXPECT_EQ(test, 0, laya_addr_check(&name, sizeof(name)));
	KUNIT_EXPECT_EQ(test, 0, laya_addr_check(&name, sizeof(name) + 8));
	KUNIT_EXPECT_EQ(test, -EINVAL, laya_addr_check(&name, sizeof(name) - 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, laya_addr_check(&name, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, laya_addr_check(&name, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, laya_addr_check(&name, -1));
	name.slaya_family = AF_INET6;
	KUNIT_EXPECT_EQ(test, -EAFNOSUPPORT, laya_addr_check(&name, sizeof(name)));
	KUNIT_EXPECT_EQ(test, -EAFNOSUPPORT, laya_addr_check(&name, 2));
}

static void laya_addr_name__fields(struct kunit *test)
{
	struct sockaddr_laya name;
	u8 key[LAYA_KEY_SIZE];

	memset(&name, 0xaa, sizeof(name));
	memset(key, 0x55, sizeof(key));
	KUNIT_EXPECT_EQ(test, 40, laya_addr_name(&name, NULL, 0, 0));
	KUNIT_EXPECT_EQ(test, (int)AF_LAYA, (int)name.slaya_family);
	KUNIT_EXPECT_TRUE(test, laya_addr_key_zero(name.slaya_key));
	KUNIT_EXPECT_EQ(test, 0U, name.slaya_scope_id);

	laya_addr_name(&name, key, htons(80), 7);
	KUNIT_EXPECT_EQ(test, 80, ntohs(name.slaya_port));
	KUNIT_EXPECT_EQ(test, 7U, name.slaya_scope_id);
	KUNIT_EXPECT_EQ(test, 0, memcmp(name.slaya_key, key, sizeof(key)));
}

static struct kunit_case laya_addr_cases[] = {
	KUNIT_CASE(laya_addr_is_orchid__prefix),
	KUNIT_CASE(laya_addr_orchid__vectors),
	KUNIT_CASE(laya_addr_key_zero__one_bit),
	KUNIT_CASE(laya_addr_key_valid__ordinary),
	KUNIT_CASE(laya_addr_key_valid__around_p),
	KUNIT_CASE(laya_addr_key_valid__low_order),
	KUNIT_CASE(laya_addr_check__forms),
	KUNIT_CASE(laya_addr_name__fields),
	{}
};

static struct kunit_suite laya_addr_suite = {
	.name		= "laya_addr",
	.test_cases	= laya_addr_cases,
};

kunit_test_suite(laya_addr_suite);
