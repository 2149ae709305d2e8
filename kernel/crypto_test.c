// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/slab.h>

#include "crypto.h"
#include "laya.h"

/* Room for what is longest, beside a guard that nobody may touch. */
#define LONGEST		1500
#define GUARD		0xa5

struct vector {
	const char	*name;
	u32		cipher;
	const char	*key;
	const char	*nonce;
	const char	*plain;
	const char	*sealed;
};

#define SUNSCREEN							\
	"4c616469657320616e642047656e746c656d656e206f662074686520636c61"	\
	"7373206f66202739393a204966204920636f756c64206f6666657220796f75"	\
	"206f6e6c79206f6e652074697020666f7220746865206675747572652c2073"	\
	"756e73637265656e20776f756c642062652069742e"

static const struct vector vectors[] = {
	{
		/* McGrew and Viega, "The Galois/Counter Mode of Operation" */
		.name	= "GCM test case 14",
		.cipher	= LAYA_CIPHER_AES_256_GCM,
		.key	= "00000000000000000000000000000000"
			  "00000000000000000000000000000000",
		.nonce	= "000000000000000000000000",
		.plain	= "00000000000000000000000000000000",
		.sealed	= "cea7403d4d606b6e074ec5d3baf39d18"
			  "d0d1c8a799996bf0265b98b5d48ab919",
	}, {
		.name	= "GCM test case 15",
		.cipher	= LAYA_CIPHER_AES_256_GCM,
		.key	= "feffe9928665731c6d6a8f9467308308"
			  "feffe9928665731c6d6a8f9467308308",
		.nonce	= "cafebabefacedbaddecaf888",
		.plain	= "d9313225f88406e5a55909c5aff5269a"
			  "86a7a9531534f7da2e4c303d8a318a72"
			  "1c3c0c95956809532fcf0e2449a6b525"
			  "b16aedf5aa0de657ba637b391aafd255",
		.sealed	= "522dc1f099567d07f47f37a32a84427d"
			  "643a8cdcbfe5c0c97598a2bd2555d1aa"
			  "8cb08e48590dbb3da7b08b1056828838"
			  "c5f61e6393ba7a0abcc9f662898015ad"
			  "b094dac5d93471bdec1a502270e3cc6c",
	}, {
		/* What OpenSSL makes of a nonce of ours */
		.name	= "GCM with a path id",
		.cipher	= LAYA_CIPHER_AES_256_GCM,
		.key	= "808182838485868788898a8b8c8d8e8f"
			  "909192939495969798999a9b9c9d9e9f",
		.nonce	= "000080010000000100000002",
		.plain	= SUNSCREEN,
		.sealed	= "f0a2b417ac7fe06b4bdf4e70b91adc02715afa3b6d8ac2c3"
			  "6d3ad51bdd3f3881f026b9bf15d36b3c36107b3e8b7b254f"
			  "f89d0e500bf32531fc32e678ba38632ed3fc55ba61821725"
			  "a3183b07ffd4dcc17ce40ece6443242525d6782459f3d5dd"
			  "30548b97f4bbd25d609d1055f8d24674fce7f517eb9654b1"
			  "b7a359fe20d15f5a1dd6",
	}, {
		/*
		 * Key, nonce, text and ciphertext of RFC 8439, 2.8.2. Ours has
		 * no associated data, so its tag is of OpenSSL.
		 */
		.name	= "ChaCha20-Poly1305 of RFC 8439",
		.cipher	= LAYA_CIPHER_CHACHA20_POLY1305,
		.key	= "808182838485868788898a8b8c8d8e8f"
			  "909192939495969798999a9b9c9d9e9f",
		.nonce	= "070000004041424344454647",
		.plain	= SUNSCREEN,
		.sealed	= "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fe"
			  "a9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"
			  "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c"
			  "9803aee328091b58fab324e4fad675945585808b4831d7bc"
			  "3ff4def08e4b7a9de576d26586cec64b61166a23a4681fd5"
			  "9456aea1d29f82477216",
	}, {
		.name	= "ChaCha20-Poly1305 with a path id",
		.cipher	= LAYA_CIPHER_CHACHA20_POLY1305,
		.key	= "808182838485868788898a8b8c8d8e8f"
			  "909192939495969798999a9b9c9d9e9f",
		.nonce	= "000080010000000100000002",
		.plain	= SUNSCREEN,
		.sealed	= "c2a7ef26a3ac48e0b8ac88ed9762b2dc667692bbfbf69f72"
			  "041e80780b55a92f15b237a301fd32ef9113322eec65c3de"
			  "7ac71117fefe648f719763109f11f62985f5c256e014914e"
			  "c0c4ff9b5ce2390cf17855233ddc47067ae32173be8cccca"
			  "b525d748bf30e58ccf848a64d67709192283badf8cabc9bb"
			  "b7ae858bfb783dd1c079",
	},
};

static const u32 ciphers[] = {
	LAYA_CIPHER_AES_256_GCM,
	LAYA_CIPHER_CHACHA20_POLY1305,
};

static unsigned int unhex(struct kunit *test, u8 *to, const char *hex)
{
	unsigned int len = strlen(hex) / 2;

	KUNIT_ASSERT_EQ(test, 0, hex2bin(to, hex, len));
	return len;
}

static u8 *buffer(struct kunit *test)
{
	u8 *bytes = kunit_kmalloc(test, LONGEST + 64, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	memset(bytes, GUARD, LONGEST + 64);
	return bytes;
}

static void set_key(struct kunit *test, struct laya_key *key, u32 cipher)
{
	u8 bytes[LAYA_AEAD_KEY_SIZE];
	unsigned int i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = i * 7 + 1;
	KUNIT_ASSERT_EQ(test, 0, laya_crypto_set_key(key, cipher, bytes));
}

static void set_key__unknown_cipher(struct kunit *test)
{
	u8 bytes[LAYA_AEAD_KEY_SIZE] = {};
	struct laya_key key;

	KUNIT_EXPECT_EQ(test, -EINVAL, laya_crypto_set_key(&key, 0, bytes));
	KUNIT_EXPECT_EQ(test, -EINVAL, laya_crypto_set_key(&key, 3, bytes));
}

static void clear_key__wipes(struct kunit *test)
{
	struct laya_key key;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ciphers); i++) {
		set_key(test, &key, ciphers[i]);
		laya_crypto_clear_key(&key);
		KUNIT_EXPECT_NULL(test, memchr_inv(&key, 0, sizeof(key)));
		/* And again does no harm. */
		laya_crypto_clear_key(&key);
	}
}

static void nonce__layout(struct kunit *test)
{
	static const u8 expected[LAYA_NONCE_SIZE] = {
		0, 0, 0x81, 0x02, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18
	};
	u8 nonce[LAYA_NONCE_SIZE];

	laya_crypto_nonce(nonce, cpu_to_be16(0x8102),
			  cpu_to_be64(0x1112131415161718ULL));
	KUNIT_EXPECT_MEMEQ(test, nonce, expected, sizeof(nonce));
}

static void seal__vectors(struct kunit *test)
{
	u8 bytes[LAYA_AEAD_KEY_SIZE], nonce[LAYA_NONCE_SIZE];
	u8 *plain, *sealed, *expected;
	const struct vector *vector;
	unsigned int i, len;
	struct laya_key key;

	plain = buffer(test);
	sealed = buffer(test);
	expected = buffer(test);
	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		vector = &vectors[i];
		unhex(test, bytes, vector->key);
		unhex(test, nonce, vector->nonce);
		len = unhex(test, plain, vector->plain);
		KUNIT_ASSERT_EQ(test, len + LAYA_TAG_SIZE,
				unhex(test, expected, vector->sealed));
		KUNIT_ASSERT_EQ(test, 0, laya_crypto_set_key(&key, vector->cipher,
							     bytes));
		KUNIT_EXPECT_EQ(test, 0, laya_crypto_seal(&key, nonce, plain, len,
							  sealed));
		KUNIT_EXPECT_MEMEQ_MSG(test, sealed, expected,
				       len + LAYA_TAG_SIZE, "%s", vector->name);
		memset(plain, 0, len);
		KUNIT_EXPECT_EQ(test, 0, laya_crypto_open(&key, nonce, expected,
							  len + LAYA_TAG_SIZE,
							  plain));
		unhex(test, expected, vector->plain);
		KUNIT_EXPECT_MEMEQ_MSG(test, plain, expected, len, "%s",
				       vector->name);
		laya_crypto_clear_key(&key);
	}
}

/* Every length, out of place and in place, and not a byte beyond. */
static void seal__lengths(struct kunit *test)
{
	u8 nonce[LAYA_NONCE_SIZE] = { 0, 0, 0, 1 };
	unsigned int i, len, size;
	u8 *plain, *sealed, *place;
	struct laya_key key;

	plain = buffer(test);
	sealed = buffer(test);
	place = buffer(test);
	for (len = 0; len < LONGEST; len++)
		plain[len] = len * 13;
	for (i = 0; i < ARRAY_SIZE(ciphers); i++) {
		set_key(test, &key, ciphers[i]);
		for (len = 1; len <= LONGEST - LAYA_TAG_SIZE;
		     len += len < 200 ? 1 : 97) {
			size = len + LAYA_TAG_SIZE;
			memset(sealed, GUARD, size + 1);
			memset(place, GUARD, size + 3);
			/* As packets do, it begins where it happens to. */
			memcpy(place + 2, plain, len);
			KUNIT_ASSERT_EQ(test, 0, laya_crypto_seal(&key, nonce,
								  plain, len,
								  sealed));
			KUNIT_ASSERT_EQ(test, 0, laya_crypto_seal(&key, nonce,
								  place + 2, len,
								  place + 2));
			KUNIT_EXPECT_EQ(test, sealed[size], GUARD);
			KUNIT_EXPECT_EQ(test, place[size + 2], GUARD);
			KUNIT_EXPECT_EQ(test, place[1], GUARD);
			KUNIT_ASSERT_MEMEQ(test, sealed, place + 2, size);

			KUNIT_ASSERT_EQ(test, 0, laya_crypto_open(&key, nonce,
								  place + 2, size,
								  place + 2));
			KUNIT_ASSERT_MEMEQ(test, place + 2, plain, len);
			memset(place, GUARD, size);
			KUNIT_ASSERT_EQ(test, 0, laya_crypto_open(&key, nonce,
								  sealed, size,
								  place + 1));
			KUNIT_ASSERT_MEMEQ(test, place + 1, plain, len);
			KUNIT_EXPECT_EQ(test, place[0], GUARD);
			KUNIT_EXPECT_EQ(test, place[len + 1], GUARD);
		}
		laya_crypto_clear_key(&key);
	}
}

static void open__corrupt(struct kunit *test)
{
	u8 nonce[LAYA_NONCE_SIZE] = { 0, 0, 0, 1 };
	unsigned int i, at, len = 40;
	struct laya_key key;
	u8 *plain, *sealed;

	plain = buffer(test);
	sealed = buffer(test);
	for (i = 0; i < ARRAY_SIZE(ciphers); i++) {
		set_key(test, &key, ciphers[i]);
		KUNIT_ASSERT_EQ(test, 0, laya_crypto_seal(&key, nonce, plain, len,
							  sealed));
		for (at = 0; at < len + LAYA_TAG_SIZE; at++) {
			sealed[at] ^= 1 << at % 8;
			KUNIT_EXPECT_EQ(test, -EBADMSG,
					laya_crypto_open(&key, nonce, sealed,
							 len + LAYA_TAG_SIZE,
							 plain));
			sealed[at] ^= 1 << at % 8;
		}
		for (at = 0; at < sizeof(nonce); at++) {
			nonce[at] ^= 0x80;
			KUNIT_EXPECT_EQ(test, -EBADMSG,
					laya_crypto_open(&key, nonce, sealed,
							 len + LAYA_TAG_SIZE,
							 plain));
			nonce[at] ^= 0x80;
		}
		KUNIT_EXPECT_EQ(test, 0, laya_crypto_open(&key, nonce, sealed,
							  len + LAYA_TAG_SIZE,
							  plain));
		laya_crypto_clear_key(&key);
	}
}

static void open__truncated(struct kunit *test)
{
	u8 nonce[LAYA_NONCE_SIZE] = {};
	unsigned int i, len = 32, size;
	struct laya_key key;
	u8 *plain, *sealed;

	plain = buffer(test);
	sealed = buffer(test);
	for (i = 0; i < ARRAY_SIZE(ciphers); i++) {
		set_key(test, &key, ciphers[i]);
		KUNIT_ASSERT_EQ(test, 0, laya_crypto_seal(&key, nonce, plain, len,
							  sealed));
		for (size = 1; size < len + LAYA_TAG_SIZE; size++)
			KUNIT_EXPECT_EQ(test, -EBADMSG,
					laya_crypto_open(&key, nonce, sealed,
							 size, plain));
		laya_crypto_clear_key(&key);
	}
}

/* The same key on the CPU's instructions and without them. */
static void gcm__simd_and_generic_agree(struct kunit *test)
{
	u8 nonce[LAYA_NONCE_SIZE] = { 0, 0, 0x80, 1, [11] = 9 };
	struct crypto_aead *simd;
	u8 *plain, *fast, *slow;
	struct laya_key key;
	unsigned int len;

	set_key(test, &key, LAYA_CIPHER_AES_256_GCM);
	if (!key.simd) {
		laya_crypto_clear_key(&key);
		kunit_skip(test, "no AES-GCM instructions here");
	}
	plain = buffer(test);
	fast = buffer(test);
	slow = buffer(test);
	for (len = 1; len <= LONGEST - LAYA_TAG_SIZE; len += 61) {
		KUNIT_EXPECT_EQ(test, 0, laya_crypto_seal(&key, nonce, plain, len,
							  fast));
		simd = key.simd;
		key.simd = NULL;
		KUNIT_EXPECT_EQ(test, 0, laya_crypto_seal(&key, nonce, plain, len,
							  slow));
		KUNIT_EXPECT_EQ(test, 0, laya_crypto_open(&key, nonce, fast,
							  len + LAYA_TAG_SIZE,
							  fast));
		key.simd = simd;
		KUNIT_EXPECT_EQ(test, 0, laya_crypto_open(&key, nonce, slow,
							  len + LAYA_TAG_SIZE,
							  slow));
		KUNIT_EXPECT_MEMEQ(test, slow, plain, len);
		KUNIT_EXPECT_MEMEQ(test, fast, plain, len);
	}
	laya_crypto_clear_key(&key);
}

/* From softirq, where packets are opened. */
static void open__with_bh_off(struct kunit *test)
{
	u8 nonce[LAYA_NONCE_SIZE] = {};
	struct laya_key key;
	unsigned int i;
	u8 *bytes;

	bytes = buffer(test);
	for (i = 0; i < ARRAY_SIZE(ciphers); i++) {
		set_key(test, &key, ciphers[i]);
		local_bh_disable();
		KUNIT_EXPECT_EQ(test, 0, laya_crypto_seal(&key, nonce, bytes, 100,
							  bytes));
		KUNIT_EXPECT_EQ(test, 0, laya_crypto_open(&key, nonce, bytes, 116,
							  bytes));
		local_bh_enable();
		laya_crypto_clear_key(&key);
	}
}

static struct kunit_case crypto_cases[] = {
	KUNIT_CASE(set_key__unknown_cipher),
	KUNIT_CASE(clear_key__wipes),
	KUNIT_CASE(nonce__layout),
	KUNIT_CASE(seal__vectors),
	KUNIT_CASE(seal__lengths),
	KUNIT_CASE(open__corrupt),
	KUNIT_CASE(open__truncated),
	KUNIT_CASE(open__with_bh_off),
	KUNIT_CASE(gcm__simd_and_generic_agree),
	{}
};

static struct kunit_suite crypto_suite = {
	.name = "laya_crypto",
	.test_cases = crypto_cases,
};

kunit_test_suite(crypto_suite);
