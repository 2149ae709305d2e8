// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "cipher.h"
#include "relay_session.h"

#define NONCE_SIZE	12

/**
 * relay_session_accelerated() - can this CPU do AES-256-GCM
 *
 * libsodium has it for such CPUs only; on others sessions are
 * ChaCha20-Poly1305, which every node can do.
 *
 * Return: whether it can.
 */
bool relay_session_accelerated(void)
{
	return crypto_aead_aes256gcm_is_available();
}

/**
 * relay_session_new() - a session from a handshake
 * @keys: what came out of it
 * @now: milliseconds
 *
 * Return: the session; NULL without memory, or for a cipher that cannot be done.
 */
struct relay_session *relay_session_new(const struct laya_session_keys *keys,
					uint64_t now)
{
	struct relay_session *session;

	if (keys->cipher != LAYA_CIPHER_CHACHA20_POLY1305 &&
	    !relay_session_accelerated())
		return NULL;
	session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	session->rx_index = keys->rx_index;
	session->tx_index = keys->tx_index;
	session->cipher = keys->cipher;
	memcpy(session->rx_key, keys->rx_key, LAYA_KEY_SIZE);
	memcpy(session->tx_key, keys->tx_key, LAYA_KEY_SIZE);
	session->created = now;
	return session;
}

/**
 * relay_session_free() - wipe a session
 * @session: the session, or NULL
 */
void relay_session_free(struct relay_session *session)
{
	if (!session)
		return;
	sodium_memzero(session, sizeof(*session));
	free(session);
}

/**
 * relay_session_alive() - may a session still be used
 * @session: the session, or NULL
 * @now: milliseconds
 *
 * Return: whether it may.
 */
bool relay_session_alive(const struct relay_session *session, uint64_t now)
{
	return session && now - session->created < RELAY_SESSION_LIFE_MS &&
	       session->tx_counter < RELAY_SESSION_PACKETS &&
	       session->highest < RELAY_SESSION_PACKETS &&
	       session->failures < RELAY_SESSION_FAILURES;
}

static bool is_new(const struct relay_session *session, uint64_t counter)
{
	if (counter == 0)
		return false;
	if (counter > session->highest)
		return true;
	/* One word is given up: the newest may be partly in the future. */
	if (session->highest - counter >= RELAY_WINDOW_BITS - 64)
		return false;
	return !(session->window[counter % RELAY_WINDOW_BITS / 64] &
		 1ull << counter % 64);
}

static void mark(struct relay_session *session, uint64_t counter)
{
	const uint64_t words = RELAY_WINDOW_BITS / 64;
	uint64_t word = session->highest / 64;
	uint64_t steps;

	if (counter > session->highest) {
		steps = counter / 64 - word;
		if (steps > words)
			steps = words;
		while (steps-- > 0)
			session->window[++word % words] = 0;
		session->highest = counter;
	}
	session->window[counter / 64 % words] |= 1ull << counter % 64;
}

static void make_nonce(uint8_t nonce[NONCE_SIZE], uint16_t path_id,
		       uint64_t counter)
{
	laya_put16(nonce, 0);
	laya_put16(nonce + 2, path_id);
	laya_put64(nonce + 4, counter);
}

/**
 * relay_session_open() - open a packet
 * @session: the session of its receiver index
 * @header: its header
 * @sealed: what follows that: ciphertext and tag
 * @len: length of both
 * @plain: where to put the plaintext, @len bytes are enough
 * @plain_len: where to put its length
 *
 * Return: 0; -EBADMSG if it does not open; -EALREADY for a replay.
 */
int relay_session_open(struct relay_session *session,
		       const struct laya_data_header *header,
		       const uint8_t *sealed, size_t len, uint8_t *plain,
		       size_t *plain_len)
{
	unsigned long long opened = 0;
	uint8_t nonce[NONCE_SIZE];
	int ret;

	if (!is_new(session, header->counter))
		return -EALREADY;
	make_nonce(nonce, header->path_id, header->counter);
	if (session->cipher == LAYA_CIPHER_AES_256_GCM)
		ret = crypto_aead_aes256gcm_decrypt(plain, &opened, NULL,
						    sealed, len, NULL, 0,
						    nonce, session->rx_key);
	else
		ret = crypto_aead_chacha20poly1305_ietf_decrypt(plain, &opened,
								NULL, sealed,
								len, NULL, 0,
								nonce,
								session->rx_key);
	if (ret || opened < LAYA_INNER_SIZE) {
		session->failures++;
		return -EBADMSG;
	}
	mark(session, header->counter);
	*plain_len = opened;
	return 0;
}

/**
 * relay_session_seal() - seal a packet
 * @session: the session; one that relay_session_alive()
 * @path_id: of the path that it takes
 * @plain: the plaintext
 * @len: its length
 * @packet: where to put the packet: @len and LAYA_DATA_OVERHEAD
 * @packet_len: where to put its length
 *
 * Return: 0; -EKEYEXPIRED at the limit of packets.
 */
int relay_session_seal(struct relay_session *session, uint16_t path_id,
		       const uint8_t *plain, size_t len, uint8_t *packet,
		       size_t *packet_len)
{
	struct laya_data_header header = {
		.path_id = path_id,
		.receiver = session->tx_index,
	};
	uint8_t *sealed = packet + LAYA_DATA_HEADER;
	uint8_t nonce[NONCE_SIZE];

	if (session->tx_counter >= RELAY_SESSION_PACKETS)
		return -EKEYEXPIRED;
	header.counter = ++session->tx_counter;
	laya_data_header_write(packet, &header);
	make_nonce(nonce, path_id, header.counter);
	if (session->cipher == LAYA_CIPHER_AES_256_GCM)
		crypto_aead_aes256gcm_encrypt(sealed, NULL, plain, len, NULL,
					      0, NULL, nonce,
					      session->tx_key);
	else
		crypto_aead_chacha20poly1305_ietf_encrypt(sealed, NULL, plain,
							  len, NULL, 0, NULL,
							  nonce,
							  session->tx_key);
	*packet_len = len + LAYA_DATA_OVERHEAD;
	return 0;
}
