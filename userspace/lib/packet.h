/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets on the wire, for a program that handles them without the module:
 * kernel/wire.h and Documentation/protocol.rst draw them.
 *
 *	[ label ] [ label ] [ return slot ] [ return slot ] sealed packet
 *
 * Pure functions.
 */
#ifndef LAYA_PACKET_H
#define LAYA_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "candidate.h"

#define LAYA_SHIM_SIZE		8
#define LAYA_MAX_SHIMS		(2 * LAYA_CANDIDATE_MAX_LABELS * LAYA_SHIM_SIZE)
#define LAYA_DATA_HEADER	16
#define LAYA_DATA_TAG		16
#define LAYA_DATA_OVERHEAD	(LAYA_DATA_HEADER + LAYA_DATA_TAG)
#define LAYA_INNER_SIZE		8
/* What follows the shims is no shorter */
#define LAYA_SEALED_MIN		(LAYA_DATA_OVERHEAD + LAYA_INNER_SIZE)
/* The top bit of a path id: the dialler's key is the greater one */
#define LAYA_PATH_ID_GREATER	0x8000

enum laya_packet_type {
	LAYA_PACKET_DATA = 0x81,
	LAYA_PACKET_LABEL = 0x82,
	LAYA_PACKET_RETURN = 0x83,
};

enum laya_inner_kind {
	LAYA_INNER_IPV6 = 1,
	LAYA_INNER_DGRAM = 2,
	LAYA_INNER_PROBE = 3,
	LAYA_INNER_FRAGMENT = 4,
	LAYA_INNER_ERROR = 5,
};

enum laya_probe_type {
	LAYA_PROBE_REQUEST = 1,
	LAYA_PROBE_REPLY = 2,
	LAYA_PROBE_KEEPALIVE = 3,
};

/**
 * struct laya_shims - what stands before a sealed packet
 * @n_labels: how many of @labels
 * @n_returns: how many of @returns
 * @labels: the outer one first
 * @returns: return slots, an empty one is 0
 * @len: bytes of all
 */
struct laya_shims {
	unsigned int n_labels;
	unsigned int n_returns;
	uint64_t labels[LAYA_CANDIDATE_MAX_LABELS];
	uint64_t returns[LAYA_CANDIDATE_MAX_LABELS];
	size_t len;
};

/**
 * struct laya_data_header - the header of a sealed packet, decoded
 * @path_id: the path
 * @receiver: index by which the receiver knows the session
 * @counter: never repeated in a session and direction
 */
struct laya_data_header {
	uint16_t path_id;
	uint32_t receiver;
	uint64_t counter;
};

/**
 * struct laya_probe - a probe, decoded
 * @type: enum laya_probe_type
 * @path_kind: as the dialler sees it
 * @seq: number of the request
 * @token: of the request
 * @rx_packets: packets that the sender authenticated on the path
 * @rx_bytes: their bytes
 */
struct laya_probe {
	uint8_t type;
	uint8_t path_kind;
	uint32_t seq;
	uint64_t token;
	uint64_t rx_packets;
	uint64_t rx_bytes;
};

#define LAYA_PROBE_SIZE		32
#define LAYA_PROBE_OBSERVED	20

int laya_shims_parse(struct laya_shims *shims, const uint8_t *data, size_t len);
size_t laya_shims_run(const uint8_t *data, size_t len, size_t segment);
void laya_shims_fill(uint8_t *data, unsigned int shim, uint64_t label);

void laya_data_header_read(struct laya_data_header *header,
			   const uint8_t *data);
void laya_data_header_write(uint8_t *data,
			    const struct laya_data_header *header);
int laya_probe_read(struct laya_probe *probe, const uint8_t *data, size_t len);
size_t laya_probe_write(uint8_t *data, const struct laya_probe *probe,
			const struct laya_address *observed);

uint16_t laya_get16(const uint8_t *data);
uint32_t laya_get32(const uint8_t *data);
uint64_t laya_get48(const uint8_t *data);
uint64_t laya_get64(const uint8_t *data);
void laya_put16(uint8_t *data, uint16_t value);
void laya_put32(uint8_t *data, uint32_t value);
void laya_put48(uint8_t *data, uint64_t value);
void laya_put64(uint8_t *data, uint64_t value);

#endif /* LAYA_PACKET_H */
