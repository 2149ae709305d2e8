/* SPDX-License-Identifier: GPL-2.0 */
/*
 * X25519 keys: what a peer is called, and what it proves.
 *
 * The text form is the one of wg(8): 44 characters of base64.  A public key
 * that is not canonical would be a second name for the same peer, and one of
 * low order would agree with everybody on the same secret, so both are
 * refused wherever a key comes in: laya_key_valid().
 */
#ifndef LAYA_KEY_H
#define LAYA_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAYA_KEY_SIZE		32
#define LAYA_KEY_TEXT_LEN	44	/* without the final NUL */
#define LAYA_KEY_TEXT_SIZE	(LAYA_KEY_TEXT_LEN + 1)

int laya_key_generate(uint8_t private_key[LAYA_KEY_SIZE]);
int laya_key_generate_psk(uint8_t psk[LAYA_KEY_SIZE]);
void laya_key_clamp(uint8_t private_key[LAYA_KEY_SIZE]);
int laya_key_public(uint8_t public_key[LAYA_KEY_SIZE],
		    const uint8_t private_key[LAYA_KEY_SIZE]);
int laya_key_shared(uint8_t secret[LAYA_KEY_SIZE],
		    const uint8_t private_key[LAYA_KEY_SIZE],
		    const uint8_t public_key[LAYA_KEY_SIZE]);

bool laya_key_valid(const uint8_t public_key[LAYA_KEY_SIZE]);
bool laya_key_is_zero(const uint8_t key[LAYA_KEY_SIZE]);
bool laya_key_equal(const uint8_t a[LAYA_KEY_SIZE],
		    const uint8_t b[LAYA_KEY_SIZE]);

void laya_key_encode(char text[LAYA_KEY_TEXT_SIZE],
		     const uint8_t key[LAYA_KEY_SIZE]);
int laya_key_decode(uint8_t key[LAYA_KEY_SIZE], const char *text);
int laya_key_decode_public(uint8_t key[LAYA_KEY_SIZE], const char *text);

int laya_key_read_file(uint8_t key[LAYA_KEY_SIZE], const char *path,
		       char *msg, size_t msg_size);

#endif /* LAYA_KEY_H */
