// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "key.h"

/* One key, a line ending, and what an editor may leave behind it */
#define FILE_MAX	(LAYA_KEY_TEXT_LEN + 16)

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/*
 * The canonical u coordinates of order 1, 2, 4 and 8, on the curve and on its
 * twist (RFC 7748 section 6.1, https://cr.yp.to/ecdh.html#validate).  All
 * others in circulation are these plus p, which are not canonical.
 */
static const uint8_t low_order[][LAYA_KEY_SIZE] = {
	/* 0 */
	{ 0 },
	/* 1 */
	{ 1 },
	/* order 8, twice */
	{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae,
	  0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
	  0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd,
	  0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
	{ 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24,
	  0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
	  0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86,
	  0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57 },
	/* p - 1 */
	{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
};

/* p = 2^255 - 19, little endian */
static const uint8_t field_prime[LAYA_KEY_SIZE] = {
	0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
};

/**
 * laya_key_clamp() - set and clear the bits that RFC 7748 wants so
 * @private_key: the private key
 *
 * Diffie-Hellman clamps by itself; this is for a key that will be shown, so
 * that one key has one text.
 */
void laya_key_clamp(uint8_t private_key[LAYA_KEY_SIZE])
{
	private_key[0] &= 248;
	private_key[31] = (private_key[31] & 127) | 64;
}

/**
 * laya_key_generate_psk() - make a pre-shared key
 * @psk: where to put it
 *
 * Return: 0, or -EIO if libsodium cannot start.
 */
int laya_key_generate_psk(uint8_t psk[LAYA_KEY_SIZE])
{
	if (sodium_init() < 0)
		return -EIO;
	randombytes_buf(psk, LAYA_KEY_SIZE);
	return 0;
}

/**
 * laya_key_generate() - make a private key
 * @private_key: where to put it, clamped
 *
 * Return: 0, or -EIO if libsodium cannot start.
 */
int laya_key_generate(uint8_t private_key[LAYA_KEY_SIZE])
{
	int err = laya_key_generate_psk(private_key);

	if (!err)
		laya_key_clamp(private_key);
	return err;
}

/**
 * laya_key_public() - compute the public key of a private key
 * @public_key: where to put it
 * @private_key: the private key
 *
 * Return: 0, or -EINVAL if @private_key is all zero, which means "not set".
 */
int laya_key_public(uint8_t public_key[LAYA_KEY_SIZE],
		    const uint8_t private_key[LAYA_KEY_SIZE])
{
	if (laya_key_is_zero(private_key) ||
	    crypto_scalarmult_curve25519_base(public_key, private_key))
		return -EINVAL;
	return 0;
}

/**
 * laya_key_shared() - Diffie-Hellman
 * @secret: where to put the shared secret; hash it before use
 * @private_key: ours
 * @public_key: theirs
 *
 * Return: 0, or -EINVAL if laya_key_valid() refuses @public_key, if
 * @private_key is all zero, or if the secret would be; @secret is then zero.
 */
int laya_key_shared(uint8_t secret[LAYA_KEY_SIZE],
		    const uint8_t private_key[LAYA_KEY_SIZE],
		    const uint8_t public_key[LAYA_KEY_SIZE])
{
	if (laya_key_valid(public_key) && !laya_key_is_zero(private_key) &&
	    !crypto_scalarmult_curve25519(secret, private_key, public_key) &&
	    !laya_key_is_zero(secret))
		return 0;

	sodium_memzero(secret, LAYA_KEY_SIZE);
	return -EINVAL;
}

/**
 * laya_key_valid() - tell whether a public key may name a peer
 * @public_key: the public key
 *
 * Return: false if the key is not canonical (2^255-19 or more, the top bit
 * included) or has low order, as the all-zero key does; true otherwise.
 */
bool laya_key_valid(const uint8_t public_key[LAYA_KEY_SIZE])
{
	size_t i;

	if (sodium_compare(public_key, field_prime, LAYA_KEY_SIZE) >= 0)
		return false;
	for (i = 0; i < ARRAY_SIZE(low_order); i++)
		if (laya_key_equal(public_key, low_order[i]))
			return false;
	return true;
}

/**
 * laya_key_is_zero() - tell whether a key is all zero, in constant time
 * @key: the key
 *
 * Return: true if it is.
 */
bool laya_key_is_zero(const uint8_t key[LAYA_KEY_SIZE])
{
	return sodium_is_zero(key, LAYA_KEY_SIZE);
}

/**
 * laya_key_equal() - compare two keys in constant time
 * @a: one
 * @b: the other
 *
 * Return: true if they are the same.
 */
bool laya_key_equal(const uint8_t a[LAYA_KEY_SIZE],
		    const uint8_t b[LAYA_KEY_SIZE])
{
	return sodium_memcmp(a, b, LAYA_KEY_SIZE) == 0;
}

/**
 * laya_key_encode() - write a key as text
 * @text: where to put 44 characters and a NUL
 * @key: the key
 *
 * In constant time, so that a private key can be printed too.
 */
void laya_key_encode(char text[LAYA_KEY_TEXT_SIZE],
		     const uint8_t key[LAYA_KEY_SIZE])
{
	sodium_bin2base64(text, LAYA_KEY_TEXT_SIZE, key, LAYA_KEY_SIZE,
			  sodium_base64_VARIANT_ORIGINAL);
}

/**
 * laya_key_decode() - read a key from text
 * @key: where to put it; zero after an error
 * @text: the text
 *
 * There is one text for each key: no white space, no other alphabet, the
 * padding in place and the two spare bits zero.
 *
 * Return: 0, or -EINVAL if @text is anything else.
 */
int laya_key_decode(uint8_t key[LAYA_KEY_SIZE], const char *text)
{
	char again[LAYA_KEY_TEXT_SIZE];
	size_t len = 0;
	int err = -EINVAL;

	if (strnlen(text, LAYA_KEY_TEXT_SIZE) != LAYA_KEY_TEXT_LEN ||
	    sodium_base642bin(key, LAYA_KEY_SIZE, text, LAYA_KEY_TEXT_LEN,
			      NULL, &len, NULL,
			      sodium_base64_VARIANT_ORIGINAL) ||
	    len != LAYA_KEY_SIZE)
		goto out;

	/* libsodium 1.0.18 takes the byte 0x80 for a slash. */
	laya_key_encode(again, key);
	if (!sodium_memcmp(again, text, LAYA_KEY_TEXT_LEN))
		err = 0;
	sodium_memzero(again, sizeof(again));
out:
	if (err)
		sodium_memzero(key, LAYA_KEY_SIZE);
	return err;
}

/**
 * laya_key_decode_public() - read the public key of a peer from text
 * @key: where to put it; zero after an error
 * @text: the text
 *
 * Return: 0, or -EINVAL if @text is not the text of a key, or -EKEYREJECTED
 * if it is one that laya_key_valid() refuses.
 */
int laya_key_decode_public(uint8_t key[LAYA_KEY_SIZE], const char *text)
{
	int err = laya_key_decode(key, text);

	if (err)
		return err;
	if (laya_key_valid(key))
		return 0;

	sodium_memzero(key, LAYA_KEY_SIZE);
	return -EKEYREJECTED;
}

__attribute__((format(printf, 3, 4)))
static void say(char *msg, size_t msg_size, const char *fmt, ...)
{
	va_list ap;

	if (!msg || !msg_size)
		return;
	va_start(ap, fmt);
	vsnprintf(msg, msg_size, fmt, ap);
	va_end(ap);
}

/* A pipe is private to those who hold it; a file is what its mode says. */
static int check_file(int fd, const char *path, char *msg, size_t msg_size)
{
	struct stat st;
	int err;

	if (fstat(fd, &st)) {
		err = -errno;
		say(msg, msg_size, "%s: cannot look at the key file: %s",
		    path, strerror(-err));
		return err;
	}
	if (S_ISFIFO(st.st_mode))
		return 0;
	if (!S_ISREG(st.st_mode)) {
		say(msg, msg_size,
		    "%s: not a file; give a file which holds a key", path);
		return -EINVAL;
	}
	if (st.st_uid != geteuid() && st.st_uid != 0) {
		say(msg, msg_size,
		    "%s: the key file belongs to user %u, who can read and replace it; chown it to the user that runs this",
		    path, (unsigned int)st.st_uid);
		return -EPERM;
	}
	if (st.st_mode & 0077) {
		say(msg, msg_size,
		    "%s: the key file is open to others (mode %04o); run: chmod 600 %s",
		    path, (unsigned int)(st.st_mode & 07777), path);
		return -EPERM;
	}
	return 0;
}

static ssize_t read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size) {
		n = read(fd, buf + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += n;
	}
	return len;
}

/**
 * laya_key_read_file() - read a private or pre-shared key from a file
 * @key: where to put it; zero after an error
 * @path: the file: one key as text, white space allowed behind it
 * @msg: where to put what went wrong and what to do about it, or NULL
 * @msg_size: size of @msg
 *
 * Return: 0, or -EPERM if anybody but its owner can get at the file or if its
 * owner is neither us nor root, or -EINVAL if it is not a file or does not
 * hold one key other than zero, or the negative errno of open() or read().
 */
int laya_key_read_file(uint8_t key[LAYA_KEY_SIZE], const char *path,
		       char *msg, size_t msg_size)
{
	char text[FILE_MAX + 1];
	ssize_t len;
	int err;
	int fd;

	sodium_memzero(key, LAYA_KEY_SIZE);
	say(msg, msg_size, "%s", "");

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		err = -errno;
		say(msg, msg_size, "%s: cannot open the key file: %s",
		    path, strerror(-err));
		return err;
	}

	err = check_file(fd, path, msg, msg_size);
	if (err)
		goto out_close;

	len = read_all(fd, text, sizeof(text));
	if (len < 0) {
		err = len;
		say(msg, msg_size, "%s: cannot read the key file: %s",
		    path, strerror(-err));
		goto out_wipe;
	}
	/* One more than there may be was asked for: room for the NUL. */
	if ((size_t)len == sizeof(text))
		goto not_a_key;

	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	text[len] = '\0';
	/* A NUL inside would hide what follows it. */
	if (strlen(text) != (size_t)len)
		goto not_a_key;
	if (laya_key_decode(key, text))
		goto not_a_key;

	if (laya_key_is_zero(key)) {
		say(msg, msg_size,
		    "%s: the key is all zero; make one with: layactl genkey",
		    path);
		err = -EINVAL;
	}
	goto out_wipe;

not_a_key:
	say(msg, msg_size,
	    "%s: not a key; it should be the %d characters that layactl genkey prints",
	    path, LAYA_KEY_TEXT_LEN);
	err = -EINVAL;
out_wipe:
	sodium_memzero(text, sizeof(text));
out_close:
	close(fd);
	return err;
}
