// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "../key.h"
#include "../orchid.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* RFC 7748 section 6.1 */
#define BOB_PRIVATE \
	"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"
#define BOB_PUBLIC \
	"de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
#define ALICE_PUBLIC \
	"8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
#define SHARED \
	"4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"

/* 00 01 ... 1f, from base64(1) */
#define COUNTING_TEXT	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define ONES_TEXT	"//////////////////////////////////////////8="
#define ZERO_TEXT	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

#define FF15	"ffffffffffffffffffffffffffffff"

static const char * const low_order[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ec" FF15 FF15 "7f",		/* p - 1 */
};

static const char * const not_canonical[] = {
	"ed" FF15 FF15 "7f",		/* p, low order too */
	"ee" FF15 FF15 "7f",		/* p + 1, low order too */
	"ef" FF15 FF15 "7f",		/* p + 2 */
	"f6" FF15 FF15 "7f",		/* p + 9, the base point */
	"ff" FF15 FF15 "7f",		/* 2^255 - 1 */
	"0000000000000000000000000000000000000000000000000000000000000080",
	"0900000000000000000000000000000000000000000000000000000000000080",
	"cdeb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
	"4c9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
	"d9" FF15 FF15 "ff",		/* 2p - 1, low order too */
	"da" FF15 FF15 "ff",		/* 2p, low order too */
	"db" FF15 FF15 "ff",		/* 2p + 1, low order too */
	"ff" FF15 FF15 "ff",
};

static void unhex(uint8_t key[LAYA_KEY_SIZE], const char *hex)
{
	size_t len;

	assert_int_equal(sodium_hex2bin(key, LAYA_KEY_SIZE, hex, strlen(hex),
					NULL, &len, NULL), 0);
	assert_int_equal(len, LAYA_KEY_SIZE);
}

static void counting(uint8_t key[LAYA_KEY_SIZE])
{
	int i;

	for (i = 0; i < LAYA_KEY_SIZE; i++)
		key[i] = i;
}

static void clamp__sets_the_bits_of_rfc7748(void **state)
{
	uint8_t key[LAYA_KEY_SIZE];

	(void)state;
	memset(key, 0xff, sizeof(key));
	laya_key_clamp(key);
	assert_int_equal(key[0], 0xf8);
	assert_int_equal(key[1], 0xff);
	assert_int_equal(key[31], 0x7f);

	memset(key, 0, sizeof(key));
	laya_key_clamp(key);
	assert_int_equal(key[0], 0);
	assert_int_equal(key[31], 0x40);
}

static void generate__is_clamped_and_new(void **state)
{
	uint8_t clamped[LAYA_KEY_SIZE];
	uint8_t a[LAYA_KEY_SIZE];
	uint8_t b[LAYA_KEY_SIZE];
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		assert_int_equal(laya_key_generate(a), 0);
		assert_int_equal(laya_key_generate(b), 0);
		assert_false(laya_key_equal(a, b));
		memcpy(clamped, a, sizeof(a));
		laya_key_clamp(clamped);
		assert_memory_equal(a, clamped, sizeof(a));
		assert_int_equal(laya_key_public(b, a), 0);
		assert_true(laya_key_valid(b));
	}
}

static void generate_psk__is_new(void **state)
{
	uint8_t a[LAYA_KEY_SIZE] = { 0 };
	uint8_t b[LAYA_KEY_SIZE] = { 0 };

	(void)state;
	assert_int_equal(laya_key_generate_psk(a), 0);
	assert_int_equal(laya_key_generate_psk(b), 0);
	assert_false(laya_key_is_zero(a));
	assert_false(laya_key_equal(a, b));
}

static void public__rfc7748(void **state)
{
	uint8_t private_key[LAYA_KEY_SIZE];
	uint8_t public_key[LAYA_KEY_SIZE];
	uint8_t expected[LAYA_KEY_SIZE];

	(void)state;
	unhex(private_key, BOB_PRIVATE);
	unhex(expected, BOB_PUBLIC);
	assert_int_equal(laya_key_public(public_key, private_key), 0);
	assert_memory_equal(public_key, expected, LAYA_KEY_SIZE);
}

static void public__clamping_first_changes_nothing(void **state)
{
	uint8_t private_key[LAYA_KEY_SIZE];
	uint8_t a[LAYA_KEY_SIZE];
	uint8_t b[LAYA_KEY_SIZE];

	(void)state;
	counting(private_key);
	assert_int_equal(laya_key_public(a, private_key), 0);
	laya_key_clamp(private_key);
	assert_int_equal(laya_key_public(b, private_key), 0);
	assert_memory_equal(a, b, LAYA_KEY_SIZE);
}

static void public__refuses_zero(void **state)
{
	uint8_t private_key[LAYA_KEY_SIZE] = { 0 };
	uint8_t public_key[LAYA_KEY_SIZE];

	(void)state;
	assert_int_equal(laya_key_public(public_key, private_key), -EINVAL);
}

static void shared__rfc7748(void **state)
{
	uint8_t private_key[LAYA_KEY_SIZE];
	uint8_t public_key[LAYA_KEY_SIZE];
	uint8_t expected[LAYA_KEY_SIZE];
	uint8_t secret[LAYA_KEY_SIZE];

	(void)state;
	unhex(private_key, BOB_PRIVATE);
	unhex(public_key, ALICE_PUBLIC);
	unhex(expected, SHARED);
	assert_int_equal(laya_key_shared(secret, private_key, public_key), 0);
	assert_memory_equal(secret, expected, LAYA_KEY_SIZE);
}

static void shared__refuses_bad_keys(void **state)
{
	uint8_t private_key[LAYA_KEY_SIZE];
	uint8_t zero[LAYA_KEY_SIZE] = { 0 };
	uint8_t public_key[LAYA_KEY_SIZE];
	uint8_t secret[LAYA_KEY_SIZE];
	size_t i;

	(void)state;
	unhex(private_key, BOB_PRIVATE);
	for (i = 0; i < ARRAY_SIZE(low_order); i++) {
		unhex(public_key, low_order[i]);
		memset(secret, 0xaa, sizeof(secret));
		assert_int_equal(laya_key_shared(secret, private_key,
						 public_key), -EINVAL);
		assert_true(laya_key_is_zero(secret));
	}
	for (i = 0; i < ARRAY_SIZE(not_canonical); i++) {
		unhex(public_key, not_canonical[i]);
		memset(secret, 0xaa, sizeof(secret));
		assert_int_equal(laya_key_shared(secret, private_key,
						 public_key), -EINVAL);
		assert_true(laya_key_is_zero(secret));
	}
	unhex(public_key, ALICE_PUBLIC);
	memset(secret, 0xaa, sizeof(secret));
	assert_int_equal(laya_key_shared(secret, zero, public_key), -EINVAL);
	assert_true(laya_key_is_zero(secret));
}

static void valid__accepts_good_keys(void **state)
{
	static const char * const good[] = {
		BOB_PUBLIC, ALICE_PUBLIC,
		/* 2, 9 (the base point), p - 2 */
		"0200000000000000000000000000000000000000000000000000000000000000",
		"0900000000000000000000000000000000000000000000000000000000000000",
		"eb" FF15 FF15 "7f",
	};
	uint8_t key[LAYA_KEY_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		unhex(key, good[i]);
		assert_true(laya_key_valid(key));
	}
}

static void valid__refuses_low_order(void **state)
{
	uint8_t private_key[LAYA_KEY_SIZE];
	uint8_t secret[LAYA_KEY_SIZE];
	uint8_t key[LAYA_KEY_SIZE];
	size_t i;

	(void)state;
	unhex(private_key, BOB_PRIVATE);
	for (i = 0; i < ARRAY_SIZE(low_order); i++) {
		unhex(key, low_order[i]);
		assert_false(laya_key_valid(key));
		/* that these are the right ones: libsodium minds too */
		assert_int_not_equal(crypto_scalarmult_curve25519(secret,
								  private_key,
								  key), 0);
	}
}

static void valid__refuses_not_canonical(void **state)
{
	uint8_t key[LAYA_KEY_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(not_canonical); i++) {
		unhex(key, not_canonical[i]);
		assert_false(laya_key_valid(key));
	}
}

static void is_zero__every_bit_counts(void **state)
{
	uint8_t key[LAYA_KEY_SIZE] = { 0 };
	int i;

	(void)state;
	assert_true(laya_key_is_zero(key));
	for (i = 0; i < LAYA_KEY_SIZE * 8; i++) {
		key[i / 8] ^= 1 << (i % 8);
		assert_false(laya_key_is_zero(key));
		key[i / 8] ^= 1 << (i % 8);
	}
}

static void equal__every_bit_counts(void **state)
{
	uint8_t a[LAYA_KEY_SIZE];
	uint8_t b[LAYA_KEY_SIZE];
	int i;

	(void)state;
	counting(a);
	counting(b);
	assert_true(laya_key_equal(a, b));
	for (i = 0; i < LAYA_KEY_SIZE * 8; i++) {
		b[i / 8] ^= 1 << (i % 8);
		assert_false(laya_key_equal(a, b));
		b[i / 8] ^= 1 << (i % 8);
	}
}

static void encode__as_wg_does(void **state)
{
	char text[LAYA_KEY_TEXT_SIZE];
	uint8_t key[LAYA_KEY_SIZE];

	(void)state;
	counting(key);
	laya_key_encode(text, key);
	assert_string_equal(text, COUNTING_TEXT);
	memset(key, 0xff, sizeof(key));
	laya_key_encode(text, key);
	assert_string_equal(text, ONES_TEXT);
	memset(key, 0, sizeof(key));
	laya_key_encode(text, key);
	assert_string_equal(text, ZERO_TEXT);
}

static void decode__reverses_encode(void **state)
{
	char text[LAYA_KEY_TEXT_SIZE];
	uint8_t key[LAYA_KEY_SIZE];
	uint8_t back[LAYA_KEY_SIZE];
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		assert_int_equal(laya_key_generate_psk(key), 0);
		laya_key_encode(text, key);
		assert_int_equal(strlen(text), LAYA_KEY_TEXT_LEN);
		assert_int_equal(laya_key_decode(back, text), 0);
		assert_memory_equal(key, back, LAYA_KEY_SIZE);
	}
}

static void decode__is_strict(void **state)
{
	static const char * const bad[] = {
		"",
		"=",
		/* too short, too long, no padding, too much of it */
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8==",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh==",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8A",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=A",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
		"=AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		"AAEC=wQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		/* spare bits set */
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+=",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh/=",
		/* white space */
		" AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		" AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		"AAECAwQFBgcICQoLDA0ODxA EhMUFRYXGBkaGxwdHh8=",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n",
		/* another alphabet, and none */
		"__________________________________________8=",
		"AAECAwQFBgcICQoLDA0ODx*REhMUFRYXGBkaGxwdHh8=",
		"AAECAwQFBgcICQoLDA0ODx\xc3\xa9REhMUFRYXGBkaGxwdHh8=",
		"000102030405060708090a0b0c0d0e0f101112131415",
	};
	uint8_t key[LAYA_KEY_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(key, 0xaa, sizeof(key));
		assert_int_equal(laya_key_decode(key, bad[i]), -EINVAL);
		assert_true(laya_key_is_zero(key));
	}
}

static void decode__a_key_has_one_text(void **state)
{
	char text[LAYA_KEY_TEXT_SIZE] = COUNTING_TEXT;
	char again[LAYA_KEY_TEXT_SIZE];
	uint8_t key[LAYA_KEY_SIZE];
	int was;
	int i;
	int c;

	(void)state;
	for (i = 0; i < LAYA_KEY_TEXT_LEN; i++) {
		was = text[i];
		for (c = 1; c < 256; c++) {
			text[i] = c;
			if (laya_key_decode(key, text))
				continue;
			laya_key_encode(again, key);
			assert_string_equal(text, again);
		}
		text[i] = was;
	}
}

static void decode_public__tells_bad_text_from_bad_key(void **state)
{
	uint8_t key[LAYA_KEY_SIZE];

	(void)state;
	assert_int_equal(laya_key_decode_public(key, COUNTING_TEXT), 0);
	assert_int_equal(laya_key_decode_public(key, "x"), -EINVAL);
	assert_int_equal(laya_key_decode_public(key, ZERO_TEXT),
			 -EKEYREJECTED);
	assert_int_equal(laya_key_decode_public(key, ONES_TEXT),
			 -EKEYREJECTED);
	assert_true(laya_key_is_zero(key));
}

/* A directory of our own, so that no other test can be in the way. */
struct files {
	char dir[64];
	char path[96];
};

static int make_files(void **state)
{
	struct files *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	strcpy(f->dir, "/tmp/laya_key_test.XXXXXX");
	if (!mkdtemp(f->dir)) {
		free(f);
		return -1;
	}
	snprintf(f->path, sizeof(f->path), "%s/key", f->dir);
	*state = f;
	return 0;
}

static int remove_files(void **state)
{
	struct files *f = *state;

	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void put_bytes(const struct files *f, const void *data, size_t len,
		      mode_t mode)
{
	int fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void put(const struct files *f, const char *text, mode_t mode)
{
	put_bytes(f, text, strlen(text), mode);
}

static void read_file__good(void **state)
{
	static const char * const good[] = {
		COUNTING_TEXT,
		COUNTING_TEXT "\n",
		COUNTING_TEXT "\r\n",
		COUNTING_TEXT " \t\n\n",
	};
	static const mode_t modes[] = { 0600, 0400, 0700 };
	struct files *f = *state;
	uint8_t expected[LAYA_KEY_SIZE];
	uint8_t key[LAYA_KEY_SIZE];
	char msg[256] = "stale";
	size_t i;

	counting(expected);
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		put(f, good[i], 0600);
		assert_int_equal(laya_key_read_file(key, f->path, msg,
						    sizeof(msg)), 0);
		assert_memory_equal(key, expected, LAYA_KEY_SIZE);
		assert_string_equal(msg, "");
	}
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		put(f, COUNTING_TEXT, modes[i]);
		assert_int_equal(laya_key_read_file(key, f->path, NULL, 0), 0);
	}
}

static void read_file__refuses_open_modes(void **state)
{
	static const mode_t modes[] = {
		0640, 0604, 0620, 0602, 0610, 0601, 0644, 0666, 0777,
	};
	struct files *f = *state;
	uint8_t key[LAYA_KEY_SIZE];
	char msg[256];
	char mode[8];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		put(f, COUNTING_TEXT, modes[i]);
		memset(key, 0xaa, sizeof(key));
		assert_int_equal(laya_key_read_file(key, f->path, msg,
						    sizeof(msg)), -EPERM);
		assert_true(laya_key_is_zero(key));
		snprintf(mode, sizeof(mode), "%04o", (unsigned int)modes[i]);
		assert_non_null(strstr(msg, f->path));
		assert_non_null(strstr(msg, mode));
		assert_non_null(strstr(msg, "chmod 600"));
	}
}

static void read_file__refuses_other_owners(void **state)
{
	struct files *f = *state;
	uint8_t key[LAYA_KEY_SIZE];
	char msg[256];

	if (geteuid() != 0)
		skip();
	put(f, COUNTING_TEXT, 0600);
	assert_int_equal(chown(f->path, 65534, (gid_t)-1), 0);
	assert_int_equal(laya_key_read_file(key, f->path, msg, sizeof(msg)),
			 -EPERM);
	assert_non_null(strstr(msg, "65534"));
}

static void read_file__refuses_bad_content(void **state)
{
	static const char * const bad[] = {
		"",
		"\n",
		"hello\n",
		" " COUNTING_TEXT,
		COUNTING_TEXT COUNTING_TEXT,
		COUNTING_TEXT "\n" COUNTING_TEXT "\n",
		COUNTING_TEXT "                                        ",
		ZERO_TEXT "\n",
	};
	static const char nul[] = COUNTING_TEXT "\0more";
	struct files *f = *state;
	uint8_t key[LAYA_KEY_SIZE];
	char msg[256];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		put(f, bad[i], 0600);
		memset(key, 0xaa, sizeof(key));
		assert_int_equal(laya_key_read_file(key, f->path, msg,
						    sizeof(msg)), -EINVAL);
		assert_true(laya_key_is_zero(key));
		assert_non_null(strstr(msg, f->path));
	}
	put_bytes(f, nul, sizeof(nul) - 1, 0600);
	assert_int_equal(laya_key_read_file(key, f->path, msg, sizeof(msg)),
			 -EINVAL);
}

static void read_file__refuses_what_is_not_a_file(void **state)
{
	struct files *f = *state;
	uint8_t key[LAYA_KEY_SIZE];
	char msg[256];

	assert_int_equal(laya_key_read_file(key, f->path, msg, sizeof(msg)),
			 -ENOENT);
	assert_non_null(strstr(msg, "No such file"));
	assert_int_equal(laya_key_read_file(key, f->dir, msg, sizeof(msg)),
			 -EINVAL);
	assert_int_equal(laya_key_read_file(key, "/dev/zero", msg,
					    sizeof(msg)), -EINVAL);
}

static void read_file__takes_a_pipe(void **state)
{
	uint8_t expected[LAYA_KEY_SIZE];
	uint8_t key[LAYA_KEY_SIZE];
	char path[32];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], COUNTING_TEXT "\n", 45), 45);
	close(fds[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
	counting(expected);
	assert_int_equal(laya_key_read_file(key, path, NULL, 0), 0);
	assert_memory_equal(key, expected, LAYA_KEY_SIZE);
	close(fds[0]);
}

static void read_file__cuts_long_messages(void **state)
{
	struct files *f = *state;
	uint8_t key[LAYA_KEY_SIZE];
	char msg[8];

	assert_int_equal(laya_key_read_file(key, f->path, msg, sizeof(msg)),
			 -ENOENT);
	assert_int_equal(strlen(msg), sizeof(msg) - 1);
}

/* The same vectors as in kernel/addr_test.c: both sides must agree. */
static void orchid_from_key__vectors(void **state)
{
	static const struct {
		const char *key;
		const char *addr;
	} vectors[] = {
		{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		  "2001:25:14b4:274:f09e:89c7:e21d:14e3" },
		{ "31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62",
		  "2001:25:3cfe:6636:596e:b6a6:b22b:8639" },
	};
	uint8_t key[LAYA_KEY_SIZE];
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		unhex(key, vectors[i].key);
		assert_int_equal(laya_orchid_from_key(&addr, key), 0);
		assert_non_null(inet_ntop(AF_INET6, &addr, text,
					  sizeof(text)));
		assert_string_equal(text, vectors[i].addr);
		assert_true(laya_orchid_is(&addr));
		assert_true(laya_orchid_is_ours(&addr));
	}
}

static void orchid_from_key__refuses_bad_keys(void **state)
{
	uint8_t key[LAYA_KEY_SIZE];
	struct in6_addr addr;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(low_order); i++) {
		unhex(key, low_order[i]);
		assert_int_equal(laya_orchid_from_key(&addr, key), -EINVAL);
	}
	for (i = 0; i < ARRAY_SIZE(not_canonical); i++) {
		unhex(key, not_canonical[i]);
		assert_int_equal(laya_orchid_from_key(&addr, key), -EINVAL);
	}
}

static void orchid_is__edges(void **state)
{
	static const struct {
		const char *addr;
		bool any;
		bool ours;
	} cases[] = {
		{ "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", false, false },
		{ "2001:20::", true, false },
		{ "2001:24:ffff:ffff:ffff:ffff:ffff:ffff", true, false },
		{ "2001:25::", true, true },
		{ "2001:25:ffff:ffff:ffff:ffff:ffff:ffff", true, true },
		{ "2001:26::", true, false },
		{ "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", true, false },
		{ "2001:30::", false, false },
		{ "2001:125::", false, false },
		{ "2001:10::", false, false },	/* ORCHID version 1 */
		{ "2002:25::", false, false },
		{ "::", false, false },
	};
	struct in6_addr addr;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(inet_pton(AF_INET6, cases[i].addr, &addr), 1);
		assert_int_equal(laya_orchid_is(&addr), cases[i].any);
		assert_int_equal(laya_orchid_is_ours(&addr), cases[i].ours);
	}
}

#define file_test(name) \
	cmocka_unit_test_setup_teardown(name, make_files, remove_files)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(clamp__sets_the_bits_of_rfc7748),
		cmocka_unit_test(generate_psk__is_new),
		cmocka_unit_test(generate__is_clamped_and_new),
		cmocka_unit_test(public__rfc7748),
		cmocka_unit_test(public__clamping_first_changes_nothing),
		cmocka_unit_test(public__refuses_zero),
		cmocka_unit_test(shared__rfc7748),
		cmocka_unit_test(shared__refuses_bad_keys),
		cmocka_unit_test(valid__accepts_good_keys),
		cmocka_unit_test(valid__refuses_low_order),
		cmocka_unit_test(valid__refuses_not_canonical),
		cmocka_unit_test(is_zero__every_bit_counts),
		cmocka_unit_test(equal__every_bit_counts),
		cmocka_unit_test(encode__as_wg_does),
		cmocka_unit_test(decode__reverses_encode),
		cmocka_unit_test(decode__is_strict),
		cmocka_unit_test(decode__a_key_has_one_text),
		cmocka_unit_test(decode_public__tells_bad_text_from_bad_key),
		file_test(read_file__good),
		file_test(read_file__refuses_open_modes),
		file_test(read_file__refuses_other_owners),
		file_test(read_file__refuses_bad_content),
		file_test(read_file__refuses_what_is_not_a_file),
		file_test(read_file__takes_a_pipe),
		file_test(read_file__cuts_long_messages),
		cmocka_unit_test(orchid_from_key__vectors),
		cmocka_unit_test(orchid_from_key__refuses_bad_keys),
		cmocka_unit_test(orchid_is__edges),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
