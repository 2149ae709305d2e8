/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A session between the relay and a host that is attached to it: what seals and
 * opens the few packets that are the relay's own.  The relay only answers
 * handshakes, so it is always the responder.
 *
 * One replay window for all paths: counters are one sequence for a session and
 * direction, whatever the path, and the path id is in the nonce.  So a packet
 * that was dropped with its path is no less a replay, and ids need not be
 * remembered.  A host's own packets to a relay are too few to overtake each
 * other by the size of the window.
 */
#ifndef RENDEZVOUS_RELAY_SESSION_H
#define RENDEZVOUS_RELAY_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "handshake.h"
#include "packet.h"

#define RELAY_SESSION_LIFE_MS	3600000
#define RELAY_SESSION_PACKETS	(1ull << 33)
/* RFC 9001, 6.6, for AES-GCM */
#define RELAY_SESSION_FAILURES	(1ull << 36)
#define RELAY_WINDOW_BITS	2048
#define RELAY_MAX_PATHS		4

struct relay_host;

/**
 * struct relay_session - one set of keys
 * @chain: others whose receiver index has the same hash
 * @host: with whom
 * @rx_index: on packets to us
 * @tx_index: on packets to the host
 * @cipher: enum laya_cipher
 * @rx_key: opens
 * @tx_key: seals
 * @created: milliseconds
 * @serial: sessions of a host, counted: a later one has a greater number
 * @confirmed: the host has shown that it has the keys
 * @tx_counter: the last one used
 * @highest: the highest counter seen
 * @window: ring of bits by counter (RFC 6479)
 * @failures: packets that did not open
 * @rx_packets: authenticated packets, by path of the host
 * @rx_bytes: theirs, header and tag included
 */
struct relay_session {
	LIST_ENTRY(relay_session) chain;
	struct relay_host *host;
	uint32_t rx_index;
	uint32_t tx_index;
	uint32_t cipher;
	uint8_t rx_key[LAYA_KEY_SIZE];
	uint8_t tx_key[LAYA_KEY_SIZE];
	uint64_t created;
	uint32_t serial;
	bool confirmed;
	uint64_t tx_counter;
	uint64_t highest;
	uint64_t window[RELAY_WINDOW_BITS / 64];
	uint64_t failures;
	uint64_t rx_packets[RELAY_MAX_PATHS];
	uint64_t rx_bytes[RELAY_MAX_PATHS];
};

LIST_HEAD(relay_session_chain, relay_session);

bool relay_session_accelerated(void);
struct relay_session *relay_session_new(const struct laya_session_keys *keys,
					uint64_t now);
void relay_session_free(struct relay_session *session);
bool relay_session_alive(const struct relay_session *session, uint64_t now);
int relay_session_open(struct relay_session *session,
		       const struct laya_data_header *header,
		       const uint8_t *sealed, size_t len, uint8_t *plain,
		       size_t *plain_len);
int relay_session_seal(struct relay_session *session, uint16_t path_id,
		       const uint8_t *plain, size_t len, uint8_t *packet,
		       size_t *packet_len);

#endif /* RENDEZVOUS_RELAY_SESSION_H */
