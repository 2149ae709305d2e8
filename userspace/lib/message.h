/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The signalling messages: one definite-length CBOR map each.
 *
 * The same messages travel through a rendezvous, over a channel between two
 * nodes, and inside a session.  Encoding and decoding are pure functions.
 */
#ifndef LAYA_MESSAGE_H
#define LAYA_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include <linux/laya_netlink.h>

#include "address.h"
#include "candidate.h"
#include "key.h"

#define LAYA_MESSAGE_MAX	4096	/* bytes of CBOR */
#define LAYA_MAX_BODY		2048	/* of an offer, answer or follow-up */
#define LAYA_MAX_RELAYS		32
#define LAYA_MAX_ADDRESSES	4	/* of one relay */
#define LAYA_MAX_RELAYS_SIZE	4032	/* bytes of all relays in a message */
#define LAYA_MAX_LABELS		32	/* in one label message */
#define LAYA_MAX_CIPHERS	8

enum laya_message_type {
	LAYA_MESSAGE_REGISTER = 1,
	LAYA_MESSAGE_REGISTERED,
	LAYA_MESSAGE_OFFER,
	LAYA_MESSAGE_ANSWER,
	LAYA_MESSAGE_FOLLOWUP,
	LAYA_MESSAGE_ERROR,
	LAYA_MESSAGE_PING,
	LAYA_MESSAGE_PONG,
	LAYA_MESSAGE_RELAYS,
	LAYA_MESSAGE_CANDIDATES,
	LAYA_MESSAGE_LABEL_REQUEST,
	LAYA_MESSAGE_LABELS,
	LAYA_MESSAGE_LABEL_RELEASE,
	LAYA_MESSAGE_ACK,
	LAYA_MESSAGE_TRUNK_REQUEST,
	LAYA_MESSAGE_TRUNK,
};

enum laya_role {
	LAYA_ROLE_HOST,
	LAYA_ROLE_RELAY,
};

enum laya_message_error {
	LAYA_MESSAGE_ERROR_UNREACHABLE = 1,
	LAYA_MESSAGE_ERROR_RATE_LIMITED,
	LAYA_MESSAGE_ERROR_MALFORMED,
};

struct laya_addresses {
	unsigned int n;
	struct laya_address list[LAYA_MAX_ADDRESSES];
};

/**
 * struct laya_relay - a relay
 * @key: its key
 * @addresses: where it takes attachments
 * @host_name: what proxies and TLS call it there; empty if it has no name
 */
struct laya_relay {
	uint8_t key[LAYA_KEY_SIZE];
	struct laya_addresses addresses;
	char host_name[LAYA_HOST_NAME_SIZE];
};

struct laya_relays {
	unsigned int n;
	struct laya_relay list[LAYA_MAX_RELAYS];
};

struct laya_label {
	uint8_t key[LAYA_KEY_SIZE];
	uint8_t label[LAYA_LABEL_SIZE];
};

/**
 * struct laya_message - one message, decoded
 * @type: which; it says which member is valid, and whether @id is
 * @id: REGISTER, REGISTERED, RELAYS: none; PING, PONG: the nonce; else the id
 * @reg: REGISTER; an all-zero address stands for the observed one; @host_name is
 *	empty if there is none
 * @registered: REGISTERED
 * @relays: RELAYS
 * @sealed: OFFER, ANSWER, FOLLOWUP; @sealed.body points into what was decoded
 * @code: ERROR, enum laya_message_error or a later code
 * @candidates: CANDIDATES
 * @label_request: LABEL_REQUEST
 * @labels: LABELS; an all-zero address stands for the one that was dialled; the
 *	load is percent of what the forwarder would take
 * @label_release: LABEL_RELEASE
 * @trunk_request: TRUNK_REQUEST: to which forwarder, and where that is
 * @trunk: TRUNK
 */
struct laya_message {
	enum laya_message_type type;
	uint64_t id;
	union {
		struct {
			enum laya_role role;
			struct laya_addresses addresses;
			char host_name[LAYA_HOST_NAME_SIZE];
		} reg;
		struct {
			struct laya_address observed;
			struct laya_relays relays;
		} registered;
		struct laya_relays relays;
		struct {
			uint8_t key[LAYA_KEY_SIZE];
			const uint8_t *body;
			size_t body_len;
		} sealed;
		uint32_t code;
		struct laya_candidates candidates;
		struct {
			unsigned int n;
			uint8_t keys[LAYA_MAX_LABELS][LAYA_KEY_SIZE];
		} label_request;
		struct {
			unsigned int n;
			struct laya_label list[LAYA_MAX_LABELS];
			uint32_t lifetime;	/* seconds */
			struct laya_addresses addresses;
			uint32_t load;
		} labels;
		struct {
			unsigned int n;
			uint8_t labels[LAYA_MAX_LABELS][LAYA_LABEL_SIZE];
		} label_release;
		struct {
			uint8_t key[LAYA_KEY_SIZE];
			struct laya_addresses addresses;
		} trunk_request;
		struct {
			struct laya_label label;
			uint32_t lifetime;	/* seconds */
		} trunk;
	};
};

enum laya_payload_kind {
	LAYA_PAYLOAD_OFFER,
	LAYA_PAYLOAD_ANSWER,
	LAYA_PAYLOAD_FOLLOWUP,
};

/**
 * struct laya_payload - what is sealed end to end in a handshake message
 * @stamp: OFFER: its stamp; ANSWER: that of the offer
 * @index: OFFER, ANSWER: receiver index that the sender wants on packets to it
 * @n_ciphers: how many of @ciphers
 * @ciphers: OFFER: preferred first; ANSWER: the chosen one; enum laya_cipher
 *	or a later one
 * @candidates: where the sender can be reached
 */
struct laya_payload {
	uint64_t stamp;
	uint32_t index;
	unsigned int n_ciphers;
	uint32_t ciphers[LAYA_MAX_CIPHERS];
	struct laya_candidates candidates;
};

bool laya_addresses_have(const struct laya_addresses *addresses,
			 const struct laya_address *address);
size_t laya_relay_size(const struct laya_relay *relay);
int laya_message_encode(const struct laya_message *message, uint8_t *out,
			size_t cap, size_t *out_len);
int laya_message_decode(struct laya_message *message, const uint8_t *in,
			size_t len);
const char *laya_message_type_name(enum laya_message_type type);
const char *laya_message_error_text(uint32_t code);

int laya_payload_encode(const struct laya_payload *payload,
			enum laya_payload_kind kind, uint8_t *out, size_t cap,
			size_t *out_len);
int laya_payload_decode(struct laya_payload *payload,
			enum laya_payload_kind kind, const uint8_t *in,
			size_t len);

#endif /* LAYA_MESSAGE_H */
