/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The little of multicast DNS (RFC 6762) that finds peers on a link: pure functions.
 *
 *	TOKEN._laya._tcp.local	SRV	port, at the same name
 *				A, AAAA	addresses
 *				TXT	proof that the node itself says so
 *
 * A token stands for one node as one of its peers knows it, for an hour.  Who does
 * not have the secret of these two cannot tell whose it is, nor the next one.
 */
#ifndef LAYA_MDNS_H
#define LAYA_MDNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "key.h"

#define LAYA_MDNS_PORT		5353
#define LAYA_MDNS_MAX		1400	/* of a message of ours */
#define LAYA_MDNS_PERIOD_S	3600
#define LAYA_MDNS_TOKEN_SIZE	16
#define LAYA_MDNS_TOKENS	16	/* of one message */
#define LAYA_MDNS_ADDRESSES	4

/**
 * struct laya_mdns_service - where somebody is
 * @token: who
 * @port: TCP port; 0 when it was not told
 * @addresses: where; their port is @port
 * @n: how many
 * @proof: of all that; zero when there was none
 */
struct laya_mdns_service {
	uint8_t token[LAYA_MDNS_TOKEN_SIZE];
	uint16_t port;
	struct laya_address addresses[LAYA_MDNS_ADDRESSES];
	unsigned int n;
	uint8_t proof[LAYA_MDNS_TOKEN_SIZE];
};

/**
 * struct laya_mdns_message - what is ours in a message
 * @answer: it answers, else it asks
 * @services: of an answer; of a question only the tokens
 * @n: how many
 */
struct laya_mdns_message {
	bool answer;
	struct laya_mdns_service services[LAYA_MDNS_TOKENS];
	unsigned int n;
};

int laya_mdns_secret(uint8_t secret[LAYA_KEY_SIZE],
		     const uint8_t private_key[LAYA_KEY_SIZE],
		     const uint8_t public_key[LAYA_KEY_SIZE]);
void laya_mdns_token(uint8_t token[LAYA_MDNS_TOKEN_SIZE],
		     const uint8_t secret[LAYA_KEY_SIZE],
		     const uint8_t owner[LAYA_KEY_SIZE], uint64_t period);
void laya_mdns_prove(struct laya_mdns_service *service,
		     const uint8_t secret[LAYA_KEY_SIZE]);
bool laya_mdns_is_proven(const struct laya_mdns_service *service,
			 const uint8_t secret[LAYA_KEY_SIZE]);

int laya_mdns_read(struct laya_mdns_message *message, const uint8_t *bytes,
		   size_t len);
int laya_mdns_write(const struct laya_mdns_message *message, uint8_t *bytes,
		    size_t cap, size_t *len);

#endif /* LAYA_MDNS_H */
